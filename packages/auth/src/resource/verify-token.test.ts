import { createHmac, createPublicKey } from 'node:crypto'
import {
  type AuthorizationServer,
  type AuthorizationServerOptions,
  createSigner,
  startAuthorizationServer,
  toJwt,
} from '@crosspoint/testkit'
import { afterEach, describe, expect, it } from 'vitest'
import type { AuthError } from '../errors.ts'
import type { VerifyTokenOptions } from './verify-options.ts'
import { verifyToken } from './verify-token.ts'

const RESOURCE = 'https://mcp.example.com/mcp'
const NOW = 1_800_000_000_000
const cleanup: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const end of cleanup.splice(0).reverse()) await end()
})

async function start(options: Partial<VerifyTokenOptions> = {}, server: AuthorizationServerOptions = {}) {
  const issuedBy = await startAuthorizationServer(server)
  cleanup.push(() => issuedBy.stop())
  const verify = verifyToken({ resource: RESOURCE, issuers: [issuedBy.issuer], now: () => NOW, ...options })
  return { issuedBy, ask: (token: string) => verify({ authorization: `Bearer ${token}` }), verify }
}

/** What an honest token of an issuer says, with changes; undefined leaves a claim out. */
const claims = ({ issuer }: AuthorizationServer, changes = {}) => ({
  iss: issuer,
  sub: 'ann',
  client_id: 'c',
  aud: RESOURCE,
  exp: NOW / 1_000 + 60,
  scope: 'read',
  ...changes,
})

const failureOf = (promise: Promise<unknown>): Promise<AuthError> =>
  promise.then(
    () => expect.fail('no error'),
    (error) => error,
  )

const keyRequests = ({ seen }: AuthorizationServer) => seen.filter(({ path }) => path === '/jwks').length

it('knows whom a token is of, and what it is good for', async () => {
  const { issuedBy, ask } = await start()
  expect(await ask(issuedBy.sign(claims(issuedBy)))).toEqual({
    id: 'ann',
    tenant: issuedBy.issuer,
    scopes: ['read'],
    clientId: 'c',
  })
})

describe('trap-43: a token is taken by the server it is for and by no other', () => {
  it.each([
    [RESOURCE, true],
    [['https://other.example', RESOURCE], true],
    ['https://other.example/mcp', false],
    [`${RESOURCE}/`, false],
    [`${RESOURCE}/sub`, false],
    ['https://mcp.example.com', false],
    [RESOURCE.toUpperCase(), false],
    [[], false],
    [[`${RESOURCE} https://x`], false],
    [undefined, false],
  ])('abuse-26: of audience %j: %s', async (aud, isTaken) => {
    const { issuedBy, ask } = await start()
    const token = issuedBy.sign(claims(issuedBy, { aud }))
    if (isTaken) expect((await ask(token)).id).toBe('ann')
    else expect((await failureOf(ask(token))).challenge).toEqual({ status: 401, error: 'invalid_token' })
  })
})

