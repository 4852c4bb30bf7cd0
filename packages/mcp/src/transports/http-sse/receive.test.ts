import {
  createDeferred,
  createDoors,
  createFakeClock,
  JSON_HEADERS,
  openHttp,
  openRaw,
  openSseSession,
  sendHttp,
  withEnvelope,
} from '@crosspoint/testkit'
import { afterEach, describe, expect, it } from 'vitest'
import { CALLER_LIMITS } from '../../jsonrpc/limits.ts'
import type { Call, Result } from '../../protocol/call.ts'
import { createServer, serve } from '../../server/index.ts'
import type { EndpointEvent } from '../endpoint.ts'

const doors = createDoors()
afterEach(() => doors.closeAll())
const open = async (...given: Parameters<typeof doors.open>) => (await doors.open(...given)).sse

const HANDSHAKES = ['2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05']
const STREAM = { accept: 'text/event-stream' }
const PING = '{"jsonrpc":"2.0","id":1,"method":"ping"}'

const answers = async (call: Call): Promise<Result> =>
  call.method === 'server/discover' ? { capabilities: { tools: {} } } : { content: [], name: call.params.name }

function createChanging() {
  const server = createServer({ name: 's', version: '1', logging: true })
  const tool = server.tool('t', {}, (_args, { progress, log }) => {
    progress(1, 2)
    log('error', 'high')
    return 'x'
  })
  server.resource('app://r', { name: 'r' }, () => 'x')
  return { server, tool }
}

