import fc from 'fast-check'
import { expect, it } from 'vitest'
import { parseChallenge } from './challenge.ts'

it.each([
  [undefined, {}],
  ['', {}],
  ['Bearer', {}],
  ['Basic realm="x"', {}],
  ['bearer error=invalid_token', { error: 'invalid_token' }],
  ['Bearer scope="a b", resource_metadata="https://x/y"', { scope: 'a b', resourceMetadata: 'https://x/y' }],
  ['Bearer SCOPE="a",error="insufficient_scope"', { scope: 'a', error: 'insufficient_scope' }],
  ['Bearer realm="a, b=\\"c\\"" , scope = "d"', { scope: 'd' }],
  ['Basic abc==, Bearer scope="a"', { scope: 'a' }],
  ['Negotiate YII=, DPoP error="use_dpop_nonce", algs="ES256"', { error: 'use_dpop_nonce' }],
  ['Basic scope="no", Bearer scope="a", error="x"', { scope: 'a', error: 'x' }],
  ['Bearer scope="a", scope="b"', { scope: 'a' }],
  ['Bearer scope="a" error="b"', { scope: 'a', error: 'b' }],
  ['Bearer scope="open', {}],
])('reads %j', (header, challenge) => {
  expect(parseChallenge(header)).toEqual(challenge)
})

it('whatever a server writes, it is read and in time', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 300 }), (text) => {
      expect(parseChallenge(`Bearer ${text}`)).toBeTypeOf('object')
    }),
  )
  const began = performance.now()
  for (const part of ['a="', 'a=b ', ' ', ',', '\\"', 'Bearer ', 'a=']) parseChallenge(part.repeat(50_000))
  expect(performance.now() - began).toBeLessThan(200)
})
