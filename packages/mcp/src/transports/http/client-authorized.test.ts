import { createFakeClock } from '@crosspoint/testkit'
import { afterEach, expect, it } from 'vitest'
import type { Connection, ConnectionOptions } from '../../client/connection.ts'
import { openConnection } from '../../client/open.ts'
import type { McpError } from '../../errors.ts'
import type { JsonObject } from '../../jsonrpc/frame.ts'
import { CancellationSource } from '../../protocol/cancellation.ts'
import { toCall } from '../../protocol/fixtures/calls.ts'
import type { Authorization, AuthorizationRefusal, AuthorizedRequest } from './authorization.ts'
import { type Exchanged, startHttpServer } from './fixtures/server.ts'

const client = { name: 'test', version: '1' }
const cleanup: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const end of cleanup.splice(0).reverse()) await end()
})

async function start(answer: (exchanged: Exchanged) => void | Promise<void>) {
  const server = await startHttpServer(answer)
  cleanup.push(() => server.stop())
  return server
}

async function open(url: string, options: Partial<ConnectionOptions>): Promise<Connection> {
  const connection = await openConnection({ kind: 'http', url }, { client, ...options })
  cleanup.push(() => connection.close())
  return connection
}

/** Credentials that change with every sign-in, and a record of what was asked of them. */
function createSignIn(mend: (refusal: AuthorizationRefusal) => boolean | Promise<boolean> = () => true) {
  const requests: AuthorizedRequest[] = []
  const refusals: AuthorizationRefusal[] = []
  const nonces: string[] = []
  let token = 0
  return {
    requests,
    refusals,
    nonces,
    headers(request) {
      requests.push(request)
      return token === 0 ? [] : ['authorization', `Bearer t${token}`]
    },
    refused(refusal) {
      refusals.push(refusal)
      token++
      return mend(refusal)
    },
    nonce: (nonce) => void nonces.push(nonce),
  } satisfies Authorization & Record<string, unknown>
}

/** A server of the newest revision that wants a token. */
function guarded(wants: string, answer: (exchanged: Exchanged) => void = ok) {
  return (exchanged: Exchanged) => {
    if (exchanged.headers.authorization === wants) answer(exchanged)
    else exchanged.plain(401, '', { 'www-authenticate': 'Bearer scope="a"', 'dpop-nonce': 'n1' })
  }
}

function ok(exchanged: Exchanged): void {
  const { method, message } = exchanged
  if (method !== 'POST') exchanged.plain(405)
  else if (message.method !== 'server/discover') exchanged.result({ content: [], resultType: 'complete' })
  else exchanged.result({ supportedVersions: ['2026-07-28'], capabilities: { tools: {} }, resultType: 'complete' })
}

function legacy(exchanged: Exchanged): void {
  const { method, message } = exchanged
  const opened = { protocolVersion: '2025-11-25', capabilities: { tools: {} }, serverInfo: client }
  if (method === 'DELETE') exchanged.plain(200)
  else if (method === 'GET') exchanged.stream()
  else if (message.method === 'server/discover') exchanged.plain(400)
  else if (message.id === undefined) exchanged.plain(202)
  else if (message.method === 'initialize') exchanged.result(opened, { 'mcp-session-id': 's' })
  else exchanged.result({ content: [] })
}

const call = () => toCall('tools/call', { name: 'x', arguments: {} })

const failureOf = (promise: Promise<unknown>): Promise<McpError> =>
  promise.then(
    () => expect.fail('no error'),
    (error) => error,
  )

it('a 401 says nothing about the era: it signs in and probes again', async () => {
  const server = await start(guarded('Bearer t1'))
  const authorization = createSignIn()
  const connection = await open(server.url, { authorization })
  expect(connection.verdict.revision).toBe('2026-07-28')
  await connection.handle(call())
  expect(server.methods()).toEqual(['server/discover', 'server/discover', 'tools/call'])
  expect(authorization.refusals).toEqual([
    { request: authorization.requests[0], status: 401, challenge: 'Bearer scope="a"', sent: [], refusals: 0 },
  ])
  expect(authorization.nonces).toEqual(['n1'])
})

it('every request carries credentials: POST, the GET stream, notifications and the DELETE at the end', async () => {
  const server = await start(guarded('Bearer t1', legacy))
  const authorization = createSignIn()
  const connection = await openConnection({ kind: 'http', url: server.url, authorization }, { client })
  await server.saw(({ method }) => method === 'GET')
  await connection.handle(call())
  await connection.close()
  expect(authorization.refusals).toHaveLength(1)
  const kinds = authorization.requests.map(({ method, inBackground }) => `${method} ${inBackground ? 'aside' : 'call'}`)
  expect([...new Set(kinds)].sort()).toEqual(['DELETE aside', 'GET aside', 'POST aside', 'POST call'])
  expect(authorization.requests.every(({ url, server: told }) => url === server.url && told === server.url)).toBe(true)
})

it('trap-48: a request that is refused without end is given up, whatever the authorization says', async () => {
  const server = await start(guarded('Bearer never'))
  const authorization = createSignIn()
  const failure = await failureOf(open(server.url, { authorization }))
  expect(failure.code).toBe('upstream.unauthorized')
  expect(server.seen).toHaveLength(5)
  expect(authorization.refusals.map(({ refusals }) => refusals)).toEqual([0, 1, 2, 3])
})

it('a refusal that cannot be mended is the failure it would have been', async () => {
  const server = await start((exchanged) => exchanged.error(1002, 'Who are you?', { status: 403 }))
  const failure = await failureOf(open(server.url, { authorization: createSignIn(() => false) }))
  expect(failure.message).toBe('The server refuses "server/discover" (HTTP 403): Who are you?')
  expect(server.seen).toHaveLength(1)
})