describe('a session', () => {
  it('ends with its stream, and the endpoint is told of it', async () => {
    const ended = createDeferred<string>()
    const url = await open(answers, { sessionEnded: ended.resolve })
    const session = await openSseSession(url)
    await session.initialize('2024-11-05')
    session.stream.destroy()
    expect(await ended.promise).toBe(session.endpoint.split('=')[1])
  })

  it.each(HANDSHAKES)('of %s opens with a GET, says where to POST, and answers on the stream', async (revision) => {
    const calls: Call[] = []
    const url = await open(async (call) => {
      calls.push(call)
      return answers(call)
    })
    const session = await openSseSession(url)
    expect(session.stream.headers['content-type']).toBe('text/event-stream')
    expect(session.stream.headers['cache-control']).toBe('no-cache, no-transform')
    expect(session.endpoint).toMatch(/^\/sse\?sessionId=[\w-]{22,}$/)
    expect((await session.initialize(revision)).result).toEqual({
      protocolVersion: revision,
      capabilities: { tools: {} },
      serverInfo: { name: 's', version: '1' },
    })
    expect((await session.request('tools/call', { name: 't' })).result).toEqual({ content: [], name: 't' })
    expect(calls.at(-1)?.downstream.revision).toBe(revision)
    expect(calls.at(-1)?.downstream.session).toBe(session.endpoint.split('=')[1])
  })

  it('gets 202 without a body for each message', async () => {
    const session = await openSseSession(await open(answers))
    const taken = await session.post(PING)
    expect([taken.status, taken.text, taken.headers['content-length']]).toEqual([202, '', '0'])
    expect(await session.stream.next()).toEqual({ jsonrpc: '2.0', id: 1, result: {} })
  })

  it('before initialize only pings are answered', async () => {
    const session = await openSseSession(await open(answers))
    expect((await session.request('tools/list')).error.code).toBe(-32600)
    expect((await session.request('ping')).result).toEqual({})
  })

  it('hears of progress, log messages and changes on its stream', async () => {
    const { server, tool } = createChanging()
    const session = await openSseSession(await open(server.endpoint.handle))
    await session.initialize()
    await session.request('tools/call', { name: 't', _meta: { progressToken: 'p' } })
    expect(session.heard).toEqual([
      { jsonrpc: '2.0', method: 'notifications/progress', params: { progressToken: 'p', progress: 1, total: 2 } },
      { jsonrpc: '2.0', method: 'notifications/message', params: { level: 'error', data: 'high' } },
    ])
    await session.request('resources/subscribe', { uri: 'app://r' })
    server.resourceUpdated('app://r')
    expect(await session.stream.next()).toMatchObject({ method: 'notifications/resources/updated' })
    tool.update({ title: 'T' })
    expect((await session.stream.next()).method).toBe('notifications/tools/list_changed')
  })

  it('ends with its stream, and its calls are taken back', async () => {
    const began = createDeferred()
    const over = createDeferred<unknown>()
    const { door, sse } = await doors.open((call) => {
      if (call.method === 'server/discover') return answers(call)
      call.cancellation.signal.addEventListener('abort', () => over.resolve(call.cancellation.signal.reason))
      began.resolve()
      return new Promise(() => {})
    })
    const session = await openSseSession(sse)
    await session.initialize()
    expect(door.figures().sessions).toBe(1)
    await session.post('{"jsonrpc":"2.0","id":9,"method":"tools/call","params":{"name":"t"}}')
    await began.promise
    session.stream.destroy()
    expect(await over.promise).toMatchObject({ code: 'caller.cancelled' })
    expect((await session.post(PING)).status).toBe(404)
    expect(door.figures().sessions).toBe(0)
  })

  it('a call is taken back by notifications/cancelled, and not answered then', async () => {
    const over = createDeferred()
    const began = createDeferred()
    const session = await openSseSession(
      await open((call) => {
        if (call.method === 'server/discover') return answers(call)
        call.cancellation.signal.addEventListener('abort', () => over.resolve())
        began.resolve()
        return new Promise(() => {})
      }),
    )
    await session.initialize()
    await session.post('{"jsonrpc":"2.0","id":"c","method":"tools/call","params":{"name":"t"}}')
    await began.promise
    await session.notify('notifications/cancelled', { requestId: 'c' })
    await over.promise
    expect((await session.request('ping')).result).toEqual({})
    expect(session.heard).toEqual([])
  })

  it('asks its client while a call is open, and hears the answer from nobody else', async () => {
    const url = await open(
      async (call) => {
        if (call.method === 'server/discover') return answers(call)
        const params = { messages: [], maxTokens: 1 }
        return { content: [], said: await call.interim.ask({ method: 'sampling/createMessage', params }) }
      },
      { authenticate: ({ 'x-user': id }) => ({ id: String(id), tenant: 't' }) },
    )
    const session = await openSseSession(url, { 'x-user': 'ann' })
    await session.initialize('2024-11-05', { sampling: {} })
    await session.post('{"jsonrpc":"2.0","id":5,"method":"tools/call","params":{"name":"t"}}')
    const question = await session.stream.next()
    expect(question).toMatchObject({ method: 'sampling/createMessage', params: { maxTokens: 1 } })
    const result = { role: 'assistant', model: 'm', content: { type: 'text', text: 'hi' } }
    const answer = (text: string) =>
      JSON.stringify({ jsonrpc: '2.0', id: question.id, result: { ...result, content: { type: 'text', text } } })
    expect((await session.post(answer('false'), { 'x-user': 'bob' })).status).toBe(404)
    const other = await openSseSession(url, { 'x-user': 'ann' })
    await other.initialize('2024-11-05', { sampling: {} })
    expect((await other.post(answer('false'))).status).toBe(202)
    expect((await session.post(answer('true'))).status).toBe(202)
    expect(await session.stream.next()).toMatchObject({ id: 5, result: { said: { content: { text: 'true' } } } })
  })

  it('abuse-42: two with the same ids and tokens are never mixed', async () => {
    const url = await open(async (call) => {
      if (call.method === 'server/discover') return answers(call)
      await Promise.resolve()
      call.interim.notify({
        method: 'notifications/progress',
        params: { progress: 1, message: String(call.params.name) },
      })
      return answers(call)
    })
    const sessions = await Promise.all(['ann', 'bob'].map(async (name) => ({ name, to: await openSseSession(url) })))
    for (const { to } of sessions) await to.initialize('2025-11-25')
    await Promise.all(
      sessions.map(async ({ name, to }) => {
        for (let id = 0; id < 20; id++) {
          const answer = await to.request('tools/call', { name: `${name}${id}`, _meta: { progressToken: id } }, id)
          expect(answer.result.name).toBe(`${name}${id}`)
          expect(to.heard.at(-1).params).toMatchObject({ progressToken: id, message: `${name}${id}` })
        }
      }),
    )
  })

  it('trap-32: batches are taken where the revision has them', async () => {
    const session = await openSseSession(await open(answers))
    await session.initialize('2025-03-26')
    expect((await session.post(`[${PING}]`)).status).toBe(202)
    expect(await session.stream.next()).toEqual([{ jsonrpc: '2.0', id: 1, result: {} }])
  })

  it('a request with an envelope is told that this is not its transport', async () => {
    const session = await openSseSession(await open(answers))
    const { error } = await session.request('tools/list', withEnvelope())
    expect(error).toMatchObject({ code: -32022, data: { supported: HANDSHAKES } })
  })
})

