import { createDeferred, createDoors, openWireSession, sendEnveloped } from '@crosspoint/testkit'
import { afterEach, describe, expect, it } from 'vitest'
import type { Call, Notification, Result } from '../../protocol/call.ts'
import { createServer } from '../../server/index.ts'

const doors = createDoors()
afterEach(() => doors.closeAll())
const open = async (...given: Parameters<typeof doors.open>) => (await doors.open(...given)).url

const HANDSHAKES = ['2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05']
const STREAMABLE = ['2025-11-25', '2025-06-18', '2025-03-26']

/** A server with one of everything, and what is needed to change it. */
function createChanging() {
  const server = createServer({ name: 's', version: '1' })
  const tool = server.tool('t', {}, (_args, { progress, log }) => {
    progress(1, 2, 'half')
    log('debug', 'low')
    log('info', 'middle')
    log('error', 'high')
    return 'x'
  })
  server.resource('app://r', { name: 'r' }, () => 'x')
  return { server, tool }
}

describe('changes', () => {
  it.each(HANDSHAKES)('are told on the GET stream of a session of %s', async (revision) => {
    const { server, tool } = createChanging()
    const session = await openWireSession(await open(server.endpoint.handle), { revision })
    const stream = await session.listen()
    expect(stream.headers['content-type']).toBe('text/event-stream')
    tool.update({ title: 'T' })
    expect(await stream.next()).toEqual({ jsonrpc: '2.0', method: 'notifications/tools/list_changed', params: {} })
    expect((await session.request('resources/subscribe', { uri: 'app://r' })).messages[0].result).toEqual({})
    server.resourceUpdated('app://r')
    expect(await stream.next()).toEqual({
      jsonrpc: '2.0',
      method: 'notifications/resources/updated',
      params: { uri: 'app://r' },
    })
    expect((await session.request('resources/unsubscribe', { uri: 'app://r' })).messages[0].result).toEqual({})
    server.resourceUpdated('app://r')
    tool.update({ title: 'U' })
    expect((await stream.next()).method).toBe('notifications/tools/list_changed')
  })

  it('wait for a stream, the latest of each', async () => {
    const { server, tool } = createChanging()
    const session = await openWireSession(await open(server.endpoint.handle))
    await session.request('resources/subscribe', { uri: 'app://r' })
    for (let i = 0; i < 5; i++) {
      tool.update({ title: `T${i}` })
      server.resourceUpdated('app://r')
      await session.request('ping')
    }
    const stream = await session.listen()
    const told = [(await stream.next()).method, (await stream.next()).method]
    expect(told.sort()).toEqual(['notifications/resources/updated', 'notifications/tools/list_changed'])
    tool.update({ title: 'last' })
    expect((await stream.next()).method).toBe('notifications/tools/list_changed')
  })

  it('are not told before the client has confirmed the handshake', async () => {
    const { server, tool } = createChanging()
    const session = await openWireSession(await open(server.endpoint.handle), { confirm: false })
    const stream = await session.listen()
    await session.request('resources/subscribe', { uri: 'app://r' })
    server.resourceUpdated('app://r')
    tool.update({ title: 'early' })
    await session.request('ping')
    await session.notify('notifications/initialized')
    expect((await stream.next()).method).toBe('notifications/resources/updated')
    tool.update({ title: 'later' })
    expect((await stream.next()).method).toBe('notifications/tools/list_changed')
  })

  it('go to one stream of several, the newest', async () => {
    const { server, tool } = createChanging()
    const session = await openWireSession(await open(server.endpoint.handle))
    const older = await session.listen()
    const newer = await session.listen()
    tool.update({ title: 'A' })
    await newer.next()
    newer.destroy()
    await newer.closed
    await session.request('ping')
    tool.update({ title: 'B' })
    await older.next()
    await session.end()
    await expect(older.next()).rejects.toThrow('The stream ended')
  })

  it('no more than eight streams', async () => {
    const { server } = createChanging()
    const session = await openWireSession(await open(server.endpoint.handle))
    for (let i = 0; i < 8; i++) expect((await session.listen()).status).toBe(200)
    expect((await session.listen()).status).toBe(429)
  })

  it('a resource nobody watches cannot be subscribed to, and is named', async () => {
    const { server } = createChanging()
    const session = await openWireSession(await open(server.endpoint.handle))
    const answer = await session.request('resources/subscribe', { uri: 'app://nowhere' })
    expect(answer.messages[0].error).toMatchObject({
      code: -32602,
      message: expect.stringContaining('app://nowhere'),
      data: { uri: 'app://nowhere' },
    })
    expect((await session.request('resources/subscribe', {})).messages[0].error.code).toBe(-32602)
  })

  it.each([
    ['a server without resources', {}],
    ['a server that does not watch', { resources: {} }],
  ])('%s answers -32601 to a subscription', async (_what, capabilities) => {
    const session = await openWireSession(await open(async () => ({ capabilities })))
    for (const method of ['resources/subscribe', 'resources/unsubscribe']) {
      expect((await session.request(method, { uri: 'a:b' })).messages[0].error.code).toBe(-32601)
    }
  })

  it('subscribing twice listens once, and the end of the session ends it', async () => {
    let listening = 0
    const ended = createDeferred()
    const handle = (call: Call): Promise<Result> => {
      if (call.method !== 'subscriptions/listen')
        return Promise.resolve({ capabilities: { resources: { subscribe: true } } })
      listening++
      call.interim.notify({
        method: 'notifications/subscriptions/acknowledged',
        params: { notifications: call.params.notifications },
      })
      return new Promise((resolve) => {
        call.cancellation.signal.addEventListener('abort', () => {
          resolve({})
          ended.resolve()
        })
      })
    }
    const session = await openWireSession(await open(handle))
    await session.request('resources/subscribe', { uri: 'a:b' })
    await session.request('resources/subscribe', { uri: 'a:b' })
    expect(listening).toBe(1)
    await session.end()
    await ended.promise
  })
})

