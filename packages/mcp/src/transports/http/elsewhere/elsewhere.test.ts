import {
  createDeferred,
  type HttpStream,
  type Message,
  openHttp,
  openSseSession,
  openWireSession,
  sendEnveloped,
  sendHttp,
  type WireSession,
} from '@crosspoint/testkit'
import { afterEach, expect, test } from 'vitest'
import { McpError } from '../../../errors.ts'
import type { Id } from '../../../jsonrpc/frame.ts'
import type { Call, Handle, Result } from '../../../protocol/call.ts'
import type { Endpoint } from '../../endpoint.ts'
import { createReplicas } from '../fixtures/replicas.ts'
import type { EventStore } from '../resume/event-store.ts'
import { createMemoryEventStore } from '../resume/memory-store.ts'

const replicas = createReplicas()
afterEach(() => replicas.closeAll())

const CAPABILITIES = { tools: { listChanged: true }, resources: { subscribe: true }, logging: {} }
const PROGRESS = { _meta: { progressToken: 'p' } }
const text = (said: unknown): Result => ({ content: [{ type: 'text', text: String(said) }] })

/** A server in each of the processes, and what it saw there. */
function createServed(name: string, store = createMemoryEventStore()) {
  const calls: Call[] = []
  const listens: Call[] = []
  const said = createDeferred<void>()
  const handle: Handle = async (call) => {
    if (call.method === 'subscriptions/listen') {
      listens.push(call)
      const { notifications } = call.params
      call.interim.notify({ method: 'notifications/subscriptions/acknowledged', params: { notifications } as never })
      return new Promise<never>(() => {})
    }
    if (call.method !== 'tools/call') return { capabilities: CAPABILITIES }
    calls.push(call)
    if (call.params.name === 'ask')
      return text(JSON.stringify(await call.interim.ask({ method: 'roots/list', params: {} })))
    if (call.params.name === 'hang') {
      call.interim.notify({ method: 'notifications/progress', params: { progress: 1 } })
      said.resolve()
      return new Promise<never>(() => {})
    }
    return text(`${name} ${call.principal.id} ${call.interim.logLevel}`)
  }
  const endpoint: Endpoint = {
    handle,
    serverInfo: { name: 's', version: '1' },
    resume: { store },
    authenticate: ({ 'x-who': who }) => {
      if (who === undefined) throw new McpError('caller.unauthenticated', 'Who?')
      return { id: who, tenant: 't', attributes: { roles: ['r'] } }
    },
  }
  return { endpoint, calls, listens, said: said.promise }
}

async function openPair() {
  const store = createMemoryEventStore()
  const [servedA, servedB] = [createServed('a', store), createServed('b', store)]
  const last = { isHeard: true }
  const a = await replicas.open({ ...servedA.endpoint, resume: { store: toMortal(store, last) } })
  const b = await replicas.open(servedB.endpoint)
  /** Ends it as a kill does: nothing of what it says of its end is kept. */
  const kill = () => {
    last.isHeard = false
    return a.die()
  }
  return { a, b, servedA, servedB, kill }
}

function toMortal(store: EventStore, last: { readonly isHeard: boolean }): EventStore {
  return {
    ...store,
    append: (...event) => (last.isHeard ? store.append(...event) : undefined),
    read: store.read.bind(store),
    drop: store.drop.bind(store),
  }
}

const ANNA = { 'x-who': 'anna' }
const open = (url: string, options: Parameters<typeof openWireSession>[1] = {}) =>
  openWireSession(url, { headers: ANNA, ...options })

/** The same session, as a balancer brings it to another process. */
function at(url: string, { headers }: WireSession) {
  return {
    request: (method: string, params: object = {}, id = 1) =>
      sendHttp(url, { headers, body: JSON.stringify({ jsonrpc: '2.0', id, method, params }) }),
    open: (method: string, params: object = {}, id: Id = 1) =>
      openHttp(url, { headers, body: JSON.stringify({ jsonrpc: '2.0', id, method, params }) }),
    say: (message: object) => sendHttp(url, { headers, body: JSON.stringify({ jsonrpc: '2.0', ...message }) }),
    listen: (lastEventId?: string) =>
      openHttp(url, {
        method: 'GET',
        headers: { ...headers, accept: 'text/event-stream', ...(lastEventId && { 'last-event-id': lastEventId }) },
      }),
    end: () => sendHttp(url, { method: 'DELETE', headers }),
  }
}

