import { createOAuth, protectedResourceMetadata, type TokenPrincipal, verifyToken } from '@crosspoint/auth'
import { connect } from '@crosspoint/mcp/client'
import { createServer } from '@crosspoint/mcp/server'
import { createFetchHandler, type EndpointEvent, openHttpDoor } from '@crosspoint/mcp/transports'
import { afterEach, describe, expect, it } from 'vitest'
import { sendHttp } from '../http.ts'
import { freePort } from '../port.ts'
import { openSseSession } from '../sse-session.ts'
import { openWireSession, sendEnveloped, toEnveloped } from '../wire-client.ts'
import { type AuthorizationServerOptions, startAuthorizationServer } from './authorization-server.ts'
import { createFollowingRedirect } from './following-redirect.ts'

const client = { name: 'test', version: '1' }
const cleanup: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const end of cleanup.splice(0).reverse()) await end()
})

/** A server that takes tokens of an authorization server, all of it ours but for that one. */
async function start(options: AuthorizationServerOptions = {}) {
  const issuedBy = await startAuthorizationServer({ jwt: {}, ...options })
  cleanup.push(() => issuedBy.stop())
  const port = await freePort()
  const resource = `http://127.0.0.1:${port}/mcp`
  const log: EndpointEvent[] = []
  const server = createServer({
    ...client,
    authenticate: verifyToken({ resource, issuers: [issuedBy.issuer], implied: { admin: ['write'] } }),
    scopesFor: ({ method, params }) => (method === 'tools/call' && params.name === 'write' ? ['read', 'write'] : []),
    log: (event) => log.push(event),
  })
  server.tool('whoami', {}, (_, { principal }) => principal.id)
  server.tool('write', {}, (_, { principal }) => (principal.scopes ?? []).join(' '))
  const resourceMetadata = protectedResourceMetadata({ resource, issuers: [issuedBy.issuer], scopes: ['read'] })
  const door = await openHttpDoor({
    endpoint: (path) => (path === '/mcp' ? server.endpoint : undefined),
    sse: (path) => (path === '/sse' ? server.endpoint : undefined),
    resourceMetadata,
    log: (event) => log.push(event),
    port,
  })
  cleanup.push(() => door.close({ drainMs: 0 }))
  const token = (changes = {}) =>
    issuedBy.sign({ iss: issuedBy.issuer, sub: 'ann', aud: resource, exp: Date.now() / 1_000 + 60, ...changes })
  const metadataUrl = `${door.url}/.well-known/oauth-protected-resource/mcp`
  return { issuedBy, server, resource, resourceMetadata, metadataUrl, token, log, door }
}

const signIn = () => createOAuth({ redirect: createFollowingRedirect() })

const HANDSHAKES = ['2025-11-25', '2025-06-18', '2025-03-26']

describe.each(['2026-07-28', ...HANDSHAKES])('at revision %s', (revision) => {
  it('trap-43, trap-44: a person signs in by what the server says of itself, with tokens for it alone', async () => {
    const { issuedBy, resource } = await start()
    const opened = await connect(resource, { client, authorization: signIn(), revision })
    cleanup.push(() => opened.close())
    expect((await opened.callTool('whoami')).content).toMatchObject([{ text: expect.stringMatching(/^client-/) }])
    const asked = issuedBy.seen.find(({ path }) => path === '/authorize')?.query
    expect([asked?.get('resource'), asked?.get('scope')]).toEqual([resource, 'read'])
  })

  it('trap-48: a tool that needs more leads to a sign-in for more, and the call goes on', async () => {
    const { issuedBy, resource } = await start()
    const opened = await connect(resource, { client, authorization: signIn(), revision })
    cleanup.push(() => opened.close())
    await opened.callTool('whoami')
    // The handler sees the scopes of the token it was called with, not those its session began with.
    expect((await opened.callTool('write')).content).toMatchObject([{ text: 'read write' }])
    const asked = issuedBy.seen.filter(({ path }) => path === '/authorize')
    expect(asked.map(({ query }) => query.get('scope'))).toEqual(['read', 'read write'])
  })
})

it('trap-43, abuse-26: a client with a token for another server is not let in by signing in again and again', async () => {
  const { issuedBy, resource } = await start({ jwt: { claims: { aud: 'https://other.example/mcp' } } })
  await expect(connect(resource, { client, authorization: signIn() })).rejects.toMatchObject({
    code: 'upstream.unauthorized',
  })
  expect(issuedBy.seen.filter(({ path }) => path === '/authorize').length).toBeLessThanOrEqual(2)
})

