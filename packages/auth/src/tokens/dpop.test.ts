import { ask, createFollowingRedirect, startPlainServer } from '@crosspoint/testkit'
import { calculateJwkThumbprint, decodeProtectedHeader, EmbeddedJWK, jwtVerify } from 'jose'
import { expect, it, onTestFinished } from 'vitest'
import { createOAuth } from '../create.ts'
import { createMemoryStore } from '../store.ts'
import { createDpopKey, importDpopKey } from './dpop.ts'

it('proves one request, with a key whose private part stays here', async () => {
  const key = await createDpopKey()
  const request = { method: 'POST', url: 'https://x.example/mcp?a=1#b', accessToken: 't', nonce: 'n' }
  const proof = await key.prove(request)
  const { payload, protectedHeader } = await jwtVerify(proof, EmbeddedJWK, { typ: 'dpop+jwt', maxTokenAge: '1m' })
  expect(payload).toMatchObject({ htm: 'POST', htu: 'https://x.example/mcp', nonce: 'n', jti: expect.any(String) })
  expect(payload.ath).toBe(await digest('t'))
  expect(Object.keys(protectedHeader.jwk ?? {}).sort()).toEqual(['crv', 'kty', 'x', 'y'])
  expect(await key.prove(request)).not.toBe(proof)
})

it('is the same key out of a store', async () => {
  const key = await createDpopKey()
  const again = await importDpopKey(key.jwk)
  const of = async (proof: string) => calculateJwkThumbprint(decodeProtectedHeader(proof).jwk ?? {})
  const request = { method: 'GET', url: 'https://x.example/' }
  expect(await of(await again.prove(request))).toBe(await of(await key.prove(request)))
  await expect(importDpopKey({ kty: 'oct', k: 'AAAA' })).rejects.toThrow('it is not one of ours')
})

it('both servers may want a nonce, and give a new one at any time', async () => {
  let count = 0
  const nonceOf = (proof: unknown) => JSON.parse(atob(String(proof).split('.')[1] ?? '')).nonce
  const server = await startPlainServer(({ path, headers }) => {
    const { origin } = server
    switch (path) {
      case '/.well-known/oauth-protected-resource/mcp':
        return { body: { resource: `${origin}/mcp`, authorization_servers: [origin] } }
      case '/.well-known/oauth-authorization-server':
        return {
          body: {
            issuer: origin,
            authorization_endpoint: `${origin}/authorize`,
            token_endpoint: `${origin}/token`,
            code_challenge_methods_supported: ['S256'],
            dpop_signing_alg_values_supported: ['ES256'],
          },
        }
      case '/authorize': {
        const query = server.seen.at(-1)?.query ?? new URLSearchParams()
        const back = `${query.get('redirect_uri')}?code=c&state=${query.get('state')}`
        return { status: 302, headers: { location: back } }
      }
      case '/token':
        return nonceOf(headers.dpop) === 'as'
          ? { body: { access_token: 'bound', token_type: 'DPoP', expires_in: 60 } }
          : { status: 400, headers: { 'dpop-nonce': 'as' }, body: { error: 'use_dpop_nonce' } }
      default: {
        if (headers.dpop === undefined) return { status: 401, headers: { 'www-authenticate': 'DPoP algs="ES256"' } }
        const isGood = nonceOf(headers.dpop) === `rs${count}`
        const next = { 'dpop-nonce': `rs${isGood ? ++count : count}` }
        if (isGood) return { headers: next }
        return { status: 401, headers: { ...next, 'www-authenticate': 'DPoP error="use_dpop_nonce"' } }
      }
    }
  })
  onTestFinished(() => server.stop())
  const store = createMemoryStore()
  const options = { redirect: createFollowingRedirect(), client: { id: 'c' }, dpop: true, store }
  const authorization = createOAuth(options)
  const url = `${server.origin}/mcp`
  expect((await ask(authorization, url)).sent[1]).toBe('DPoP bound')
  const before = server.seen.length
  expect((await ask(authorization, url)).status).toBe(200)
  expect(server.seen.length - before).toBe(1)
  // Another process: the key is in the store, the nonce is not.
  expect((await ask(createOAuth(options), url)).status).toBe(200)
  expect(server.seen.filter(({ path }) => path === '/authorize')).toHaveLength(1)
})

it.each([
  ['does not offer it', {}, 'does not offer DPoP'],
  ['gives a token bound to nothing', { dpop_signing_alg_values_supported: ['ES256'] }, 'not of the kind "dpop"'],
])('is not done without where the server %s', async (_, metadata, message) => {
  const server = await startPlainServer(({ path }) => {
    const { origin } = server
    if (path === '/token') return { body: { access_token: 'free', token_type: 'Bearer' } }
    if (path === '/authorize') {
      const query = server.seen.at(-1)?.query ?? new URLSearchParams()
      return { status: 302, headers: { location: `${query.get('redirect_uri')}?code=c&state=${query.get('state')}` } }
    }
    if (path !== '/.well-known/oauth-authorization-server') return { status: path === '/mcp' ? 401 : 404 }
    const endpoints = { authorization_endpoint: `${origin}/authorize`, token_endpoint: `${origin}/token` }
    return { body: { issuer: origin, ...endpoints, code_challenge_methods_supported: ['S256'], ...metadata } }
  })
  onTestFinished(() => server.stop())
  const authorization = createOAuth({ redirect: createFollowingRedirect(), client: { id: 'c' }, dpop: true })
  await expect(ask(authorization, `${server.origin}/mcp`)).rejects.toThrow(message)
})

async function digest(text: string): Promise<string> {
  const bytes = new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text)))
  return Buffer.from(bytes).toString('base64url')
}
