import { createFakeClock } from '@crosspoint/testkit'
import { afterEach, describe, expect, it } from 'vitest'
import type { McpError } from '../errors.ts'
import type { JsonObject } from '../jsonrpc/frame.ts'
import { UPSTREAM_LIMITS } from '../jsonrpc/limits.ts'
import { cancellationOf } from '../protocol/cancellation.ts'
import { recordingInterim, toCall } from '../protocol/fixtures/calls.ts'
import { type Exchanged, startHttpServer } from '../transports/http/fixtures/server.ts'
import type { Connection, ConnectionOptions } from './connection.ts'
import { openConnection } from './open.ts'

const client = { name: 'test', version: '1' }
const MODERN = '2026-07-28'
const META = 'io.modelcontextprotocol/'
const HOUR_MS = 3_600_000

type Server = Awaited<ReturnType<typeof startHttpServer>>
const cleanup: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const end of cleanup.splice(0).reverse()) await end()
})

async function start(answer: (exchanged: Exchanged) => void | Promise<void>): Promise<Server> {
  const server = await startHttpServer(answer)
  cleanup.push(() => server.stop())
  return server
}

async function open(server: Server, options: Partial<ConnectionOptions> = {}, headers = {}): Promise<Connection> {
  const connection = await openConnection({ kind: 'http', url: server.url, headers }, { client, ...options })
  cleanup.push(() => connection.close())
  return connection
}

const failureOf = (promise: Promise<unknown>): Promise<McpError> =>
  promise.then(
    () => expect.fail('no error'),
    (e) => e,
  )

/** A server of a handshake revision: opens, has no GET stream, and leaves the rest to `answer`. */
function legacy(answer: (exchanged: Exchanged) => void, { session = 'session-1', revision = '2025-11-25' } = {}) {
  return (exchanged: Exchanged) => {
    const { method, message } = exchanged
    if (method === 'GET') return exchanged.plain(405)
    if (method === 'DELETE') return exchanged.plain(200)
    if (message.method === 'server/discover') return exchanged.plain(400, 'Bad Request: no session')
    if (message.method === 'initialize') {
      const result = {
        protocolVersion: revision,
        capabilities: {
          tools: { listChanged: true },
          resources: { subscribe: true },
          logging: {},
          prompts: {},
        },
        serverInfo: { name: 'fixture', version: '1' },
      }
      return exchanged.result(result, session === '' ? {} : { 'mcp-session-id': session })
    }
    if (message.id === undefined || message.method === undefined) return exchanged.plain(202)
    if (message.method === 'logging/setLevel') return exchanged.result({})
    answer(exchanged)
  }
}

function modern(answer: (exchanged: Exchanged) => void) {
  return (exchanged: Exchanged) => {
    if (exchanged.method !== 'POST') return exchanged.plain(405)
    if (exchanged.message.method !== 'server/discover') return answer(exchanged)
    exchanged.result({ supportedVersions: [MODERN], capabilities: { tools: {} }, ttlMs: 0, cacheScope: 'private' })
  }
}

const metaOf = (message: JsonObject) => (message.params as { _meta: JsonObject })._meta
const ok = (exchanged: Exchanged) => exchanged.result({ content: [{ type: 'text', text: 'ok' }] })
const OK = { content: [{ type: 'text', text: 'ok' }] }
const tool = (name: string, args: JsonObject = {}, more = {}) => toCall('tools/call', { name, arguments: args }, more)

