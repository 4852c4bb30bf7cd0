import {
  createDeferred,
  createDoors,
  createFakeClock,
  JSON_HEADERS,
  openWireSession,
  sendEnveloped,
  sendHttp,
  type WireSession,
} from '@crosspoint/testkit'
import { afterEach, describe, expect, it } from 'vitest'
import { McpError } from '../../errors.ts'
import type { Call, Result } from '../../protocol/call.ts'

const doors = createDoors()
afterEach(() => doors.closeAll())
const open = async (...given: Parameters<typeof doors.open>) => (await doors.open(...given)).url

const HANDSHAKES = ['2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05']

/** Answers discovery with every capability and hands all else to `answer`. */
function createHandle(answer: (call: Call) => Promise<Result> = async () => ({ content: [] })) {
  const calls: Call[] = []
  const handle = async (call: Call): Promise<Result> => {
    if (call.method === 'server/discover') return { capabilities: CAPABILITIES, instructions: 'Be kind' }
    calls.push(call)
    return answer(call)
  }
  return { handle, calls }
}

const CAPABILITIES = { tools: {}, prompts: {}, resources: { subscribe: true }, logging: {}, completions: {} }

describe('initialize', () => {
  it.each(HANDSHAKES)('opens a session of revision %s', async (revision) => {
    const { handle, calls } = createHandle()
    const url = await open(handle)
    const session = await openWireSession(url, { revision, capabilities: { sampling: {} } })
    expect(session.initialized.status).toBe(200)
    expect(session.initialized.messages[0]).toEqual({
      jsonrpc: '2.0',
      id: 0,
      result: {
        protocolVersion: revision,
        capabilities: CAPABILITIES,
        serverInfo: { name: 's', version: '1' },
        instructions: 'Be kind',
      },
    })
    const answer = await session.request('tools/call', { name: 't', arguments: { a: 1 } }, { id: 'x' })
    expect([answer.status, answer.messages[0]]).toEqual([200, { jsonrpc: '2.0', id: 'x', result: { content: [] } }])
    expect(calls[0]).toMatchObject({
      method: 'tools/call',
      params: { name: 't', arguments: { a: 1 } },
      downstream: {
        revision,
        client: { name: 'wire-client' },
        capabilities: { sampling: {} },
        session: session.headers['mcp-session-id'],
      },
    })
  })

  it.each([
    ['2099-01-01', '2025-11-25'],
    ['2026-07-28', '2025-11-25'],
    ['', '2025-11-25'],
    ['2024-10-07', '2024-10-07'],
  ])('trap-34: asked for "%s" answers "%s"', async (asked, answered) => {
    const url = await open(createHandle().handle)
    const session = await openWireSession(url, { revision: asked })
    expect(session.initialized.messages[0].result.protocolVersion).toBe(answered)
  })

  it('offers only the revisions of the endpoint', async () => {
    const url = await open(createHandle().handle, { revisions: ['2025-06-18', '2025-03-26'] })
    const asked = await openWireSession(url, { revision: '2025-11-25' })
    expect(asked.initialized.messages[0].result.protocolVersion).toBe('2025-06-18')
    expect((await sendEnveloped(url, 'tools/list')).messages[0].error.code).toBe(-32022)
  })

  it.each([
    [{}, 'protocolVersion'],
    [{ protocolVersion: 3 }, 'protocolVersion'],
    [{ protocolVersion: '2025-06-18', capabilities: [] }, 'capabilities'],
  ])('with the parameters %j answers -32602 and opens nothing', async (params, named) => {
    const { door, url } = await doors.open(createHandle().handle)
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'initialize', params })
    const answer = await sendHttp(url, { headers: JSON_HEADERS, body })
    expect(answer.messages[0].error).toMatchObject({ code: -32602, message: expect.stringContaining(named) })
    expect([answer.headers['mcp-session-id'], door.figures().sessions]).toEqual([undefined, 0])
  })

  it('is refused where the header names the newest revision', async () => {
    const url = await open(createHandle().handle)
    const session = await openWireSession(url, { confirm: false, headers: { 'mcp-protocol-version': '2026-07-28' } })
    expect([session.initialized.status, session.initialized.messages[0].error.code]).toEqual([400, -32020])
  })

  it('fails when the server behind cannot say what it is', async () => {
    const url = await open(async () => {
      throw new McpError('upstream.unavailable', 'Cannot reach "x"')
    })
    const session = await openWireSession(url, { confirm: false })
    expect(session.initialized.messages[0].error).toEqual({ code: -32603, message: 'Cannot reach "x"' })
    expect(session.initialized.headers['mcp-session-id']).toBeUndefined()
  })

  it('always opens a session of its own', async () => {
    const session = await openWireSession(await open(createHandle().handle))
    const answer = await session.request('initialize', { protocolVersion: '2025-06-18', capabilities: {} })
    expect(answer.headers['mcp-session-id']).not.toBe(session.headers['mcp-session-id'])
  })
})