describe('on the wire', () => {
  const bearer = (token: string) => ({ authorization: `Bearer ${token}` })

  it('abuse-25: without a token, and with one that is not good, it says where to get one', async () => {
    const { resource, metadataUrl, token } = await start()
    const ask = (headers = {}) => sendEnveloped(resource, 'tools/list', {}, { headers })
    const where = `Bearer resource_metadata="${metadataUrl}"`
    const [none, bad, other, good] = [
      await ask(),
      await ask(bearer('a.b.c')),
      await ask(bearer(token({ aud: 'https://other.example' }))),
      await ask(bearer(token())),
    ]
    expect([none.status, none.headers['www-authenticate']]).toEqual([401, where])
    expect([bad.status, bad.headers['www-authenticate']]).toEqual([401, `${where}, error="invalid_token"`])
    expect([other.status, other.headers['www-authenticate']]).toEqual([401, `${where}, error="invalid_token"`])
    expect(good.status).toBe(200)
    expect((await ask({ authorization: 'Bearer a b' })).status).toBe(400)
  })

  it.each(HANDSHAKES)('trap-43: every request of a session is asked for its token, at %s', async (revision) => {
    const { resource, token } = await start()
    const session = await openWireSession(resource, { revision, headers: bearer(token()) })
    const again = (authorization?: string) =>
      session.request('tools/list', {}, { headers: { authorization: authorization as string } })
    expect((await session.request('tools/list')).status).toBe(200)
    expect((await again(undefined)).status).toBe(401)
    expect((await again(bearer(token({ exp: 1 })).authorization)).status).toBe(401)
    // Somebody else with a good token has no part in the session.
    expect((await again(bearer(token({ sub: 'ben' })).authorization)).status).toBe(404)
  })

  it('trap-43: so is every message over HTTP+SSE', async () => {
    const { door, token } = await start()
    const url = `${door.url}/sse`
    expect((await sendHttp(url, { method: 'GET', headers: { accept: 'text/event-stream' } })).status).toBe(401)
    const session = await openSseSession(url, bearer(token()))
    await session.initialize()
    expect((await session.request('tools/list')).result.tools).toHaveLength(2)
    const body = JSON.stringify({ jsonrpc: '2.0', id: 9, method: 'tools/list' })
    expect((await session.post(body, bearer('a.b.c'))).status).toBe(401)
    session.stream.destroy()
  })

  it.each(HANDSHAKES)('abuse-27: a scope that is missing is 403 with all that are needed, at %s', async (revision) => {
    const { resource, token, metadataUrl } = await start()
    const session = await openWireSession(resource, { revision, headers: bearer(token({ scope: 'read' })) })
    const refused = await session.request('tools/call', { name: 'write', arguments: {} })
    const challenge = `Bearer resource_metadata="${metadataUrl}", error="insufficient_scope", scope="read write"`
    expect([refused.status, refused.headers['www-authenticate']]).toEqual([403, challenge])
    const broad = { headers: bearer(token({ scope: 'read admin' })) }
    const answer = await session.request('tools/call', { name: 'write', arguments: {} }, broad)
    expect(answer.messages[0].result.content[0].text).toBe('read admin write')
    // A token that can do less again, in the same session.
    expect((await session.request('tools/call', { name: 'write', arguments: {} })).status).toBe(403)
  })

  it('abuse-27: in the newest revision and over HTTP+SSE too', async () => {
    const { resource, token, door } = await start()
    const headers = bearer(token({ scope: 'read' }))
    expect((await sendEnveloped(resource, 'tools/call', { name: 'write' }, { headers })).status).toBe(403)
    const session = await openSseSession(`${door.url}/sse`, headers)
    await session.initialize()
    const body = { jsonrpc: '2.0', id: 9, method: 'tools/call', params: { name: 'write' } }
    expect((await session.post(JSON.stringify(body))).status).toBe(403)
    session.stream.destroy()
  })

  it('abuse-27: one request of a batch that needs more turns the batch away', async () => {
    const { resource, token } = await start()
    const session = await openWireSession(resource, { revision: '2025-03-26', headers: bearer(token()) })
    const calls = ['whoami', 'write'].map((name, id) => ({
      jsonrpc: '2.0',
      id,
      method: 'tools/call',
      params: { name },
    }))
    expect((await session.post(JSON.stringify(calls.slice(0, 1)))).status).toBe(200)
    expect((await session.post(JSON.stringify(calls))).status).toBe(403)
  })

  it('trap-43, abuse-29: a token in the address is none, and no token is written to the log', async () => {
    const { resource, token, log } = await start()
    const [good, bad] = [token(), token({ aud: 'https://other.example' })]
    expect((await sendEnveloped(`${resource}?access_token=${good}`, 'tools/list')).status).toBe(401)
    await sendEnveloped(resource, 'tools/list', {}, { headers: bearer(bad) })
    await sendEnveloped(resource, 'tools/list', {}, { headers: { authorization: [`Bearer ${good}`, `Bearer ${bad}`] } })
    expect(log.length).toBeGreaterThan(1)
    expect(JSON.stringify(log)).not.toMatch(/eyJ/)
  })

  it('abuse-29: two Authorization headers are 400, also where they come as one', async () => {
    const { resource, server, token } = await start()
    const headers = { authorization: [`Bearer ${token()}`, `Bearer ${token()}`] }
    expect((await sendEnveloped(resource, 'tools/list', {}, { headers })).status).toBe(400)
    const handler = createFetchHandler(server.endpoint)
    const { headers: plain = {}, body = '' } = toEnveloped('tools/list')
    const both = { ...(plain as Record<string, string>), authorization: `Bearer ${token()}, Bearer ${token()}` }
    expect((await handler(new Request(resource, { method: 'POST', headers: both, body }))).status).toBe(400)
    await handler.close()
  })

  it('where keys cannot be had it is 503, and no token is called bad', async () => {
    const { resource, token } = await start({ answer: ({ path }) => (path === '/jwks' ? { status: 500 } : undefined) })
    const answer = await sendEnveloped(resource, 'tools/list', {}, { headers: bearer(token()) })
    expect([answer.status, answer.headers['retry-after'], answer.headers['www-authenticate']]).toEqual([
      503,
      '1',
      undefined,
    ])
  })
})