describe('what is said before an answer', () => {
  it.each(HANDSHAKES)('progress of %s carries the token of the caller', async (revision) => {
    const { server } = createChanging()
    const session = await openWireSession(await open(server.endpoint.handle), { revision })
    const params = { name: 't', _meta: { progressToken: 'p' } }
    const { messages } = await session.request('tools/call', params)
    expect(messages[0]).toEqual({
      jsonrpc: '2.0',
      method: 'notifications/progress',
      params: {
        progressToken: 'p',
        progress: 1,
        total: 2,
        ...(revision === '2024-11-05' ? {} : { message: 'half' }),
      },
    })
    expect(messages.at(-1)?.result).toMatchObject({ content: [{ type: 'text', text: 'x' }] })
  })

  it('log messages are of the level the session has set; before that, from info on', async () => {
    const server = createServer({ name: 's', version: '1', logging: true })
    server.tool('t', {}, (_args, { log }) => {
      for (const level of ['debug', 'info', 'error'] as const) log(level, level)
      return 'x'
    })
    const session = await openWireSession(await open(server.endpoint.handle))
    const levels = async () =>
      (await session.request('tools/call', { name: 't' })).messages.map((sent) => sent.params?.level)
    expect(await levels()).toEqual(['info', 'error', undefined])
    expect((await session.request('logging/setLevel', { level: 'debug' })).messages[0].result).toEqual({})
    expect(await levels()).toEqual(['debug', 'info', 'error', undefined])
    await session.request('logging/setLevel', { level: 'emergency' })
    expect(await levels()).toEqual([undefined])
    expect((await session.request('logging/setLevel', { level: 'loud' })).messages[0].error.code).toBe(-32602)
  })

  it('a level of one session is not one of another, nor of an envelope', async () => {
    const server = createServer({ name: 's', version: '1', logging: true })
    server.tool('t', {}, (_args, { log }) => {
      log('debug', 'low')
      return 'x'
    })
    const url = await open(server.endpoint.handle)
    const loud = await openWireSession(url)
    const quiet = await openWireSession(url)
    await loud.request('logging/setLevel', { level: 'debug' })
    expect((await loud.request('tools/call', { name: 't' })).messages).toHaveLength(2)
    expect((await quiet.request('tools/call', { name: 't' })).messages).toHaveLength(1)
    expect((await sendEnveloped(url, 'tools/call', { name: 't' })).messages).toHaveLength(1)
  })

  it('a server that does not log answers -32601 to a level, and nothing is logged', async () => {
    const session = await openWireSession(
      await open(async (call) => {
        call.interim.notify({ method: 'notifications/message', params: { level: 'error', data: 'x' } })
        return { capabilities: {}, content: [] }
      }),
    )
    expect((await session.request('logging/setLevel', { level: 'debug' })).messages[0].error.code).toBe(-32601)
    expect((await session.request('tools/call', { name: 't' })).messages).toHaveLength(1)
  })
})

