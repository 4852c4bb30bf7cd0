import { expect, test } from 'vitest'
import { ConfigError } from './config-error.ts'
import { explainConfig } from './explain.ts'
import { parseConfig } from './parse.ts'

const SECRET = '0123456789abcdef0123456789abcdef'
const ISSUERS = { issuers: [{ issuer: 'https://auth.example.com' }], resource: 'https://mcp.example.com' }

function parse(admin: object, more: object = {}, env: Readonly<Record<string, string>> = {}) {
  return parseConfig(JSON.stringify({ servers: {}, admin, ...more }), { path: 'crosspoint.json', env })
}

function complaints(admin: object, more?: object): readonly string[] {
  try {
    return parse(admin, more).warnings.flatMap(({ path, message }) =>
      path === 'servers' ? [] : [`(${path}) ${message}`],
    )
  } catch (error) {
    if (error instanceof ConfigError) return error.issues.map(({ path, message }) => `${path}: ${message}`)
    throw error
  }
}

test('it is on, on this machine alone, with roles of the names that they have', () => {
  const { admin } = parseConfig('', { path: 'crosspoint.yaml' }).config
  expect(admin).toEqual({
    enabled: true,
    host: '127.0.0.1',
    audience: [],
    roles: { admin: ['admin'], auditor: ['auditor'], viewer: ['viewer'] },
    allowedHosts: [],
    allowedOrigins: [],
  })
})

test('abuse-3: an address that others reach needs a token or issuers', () => {
  const [fault] = complaints({ host: '0.0.0.0' })
  expect(fault).toBe('admin.host: Whoever reaches this address could not show who they are')
  expect(complaints({ host: '0.0.0.0', enabled: false })).not.toContain(fault)
  expect(complaints({ host: '0.0.0.0', token: SECRET, resource: 'https://admin.example.com' })).not.toContain(fault)
  expect(complaints({ host: '0.0.0.0', resource: 'https://admin.example.com' }, { auth: ISSUERS })).not.toContain(fault)
})

test('tokens of issuers have to name the address as callers know it', () => {
  expect(complaints({ host: '0.0.0.0' }, { auth: ISSUERS })).toContain(
    'admin.host: Tokens have to name the admin API as callers know it',
  )
})

test('a token that somebody could guess is refused, and is in no message', () => {
  expect(complaints({ token: 'hunter2' })).toEqual(['admin.token: Must have 32 letters at least'])
})

test('a token is masked where the configuration is shown', () => {
  const shown = JSON.stringify(explainConfig(parse({ token: SECRET })))
  expect(shown).toContain('admin.token')
  expect(shown).not.toContain(SECRET)
})

test('a token can be given by a variable', () => {
  expect(parse({}, {}, { CROSSPOINT_ADMIN_TOKEN: SECRET }).config.admin.token).toBe(SECRET)
})

test('it has a port of its own', () => {
  expect(complaints({ port: 8360 })).toEqual(['admin.port: Callers are served at this port'])
  expect(complaints({ port: 0 }, { listen: { port: 0 } })).toEqual([])
})