describe('the metadata', () => {
  it('is served at the well-known place of the path, and at no other', async () => {
    const { door, metadataUrl, resourceMetadata } = await start()
    const answer = await sendHttp(metadataUrl, { method: 'GET' })
    expect([answer.status, answer.headers['content-type']]).toEqual([200, 'application/json'])
    expect(answer.messages).toEqual([resourceMetadata])
    for (const path of ['', '/', '/mcp/', '/other', '/mcp%2f', '-x/mcp']) {
      const url = `${door.url}/.well-known/oauth-protected-resource${path}`
      expect((await sendHttp(url, { method: 'GET' })).status, path).toBe(404)
    }
  })

  it('is that of the path where each has its own, behind a proxy too', async () => {
    const authorization_servers = ['https://as.example']
    const server = createServer({
      ...client,
      authenticate: verifyToken({ resource: 'https://public.example/a', issuers: authorization_servers }),
    })
    const handler = createFetchHandler(server.endpoint, {
      resourceMetadata: (path) =>
        path === '/a' || path === '/b'
          ? { resource: `https://public.example${path}`, authorization_servers }
          : undefined,
    })
    const send = (path: string, init?: RequestInit) => handler(new Request(`http://inner:1${path}`, init))
    const { headers = {}, body = '' } = toEnveloped('tools/list')
    const post = { method: 'POST', headers: headers as Record<string, string>, body }
    expect((await send('/b', post)).headers.get('www-authenticate')).toBe(
      'Bearer resource_metadata="https://public.example/.well-known/oauth-protected-resource/b"',
    )
    expect((await send('/c', post)).headers.get('www-authenticate')).toBe('Bearer')
    const said = await send('/.well-known/oauth-protected-resource/a')
    expect(await said.json()).toEqual({ resource: 'https://public.example/a', authorization_servers })
    await handler.close()
  })

  it('of what is no URL is refused when the door is opened', async () => {
    const resourceMetadata = { resource: 'mcp', authorization_servers: [] }
    await expect(openHttpDoor({ endpoint: () => undefined, resourceMetadata })).rejects.toThrow('Cannot describe')
  })
})

it('what verifyToken makes is a principal of the engine', async () => {
  const { issuedBy, resource, token } = await start()
  const principal: TokenPrincipal = await verifyToken({ resource, issuers: [issuedBy.issuer] })({
    authorization: `Bearer ${token({ scope: 'a' })}`,
  })
  expect(principal).toEqual({ id: 'ann', tenant: issuedBy.issuer, scopes: ['a'], clientId: undefined })
})