describe('who may open one', () => {
  const raw = async (lines: string) => {
    const { door } = await doors.open(answers)
    const peer = await openRaw(door.port)
    peer.write(`${lines}\r\nContent-Length: 100\r\n\r\n`)
    const answer = await peer.until('\r\n\r\n')
    peer.destroy()
    return answer
  }

  it.each(['GET /sse', 'POST /sse?sessionId=x', 'POST /sse'])(
    'trap-35, abuse-01: %s of a foreign page gets 403 before anything is read',
    async (line) => {
      for (const origin of ['null', 'https://evil.example', 'http://localhost.evil.example', 'http://localhost:1']) {
        expect(await raw(`${line} HTTP/1.1\r\nHost: localhost\r\nOrigin: ${origin}`)).toMatch(/^HTTP\/1\.1 403 /)
      }
    },
  )

  it.each(['GET /sse', 'POST /sse?sessionId=x'])('abuse-02: %s under a foreign name gets 403', async (line) => {
    for (const host of ['evil.example', 'localhost.evil.example', '127.0.0.1.evil.example']) {
      expect(await raw(`${line} HTTP/1.1\r\nHost: ${host}`)).toMatch(/^HTTP\/1\.1 403 /)
    }
  })

  it('a page of our own may', async () => {
    const { door, sse } = await doors.open(answers)
    const origin = `http://localhost:${door.port}`
    const session = await openSseSession(sse, { origin })
    expect(session.stream.headers['access-control-allow-origin']).toBe(origin)
    expect((await session.request('ping')).result).toEqual({})
  })

  it('abuse-03: serve() offers it on loopback only, unless callers are asked who they are', async () => {
    const { server } = createChanging()
    await expect(serve(server, { port: 0, host: '0.0.0.0' })).rejects.toThrow('without authentication')
    const serving = await serve(server, { port: 0 })
    try {
      expect(serving.url).toMatch(/^http:\/\/127\.0\.0\.1:/)
      const session = await openSseSession(String(serving.url).replace('/mcp', '/sse'))
      expect((await session.initialize()).result.protocolVersion).toBe('2024-11-05')
    } finally {
      await serving.close()
    }
  })

  it('serve() offers it elsewhere, or not at all', async () => {
    const { server } = createChanging()
    for (const [sse, path, status] of [
      [false, '/sse', 404],
      ['/old', '/sse', 404],
      ['/old', '/old', 200],
    ] as const) {
      const serving = await serve(server, { port: 0, sse, http: { beatMs: 1_000_000 } })
      const stream = await openHttp(String(serving.url).replace('/mcp', path), { method: 'GET', headers: STREAM })
      expect(stream.status).toBe(status)
      stream.destroy()
      await serving.close()
    }
  })

  it('a caller nobody knows gets 401, on the stream and on what it POSTs', async () => {
    const url = await open(answers, {
      authenticate: () => {
        throw new Error('unknown')
      },
    })
    expect((await sendHttp(url, { method: 'GET', headers: STREAM })).status).toBe(401)
    expect((await sendHttp(`${url}?sessionId=x`, { headers: JSON_HEADERS, body: PING })).status).toBe(401)
  })

  it('nobody, where the oldest revision is not offered', async () => {
    for (const revisions of [['2026-07-28'], ['2026-07-28', '2025-11-25']]) {
      const url = await open(answers, { revisions })
      expect((await sendHttp(url, { method: 'GET', headers: STREAM })).status).toBe(404)
    }
  })

  it('nobody beyond the limit, until somebody leaves', async () => {
    const began = createDeferred()
    const left = createDeferred()
    const url = await open(
      (call) => {
        if (call.method === 'server/discover') return answers(call)
        call.cancellation.signal.addEventListener('abort', () => left.resolve())
        began.resolve()
        return new Promise(() => {})
      },
      { maxSessions: 2 },
    )
    const first = await openSseSession(url)
    await openSseSession(url)
    const third = await sendHttp(url, { method: 'GET', headers: STREAM })
    expect([third.status, third.headers['retry-after']]).toEqual([503, '1'])
    await first.initialize()
    await first.post('{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"t"}}')
    await began.promise
    first.stream.destroy()
    await left.promise
    await openSseSession(url)
  })
})

