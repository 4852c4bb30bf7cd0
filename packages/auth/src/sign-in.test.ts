import { createSigner, type SeenRequest, startPlainServer } from '@crosspoint/testkit'
import { expect, it, onTestFinished } from 'vitest'
import { createSignIn } from './sign-in.ts'

const REDIRECT = 'https://mcp.example.com/login/callback'
const seconds = () => Math.floor(Date.now() / 1_000)

/** A provider that says of somebody what a test wants. */
async function open(changes: object = {}, header: object = {}, metadata: object = {}) {
  const signer = createSigner()
  let nonce = ''
  const server = await startPlainServer(({ path }: SeenRequest) => {
    const { origin: issuer } = server
    if (path === '/.well-known/openid-configuration') {
      const endpoints = { authorization_endpoint: `${issuer}/authorize`, token_endpoint: `${issuer}/token` }
      return { body: { issuer, jwks_uri: `${issuer}/jwks`, ...endpoints, ...metadata } }
    }
    if (path === '/jwks') return { body: { keys: [signer.publicKey] } }
    if (path !== '/token') return { status: 404 }
    const claims = { iss: issuer, sub: 'ann', aud: 'us', nonce, iat: seconds(), exp: seconds() + 60, ...changes }
    return {
      body: { access_token: 'a', token_type: 'Bearer', id_token: signer.sign(claims, { typ: 'JWT', ...header }) },
    }
  })
  onTestFinished(() => server.stop())
  const client = { id: 'us', secret: 'a:b c' }
  const signIn = createSignIn({ issuer: server.origin, client, redirectUri: REDIRECT, scopes: ['email'] })
  const { url, pending } = await signIn.begin()
  nonce = pending.nonce
  const back = (params: Readonly<Record<string, string>> = {}) =>
    signIn.finish(`${REDIRECT}?${new URLSearchParams({ code: 'c', state: pending.state, ...params })}`, pending)
  return { server, url: new URL(url), pending, back }
}

it('asks with all that makes an answer ours, and tells who came back', async () => {
  const { server, url, pending, back } = await open()
  expect(Object.fromEntries(url.searchParams)).toMatchObject({
    response_type: 'code',
    client_id: 'us',
    redirect_uri: REDIRECT,
    scope: 'openid email',
    state: pending.state,
    nonce: pending.nonce,
    code_challenge_method: 'S256',
  })
  expect(await back()).toMatchObject({ sub: 'ann' })
  const asked = server.seen.find(({ path }) => path === '/token')
  expect(asked?.form.get('code_verifier')).toBe(pending.verifier)
  expect(asked?.headers.authorization).toBe(`Basic ${btoa('us:a%3Ab+c')}`)
})

it.each([
  ['another nonce', { nonce: 'x' }, {}],
  ['no nonce', { nonce: undefined }, {}],
  ['another audience', { aud: 'them' }, {}],
  ['several audiences', { aud: ['us', 'them'] }, {}],
  ['another party', { azp: 'them' }, {}],
  ['another issuer', { iss: 'https://evil.example' }, {}],
  ['an end behind us', { exp: 1 }, {}],
  ['nobody', { sub: '' }, {}],
  ['another key', {}, { kid: 'x' }],
])('abuse-31: takes no ID token with %s', async (_, changes, header) => {
  const { back } = await open(changes, header)
  await expect(back()).rejects.toMatchObject({ code: 'peer.invalid', message: expect.stringContaining('ID token') })
})

it('abuse-26: takes no ID token without a signature, nor one made with what everybody knows', async () => {
  for (const alg of ['none', 'HS256']) {
    const { back } = await open({}, { alg })
    await expect(back()).rejects.toMatchObject({ code: 'peer.invalid' })
  }
})

it('abuse-31, abuse-33: takes no answer of another server, to another question, or that says no', async () => {
  const { back } = await open({}, {}, { authorization_response_iss_parameter_supported: true })
  await expect(back()).rejects.toMatchObject({ code: 'peer.invalid' })
  await expect(back({ iss: 'https://evil.example' })).rejects.toMatchObject({ code: 'peer.invalid' })
  const other = await open()
  await expect(other.back({ state: 'x' })).rejects.toMatchObject({ code: 'peer.invalid' })
  await expect(other.back({ error: 'access_denied' })).rejects.toMatchObject({ code: 'caller.declined' })
})