describe('the era of an HTTP server', () => {
  const rows: [string, (exchanged: Exchanged) => void, string][] = [
    ['a result', (e) => e.result({ supportedVersions: [MODERN], capabilities: {} }), MODERN],
    ['a result that names no versions', (e) => e.result({}), '2025-11-25'],
    ['400 with an empty body', (e) => e.plain(400), '2025-11-25'],
    ['404 with an empty body', (e) => e.plain(404), '2025-11-25'],
    ['405', (e) => e.plain(405), '2025-11-25'],
    ['400 with -32600', (e) => e.error(-32600, 'no', { status: 400 }), '2025-11-25'],
    ['400 with -32602', (e) => e.error(-32602, 'no', { status: 400 }), '2025-11-25'],
    ['400 with -32000', (e) => e.error(-32000, 'Server not initialized', { status: 400 }), '2025-11-25'],
    ['404 with -32601 to server/discover itself', (e) => e.error(-32601, 'no', { status: 404 }), '2025-11-25'],
    ['200 with -32601', (e) => e.error(-32601, 'no'), '2025-11-25'],
    [
      '-32022 with only older revisions to offer',
      (e) => e.error(-32022, 'no', { status: 400, data: { supported: ['2025-06-18'] } }),
      '2025-06-18',
    ],
  ]
  for (const [what, discover, verdict] of rows) {
    it(`trap-23: is ${verdict} after ${what}`, async () => {
      const revision = verdict === MODERN ? '2025-11-25' : verdict
      const server = await start((exchanged) =>
        exchanged.message.method === 'server/discover' ? discover(exchanged) : legacy(ok, { revision })(exchanged),
      )
      const connection = await open(server)
      expect(connection.verdict.revision).toBe(verdict)
      expect(server.methods()[0]).toBe('server/discover')
    })
  }

  const outages: [string, (exchanged: Exchanged) => void, string][] = [
    ['401', (e) => e.plain(401), 'upstream.unauthorized'],
    ['403', (e) => e.error(-32600, 'no', { status: 403 }), 'upstream.unauthorized'],
    ['500', (e) => e.plain(500), 'upstream.unavailable'],
    ['503', (e) => e.plain(503, '', { 'retry-after': '2' }), 'upstream.unavailable'],
    ['400 with -32020', (e) => e.error(-32020, 'no', { status: 400 }), 'upstream.protocol'],
    ['400 with -32021', (e) => e.error(-32021, 'no', { status: 400 }), 'caller.missing_capability'],
  ]
  for (const [what, discover, code] of outages) {
    it(`trap-23: is not told by ${what}`, async () => {
      const server = await start(discover)
      expect(await failureOf(open(server))).toMatchObject({ code })
      expect(server.methods()).toEqual(['server/discover'])
    })
  }

  it('is not told by a silence', async () => {
    const clock = createFakeClock()
    // Time passes once it was asked: on a busy machine that alone may take long.
    const server = await start(() => clock.advance(50))
    expect(await failureOf(open(server, { clock, connectTimeoutMs: 50 }))).toMatchObject({ code: 'upstream.timeout' })
    expect(server.methods()).toEqual(['server/discover'])
  })

  it('is asked for once more when the server refuses a revision it then offers', async () => {
    let first = true
    const server = await start((exchanged) => {
      if (!first) return modern(ok)(exchanged)
      first = false
      exchanged.error(-32022, 'no', { status: 400, data: { supported: [MODERN] } })
    })
    expect((await open(server)).verdict.revision).toBe(MODERN)
    expect(server.methods()).toEqual(['server/discover', 'server/discover'])
  })

  it('is not agreed on where the server offers nothing we speak', async () => {
    const server = await start(({ error }) => error(-32022, 'no', { status: 400, data: { supported: ['2099-01-01'] } }))
    expect(await failureOf(open(server))).toMatchObject({
      code: 'upstream.protocol',
      message: 'Cannot agree on a revision: the server offers 2099-01-01',
    })
  })

  it('is handed to the handshake at once while a verdict is fresh', async () => {
    const server = await start(legacy(ok))
    await open(server, { verdict: { revision: '2025-06-18', at: new Date().toISOString() } })
    expect(server.methods()[0]).toBe('initialize')
  })

  it('ages from the last probe, not from the last connection: a day later it is probed for again', async () => {
    const clock = createFakeClock()
    const server = await start(legacy(ok))
    const first = (await open(server, { clock })).verdict
    clock.advance(20 * HOUR_MS)
    const second = (await open(server, { clock, verdict: first })).verdict
    expect(second).toEqual(first)
    const pinned = (await open(server, { clock, verdict: second, revision: '2025-11-25' })).verdict
    expect(pinned.at).toBe(first.at)
    expect(server.methods().filter((method) => method === 'server/discover')).toHaveLength(1)
    clock.advance(5 * HOUR_MS)
    const third = (await open(server, { clock, verdict: second })).verdict
    expect(server.methods().filter((method) => method === 'server/discover')).toHaveLength(2)
    expect(Date.parse(third.at) - Date.parse(first.at)).toBe(25 * HOUR_MS)
  })

  it('is probed for when a fresh verdict turns out to be wrong', async () => {
    const server = await start((exchanged) => {
      if (exchanged.message.method !== 'initialize') return modern(ok)(exchanged)
      exchanged.error(-32022, 'no', { status: 400, data: { supported: [MODERN] } })
    })
    const connection = await open(server, { verdict: { revision: '2025-06-18', at: new Date().toISOString() } })
    expect(connection.verdict.revision).toBe(MODERN)
  })
})