describe('the id of a session', () => {
  it('abuse-21: is of at least 128 bits in visible ASCII, and new each time', async () => {
    const url = await open(answers)
    const ids = await Promise.all(Array.from({ length: 20 }, async () => (await openSseSession(url)).endpoint))
    expect(new Set(ids).size).toBe(20)
    for (const id of ids) expect(id).toMatch(/^\/sse\?sessionId=[\w-]{22,}$/)
  })

  it('abuse-21: unknown, guessed, ended and foreign ones all get the same 404', async () => {
    const authenticate = (headers: Readonly<Record<string, string | undefined>>) => ({
      id: String(headers['x-user']),
      tenant: 't',
    })
    const url = await open(answers, { authenticate })
    const ann = { 'x-user': 'ann' }
    const ended = await openSseSession(url, ann)
    ended.stream.destroy()
    const session = await openSseSession(url, ann)
    const id = session.endpoint.split('=')[1] ?? ''
    const attempts: [string, string][] = [
      ['ann', 'unknown'],
      ['ann', ''],
      ['ann', `${id.slice(0, -1)}${id.endsWith('A') ? 'B' : 'A'}`],
      ['ann', ended.endpoint.split('=')[1] ?? ''],
      ['bob', id],
    ]
    const answered = await Promise.all(
      attempts.map(([user, given]) =>
        sendHttp(`${url}?sessionId=${given}`, { headers: { ...JSON_HEADERS, 'x-user': user }, body: PING }),
      ),
    )
    expect(new Set(answered.map(({ status, text }) => `${status} ${text}`)).size).toBe(1)
    expect(answered[0]?.status).toBe(404)
    expect((await session.request('ping')).result).toEqual({})
  })

  it('a POST without one gets 405, from which newer clients learn to fall back', async () => {
    const url = await open(answers)
    const answer = await sendHttp(url, { headers: JSON_HEADERS, body: PING })
    expect([answer.status, answer.headers.allow]).toEqual([405, 'GET'])
    expect((await sendHttp(`${url}?sessionId=x`, { method: 'DELETE' })).status).toBe(405)
  })

  it('abuse-22: is never one that the client brings along', async () => {
    const url = await open(answers)
    const { endpoint } = await openSseSession(`${url}?sessionId=chosen-by-me-and-long-enough`)
    expect(endpoint).not.toContain('chosen')
  })
})

describe('what is sent', () => {
  it.each([
    ['no JSON', 'hello', 400, -32700],
    ['half a message', '{"jsonrpc":"2.0"', 400, -32700],
    ['no JSON-RPC', '{"id":1}', 400, -32600],
    ['a key named twice', '{"jsonrpc":"2.0","id":1,"method":"ping","method":"x"}', 400, -32600],
    ['more than may be', `{"jsonrpc":"2.0","id":1,"method":"${'x'.repeat(2_000)}"}`, 413, -32600],
  ])('%s is refused where it came, and the session lives on', async (_what, body, status, code) => {
    const url = await open(answers, { limits: { ...CALLER_LIMITS, maxBytes: 1_024 } })
    const session = await openSseSession(url)
    const answer = await session.post(body)
    expect([answer.status, answer.messages[0].error.code]).toEqual([status, code])
    expect((await session.request('ping')).result).toEqual({})
  })

  it('abuse-04: must be JSON, and the stream must be wanted', async () => {
    const url = await open(answers)
    const session = await openSseSession(url)
    expect((await session.post(PING, { 'content-type': 'text/plain' })).status).toBe(415)
    expect((await session.post(PING, { 'content-encoding': 'gzip' })).status).toBe(415)
    const json = await sendHttp(url, { method: 'GET', headers: { accept: 'application/json' } })
    expect(json.status).toBe(406)
  })

  it('abuse-13: a body that never ends gets 408, and the session lives on', async () => {
    const { door, sse } = await doors.open(
      answers,
      {},
      { headersTimeoutMs: 60, requestTimeoutMs: 60, timeoutCheckMs: 20 },
    )
    const session = await openSseSession(sse)
    const peer = await openRaw(door.port)
    peer.write(
      `POST ${session.endpoint} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n{"`,
    )
    expect(await peer.ended).toMatch(/^HTTP\/1\.1 408 /)
    expect((await session.request('ping')).result).toEqual({})
  })
})