describe('abuse-25: a token', () => {
  it.each([
    ['that has expired', { exp: NOW / 1_000 - 31 }],
    ['that never expires', { exp: undefined }],
    ['that is not good yet', { nbf: NOW / 1_000 + 31 }],
    ['of another issuer', { iss: 'https://evil.example' }],
    ['of no issuer', { iss: undefined }],
    ['of nobody', { sub: undefined }],
    ['of somebody without a name', { sub: '' }],
    ['bound to a key that is not shown', { cnf: { jkt: 'x' } }],
  ])('%s is refused', async (_, changes) => {
    const { issuedBy, ask } = await start()
    const failure = await failureOf(ask(issuedBy.sign(claims(issuedBy, changes))))
    expect([failure.code, failure.challenge]).toEqual(['caller.invalid_token', { status: 401, error: 'invalid_token' }])
  })

  it('is given half a minute between clocks', async () => {
    const { issuedBy, ask } = await start()
    const near = { exp: NOW / 1_000 - 29, nbf: NOW / 1_000 + 29 }
    expect((await ask(issuedBy.sign(claims(issuedBy, near)))).id).toBe('ann')
  })

  it('of another issuer makes nobody ask that issuer', async () => {
    const other = await startAuthorizationServer()
    cleanup.push(() => other.stop())
    const { issuedBy, ask } = await start()
    await failureOf(ask(other.sign(claims(other))))
    expect([other.seen, issuedBy.seen]).toEqual([[], []])
  })

  it('with a signature of another key is refused, however it is named', async () => {
    const { issuedBy, ask } = await start()
    const evil = createSigner()
    const good = issuedBy.sign(claims(issuedBy))
    await ask(good)
    const { kid } = JSON.parse(Buffer.from(good.split('.')[0] ?? '', 'base64url').toString())
    for (const header of [
      {},
      { kid },
      { kid: undefined, jwk: evil.publicKey },
      { kid: undefined, jku: 'https://evil' },
    ]) {
      expect((await failureOf(ask(evil.sign(claims(issuedBy), header)))).code).toBe('caller.invalid_token')
    }
    const [head, , signature] = good.split('.')
    const root = Buffer.from(JSON.stringify(claims(issuedBy, { sub: 'root' }))).toString('base64url')
    expect((await failureOf(ask(`${head}.${root}.${signature}`))).code).toBe('caller.invalid_token')
  })

  it.each(['', 'a', 'a.b', 'a.b.c', '..', 'e30.e30.', `${'a'.repeat(10_000)}.b.c`])(
    '"%.10s" is none',
    async (token) => {
      const { ask } = await start()
      expect((await failureOf(ask(token))).challenge?.status).toBe(token === '' ? 400 : 401)
    },
  )
})

describe('abuse-26: a token', () => {
  it('without a signature, or signed with the public key as if it were a secret, is refused', async () => {
    const { issuedBy, ask } = await start()
    await ask(issuedBy.sign(claims(issuedBy)))
    const { keys } = (await (await fetch(`${issuedBy.issuer}/jwks`)).json()) as { keys: [{ kid: string }] }
    const pem = createPublicKey({ key: { ...keys[0] }, format: 'jwk' }).export({ type: 'spki', format: 'pem' })
    const header = { typ: 'at+jwt', kid: keys[0].kid }
    for (const alg of ['none', 'None', 'nOnE']) {
      const token = toJwt({ ...header, alg }, claims(issuedBy), () => Buffer.from(''))
      expect((await failureOf(ask(token))).challenge?.status).toBe(401)
    }
    for (const secret of [pem, JSON.stringify(keys[0])]) {
      const mac = (text: string) => createHmac('sha256', secret).update(text).digest()
      const token = toJwt({ ...header, alg: 'HS256' }, claims(issuedBy), mac)
      expect((await failureOf(ask(token))).code).toBe('caller.invalid_token')
    }
  })

  it('of another kind is refused: what says who somebody is opens nothing', async () => {
    const { issuedBy, ask } = await start()
    for (const typ of ['JWT', 'id_token+jwt', 'oauth-id-jag+jwt', 'dpop+jwt', undefined]) {
      expect((await failureOf(ask(issuedBy.sign(claims(issuedBy), { typ })))).code).toBe('caller.invalid_token')
    }
    expect((await ask(issuedBy.sign(claims(issuedBy), { typ: 'application/AT+JWT' }))).id).toBe('ann')
  })

  it('of an issuer that names no kind is taken where that is wanted, and an ID token still is not', async () => {
    const { issuedBy, ask } = await start({ types: ['at+jwt', 'JWT'] })
    expect((await ask(issuedBy.sign(claims(issuedBy), { typ: 'JWT' }))).id).toBe('ann')
    for (const changes of [{ nonce: 'n' }, { at_hash: 'h' }]) {
      const token = issuedBy.sign(claims(issuedBy, changes), { typ: 'JWT' })
      expect((await failureOf(ask(token))).code).toBe('caller.invalid_token')
    }
  })

  it('that names unknown keys makes us ask for keys once in a while, however many come', async () => {
    let now = NOW
    const { issuedBy, ask } = await start({ now: () => now })
    await ask(issuedBy.sign(claims(issuedBy)))
    expect(keyRequests(issuedBy)).toBe(1)
    const flood = () =>
      Promise.all(
        Array.from({ length: 50 }, (_, at) => failureOf(ask(issuedBy.sign(claims(issuedBy), { kid: `k${at}` })))),
      )
    await flood()
    expect(keyRequests(issuedBy)).toBe(1)
    now += 30_000
    await flood()
    expect(keyRequests(issuedBy)).toBe(2)
  })

  it.each(['none', 'HS256', 'RSA1_5'])('is never to be checked by %s', (name) => {
    const options = { resource: RESOURCE, issuers: ['https://as.example'] }
    expect(() => verifyToken({ ...options, algorithms: [name] })).toThrow(`Cannot check tokens with "${name}"`)
  })
})