describe('a handshake session over HTTP', () => {
  it('trap-29, trap-33: sends the session id and the version after initialize and not before, and ends the session', async () => {
    const server = await start(legacy(ok))
    const connection = await open(server)
    expect(await connection.handle(tool('x'))).toEqual(OK)
    await connection.close()
    const of = (method: string) => server.seen.find((seen) => seen.message.method === method || seen.method === method)
    expect(of('initialize')?.headers).not.toHaveProperty('mcp-session-id')
    expect(of('initialize')?.headers).not.toHaveProperty('mcp-protocol-version')
    for (const later of ['notifications/initialized', 'tools/call', 'GET', 'DELETE']) {
      expect(of(later)?.headers).toMatchObject({ 'mcp-session-id': 'session-1', 'mcp-protocol-version': '2025-11-25' })
    }
    expect(of('tools/call')?.headers.accept).toBe('application/json, text/event-stream')
    expect(of('GET')?.headers.accept).toBe('text/event-stream')
  })

  it('trap-33: sends no version header in a revision that has none', async () => {
    const server = await start(legacy(ok, { revision: '2025-03-26' }))
    const connection = await open(server)
    await connection.handle(tool('x'))
    expect(server.seen.at(-1)?.headers).not.toHaveProperty('mcp-protocol-version')
  })

  it('reads an answer from an event stream, with what comes before it', async () => {
    const server = await start(
      legacy(({ message, stream }) => {
        const { event, raw, end } = stream()
        const { progressToken } = metaOf(message)
        raw(': keep-alive\n\n')
        event({ method: 'notifications/progress', params: { progressToken, progress: 1 } })
        event({ method: 'notifications/progress', params: { progressToken, progress: 1 } })
        event({ method: 'notifications/message', params: { level: 'info', data: 'hello' } })
        event({ method: 'notifications/message', params: { level: 'debug', data: 'too much' } })
        event({ id: message.id, result: OK })
        end()
      }),
    )
    const connection = await open(server)
    const interim = recordingInterim({ progress: true, logLevel: 'info' })
    expect(await connection.handle(tool('x', {}, { interim }))).toEqual(OK)
    expect(interim.heard).toEqual([
      { method: 'notifications/progress', params: { progress: 1 } },
      { method: 'notifications/message', params: { level: 'info', data: 'hello' } },
    ])
  })

  it('answers questions of the server on the stream of the call that caused them', async () => {
    const server = await start(async (exchanged) => {
      const { message } = exchanged
      if (message.method !== 'tools/call') return legacy(ok)(exchanged)
      const { event, end } = exchanged.stream()
      const { name } = message.params as { name: string }
      event({ id: `ask-${name}`, method: 'elicitation/create', params: { message: name, requestedSchema: {} } })
      event({ id: 'ping-1', method: 'ping' })
      const answer = await server.saw((seen) => seen.message.id === `ask-${name}`)
      event({ id: message.id, result: { content: [], structuredContent: answer.message.result } })
      end()
    })
    const connection = await open(server, { capabilities: { elicitation: {} } })
    const asking = (who: string) =>
      recordingInterim({
        ask: ({ params }) => Promise.resolve({ action: 'accept', content: { who, of: params.message } }),
      })
    const [first, second] = await Promise.all([
      connection.handle(tool('a', {}, { interim: asking('first') })),
      connection.handle(tool('b', {}, { interim: asking('second') })),
    ])
    expect(first.structuredContent).toEqual({ action: 'accept', content: { who: 'first', of: 'a' } })
    expect(second.structuredContent).toEqual({ action: 'accept', content: { who: 'second', of: 'b' } })
    expect((await server.saw((seen) => seen.message.id === 'ping-1')).message.result).toEqual({})
  })

  it('abuse-16: a server that asks without end and takes no answer does not cost a connection each', async () => {
    const faults: string[] = []
    const server = await start((exchanged) => {
      const { message, method } = exchanged
      if (method === 'POST' && message.method === undefined) return // the answers, never taken
      if (message.method !== 'tools/call') return legacy(ok)(exchanged)
      const { event, end } = exchanged.stream()
      for (let id = 0; id < 500; id++) event({ id: `ping-${id}`, method: 'ping' })
      event({ id: message.id, result: OK })
      end()
    })
    const connection = await open(server, { fault: (reason) => faults.push(reason) })
    expect(await connection.handle(tool('x'))).toEqual(OK)
    await server.saw(({ message }) => message.id === 'ping-63')
    expect(server.seen.filter(({ message }) => String(message.id).startsWith('ping'))).toHaveLength(64)
    expect(faults.filter((reason) => reason.includes('asks faster than it takes answers'))).toHaveLength(1)
  })

  it('refuses what was not declared with -32601, and tells a failure from it', async () => {
    const server = await start(async (exchanged) => {
      if (exchanged.message.method !== 'tools/call') return legacy(ok)(exchanged)
      const { event, end } = exchanged.stream()
      event({ id: 1, method: 'sampling/createMessage', params: {} })
      event({ id: 2, method: 'elicitation/create', params: {} })
      event({ id: 3, method: 'unheard/of', params: {} })
      for (const id of [1, 2, 3]) await server.saw((seen) => seen.message.id === id && seen.message.error !== undefined)
      event({ id: exchanged.message.id, result: OK })
      end()
    })
    const connection = await open(server, { capabilities: { elicitation: {} } })
    await connection.handle(
      tool('x', {}, { interim: recordingInterim({ ask: () => Promise.reject(new Error('secret')) }) }),
    )
    const errors = server.seen.filter(({ message }) => message.error !== undefined).map(({ message }) => message.error)
    expect(errors).toEqual([
      { code: -32601, message: 'Cannot answer "sampling/createMessage": this client does not offer it' },
      { code: -32601, message: 'Cannot answer "unheard/of": this client does not offer it' },
      { code: -32603, message: 'Internal error' },
    ])
  })

  it('trap-10: tells the server of a cancelled call, since a closed stream says nothing there', async () => {
    const server = await start(legacy(() => {}))
    const connection = await open(server)
    const cancel = new AbortController()
    const call = failureOf(connection.handle(tool('slow', {}, { cancellation: cancellationOf(cancel.signal) })))
    const { message } = await server.saw((seen) => seen.message.method === 'tools/call')
    cancel.abort()
    expect(await call).toMatchObject({ code: 'caller.cancelled' })
    const notice = await server.saw((seen) => seen.message.method === 'notifications/cancelled')
    expect(notice.message.params).toEqual({ requestId: message.id, reason: 'cancelled' })
  })

  it('waits no longer than it was told to', async () => {
    const server = await start(legacy(() => {}))
    const connection = await open(server, { requestTimeoutMs: 30 })
    expect(await failureOf(connection.handle(tool('slow')))).toMatchObject({
      code: 'upstream.timeout',
      message: 'Cannot wait longer for "tools/call": no answer for 0.03 s',
    })
  })

  it('trap-29: opens a new session once when the old one is gone, and repeats only what is safe', async () => {
    let session = 1
    let dead = false
    const server = await start((exchanged) => {
      const { message, headers } = exchanged
      if (message.method === 'initialize') {
        if (dead) session++
        dead = false
      } else if (dead || (headers['mcp-session-id'] ?? `s${session}`) !== `s${session}`) {
        return exchanged.plain(404)
      }
      legacy((e) => e.result({ tools: [], content: [] }), { session: `s${session}` })(exchanged)
    })
    const connection = await open(server)
    dead = true
    const [list, other, call] = await Promise.all([
      connection.handle(toCall('tools/list')),
      connection.handle(toCall('prompts/list')),
      failureOf(connection.handle(tool('x'))),
    ])
    expect([list, other]).toEqual([
      { tools: [], content: [] },
      { tools: [], content: [] },
    ])
    expect(call).toMatchObject({ code: 'upstream.closed', message: expect.stringContaining('outcome is unknown') })
    expect(server.methods().filter((method) => method === 'initialize')).toHaveLength(2)
    expect(await connection.handle(tool('x'))).toEqual({ tools: [], content: [] })
  })

  it('hears of changes on the GET stream, takes it up again where it broke, and waits as it is asked to', async () => {
    const streams: { lastEventId: string | undefined; at: number }[] = []
    const server = await start(async (exchanged) => {
      const { method, message, headers } = exchanged
      if (method !== 'GET') {
        if (message.method === 'resources/subscribe') return exchanged.result({})
        return legacy(ok)(exchanged)
      }
      streams.push({ lastEventId: headers['last-event-id'] as string | undefined, at: performance.now() })
      const { event, raw, end } = exchanged.stream()
      if (streams.length === 1) {
        await server.saw((seen) => seen.message.method === 'resources/subscribe')
        raw('retry: 60\n\n')
        event({ method: 'notifications/resources/updated', params: { uri: 'a:1' } }, { id: 'e1' })
        end()
      } else event({ method: 'notifications/tools/list_changed' }, { id: 'e2' })
    })
    const connection = await open(server)
    const cancel = new AbortController()
    const heard = await new Promise<unknown[]>((resolve) => {
      const interim = recordingInterim()
      const notify = (notification: Parameters<typeof interim.notify>[0]) => {
        interim.notify(notification)
        if (interim.heard.length === 3) resolve(interim.heard)
      }
      const filter = { toolsListChanged: true, promptsListChanged: true, resourceSubscriptions: ['a:1'] }
      const call = toCall(
        'subscriptions/listen',
        { notifications: filter },
        { interim: { ...interim, notify }, cancellation: cancellationOf(cancel.signal) },
      )
      connection.handle(call).catch(() => {})
    })
    cancel.abort()
    const honoured = { toolsListChanged: true, resourceSubscriptions: ['a:1'] }
    expect(heard).toEqual([
      { method: 'notifications/subscriptions/acknowledged', params: { notifications: honoured } },
      { method: 'notifications/resources/updated', params: { uri: 'a:1' } },
      { method: 'notifications/tools/list_changed', params: {} },
    ])
    expect(streams.map(({ lastEventId }) => lastEventId)).toEqual([undefined, 'e1'])
    expect((streams[1]?.at ?? 0) - (streams[0]?.at ?? 0)).toBeGreaterThanOrEqual(55)
  })

  it('opens a new session when the stream shows that the old one is gone, though nobody calls', async () => {
    let session = 1
    const server = await start(async (exchanged) => {
      const { method, message, headers } = exchanged
      if (message.method === 'initialize') return legacy(ok, { session: `s${session}` })(exchanged)
      if (message.method === 'server/discover') return exchanged.plain(400)
      if (headers['mcp-session-id'] !== `s${session}`) return exchanged.plain(404)
      if (message.method === 'resources/subscribe') return exchanged.result({})
      if (method !== 'GET') return legacy(ok)(exchanged)
      const { raw, cut } = exchanged.stream()
      raw('retry: 10\n\n')
      if (session > 1) return
      await server.saw((seen) => seen.message.method === 'resources/subscribe')
      session++
      cut()
    })
    const connection = await open(server)
    const heard = await new Promise<unknown[]>((resolve) => {
      const interim = recordingInterim()
      const notify = (notification: Parameters<typeof interim.notify>[0]) => {
        interim.notify(notification)
        if (interim.heard.length === 3) resolve(interim.heard)
      }
      const filter = { toolsListChanged: true, resourceSubscriptions: ['a:1'] }
      const call = toCall('subscriptions/listen', { notifications: filter }, { interim: { ...interim, notify } })
      connection.handle(call).catch(() => {})
    })
    expect(heard.slice(1)).toEqual([
      { method: 'notifications/tools/list_changed', params: {} },
      { method: 'notifications/resources/updated', params: { uri: 'a:1' } },
    ])
    expect(server.methods().filter((method) => method === 'initialize')).toHaveLength(2)
    await server.saw((seen) => seen.message.method === 'resources/subscribe' && seen.headers['mcp-session-id'] === 's2')
    expect(await connection.handle(tool('x'))).toEqual(OK)
  })

  it('opens a new session for those who listen, though the server was down for a while', async () => {
    let session = 's1'
    let refusals = 0
    const clock = createFakeClock()
    const server = await start(async (exchanged) => {
      const { method, message, headers } = exchanged
      if (message.method === 'initialize') {
        if (session !== 's2' || ++refusals > 3) return legacy(ok, { session })(exchanged)
        return exchanged.plain(503)
      }
      if (message.method === 'server/discover') return exchanged.plain(400)
      if (headers['mcp-session-id'] !== session) return exchanged.plain(404)
      if (method !== 'GET') return legacy(ok)(exchanged)
      const { raw, cut } = exchanged.stream()
      raw('retry: 50\n\n')
      if (session === 's2') return
      session = 's2'
      cut()
    })
    const connection = await open(server, { clock })
    const changed = new Promise<void>((resolve) => {
      const notify = ({ method }: { readonly method: string }) => {
        if (method === 'notifications/tools/list_changed') resolve()
      }
      const interim = { ...recordingInterim(), notify }
      const call = toCall('subscriptions/listen', { notifications: { toolsListChanged: true } }, { interim })
      connection.handle(call).catch(() => {})
    })
    let isOver = false
    void changed.then(() => {
      isOver = true
    })
    while (!isOver) {
      clock.advance(1_000)
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect(refusals).toBe(4)
  })

  it('opens a new session with the next call when that failed before', async () => {
    let state: 'up' | 'forgetful' | 'down' = 'up'
    const server = await start((exchanged) => {
      const { message, headers } = exchanged
      if (state === 'down') return exchanged.plain(503)
      if (state === 'forgetful' && message.method !== 'initialize') {
        if (headers['mcp-session-id'] === undefined) return exchanged.plain(400, 'Bad Request')
        state = 'down'
        return exchanged.plain(404)
      }
      legacy((e) => e.result({ tools: [] }))(exchanged)
    })
    const connection = await open(server)
    state = 'forgetful'
    expect(await failureOf(connection.handle(toCall('tools/list')))).toMatchObject({ code: 'upstream.unavailable' })
    state = 'up'
    expect(await connection.handle(toCall('tools/list'))).toEqual({ tools: [] })
  })

  it('promises no changes where the server has no stream to send them on', async () => {
    const server = await start((exchanged) =>
      exchanged.message.method === 'resources/subscribe' ? exchanged.result({}) : legacy(ok)(exchanged),
    )
    const connection = await open(server)
    const { capabilities } = await connection.handle(toCall('server/discover'))
    expect(capabilities).toEqual({ tools: {}, resources: {}, logging: {}, prompts: {} })
    const cancel = new AbortController()
    const interim = recordingInterim({})
    const filter = { toolsListChanged: true, resourceSubscriptions: ['a:1'] }
    const notified = new Promise<void>((resolve) => {
      const notify = (notification: Parameters<typeof interim.notify>[0]) => {
        interim.notify(notification)
        resolve()
      }
      const call = { interim: { ...interim, notify }, cancellation: cancellationOf(cancel.signal) }
      connection.handle(toCall('subscriptions/listen', { notifications: filter }, call)).catch(() => {})
    })
    await notified
    cancel.abort()
    expect(interim.heard[0]?.params).toEqual({ notifications: {} })
  })

  it('trap-31: takes up the stream of an answer where it broke, no earlier than it was asked to', async () => {
    let cut = 0
    const server = await start((exchanged) => {
      const { method, message, headers } = exchanged
      if (message.method === 'tools/call') {
        const { raw, end } = exchanged.stream()
        raw('id: primer\nretry: 80\ndata:\n\n')
        cut = performance.now()
        return end()
      }
      if (method === 'GET' && headers['last-event-id'] === 'primer') {
        expect(performance.now() - cut).toBeGreaterThanOrEqual(75)
        const { event, end } = exchanged.stream()
        const call = server.seen.find((seen) => seen.message.method === 'tools/call')
        event({ id: call?.message.id, result: OK })
        return end()
      }
      legacy(ok)(exchanged)
    })
    const connection = await open(server)
    expect(await connection.handle(tool('x'))).toEqual(OK)
  })

  it('does not know the outcome of a tool whose stream is lost for good, and may repeat anything else', async () => {
    const server = await start(legacy(({ stream }) => stream().cut()))
    const connection = await open(server)
    expect(await failureOf(connection.handle(tool('x')))).toMatchObject({ code: 'upstream.closed' })
    expect(await failureOf(connection.handle(toCall('tools/list')))).toMatchObject({ code: 'upstream.unavailable' })
  })
})

describe('a stateless conversation over HTTP', () => {
  it('trap-6, trap-8: mirrors the body in headers, in base64 what they cannot carry', async () => {
    const server = await start(
      modern((exchanged) => {
        if (exchanged.message.method !== 'tools/list') return ok(exchanged)
        const properties = {
          region: { type: 'string', 'x-mcp-header': 'Region' },
          count: { type: 'integer', 'x-mcp-header': 'Count' },
          inner: { type: 'object', properties: { dry: { type: 'boolean', 'x-mcp-header': 'Dry' } } },
        }
        exchanged.result({ tools: [{ name: 'größe', inputSchema: { type: 'object', properties } }] })
      }),
    )
    const connection = await open(server)
    await connection.handle(toCall('tools/list'))
    await connection.handle(tool('größe', { region: ' eu', count: 42, inner: { dry: false } }))
    await connection.handle(tool('größe', { region: null, inner: [1] }))
    await connection.handle(toCall('resources/read', { uri: 'file:///a%20b?c' }))
    const [, list, first, second, read] = server.seen.map(({ headers }) => headers)
    expect(list).toMatchObject({ 'mcp-protocol-version': MODERN, 'mcp-method': 'tools/list' })
    expect(first).toMatchObject({
      'mcp-method': 'tools/call',
      'mcp-name': '=?base64?Z3LDtsOfZQ==?=',
      'mcp-param-region': '=?base64?IGV1?=',
      'mcp-param-count': '42',
      'mcp-param-dry': 'false',
    })
    expect(Object.keys(second ?? {}).filter((name) => name.startsWith('mcp-param'))).toEqual([])
    expect(read).toMatchObject({ 'mcp-method': 'resources/read', 'mcp-name': 'file:///a%20b?c' })
    expect(read).not.toHaveProperty('mcp-session-id')
  })

  it('trap-9, abuse-20: leaves out a tool whose x-mcp-header is not valid, says so, and keeps the others', async () => {
    const good = { name: 'good', inputSchema: { type: 'object', properties: { a: { type: 'string' } } } }
    const bad = {
      name: 'bad',
      inputSchema: { type: 'object', properties: { a: { type: 'number', 'x-mcp-header': 'A' } } },
    }
    const server = await start(modern((exchanged) => exchanged.result({ tools: [good, bad] })))
    const faults: string[] = []
    const connection = await open(server, { fault: (reason) => faults.push(reason) })
    expect(await connection.handle(toCall('tools/list'))).toEqual({ tools: [good] })
    expect(await connection.handle(toCall('tools/list'))).toEqual({ tools: [good] })
    expect(faults).toEqual([
      'Left out the tool "bad": "x-mcp-header" is on a property that is not a string, an integer or a boolean',
    ])
  })

  it('reads the schemas anew and tries once more when the headers do not match', async () => {
    let name = 'Old'
    const server = await start(
      modern((exchanged) => {
        const { message, headers } = exchanged
        if (message.method === 'tools/list') {
          const inputSchema = { type: 'object', properties: { a: { type: 'string', 'x-mcp-header': name } } }
          return exchanged.result({ tools: [{ name: 'x', inputSchema }] })
        }
        if (headers['mcp-param-new'] === '1') return ok(exchanged)
        exchanged.error(-32020, 'Header mismatch', { status: 400 })
      }),
    )
    const connection = await open(server)
    await connection.handle(toCall('tools/list'))
    name = 'New'
    expect(await connection.handle(tool('x', { a: '1' }))).toEqual(OK)
    expect(server.methods()).toEqual(['server/discover', 'tools/list', 'tools/call', 'tools/list', 'tools/call'])
    name = 'Other'
    expect(await failureOf(connection.handle(tool('x', { a: '2' })))).toMatchObject({ code: 'upstream.protocol' })
  })

  it('trap-10: cancels by closing the stream, and sends nothing more', async () => {
    const server = await start(modern((exchanged) => void exchanged.stream()))
    const connection = await open(server)
    const cancel = new AbortController()
    const call = failureOf(connection.handle(tool('slow', {}, { cancellation: cancellationOf(cancel.signal) })))
    const exchanged = await server.saw((seen) => seen.message.method === 'tools/call')
    cancel.abort()
    await exchanged.gone
    expect(await call).toMatchObject({ code: 'caller.cancelled' })
    expect(server.methods()).toEqual(['server/discover', 'tools/call'])
  })

  it('passes a subscription through, without the id that belongs to the hop', async () => {
    const server = await start(
      modern(({ message, stream }) => {
        const { event, end } = stream()
        const _meta = { [`${META}subscriptionId`]: message.id }
        event({
          method: 'notifications/subscriptions/acknowledged',
          params: { notifications: { toolsListChanged: true }, _meta },
        })
        event({ method: 'notifications/tools/list_changed', params: { _meta } })
        event({ id: message.id, result: { resultType: 'complete', _meta } })
        end()
      }),
    )
    const connection = await open(server)
    const interim = recordingInterim()
    await connection.handle(toCall('subscriptions/listen', { notifications: { toolsListChanged: true } }, { interim }))
    expect(interim.heard).toEqual([
      { method: 'notifications/subscriptions/acknowledged', params: { notifications: { toolsListChanged: true } } },
      { method: 'notifications/tools/list_changed', params: {} },
    ])
  })

  it('declares what this connection can carry and the caller can do', async () => {
    const server = await start(modern(ok))
    const connection = await open(server, { capabilities: { elicitation: { form: {} }, sampling: {} } })
    const { downstream } = tool('x')
    await connection.handle(
      tool('x', {}, { downstream: { ...downstream, capabilities: { elicitation: {}, roots: {} } } }),
    )
    const { message } = await server.saw((seen) => seen.message.method === 'tools/call')
    expect(metaOf(message)[`${META}clientCapabilities`]).toEqual({ elicitation: { form: {} } })
  })

  it('carries the log level, the trace and the meta of the call', async () => {
    const server = await start(modern(ok))
    const connection = await open(server)
    const trace = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331' }
    const meta = { traceparent: '00-11111111111111111111111111111111-2222222222222222-00', 'com.example/x': [1] }
    const interim = recordingInterim({ logLevel: 'warning', progress: true })
    await connection.handle(tool('x', {}, { trace, meta, interim }))
    const { message } = await server.saw((seen) => seen.message.method === 'tools/call')
    expect(metaOf(message)).toEqual({
      [`${META}protocolVersion`]: MODERN,
      [`${META}clientInfo`]: client,
      [`${META}clientCapabilities`]: {},
      [`${META}logLevel`]: 'warning',
      progressToken: message.id,
      traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00',
      'com.example/x': [1],
    })
  })

  const strange: [string, JsonObject, string][] = [
    ['an unknown type', { resultType: 'surprise' }, 'tools/call'],
    ['a wish for input where none is possible', { resultType: 'input_required' }, 'tools/list'],
    ['a wish for input that asks nothing', { resultType: 'input_required' }, 'tools/call'],
    ['contents that are no list', { resultType: 'complete', content: { type: 'text' } }, 'tools/call'],
  ]
  for (const [what, result, method] of strange) {
    it(`trap-25: refuses a result of ${what}`, async () => {
      const server = await start(modern((exchanged) => exchanged.result(result)))
      const connection = await open(server)
      expect(await failureOf(connection.handle(toCall(method, { name: 'x' })))).toMatchObject({
        code: 'upstream.protocol',
      })
    })
  }

  it('gives a tool result without contents an empty list of them, in both eras', async () => {
    for (const behave of [modern, legacy]) {
      const server = await start(behave((exchanged) => exchanged.result({ structuredContent: { a: 1 } })))
      const connection = await open(server)
      expect(await connection.handle(tool('x'))).toEqual({ structuredContent: { a: 1 }, content: [] })
    }
  })

  it('does not believe a server with a handshake that its result is of another kind', async () => {
    const result = { resultType: 'input_required', inputRequests: { a: { method: 'roots/list' } }, content: [] }
    const connection = await open(await start(legacy((exchanged) => exchanged.result(result))))
    expect(await connection.handle(tool('x'))).not.toHaveProperty('resultType')
  })

  it('goes over to a revision the server offers in the middle of the conversation', async () => {
    let refused = 0
    const server = await start(
      modern((exchanged) => {
        if (refused++ > 0) return ok(exchanged)
        exchanged.error(-32022, 'no', { status: 400, data: { supported: [MODERN] } })
      }),
    )
    const connection = await open(server)
    expect(await connection.handle(tool('x'))).toEqual(OK)
  })

  it('names what the caller lacks, and nothing else of the error', async () => {
    const data = { requiredCapabilities: { sampling: {} }, inner: 'detail' }
    const server = await start(modern((exchanged) => exchanged.error(-32021, 'needs sampling', { status: 400, data })))
    const connection = await open(server)
    const failure = await failureOf(connection.handle(tool('x')))
    expect(failure).toMatchObject({
      code: 'caller.missing_capability',
      data: { requiredCapabilities: { sampling: {} } },
    })
    expect(failure.data).not.toHaveProperty('inner')
  })

  it('says that a method is not in the revision without asking', async () => {
    const server = await start(modern(ok))
    const connection = await open(server)
    const failure = await failureOf(Promise.resolve().then(() => connection.handle(toCall('ping'))))
    expect(failure).toMatchObject({ code: 'caller.unsupported_feature' })
    expect(server.methods()).toEqual(['server/discover'])
  })
})

describe('an HTTP server that misbehaves', () => {
  it('abuse-16: is cut off when its answer is larger than the limit', async () => {
    for (const answer of [
      ({ plain }: Exchanged) => plain(200, 'x'.repeat(200_000), { 'content-type': 'application/json' }),
      ({ stream }: Exchanged) => stream().raw(`data: ${'x'.repeat(200_000)}`),
      ({ stream }: Exchanged) => stream().raw('data: x\n'.repeat(100_000)),
    ]) {
      const server = await start(modern(answer))
      const connection = await open(server, { limits: { ...UPSTREAM_LIMITS, maxBytes: 100_000 } })
      const failure = await failureOf(connection.handle(tool('x')))
      expect(failure).toMatchObject({ code: 'upstream.protocol', message: expect.stringContaining('100000 bytes') })
    }
  })

  it('is not believed when its answer is no answer', async () => {
    const answers: ((exchanged: Exchanged) => void)[] = [
      ({ plain }) => plain(200, '<html>', { 'content-type': 'text/html' }),
      ({ plain }) => plain(202),
      ({ plain }) => plain(200, '{"jsonrpc":"2.0","id":"other","result":{}}', { 'content-type': 'application/json' }),
      ({ plain }) =>
        plain(200, '{"jsonrpc":"2.0","id":2,"result":{"a":1,"a":2}}', { 'content-type': 'application/json' }),
      ({ plain, message }) =>
        plain(200, JSON.stringify({ jsonrpc: '2.0', id: message.id, result: {} }), { 'content-encoding': 'gzip' }),
    ]
    for (const answer of answers) {
      const server = await start(modern(answer))
      const connection = await open(server)
      expect(await failureOf(connection.handle(tool('x')))).toMatchObject({ code: 'upstream.protocol' })
    }
  })

  it('is followed to another path of the same origin, and not to another origin', async () => {
    const server = await start((exchanged) => {
      if (exchanged.path === '/mcp') return exchanged.plain(307, '', { location: '/mcp/' })
      modern(ok)(exchanged)
    })
    const connection = await open(server)
    expect(await connection.handle(tool('x'))).toEqual(OK)
    expect(server.seen.map(({ path }) => path)).toEqual(['/mcp', '/mcp/', '/mcp/'])

    const trap = await start(ok)
    const lure = await start(({ plain }) => plain(308, '', { location: trap.url }))
    const failure = await failureOf(open(lure, {}, { authorization: 'Bearer secret' }))
    expect(failure).toMatchObject({ code: 'upstream.unavailable', message: expect.stringContaining(trap.url) })
    expect(trap.seen).toEqual([])
  })

  it('gets the configured headers, and the protocol keeps its own', async () => {
    const server = await start(modern(ok))
    await open(server, {}, { Authorization: 'Bearer x', Accept: 'text/html', 'Mcp-Method': 'evil', Host: 'other' })
    expect(server.seen[0]?.headers).toMatchObject({
      authorization: 'Bearer x',
      accept: 'application/json, text/event-stream',
      'mcp-method': 'server/discover',
      host: new URL(server.url).host,
    })
    const broken = await failureOf(open(server, {}, { 'X-Bad': 'a\r\nHost: evil' }))
    expect(broken).toMatchObject({ message: expect.stringContaining('Cannot send the header "X-Bad"') })
  })
})