describe('the stream', () => {
  it('is kept alive by comments', async () => {
    const clock = createFakeClock()
    const session = await openSseSession(await open(answers, {}, { clock, beatMs: 1_000 }))
    clock.advance(2_000)
    await session.request('ping')
    expect(session.stream.comments).toBe(2)
  })

  it('abuse-15: of a reader who does not read takes no more requests, and is cut when nothing of it is read', async () => {
    const clock = createFakeClock()
    const events: EndpointEvent[] = []
    const began: number[] = []
    const big = 'x'.repeat(4 * 1024 * 1024)
    const sse = await open(
      async (call) => {
        if (call.method === 'server/discover') return answers(call)
        began.push(1)
        return { content: [{ type: 'text', text: big }] }
      },
      { log: (event) => events.push(event) },
      { clock, beatMs: 1_000 },
    )
    const session = await openSseSession(sse)
    await session.initialize()
    session.stream.pause()
    let status = 202
    for (let id = 0; status === 202 && id < 64; id++) {
      status = (await session.post(`{"jsonrpc":"2.0","id":${id},"method":"tools/call","params":{"name":"t"}}`)).status
    }
    expect(status).toBe(503)
    // Kernel buffers hold some of it; no more calls began than it took to fill them.
    expect(began.length).toBeLessThan(16)
    expect((await session.notify('notifications/made-up')).status).toBe(202)
    for (let beat = 0; beat < 3; beat++) clock.advance(1_000)
    expect(events).toContainEqual({ level: 'warn', event: 'stream.cut', reason: 'nothing of it is read' })
    session.stream.resume()
    await session.stream.closed
  })

  it('abuse-15: of a reader who is slow goes on when it reads', async () => {
    const big = 'x'.repeat(4 * 1024 * 1024)
    const session = await openSseSession(
      await open(async (call) =>
        call.method === 'server/discover' ? answers(call) : { content: [{ type: 'text', text: big }] },
      ),
    )
    await session.initialize()
    session.stream.pause()
    let taken = 0
    while (taken < 64) {
      const body = `{"jsonrpc":"2.0","id":${taken},"method":"tools/call","params":{"name":"t"}}`
      if ((await session.post(body)).status !== 202) break
      taken++
    }
    session.stream.resume()
    const got = new Set<unknown>()
    while (got.size < taken) got.add((await session.stream.next()).id)
    expect((await session.request('ping', {}, 'late')).result).toEqual({})
  })

  it('ends when the door closes, after what is at work', async () => {
    const held = createDeferred<Result>()
    const began = createDeferred()
    const { door, sse } = await doors.open((call) => {
      if (call.method === 'server/discover') return answers(call)
      began.resolve()
      return held.promise
    })
    const session = await openSseSession(sse)
    await session.initialize()
    await session.post('{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"t"}}')
    await began.promise
    const closed = door.close()
    held.resolve({ content: [] })
    expect(await session.stream.next()).toMatchObject({ id: 7, result: { content: [] } })
    await closed
    await session.stream.closed
  })
})