describe('keys', () => {
  it('that an issuer has changed are found at the first token that needs them', async () => {
    let now = NOW
    const { issuedBy, ask } = await start({ now: () => now })
    const old = issuedBy.sign(claims(issuedBy))
    await ask(old)
    issuedBy.rotate()
    now += 30_000
    expect((await ask(issuedBy.sign(claims(issuedBy)))).id).toBe('ann')
    expect((await failureOf(ask(old))).code).toBe('caller.invalid_token')
    expect(keyRequests(issuedBy)).toBe(2)
  })

  it('are used on while an issuer is away, and not for ever', async () => {
    let now = NOW
    let isAway = false
    const { issuedBy, ask } = await start({ now: () => now }, { answer: () => (isAway ? { status: 500 } : undefined) })
    const token = () => issuedBy.sign(claims(issuedBy, { exp: now / 1_000 + 60 }))
    await ask(token())
    isAway = true
    now += 3_599_000
    expect((await ask(token())).id).toBe('ann')
    now += 2_000
    const failure = await failureOf(ask(token()))
    expect([failure.code, failure.challenge]).toEqual(['peer.unavailable', { status: 503 }])
    isAway = false
    now += 30_000
    expect((await ask(token())).id).toBe('ann')
  })

  it('that cannot be read at first are tried for again soon, and one call at a time', async () => {
    let now = NOW
    let isAway = true
    const { issuedBy, ask } = await start({ now: () => now }, { answer: () => (isAway ? { status: 404 } : undefined) })
    const ten = () => Promise.all(Array.from({ length: 10 }, () => failureOf(ask(issuedBy.sign(claims(issuedBy))))))
    expect((await ten()).map(({ challenge }) => challenge?.status)).toEqual(Array(10).fill(503))
    const asked = issuedBy.seen.length
    await ten()
    expect(issuedBy.seen).toHaveLength(asked)
    isAway = false
    now += 3_000
    expect((await ask(issuedBy.sign(claims(issuedBy)))).id).toBe('ann')
  })

  it('abuse-30: are asked for nowhere inside a network, whatever metadata names', async () => {
    const { issuedBy, ask } = await start(
      {},
      { metadata: (metadata) => ({ ...metadata, jwks_uri: 'http://169.254.169.254/latest' }) },
    )
    const failure = await failureOf(ask(issuedBy.sign(claims(issuedBy))))
    expect([failure.challenge, failure.message]).toEqual([{ status: 503 }, expect.not.stringContaining('169')])
  })

  it('trap-46: are not those of metadata of another issuer', async () => {
    const { issuedBy, ask } = await start({}, { metadata: (said) => ({ ...said, issuer: `${said.issuer}/` }) })
    expect((await failureOf(ask(issuedBy.sign(claims(issuedBy))))).challenge).toEqual({ status: 503 })
    expect(keyRequests(issuedBy)).toBe(0)
  })

  it('may be given, and nobody is asked then', async () => {
    const signer = createSigner()
    const issuer = 'https://as.example'
    const verify = verifyToken({
      resource: RESOURCE,
      issuers: [{ issuer, keys: { keys: [signer.publicKey] } }],
      now: () => NOW,
      fetch: () => expect.fail('asked'),
    })
    const token = signer.sign({ iss: issuer, sub: 'job', aud: RESOURCE, exp: NOW / 1_000 + 1 })
    expect(await verify({ authorization: `bearer ${token}` })).toMatchObject({ id: 'job', scopes: [] })
  })
})

