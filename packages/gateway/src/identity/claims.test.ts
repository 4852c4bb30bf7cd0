import { expect, test } from 'vitest'
import { parseConfig } from '../config/parse.ts'
import { toBearer } from './claims.ts'

const ISSUER = 'https://auth.example.com'
const CLAIMS = { iss: ISSUER, sub: 'ann', aud: 'a', exp: 2 }

function issuerOf(more: object) {
  const text = JSON.stringify({ auth: { issuers: [{ issuer: ISSUER, ...more }] } })
  const [issuer] = parseConfig(text, { path: 'c.json' }).config.auth?.issuers ?? []
  if (issuer === undefined) expect.fail('no issuer')
  return issuer
}

const read = (more: object, claims: object) => toBearer({ ...CLAIMS, ...claims }, issuerOf(more))

test.each([
  [{}, {}, { id: 'ann', tenant: ISSUER }],
  [{ tenant: 'acme' }, {}, { id: 'ann', tenant: 'acme' }],
  [{ tenantClaim: 'org' }, { org: 'acme' }, { id: 'ann', tenant: 'acme' }],
  [{ tenantClaim: 'https://x.example/org' }, { 'https://x.example/org': 'acme' }, { id: 'ann', tenant: 'acme' }],
  [{ principalClaim: 'user.email' }, { user: { email: 'a@x' } }, { id: 'a@x', tenant: ISSUER }],
  // The name itself comes before the way to it.
  [{ principalClaim: 'user.email' }, { user: { email: 'a@x' }, 'user.email': 'b@x' }, { id: 'b@x' }],
])('with %j and %j it is of %j', (more, claims, expected) => {
  expect(read(more, claims)).toMatchObject(expected)
})

test.each([
  [{ tenantClaim: 'org' }, {}],
  [{ tenantClaim: 'org' }, { org: '' }],
  [{ tenantClaim: 'org' }, { org: ['acme'] }],
  [{ tenantClaim: 'org' }, { org: 'a'.repeat(257) }],
  [{ tenantClaim: 'org' }, { org: 'acme\u202e' }],
  [{ tenant: 'default' }, { sub: 'anonymous' }],
  [{ principalClaim: 'user.email' }, { user: 'x' }],
  [{ principalClaim: 'constructor.name' }, {}],
  [{ principalClaim: '__proto__' }, {}],
  [{ principalClaim: 'n' }, { n: 7 }],
])('with %j and %j it is of nobody', (more, claims) => {
  expect(() => read(more, claims)).toThrow(RangeError)
})

test.each([
  [{}, { roles: ['a'] }, []],
  [{ rolesClaim: 'roles' }, { roles: ['a', 'b', 7, '', null] }, ['a', 'b']],
  [{ rolesClaim: 'roles' }, { roles: 'a  b' }, ['a', 'b']],
  [{ rolesClaim: 'roles' }, { roles: { a: true } }, []],
  [{ rolesClaim: 'roles' }, {}, []],
  [{ rolesClaim: 'realm_access.roles' }, { realm_access: { roles: ['a'] } }, ['a']],
  [{ rolesClaim: 'roles' }, { roles: Array.from({ length: 500 }, (_, i) => `r${i}`) }, { length: 100 }],
])('with %j and %j its roles are %j', (more, claims, roles) => {
  expect(read(more, claims).attributes.roles).toMatchObject(roles)
})

test('claims go along within a bound, and none is a part of an object that is not there', () => {
  const claims = JSON.parse(
    `{ "__proto__": { "admin": true }, "small": 1, "large": "${'x'.repeat(9_000)}", "late": 1 }`,
  )
  const { attributes } = read({}, claims)
  expect(attributes.claims).toMatchObject({ sub: 'ann', small: 1 })
  expect(Object.keys(attributes.claims as object)).not.toContain('large')
  expect(JSON.stringify(attributes).length).toBeLessThan(9_000)
  expect((attributes.claims as { readonly admin?: unknown }).admin).toBeUndefined()
  expect(({} as { readonly admin?: unknown }).admin).toBeUndefined()
})