describe('abuse-14: messages that were answered 202', () => {
  const MIB = 1024 * 1024

  /** Calls that work until they are told to end, on a door that holds little. */
  async function openHolding(endpoint: Parameters<typeof doors.open>[1] = {}) {
    const began: Call[] = []
    const ends: (() => void)[] = []
    const { sse } = await doors.open(
      (call) => {
        if (call.method !== 'tools/call') return answers(call)
        began.push(call)
        return new Promise((resolve) => ends.push(() => resolve({ content: [] })))
      },
      endpoint,
      { maxHeldBytes: 3 * MIB },
    )
    return { sse, began, finish: () => ends.splice(0).forEach((end) => void end()) }
  }
  const callOf = (id: number, bytes: number) =>
    JSON.stringify({ jsonrpc: '2.0', id, method: 'tools/call', params: { name: 't', arguments: 'x'.repeat(bytes) } })

  it('count among the bytes the door holds until they are answered', async () => {
    const { sse, began, finish } = await openHolding()
    const session = await openSseSession(sse)
    await session.initialize()
    const statuses: number[] = []
    for (let id = 1; id <= 5; id++) statuses.push((await session.post(callOf(id, MIB))).status)
    expect(statuses).toEqual([202, 202, 503, 503, 503])
    expect(began).toHaveLength(2)
    finish()
    expect([(await session.stream.next()).id, (await session.stream.next()).id]).toEqual([1, 2])
    expect((await session.post(callOf(6, MIB))).status).toBe(202)
  })

  it('count however small they are', async () => {
    const { sse } = await openHolding({ maxConcurrent: 1 })
    const session = await openSseSession(sse)
    await session.initialize()
    let taken = 0
    while ((await session.post(callOf(taken, 16 * 1024))).status === 202) taken++
    expect(taken * 16 * 1024).toBeLessThan(3 * MIB)
    expect(taken).toBeGreaterThan(180)
  })

  it('count no longer when they were taken back, or their session ended', async () => {
    const { sse, began } = await openHolding({ maxConcurrent: 1 })
    const session = await openSseSession(sse)
    await session.initialize()
    for (let round = 0; round < 3; round++) {
      for (const id of [1, 2]) expect((await session.post(callOf(id, MIB))).status).toBe(202)
      for (const requestId of [2, 1]) await session.notify('notifications/cancelled', { requestId })
    }
    for (const id of [1, 2]) expect((await session.post(callOf(id, MIB))).status).toBe(202)
    const over = new Promise((resolve) => began.at(-1)?.cancellation.watch({ cancelled: () => resolve(undefined) }))
    session.stream.destroy()
    await over
    const other = await openSseSession(sse)
    await other.initialize()
    for (const id of [1, 2]) expect((await other.post(callOf(id, MIB))).status).toBe(202)
  })

  it('count while the handshake is under way', async () => {
    const asked = createDeferred()
    const discovered = createDeferred<Result>()
    const { sse } = await doors.open(
      (call) => {
        if (call.method !== 'server/discover') return answers(call)
        asked.resolve()
        return discovered.promise
      },
      { maxWaitingBytes: 1.5 * MIB },
      { maxHeldBytes: 8 * MIB },
    )
    const session = await openSseSession(sse)
    const opened = session.initialize()
    await asked.promise
    for (const id of [1, 2, 3]) await session.post(callOf(id, MIB))
    discovered.resolve({ capabilities: { tools: {} } })
    await opened
    expect(session.heard.map(({ id, error }) => [id, error.code])).toEqual([
      [2, 1001],
      [3, 1001],
    ])
    expect(await session.stream.next()).toMatchObject({ id: 1, result: { content: [] } })
  })
})

describe('trap-32: a batch', () => {
  const BATCH = `[${PING}]`

  it.each(HANDSHAKES.filter((revision) => revision !== '2025-03-26'))(
    'in a session of %s gets 400',
    async (revision) => {
      const session = await openSseSession(await open(answers))
      await session.initialize(revision)
      const refused = await session.post(BATCH)
      expect([refused.status, refused.messages[0].error.code]).toEqual([400, -32600])
      expect((await session.request('ping')).result).toEqual({})
    },
  )

  it('before the handshake gets 400', async () => {
    const session = await openSseSession(await open(answers))
    expect((await session.post(BATCH)).status).toBe(400)
    expect((await session.initialize()).result).toBeDefined()
  })

  it('of requests of the newest revision gets 400 even where batches work', async () => {
    const session = await openSseSession(await open(answers))
    await session.initialize('2025-03-26')
    const body = JSON.stringify([{ jsonrpc: '2.0', id: 1, method: 'tools/list', params: withEnvelope() }])
    expect((await session.post(body)).status).toBe(400)
    expect((await session.post(BATCH)).status).toBe(202)
    expect(await session.stream.next()).toMatchObject([{ id: 1, result: {} }])
  })
})