describe('a caller', () => {
  it.each([
    [undefined, 401, undefined],
    ['', 401, undefined],
    ['Basic YTpi', 401, undefined],
    ['DPoP abc', 401, undefined],
    ['Bearer', 400, 'invalid_request'],
    ['Bearer ', 400, 'invalid_request'],
    ['Bearer a b', 400, 'invalid_request'],
    ['Bearer a, Bearer b', 400, 'invalid_request'],
    ['Bearer a.b.c', 401, 'invalid_token'],
  ])('abuse-29: with authorization %j gets %i, error %s', async (authorization, status, error) => {
    const { verify } = await start()
    const { challenge } = await failureOf(verify({ authorization }))
    expect([challenge?.status, challenge?.error]).toEqual([status, error])
  })

  it('abuse-27: without a scope that everything needs is told all of them, and so is one without a token', async () => {
    const { issuedBy, ask, verify } = await start({ scopes: ['read', 'write'] })
    const failure = await failureOf(ask(issuedBy.sign(claims(issuedBy))))
    expect([failure.code, failure.challenge]).toEqual([
      'caller.insufficient_scope',
      { status: 403, error: 'insufficient_scope', scope: 'read write' },
    ])
    expect((await failureOf(verify({}))).challenge).toEqual({ status: 401, scope: 'read write' })
  })

  it('trap-48: has the narrower scopes that a broader one implies', async () => {
    const implied = { admin: ['write', '__proto__'], write: ['read'] }
    const { issuedBy, ask } = await start({ scopes: ['read', 'write'], implied })
    const taken = await ask(issuedBy.sign(claims(issuedBy, { scope: 'admin' })))
    expect(taken.scopes).toEqual(['admin', 'write', '__proto__', 'read'])
    expect((await failureOf(ask(issuedBy.sign(claims(issuedBy, { scope: 'constructor' }))))).challenge?.status).toBe(
      403,
    )
  })

  it('has the scopes of "scp" where its issuer writes them so', async () => {
    const { issuedBy, ask } = await start()
    const token = (scp: unknown) => issuedBy.sign(claims(issuedBy, { scope: undefined, scp }))
    expect((await ask(token('a b'))).scopes).toEqual(['a', 'b'])
    expect((await ask(token(['a', 1, 'b']))).scopes).toEqual(['a', 'b'])
  })

  it('abuse-50: is told nothing of a token but that it is not valid', async () => {
    const { issuedBy, ask } = await start()
    const failures = [{ aud: 'x' }, { exp: 1 }, { iss: 'https://x' }, { sub: undefined }].map((changes) =>
      failureOf(ask(issuedBy.sign(claims(issuedBy, changes)))),
    )
    expect(new Set((await Promise.all(failures)).map(({ message }) => message)).size).toBe(1)
  })

  it('of two issuers is two, even by the same name', async () => {
    const other = await startAuthorizationServer()
    cleanup.push(() => other.stop())
    const mine = await startAuthorizationServer()
    cleanup.push(() => mine.stop())
    const verify = verifyToken({ resource: RESOURCE, issuers: [mine.issuer, other.issuer], now: () => NOW })
    const [a, b] = await Promise.all(
      [mine, other].map((each) => verify({ authorization: `Bearer ${each.sign(claims(each))}` })),
    )
    expect([a?.id, b?.id]).toEqual(['ann', 'ann'])
    expect(a?.tenant).not.toBe(b?.tenant)
  })
})