describe('taking a request back', () => {
  function createWaiting() {
    const began = createDeferred<Call>()
    const handle = (call: Call): Promise<Result> => {
      if (call.method === 'server/discover') return Promise.resolve({ capabilities: { tools: {} } })
      began.resolve(call)
      call.interim.notify({ method: 'notifications/progress', params: { progress: 1 } })
      return new Promise(() => {})
    }
    return { handle, began }
  }

  it('aborts the call, and its stream ends without an answer', async () => {
    const { handle, began } = createWaiting()
    const session = await openWireSession(await open(handle))
    const stream = await session.open('tools/call', { name: 't', _meta: { progressToken: 1 } }, { id: 'x' })
    await stream.next()
    const call = await began.promise
    expect(
      (await session.notify('notifications/cancelled', { requestId: 'x', reason: 'changed my mind' })).status,
    ).toBe(202)
    expect(call.cancellation.signal.reason).toMatchObject({ code: 'caller.cancelled' })
    expect(await stream.rest()).toBe('')
  })

  it('that was not answered in any form gets no content', async () => {
    const { handle, began } = createWaiting()
    const session = await openWireSession(await open(handle))
    const answer = session.request('tools/call', { name: 't' }, { id: 7 })
    await began.promise
    await session.notify('notifications/cancelled', { requestId: 7 })
    expect(await answer).toMatchObject({ status: 202, text: '' })
  })

  it.each([['"7"'], ['8'], ['null'], ['{}'], ['[7]']])(
    'by the id %s, which is not its own, does nothing',
    async (id) => {
      const { handle, began } = createWaiting()
      const session = await openWireSession(await open(handle))
      const stream = await session.open('tools/call', { name: 't', _meta: { progressToken: 1 } }, { id: 7 })
      const call = await began.promise
      await session.post(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":${id}}}`)
      expect(call.cancellation.signal.aborted).toBe(false)
      stream.destroy()
    },
  )

  it('trap-50: of another session does nothing', async () => {
    const { handle, began } = createWaiting()
    const url = await open(handle)
    const mine = await openWireSession(url)
    const theirs = await openWireSession(url)
    const stream = await mine.open('tools/call', { name: 't', _meta: { progressToken: 1 } }, { id: 7 })
    const call = await began.promise
    await theirs.notify('notifications/cancelled', { requestId: 7 })
    expect(call.cancellation.signal.aborted).toBe(false)
    stream.destroy()
  })

  it.each(STREAMABLE)('trap-10: hanging up is not that: the call of a client of %s goes on', async (revision) => {
    const { handle, began } = createWaiting()
    const session = await openWireSession(await open(handle), { revision })
    const stream = await session.open('tools/call', { name: 't', _meta: { progressToken: 1 } }, { id: 7 })
    const call = await began.promise
    stream.destroy()
    await stream.closed
    for (let i = 0; i < 3; i++) await session.request('ping')
    expect(call.cancellation.signal.aborted).toBe(false)
    await session.notify('notifications/cancelled', { requestId: 7 })
    expect(call.cancellation.signal.aborted).toBe(true)
  })
})

describe('trap-32, abuse-08: batches', () => {
  const progress: Notification = { method: 'notifications/progress', params: { progress: 1 } }
  const handle = async (call: Call): Promise<Result> => {
    if (call.method === 'server/discover') return { capabilities: {} }
    call.interim.notify(progress)
    return { content: [], name: call.params.name }
  }
  const call = (id: unknown, meta?: object) => ({
    jsonrpc: '2.0',
    id,
    method: 'tools/call',
    params: { name: `t${String(id)}`, ...(meta === undefined ? {} : { _meta: meta }) },
  })
  const batch = async (revision: string, messages: unknown) => {
    const session = await openWireSession(await open(handle), { revision })
    return session.post(JSON.stringify(messages))
  }

  it('are answered as an array where the revision has them', async () => {
    const answer = await batch('2025-03-26', [
      call(1),
      { jsonrpc: '2.0', method: 'notifications/made-up' },
      call('2'),
      { jsonrpc: '2.0', id: 3, method: 'ping' },
      { jsonrpc: '2.0', id: 4, method: 'initialize', params: {} },
    ])
    expect(answer.status).toBe(200)
    const answers: { id: unknown; error?: { code: number }; result?: { name?: string } }[] = answer.messages[0]
    expect(new Map(answers.map(({ id, error, result }) => [id, error?.code ?? result?.name]))).toEqual(
      new Map<unknown, unknown>([
        [1, 't1'],
        ['2', 't2'],
        [3, undefined],
        [4, -32600],
      ]),
    )
  })

  it('are answered on a stream where something is said before', async () => {
    const answer = await batch('2025-03-26', [call(1, { progressToken: 'p' }), call(2)])
    expect(answer.headers['content-type']).toBe('text/event-stream')
    expect(answer.messages[0]).toMatchObject({ method: 'notifications/progress', params: { progressToken: 'p' } })
    expect(answer.messages[1]).toHaveLength(2)
  })

  it('without a request get 202', async () => {
    const answer = await batch('2025-03-26', [{ jsonrpc: '2.0', method: 'notifications/made-up' }])
    expect([answer.status, answer.text]).toEqual([202, ''])
  })

  it.each([
    ['empty', []],
    ['over the cap', Array.from({ length: 51 }, (_, i) => call(i))],
    ['with a member that is no message', [call(1), 7]],
    ['inside a batch', [[call(1)]]],
    ['with a request and a response', [call(1), { jsonrpc: '2.0', id: 7, result: {} }]],
    [
      'with a notification and an error',
      [
        { jsonrpc: '2.0', method: 'x' },
        { jsonrpc: '2.0', id: 7, error: { code: 1, message: 'x' } },
      ],
    ],
    ['with an envelope inside', [call(1, { 'io.modelcontextprotocol/protocolVersion': '2026-07-28' })]],
  ])('%s get 400 and -32600', async (_what, messages) => {
    const answer = await batch('2025-03-26', messages)
    expect([answer.status, answer.messages[0].error.code]).toEqual([400, -32600])
  })

  it.each(['2025-11-25', '2025-06-18', '2024-11-05'])('get 400 and -32600 in a session of %s', async (revision) => {
    const answer = await batch(revision, [call(1)])
    expect([answer.status, answer.messages[0].error.code]).toEqual([400, -32600])
  })
})

it('both eras work on one endpoint at once', async () => {
  const { server } = createChanging()
  const url = await open(server.endpoint.handle)
  const sessions = await Promise.all(HANDSHAKES.map((revision) => openWireSession(url, { revision })))
  const answers = await Promise.all([
    ...sessions.map((session) => session.request('tools/list')),
    sendEnveloped(url, 'tools/list'),
    ...sessions.map((session) => session.request('tools/call', { name: 't' })),
    sendEnveloped(url, 'tools/call', { name: 't' }),
  ])
  expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200))
  expect(answers.map(({ messages }) => messages.at(-1)?.result.resultType)).toEqual(
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9].map((i) => (i % 5 === 4 ? 'complete' : undefined)),
  )
})