it('what an authorization fails with is told, and nothing is sent', async () => {
  const server = await start(ok)
  const headers = () => Promise.reject(new Error('the person said no'))
  const failure = await failureOf(open(server.url, { authorization: { headers, refused: () => false } }))
  expect([failure.code, failure.message]).toEqual([
    'upstream.unauthorized',
    `No credentials for ${new URL(server.url).host}: the person said no`,
  ])
  expect(server.seen).toEqual([])
})

it('a call given up while it waits for credentials is not sent', async () => {
  const server = await start(ok)
  let give: (credentials: string[]) => void = () => {}
  const later = new Promise<string[]>((resolve) => {
    give = resolve
  })
  let isOpen = false
  const authorization: Authorization = { headers: () => (isOpen ? later : []), refused: () => false }
  const connection = await open(server.url, { authorization })
  isOpen = true
  const cancellation = new CancellationSource()
  const answer = failureOf(connection.handle({ ...call(), cancellation }))
  cancellation.cancel('changed my mind')
  expect((await answer).code).toBe('caller.cancelled')
  give([])
  await later
  isOpen = false
  await connection.handle(call())
  expect(server.methods()).toEqual(['server/discover', 'tools/call'])
})

it('neither connecting nor a call runs out of time while a person signs in', async () => {
  const server = await start(guarded('Bearer t1'))
  const clock = createFakeClock()
  let signedIn: (again: boolean) => void = () => {}
  const person = new Promise<boolean>((resolve) => {
    signedIn = resolve
  })
  let refused: () => void = () => {}
  const asked = new Promise<void>((resolve) => {
    refused = resolve
  })
  const signIn = createSignIn(() => {
    refused()
    return person
  })
  const authorization = Object.assign(signIn, { isAsking: true })
  const opening = open(server.url, { authorization, clock, connectTimeoutMs: 1_000 })
  await asked
  for (let s = 0; s < 300; s++) clock.advance(1_000)
  signedIn(true)
  expect((await opening).verdict.revision).toBe('2026-07-28')
})

it('waits for credentials ten minutes and no longer', async () => {
  const server = await start(ok)
  const clock = createFakeClock()
  const headers = () => new Promise<string[]>(() => {})
  const authorization = { headers, refused: () => false, isAsking: true }
  const opening = failureOf(open(server.url, { authorization, clock }))
  for (let s = 0; s <= 600; s++) clock.advance(1_000)
  expect((await opening).message).toContain('it took longer than 600 s')
})

it('credentials stay with their origin: a redirect elsewhere is not followed, one on the spot is', async () => {
  const other = await start(ok)
  const away = await start((exchanged) => exchanged.plain(307, '', { location: other.url }))
  const signedIn = { headers: () => ['authorization', 'Bearer secret'], refused: () => false }
  const failure = await failureOf(open(away.url, { authorization: signedIn }))
  expect(failure.message).toContain('redirects to')
  expect(other.seen).toEqual([])

  const here = await start((exchanged) =>
    exchanged.path === '/mcp' ? exchanged.plain(308, '', { location: '/mcp/' }) : ok(exchanged),
  )
  const authorization = createSignIn()
  await open(here.url, { authorization })
  expect(authorization.requests.at(-1)).toMatchObject({ url: `${here.url}/`, server: here.url })
})

it('signs in to a server of HTTP+SSE, whose stream and whose posts want credentials', async () => {
  let say: (message: JsonObject) => void = () => {}
  const server = await start((exchanged) => {
    if (exchanged.headers.authorization !== 'Bearer t1') return exchanged.plain(401)
    if (exchanged.method === 'GET') {
      const { raw, event } = exchanged.stream()
      say = event
      raw('event: endpoint\ndata: /messages\n\n')
      return
    }
    exchanged.plain(202)
    const { id, method } = exchanged.message
    const opened = { protocolVersion: '2024-11-05', capabilities: { tools: {} }, serverInfo: client }
    if (id !== undefined) say({ id, result: method === 'initialize' ? opened : { content: [] } })
  })
  const target = { kind: 'http', url: server.url, transport: 'sse', authorization: createSignIn() } as const
  const connection = await openConnection(target, { client })
  cleanup.push(() => connection.close())
  expect(await connection.handle(call())).toEqual({ content: [] })
})

it('abuse-29: credentials among the headers and an authorization are one too many', async () => {
  const target = { kind: 'http', url: 'http://127.0.0.1:1/mcp', headers: { Authorization: 'Bearer x' } } as const
  const failure = await failureOf(openConnection(target, { client, authorization: createSignIn() }))
  expect(failure.message).toBe('Cannot send the header "Authorization" beside an authorization: leave one of them out')
})

it('a stream of what comes unasked is tried again once somebody has signed in', async () => {
  let isSignedIn = false
  const server = await start((exchanged) => {
    if (exchanged.method === 'GET' && !isSignedIn) exchanged.plain(401)
    else legacy(exchanged)
  })
  const clock = createFakeClock()
  const authorization = createSignIn(({ request }) => !request.inBackground)
  await open(server.url, { authorization, clock })
  await server.saw(({ method }) => method === 'GET')
  isSignedIn = true
  const again = server.saw(({ method }) => method === 'GET' && server.methods().filter((x) => x === 'GET').length > 1)
  let hasCome = false
  void again.then(() => {
    hasCome = true
  })
  while (!hasCome) {
    await new Promise((resolve) => setImmediate(resolve))
    clock.advance(100)
  }
})