describe('a session', () => {
  it('trap-29, abuse-21: has an id of at least 128 bits in visible ASCII', async () => {
    const url = await open(createHandle().handle)
    const ids = await Promise.all(
      Array.from({ length: 20 }, async () => (await openWireSession(url)).headers['mcp-session-id'] ?? ''),
    )
    expect(new Set(ids).size).toBe(20)
    for (const id of ids) expect(id).toMatch(/^[\x21-\x7e]{22,}$/)
  })

  it('trap-29, abuse-21: unknown, guessed, ended, expired and foreign ids all get the same 404', async () => {
    const clock = createFakeClock()
    const authenticate = (headers: Readonly<Record<string, string | undefined>>) => ({
      id: String(headers['x-user']),
      tenant: 't',
    })
    const url = await open(createHandle().handle, { clock, sessionIdleMs: 1_000, authenticate })
    const ann = { 'x-user': 'ann' }
    const expired = await openWireSession(url, { headers: ann })
    clock.advance(1_000)
    const ended = await openWireSession(url, { headers: ann })
    expect((await ended.end()).status).toBe(200)
    const foreign = await openWireSession(url, { headers: ann })
    const id = foreign.headers['mcp-session-id'] ?? ''
    const guessed = `${id.slice(0, -1)}${id.endsWith('A') ? 'B' : 'A'}`
    const attempts: Record<string, string>[] = [
      { ...ann, 'mcp-session-id': 'unknown' },
      { ...ann, 'mcp-session-id': guessed },
      { ...ann, 'mcp-session-id': `${id}, ${id}` },
      { ...ann, 'mcp-session-id': '' },
      { ...ann, 'mcp-session-id': ended.headers['mcp-session-id'] ?? '' },
      { ...ann, 'mcp-session-id': expired.headers['mcp-session-id'] ?? '' },
      { 'x-user': 'bob', 'mcp-session-id': id },
    ]
    const body = '{"jsonrpc":"2.0","id":1,"method":"ping"}'
    const answers = await Promise.all(
      attempts.map((headers) => sendHttp(url, { headers: { ...JSON_HEADERS, ...headers }, body })),
    )
    expect(answers.map(({ status }) => status)).toEqual(attempts.map(() => 404))
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1)
    expect((await foreign.request('ping')).status).toBe(200)
  })

  it('the endpoint is told of each that has ended: by its client, by its age, with the door', async () => {
    const clock = createFakeClock()
    const ended: string[] = []
    const sessionEnded = (id: string) => void ended.push(id)
    const door = await doors.open(createHandle().handle, { clock, sessionIdleMs: 1_000, sessionEnded })
    const idOf = ({ headers }: WireSession) => headers['mcp-session-id']
    const [left, old] = [await openWireSession(door.url), await openWireSession(door.url)]
    expect(ended).toEqual([])
    await left.end()
    expect(ended).toEqual([idOf(left)])
    clock.advance(1_000)
    expect(ended).toEqual([idOf(left), idOf(old)])
    const last = await openWireSession(door.url)
    await doors.closeAll()
    expect(ended).toEqual([idOf(left), idOf(old), idOf(last)])
  })

  it('the endpoint is told of a client that has other roots, where it said that it has any', async () => {
    const told: unknown[] = []
    const door = await doors.open(createHandle().handle, { rootsChanged: ({ downstream }) => told.push(downstream) })
    const without = await openWireSession(door.url)
    const having = await openWireSession(door.url, { capabilities: { roots: { listChanged: true } } })
    for (const client of [without, having]) await client.notify('notifications/roots/list_changed')
    expect(told).toMatchObject([{ session: having.headers['mcp-session-id'], capabilities: { roots: {} } }])
  })

  it('trap-29, abuse-21: a request without an id gets 400', async () => {
    const url = await open(createHandle().handle)
    const body = '{"jsonrpc":"2.0","id":5,"method":"tools/list"}'
    const answer = await sendHttp(url, { headers: JSON_HEADERS, body })
    expect([answer.status, answer.messages[0].id]).toEqual([400, 5])
    for (const method of ['GET', 'DELETE']) {
      expect((await sendHttp(url, { method, headers: { accept: 'text/event-stream' } })).status).toBe(400)
    }
  })

  it('abuse-22: ignores the id a client brings along and makes its own', async () => {
    const url = await open(createHandle().handle)
    const session = await openWireSession(url, { headers: { 'mcp-session-id': 'chosen-by-me' } })
    expect(session.headers['mcp-session-id']).not.toBe('chosen-by-me')
    const body = '{"jsonrpc":"2.0","id":1,"method":"ping"}'
    expect((await sendHttp(url, { headers: { ...JSON_HEADERS, 'mcp-session-id': 'chosen-by-me' }, body })).status).toBe(
      404,
    )
  })

  it('ends by itself when nobody uses it, and not while a stream is open or a call at work', async () => {
    const clock = createFakeClock()
    const began = createDeferred()
    const { handle } = createHandle(() => {
      began.resolve()
      return new Promise(() => {})
    })
    const { door, url } = await doors.open(handle, { clock, sessionIdleMs: 1_000, callTimeoutMs: 3_500 })
    const idle = await openWireSession(url)
    const streaming = await openWireSession(url)
    const stream = await streaming.listen()
    const working = await openWireSession(url)
    const answer = working.request('tools/call', { name: 't' })
    await began.promise
    clock.advance(1_500)
    expect((await idle.request('ping')).status).toBe(404)
    clock.advance(1_500)
    expect((await streaming.request('ping')).status).toBe(200)
    expect((await working.request('ping')).status).toBe(200)
    clock.advance(600)
    expect((await answer).messages[0].error.code).toBe(-32603)
    stream.destroy()
    await stream.closed
    await door.close()
    expect(clock.pending).toBe(0)
  })

  it('beyond the most there may be gets 503 and when to come back', async () => {
    const url = await open(createHandle().handle, { maxSessions: 2 })
    const first = await openWireSession(url)
    await openWireSession(url)
    const third = await openWireSession(url, { confirm: false })
    expect([third.initialized.status, third.initialized.headers['retry-after']]).toEqual([503, '1'])
    await first.end()
    expect((await openWireSession(url)).initialized.status).toBe(200)
  })

  it('abuse-14: clients that only ever initialize lock nobody out', async () => {
    const url = await open(createHandle().handle, { maxSessions: 3 })
    const used = await openWireSession(url)
    const abandoned = await openWireSession(url, { confirm: false })
    for (let i = 0; i < 20; i++) await openWireSession(url, { confirm: false })
    expect((await used.request('ping')).status).toBe(200)
    expect((await abandoned.request('ping')).status).toBe(404)
    const late = await openWireSession(url)
    expect((await late.request('ping')).status).toBe(200)
  })

  it.each(HANDSHAKES)(
    'abuse-14: of %s keeps no more of what its client says of itself than a little',
    async (revision) => {
      const { door, url } = await doors.open(createHandle().handle)
      const capabilities = { experimental: { x: 'x'.repeat(64 * 1024) } }
      const session = await openWireSession(url, { revision, capabilities, confirm: false })
      expect(session.initialized.messages[0].error).toMatchObject({
        code: -32602,
        message: expect.stringContaining('more than 65536 characters'),
      })
      expect(door.figures().sessions).toBe(0)
    },
  )

  it('that ends fails its calls and ends its streams', async () => {
    const began = createDeferred<Call>()
    const { handle } = createHandle((call) => {
      began.resolve(call)
      return new Promise(() => {})
    })
    const session = await openWireSession(await open(handle))
    const stream = await session.listen()
    const answer = session.request('tools/call', { name: 't' })
    const call = await began.promise
    await session.end()
    expect((await answer).messages[0].error.message).toBe('The session has ended')
    expect(call.cancellation.signal.aborted).toBe(true)
    await stream.closed
  })

  it.each([
    ['2025-11-25', '2025-11-25', 200],
    ['2025-11-25', '2025-06-18', 200],
    ['2025-11-25', '1999-01-01', 400],
    ['2025-11-25', 'rubbish', 400],
    ['2025-06-18', 'rubbish', 400],
    ['2025-03-26', 'rubbish', 200],
    ['2024-11-05', 'rubbish', 200],
    ['2025-11-25', '2026-07-28', 400],
    ['2025-03-26', '2026-07-28', 400],
  ])('trap-33: of %s with the version header "%s" gets %i', async (revision, header, status) => {
    const session = await openWireSession(await open(createHandle().handle), { revision })
    const answer = await session.request('tools/list', {}, { headers: { 'mcp-protocol-version': header } })
    expect(answer.status).toBe(status)
  })

  it('answers errors in its own words: 200, and the older code for a resource', async () => {
    const { handle } = createHandle(async (call) => {
      if (call.method !== 'resources/read') throw new McpError('caller.unknown_method', 'No such')
      throw new McpError('caller.resource_not_found', 'No such', { data: { uri: 'a:b' } })
    })
    const session = await openWireSession(await open(handle))
    const read = await session.request('resources/read', { uri: 'a:b' })
    expect([read.status, read.messages[0].error.code]).toEqual([200, -32002])
    for (const method of [
      'no/such',
      'server/discover',
      'subscriptions/listen',
      'sampling/createMessage',
      'tasks/list',
    ]) {
      const answer = await session.request(method)
      expect([answer.status, answer.messages[0].error.code]).toEqual([200, -32601])
    }
  })

  it('never shows what only newer revisions know', async () => {
    const { handle } = createHandle(async () => ({
      resultType: 'complete',
      tools: [],
      ttlMs: 5,
      cacheScope: 'public',
      _meta: { 'io.modelcontextprotocol/serverInfo': { name: 'x' }, own: 1 },
    }))
    const session = await openWireSession(await open(handle))
    const { messages } = await session.request('tools/list')
    expect(messages[0].result).toEqual({ tools: [], _meta: { own: 1 } })
  })

  it('cannot be answered with input_required', async () => {
    const { handle } = createHandle(async () => ({ resultType: 'input_required', requestState: 's' }))
    const session = await openWireSession(await open(handle))
    expect((await session.request('tools/call', { name: 't' })).messages[0].error.code).toBe(-32603)
  })

  it('is pinged without asking anybody', async () => {
    const { handle, calls } = createHandle()
    const session = await openWireSession(await open(handle))
    expect((await session.request('ping')).messages[0].result).toEqual({})
    expect(calls).toEqual([])
  })

  it('takes notifications and responses with 202', async () => {
    const session = await openWireSession(await open(createHandle().handle))
    expect((await session.notify('notifications/initialized')).status).toBe(202)
    expect((await session.notify('notifications/made-up')).status).toBe(202)
    expect((await session.post('{"jsonrpc":"2.0","id":9,"result":{}}')).status).toBe(202)
    const body = '{"jsonrpc":"2.0","id":9,"result":{}}'
    expect((await sendHttp(`${await open(createHandle().handle)}`, { headers: JSON_HEADERS, body })).status).toBe(400)
  })

  it('refuses a request whose id is still open', async () => {
    const began = createDeferred()
    const release = createDeferred<Result>()
    const { handle } = createHandle(() => {
      began.resolve()
      return release.promise
    })
    const session = await openWireSession(await open(handle))
    const first = session.request('tools/call', { name: 't' }, { id: 1 })
    await began.promise
    expect((await session.request('tools/call', { name: 't' }, { id: 1 })).messages[0].error.code).toBe(-32600)
    const other = session.request('tools/call', { name: 't' }, { id: '1' })
    release.resolve({ content: [] })
    expect((await first).messages[0].result).toEqual({ content: [] })
    expect((await other).messages[0].result).toEqual({ content: [] })
  })

  it('works at as many requests at once as the endpoint says; the others wait', async () => {
    const arrived: string[] = []
    const began = createDeferred()
    const release = createDeferred<Result>()
    const { handle } = createHandle((call) => {
      arrived.push(String(call.params.name))
      if (arrived.length === 2) began.resolve()
      return release.promise
    })
    const session = await openWireSession(await open(handle, { maxConcurrent: 2 }))
    const answers = ['a', 'b'].map((name) => session.request('tools/call', { name }, { id: name }))
    await began.promise
    const third = session.request('tools/call', { name: 'c' }, { id: 'c' })
    expect((await session.request('ping')).status).toBe(200)
    expect(arrived).toHaveLength(2)
    release.resolve({ content: [] })
    for (const answer of [...answers, third]) expect((await answer).messages[0].result).toEqual({ content: [] })
    expect(arrived).toHaveLength(3)
  })
})
