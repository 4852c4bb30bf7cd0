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

const REDIRECTS = 'redirectUris: ["https://a.example/cb"]'
const SECRET = 'secret: "0123456789abcdef"'
const UPSTREAM = 'issuer: "https://idp.example.com", clientId: a, clientSecret: b'

test.each([
  ['auth: { server: true }', 'auth.server: Must be a mapping'],
  ['listen: { host: 0.0.0.0 }\nauth: { server: {} }', 'auth: People have to find the authorization server'],
  [
    'auth: { resource: "http://mcp.example.com", server: {} }',
    'Passwords would come to this address without encryption',
  ],
  ['auth: { resource: "https://mcp.example.com/gw", server: {} }', 'needs an address of its own, without a path'],
  [
    'auth: { resource: "https://a.example", issuers: [{ issuer: "https://a.example" }], server: {} }',
    'An issuer has the name of this one',
  ],
  [
    `auth: { server: { upstream: { ${UPSTREAM.replace('https', 'http')} } } }`,
    'Whoever is in between could be anybody',
  ],
  [
    `auth: { server: { upstream: { ${UPSTREAM}, tenant: a, tenantClaim: b } } }`,
    'A tenant is either given or in a claim',
  ],
  ['auth: { server: { upstream: { issuer: "https://idp.example.com" } } }', 'The key "clientId" is missing'],
  [
    'auth: { server: { enterprise: [{ issuer: "http://idp.example.com" }] } }',
    'Whoever is in between could be anybody',
  ],
  ['auth: { server: { clients: { a: {} } } }', 'There is nothing that this client could do'],
  ['auth: { server: { clients: { a: { credentials: true } } } }', 'Anybody could say that they are this client'],
  [
    `auth: { server: { clients: { a: { ${SECRET}, keys: "https://a.example/jwks", credentials: true } } } }`,
    'A client shows either a secret or what its key has signed, not both',
  ],
  ['auth: { server: { clients: { a: { secret: short } } } }', 'Must have at least 16 letters'],
  ...['http://a.example/cb', 'javascript:alert(1)', 'https://a.example/cb#x', 'com.example:/cb'].map((uri) => [
    `auth: { server: { clients: { a: { redirectUris: ["${uri}"] } } } }`,
    'People can be sent back to https:// or to this machine only',
  ]),
  ['auth: { server: { key: "!23456789012345678901234567890123456789012345" } }', 'This is not 32 bytes in base64'],
  [
    'auth: { server: { key: "0123456789012345678901234567890123456789012", keyFile: a } }',
    'The key is either given or in a file, not both',
  ],
  ['auth: { server: { ttl: { accessMs: 1 } } }', 'Must be a whole number from 10000 to 3600000'],
])('%s is refused: %s', (text, message) => {
  expect(errorsOf(text ?? '').join('\n')).toContain(message)
})

test.each([
  'auth: { server: {} }',
  'auth: { keys: { enabled: false }, server: {} }',
  'auth: { resource: "http://127.0.0.1:8360", server: {} }',
  'listen: { host: 0.0.0.0 }\nauth: { resource: "https://mcp.example.com", server: {} }',
  `auth: { server: { clients: { a: { ${REDIRECTS} }, b: { ${SECRET}, credentials: true } } } }`,
  `auth: { server: { upstream: { ${UPSTREAM} } } }`,
])('%j can be used', (text) => {
  expect(read(text).warnings).toEqual([])
})

test('secrets of the authorization server are not explained', () => {
  const text = `auth:
  server:
    key: "${'k'.repeat(43)}"
    upstream: { ${UPSTREAM.replace(': b', ': hidden-one')} }
    clients: { a: { secret: "hidden-two-hidden-two", credentials: true } }`
  const shown = JSON.stringify(explainConfig(read(text)))
  expect(shown).toContain('auth.server.upstream.clientSecret')
  expect(shown).not.toMatch(/hidden|kkkk/)
})
