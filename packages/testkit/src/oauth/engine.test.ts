import type { Authorization as AuthAuthorization } from '@crosspoint/auth'
import { clientCredentials, createOAuth } from '@crosspoint/auth/node'
import { McpError } from '@crosspoint/mcp'
import { type Authorization, connect } from '@crosspoint/mcp/client'
import { createServer } from '@crosspoint/mcp/server'
import { openHttpDoor } from '@crosspoint/mcp/transports'
import { afterEach, describe, expect, expectTypeOf, it } from 'vitest'
import { startAuthorizationServer } from './authorization-server.ts'
import { createFollowingRedirect } from './following-redirect.ts'
import { startPlainServer } from './http-server.ts'

const client = { name: 'test', version: '1' }
const cleanup: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const end of cleanup.splice(0).reverse()) await end()
})

/** A real server of ours that takes the tokens of an authorization server, over HTTP and HTTP+SSE. */
async function start() {
  const issuedBy = await startAuthorizationServer()
  cleanup.push(() => issuedBy.stop())
  const server = createServer({
    ...client,
    authenticate({ authorization = '' }) {
      const token = issuedBy.inspect(authorization.replace(/^Bearer /, ''))
      if (token === undefined) throw new McpError('caller.unauthenticated', 'Sign in first')
      return { id: token.clientId, tenant: 't' }
    },
  })
  server.tool('whoami', { description: 'Who calls' }, (_, { principal }) => principal.id)
  const door = await openHttpDoor({
    endpoint: (path) => (path === '/mcp' ? server.endpoint : undefined),
    sse: (path) => (path === '/sse' ? server.endpoint : undefined),
    plain: ({ path }) => {
      const [, resource] = /^\/\.well-known\/oauth-protected-resource(\/mcp|\/sse)$/.exec(path) ?? []
      if (resource === undefined) return undefined
      const body = { resource: `${door.url}${resource}`, authorization_servers: [issuedBy.issuer] }
      return { status: 200, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }
    },
  })
  cleanup.push(() => door.close({ drainMs: 0 }))
  return { issuedBy, url: `${door.url}/mcp`, sse: `${door.url}/sse` }
}

const signIn = () => createOAuth({ redirect: createFollowingRedirect() })

async function open(url: string, authorization: Authorization, more = {}) {
  const opened = await connect({ kind: 'http', url, ...more }, { client, authorization })
  cleanup.push(() => opened.close())
  return opened
}

it('what auth makes is what the engine takes', () => {
  expectTypeOf<AuthAuthorization>().toExtend<Authorization>()
})

describe.each(['2026-07-28', '2025-11-25', '2025-06-18', '2025-03-26'])('at revision %s', (revision) => {
  it('a person signs in while the client connects, and stays signed in', async () => {
    const { issuedBy, url } = await start()
    const opened = await connect(url, { client, authorization: signIn(), revision })
    cleanup.push(() => opened.close())
    expect((await opened.callTool('whoami')).content).toMatchObject([{ text: expect.stringMatching(/^client-/) }])
    issuedBy.expire()
    const calls = await Promise.all(Array.from({ length: 20 }, () => opened.callTool('whoami')))
    expect(new Set(calls.map(({ content }) => JSON.stringify(content))).size).toBe(1)
    expect(issuedBy.grants()).toEqual(['authorization_code', 'refresh_token'])
  })
})

it('signs in to a server of HTTP+SSE', async () => {
  const { sse } = await start()
  const opened = await open(sse, signIn(), { transport: 'sse' })
  expect((await opened.callTool('whoami')).content).toMatchObject([{ type: 'text' }])
})

it('a program gets in by itself', async () => {
  const { url } = await start()
  const opened = await open(url, clientCredentials({ client: { id: 'job', secret: 's' } }))
  expect((await opened.callTool('whoami')).content).toMatchObject([{ text: 'job' }])
})

it('one authorization serves several servers, each with tokens of its own', async () => {
  const [one, other] = [await start(), await start()]
  const authorization = signIn()
  const [first, second] = [await open(one.url, authorization), await open(other.url, authorization)]
  const [a, b] = [await first.callTool('whoami'), await second.callTool('whoami')]
  expect(a.content).not.toEqual(b.content)
})

it('a sign-in that cannot be done says why, and nothing secret', async () => {
  const { url } = await start()
  const authorization = createOAuth({ redirect: createFollowingRedirect('http://example.com/cb') })
  await expect(connect(url, { client, authorization })).rejects.toMatchObject({
    code: 'upstream.unauthorized',
    message: `No credentials for ${new URL(url).host}: Cannot sign in: people would be sent back over an open line`,
  })
})

it('abuse-28: tokens stay with their server when it sends us elsewhere', async () => {
  const { url } = await start()
  const authorization = signIn()
  await open(url, authorization)
  const elsewhere = await startPlainServer(() => ({ status: 200 }))
  cleanup.push(() => elsewhere.stop())
  const evil = await startPlainServer(() => ({ status: 307, headers: { location: `${elsewhere.origin}/mcp` } }))
  cleanup.push(() => evil.stop())
  await expect(connect(`${evil.origin}/mcp`, { client, authorization })).rejects.toThrow('redirects to')
  expect(elsewhere.seen).toEqual([])
  expect(evil.seen.map(({ headers }) => headers.authorization)).toEqual([undefined])
})
