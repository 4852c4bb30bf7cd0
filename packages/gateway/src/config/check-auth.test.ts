import { expect, test } from 'vitest'
import { ConfigError } from './config-error.ts'
import { explainConfig } from './explain.ts'
import { parseConfig } from './parse.ts'

const read = (text: string) =>
  parseConfig(`servers: { a: { command: x } }\n${text}`, { env: { URL: 'https://secret.example' } })

function errorsOf(text: string) {
  try {
    read(text)
  } catch (error) {
    if (error instanceof ConfigError) return error.issues.map(({ path, message }) => `${path}: ${message}`)
    throw error
  }
  return []
}
const OK = 'issuer: "https://auth.example.com"'

test.each([
  ['auth: { keys: { enabled: false } }', 'auth.keys.enabled: Without keys and issuers nobody could call'],
  ['auth: { resource: "mcp.example.com" }', 'auth.resource: Must be an http(s) URL'],
  ['auth: { resource: "https://a:b@mcp.example.com" }', 'auth.resource: This is not the address of a gateway'],
  ['auth: { resource: "https://mcp.example.com?x=1" }', 'auth.resource: This is not the address of a gateway'],
  ['auth: { resource: "https://mcp.example.com/mcp" }', 'auth.resource: The endpoint is added to this'],
  [`auth: { issuers: [{ ${OK} }, { ${OK} }] }`, 'auth.issuers[1].issuer: This issuer is there twice'],
  ['auth: { issuers: [{ issuer: "http://auth.example.com" }] }', 'Whoever is in between could make keys of its own'],
  [`auth: { issuers: [{ ${OK}, keys: "http://auth.example.com/jwks" }] }`, 'Whoever is in between'],
  [`auth: { issuers: [{ ${OK}, keys: "https://u:p@auth.example.com/jwks" }] }`, 'This is not a valid URL'],
  [`auth: { issuers: [{ ${OK}, tenant: a, tenantClaim: b }] }`, 'A tenant is either given or in a claim, not both'],
  [`auth: { issuers: [{ ${OK}, algorithms: [HS256] }] }`, 'Tokens cannot be checked safely with this'],
  [`auth: { issuers: [{ ${OK}, algorithms: [none] }] }`, 'Tokens cannot be checked safely with this'],
  [`auth: { issuers: [{ ${OK}, algorithms: [] }] }`, 'Must name one at least'],
  [`auth: { issuers: [{ ${OK}, types: [] }] }`, 'Must name one at least'],
  [`auth: { issuers: [{ ${OK}, audiences: [x] }] }`, 'Unknown key "audiences"'],
  ['auth: { issuers: [{ tenant: a }] }', 'The key "issuer" is missing'],
  [`listen: { host: 0.0.0.0 }\nauth: { issuers: [{ ${OK} }] }`, 'Tokens have to name the gateway as callers know it'],
  ['auth: { stdio: { roles: [a] } }', 'The key "principal" is missing'],
  ['auth: true', 'auth: Must be a mapping'],
])('%s is refused: %s', (text, message) => {
  expect(errorsOf(text).join('\n')).toContain(message)
})

test.each([
  ['auth: {}', []],
  ['listen: { host: 0.0.0.0 }\nauth: {}', ['Keys come to this address without encryption']],
  ['listen: { host: 0.0.0.0 }\nauth: { resource: "https://mcp.example.com" }', []],
  ['auth: { resource: "http://mcp.example.com" }', ['Keys and tokens come to this address without encryption']],
  ['auth: { issuers: [{ issuer: "http://localhost:9000" }] }', []],
])('%j can be used, with warnings %j', (text, warnings) => {
  expect(read(text).warnings.map(({ message }) => message)).toEqual(warnings)
})

test('a slash at the end of the public address is none', () => {
  expect(read('auth: { resource: "https://mcp.example.com/gw//" }').config.auth?.resource).toBe(
    'https://mcp.example.com/gw',
  )
})

test('what is explained names variables, and not what they stand for', () => {
  const rows = explainConfig(read('auth: { resource: "${URL}", issuers: [{ issuer: "${URL}", types: [JWT] }] }'))
  const values = Object.fromEntries(
    rows.filter(({ path }) => path.startsWith('auth')).map(({ path, value }) => [path, value]),
  )
  expect(JSON.stringify(values)).not.toContain('secret')
  expect(values).toMatchObject({ 'auth.resource': '${URL}', 'auth.keys.enabled': true })
  expect(Object.values(values)).toContainEqual(['JWT'])
})