async function nextOf(stream: HttpStream, fits: (message: Message) => boolean): Promise<Message> {
  for (;;) {
    const message = await stream.next()
    if (fits(message)) return message
  }
}

test('a request of a session that is elsewhere is answered there, whoever gets it', async () => {
  const { a, b } = await openPair()
  const session = await open(a.url)
  await session.request('logging/setLevel', { level: 'error' })
  const { messages } = await at(b.url, session).request('tools/call', { name: 'say' })
  expect(messages[0]?.result.content[0].text).toBe('a anna error')
  expect(replicas.looked).toHaveLength(1)
})

test('a question is asked where the call came, and answered from anywhere', async () => {
  const { a, b } = await openPair()
  const session = await open(a.url, { capabilities: { roots: {} } })
  const stream = await at(b.url, session).open('tools/call', { name: 'ask' }, 7)
  const question = await nextOf(stream, ({ method }) => method === 'roots/list')
  const answered = await at(b.url, session).say({ id: question.id, result: { roots: [{ uri: 'file:///x' }] } })
  expect(answered.status).toBe(202)
  const { result } = await nextOf(stream, ({ id, method }) => id === 7 && method === undefined)
  expect(result.content[0].text).toContain('file:///x')
})

test('news, cancellations and the end of a session pass as well', async () => {
  const { a, b, servedA } = await openPair()
  const session = await open(a.url)
  const there = at(b.url, session)
  await there.request('resources/subscribe', { uri: 'x://y' })
  const news = await there.listen()
  const watching = servedA.listens.find(({ params }) => JSON.stringify(params).includes('x://y'))
  watching?.interim.notify({ method: 'notifications/resources/updated', params: { uri: 'x://y' } })
  expect(await nextOf(news, ({ method }) => method === 'notifications/resources/updated')).toBeDefined()
  const hanging = await there.open('tools/call', { name: 'hang', ...PROGRESS }, 9)
  await servedA.said
  await there.say({ method: 'notifications/cancelled', params: { requestId: 9 } })
  await hanging.rest()
  expect(servedA.calls.at(-1)?.cancellation.isCancelled).toBe(true)
  expect((await there.end()).status).toBe(200)
  expect((await session.request('ping')).status).toBe(404)
})

test('abuse-21, abuse-22, abuse-23: nobody comes to the session of somebody else by another process', async () => {
  const { a, b } = await openPair()
  const session = await open(a.url)
  const mallory = { ...session.headers, 'x-who': 'mallory' }
  const nobody = { ...mallory, 'mcp-session-id': 'A'.repeat(32) }
  const ping = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'ping' })
  const before = replicas.looked.length
  const answers = [
    await sendHttp(b.url, { headers: mallory, body: ping }),
    await sendHttp(b.url, { headers: nobody, body: ping }),
    await sendHttp(a.url, { headers: mallory, body: ping }),
    await sendHttp(a.url, { headers: nobody, body: ping }),
    await sendHttp(b.url, { method: 'DELETE', headers: mallory }),
    await sendHttp(b.url, { method: 'GET', headers: { ...mallory, accept: 'text/event-stream' } }),
  ]
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([404]))
  expect(new Set(answers.slice(0, 4).map((answer) => answer.text)).size).toBe(1)
  // Each is looked for in the same way, so that no time tells them apart.
  expect(replicas.looked.length - before).toBe(6)
  await a.die()
  expect((await sendHttp(b.url, { headers: mallory, body: ping })).status).toBe(404)
  expect((await at(b.url, session).request('ping')).status).toBe(200)
})

test('a session whose process is gone goes on where it is asked for, with all that its client set', async () => {
  const { a, b, servedB } = await openPair()
  const session = await open(a.url)
  await session.request('logging/setLevel', { level: 'error' })
  await session.request('resources/subscribe', { uri: 'x://y' })
  await a.die()
  const there = at(b.url, session)
  const both = await Promise.all([there.request('tools/call', { name: 'say' }), there.request('ping', {}, 2)])
  expect(both.map(({ status }) => status)).toEqual([200, 200])
  expect(both[0]?.messages[0]?.result.content[0].text).toBe('b anna error')
  expect(servedB.listens.map(({ params }) => params.notifications)).toEqual([
    { toolsListChanged: true },
    { resourceSubscriptions: ['x://y'] },
  ])
  expect(servedB.listens[0]?.principal.attributes).toEqual({ roles: ['r'] })
  // What may have been missed is told as a change.
  const news = await there.listen()
  const told = [await news.next(), await news.next()].map(({ method }) => method)
  expect(told).toEqual(['notifications/tools/list_changed', 'notifications/resources/updated'])
})

test('a call whose process is gone is answered with that: by whoever handed it on, and by whoever is asked for its stream', async () => {
  const { a, b, servedA, kill } = await openPair()
  const session = await open(a.url)
  const handedOn = await at(b.url, session).open('tools/call', { name: 'hang', ...PROGRESS }, 'x')
  await servedA.said
  await handedOn.next()
  const direct = await session.open('tools/call', { name: 'hang', ...PROGRESS }, { id: 'y' })
  await nextOf(direct, ({ method }) => method === 'notifications/progress')
  direct.destroy()
  await kill()
  const lost = await nextOf(handedOn, ({ error }) => error !== undefined)
  expect(lost).toMatchObject({ id: 'x', error: { code: -32603, data: { reason: 'exchange_lost' } } })
  const resumed = await at(b.url, session).listen(direct.lastEventId)
  expect(await resumed.next()).toMatchObject({ id: 'y', error: { code: -32603 } })
  await resumed.rest()
})

test('what was said on a stream is heard again though its process is gone', async () => {
  const { a, b, servedA, kill } = await openPair()
  const session = await open(a.url, { revision: '2025-06-18' })
  const stream = await session.open('tools/call', { name: 'hang', ...PROGRESS }, { id: 5 })
  await servedA.said
  await stream.next()
  const id = String(stream.lastEventId)
  servedA.calls[0]?.interim.notify({ method: 'notifications/progress', params: { progress: 2 } })
  await stream.next()
  stream.destroy()
  await kill()
  const resumed = await at(b.url, session).listen(id)
  expect(await resumed.next()).toMatchObject({ params: { progress: 2 } })
  expect(await resumed.next()).toMatchObject({ id: 5, error: { code: -32603 } })
})

test('a state that names a process which is gone is answered as lost, and one of ours is not looked for', async () => {
  const { a, b } = await openPair()
  const states = [`run:${a.node}:xs1.AAAA`, `run:${b.node}:xs1.AAAA`]
  const ask = (requestState: string | undefined) =>
    sendEnveloped(b.url, 'tools/call', { name: 'say', requestState, inputResponses: {} }, { headers: ANNA })
  // Whoever it names gets it, and judges it.
  expect((await ask(states[0])).messages[0]?.result.content[0].text).toMatch(/^a anna/)
  expect((await ask(states[1])).messages[0]?.result.content[0].text).toMatch(/^b anna/)
  await a.die()
  expect((await ask(states[0])).messages[0]).toMatchObject({ error: { code: -32603 } })
})

test('what was handed on is not handed on again, wherever the session is by then', async () => {
  const { a, b } = await openPair()
  const session = await open(a.url)
  const c = await replicas.open(createServed('c').endpoint)
  // The directory says that it is with one who never had it.
  replicas.move(String(session.headers['mcp-session-id']), c.node)
  const before = replicas.looked.length
  expect((await at(b.url, session).request('ping')).status).toBe(404)
  expect(replicas.looked.length - before).toBe(1)
})

test('where nobody can tell whether there is such a session, its client is told to come again', async () => {
  const { a, b } = await openPair()
  const session = await open(a.url)
  replicas.away(true)
  try {
    const { status, headers } = await at(b.url, session).request('ping')
    expect([status, headers['retry-after']]).toEqual([503, '1'])
    expect((await session.request('ping')).status).toBe(200)
  } finally {
    replicas.away(false)
  }
})

test('a session over HTTP+SSE hears what is said to any process, and ends with its own', async () => {
  const { a, b } = await openPair()
  const session = await openSseSession(`${a.door.url}/sse`, ANNA)
  await session.initialize()
  const elsewhere = new URL(session.endpoint, b.url).href
  const ping = JSON.stringify({ jsonrpc: '2.0', id: 'p', method: 'ping' })
  const headers = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' }
  expect((await sendHttp(elsewhere, { headers: { ...headers, ...ANNA }, body: ping })).status).toBe(202)
  expect(await session.stream.next()).toMatchObject({ id: 'p', result: {} })
  const mallory = { ...headers, 'x-who': 'mallory' }
  expect((await sendHttp(elsewhere, { headers: mallory, body: ping })).status).toBe(404)
  await a.die()
  expect((await sendHttp(elsewhere, { headers: { ...headers, ...ANNA }, body: ping })).status).toBe(404)
})
