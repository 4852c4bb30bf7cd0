import { createFakeClock } from '@crosspoint/testkit'
import { describe, expect, it } from 'vitest'
import { McpError } from '../errors.ts'
import type { JsonObject } from '../jsonrpc/frame.ts'
import { CALLER_LIMITS } from '../jsonrpc/limits.ts'
import type { Notification } from '../protocol/call.ts'
import { recordingInterim, toCall } from '../protocol/fixtures/calls.ts'
import { findRevision } from '../revisions/index.ts'
import { Conversation, type ConversationOptions } from './conversation.ts'
import { toOutgoing } from './outgoing.ts'

function setUp(revision = '2025-11-25', more: Partial<ConversationOptions> = {}) {
  const clock = createFakeClock()
  const heard = { replies: [] as JsonObject[], stray: [] as Notification[], faults: [] as string[] }
  const found = findRevision(revision)
  if (found === undefined) throw new Error(revision)
  const conversation = new Conversation({
    revision: found,
    clock,
    limits: CALLER_LIMITS,
    timeoutMs: 1_000,
    maxInFlight: 10,
    capabilities: { sampling: {}, elicitation: {} },
    ask: undefined,
    stray: (notification) => heard.stray.push(notification),
    fault: (reason) => heard.faults.push(reason),
    reply: (text) => heard.replies.push(JSON.parse(text)),
    abandon: () => {},
    ...more,
  })
  const receive = (message: JsonObject | string, ...rest: [] | [Parameters<typeof conversation.receive>[1]]) =>
    conversation.receive(
      typeof message === 'string' ? message : JSON.stringify({ jsonrpc: '2.0', ...message }),
      ...rest,
    )
  return { clock, conversation, pending: conversation.pending, receive, ...heard }
}

const settled = async () => {
  for (let turn = 0; turn < 10; turn++) await Promise.resolve()
}

describe('an answer', () => {
  it('trap-50: that comes late is ignored', () => {
    const { receive, faults, stray } = setUp()
    receive({ id: 7, result: {} })
    receive({ id: 'seven', result: {} })
    receive({ id: 7, error: { code: 1, message: 'late' } })
    expect([...faults, ...stray]).toEqual([])
  })

  it('abuse-43: on the stream of another request is not taken where each has its own and callers share', async () => {
    const { pending, receive, faults } = setUp('2026-07-28')
    const [mine, other] = [pending.open(toCall('tools/call')), pending.open(toCall('tools/call'))]
    receive({ id: other.id, result: { content: [] } }, mine)
    expect([mine.open, other.open]).toEqual([true, true])
    expect(faults).toEqual(['Skipped an answer that is not to its request'])
    receive({ id: other.id, error: { code: 1, message: 'no' } }, mine)
    // An error on a stream is about its request, whatever id its server made up.
    await expect(mine.answer).resolves.toMatchObject({ kind: 'error' })
    expect(other.open).toBe(true)
  })

  it('that cannot be read fails the request it names, at once', async () => {
    const { pending, receive, faults } = setUp()
    const waiting = pending.open(toCall('tools/call'))
    receive(`{"jsonrpc":"2.0","id":${waiting.id},"result":{"a":1,"a":2}}`)
    await expect(waiting.answer).rejects.toMatchObject({ code: 'upstream.protocol' })
    expect(faults).toEqual(['Cannot read an object that names the key "a" twice'])
  })

  it('without an id, about something the server could not read, ends the only request in flight', async () => {
    const { pending, receive } = setUp()
    const waiting = pending.open(toCall('tools/call'))
    receive({ error: { code: -32700, message: 'cannot read' } })
    expect(await waiting.answer).toMatchObject({ kind: 'error', error: { code: -32700 } })
  })

  it('without an id is a fault when it could be about several', () => {
    const { pending, receive, faults } = setUp()
    const both = [pending.open(toCall('a')), pending.open(toCall('b'))]
    receive({ id: null, error: { code: -32700, message: 'cannot read' } })
    expect(faults).toEqual(['The server reports: cannot read'])
    expect(both.every(({ open }) => open)).toBe(true)
  })

  it('trap-32: in a batch is taken where the revision has batches, and a fault elsewhere', async () => {
    for (const [revision, works] of [
      ['2025-03-26', true],
      ['2025-06-18', false],
    ] as const) {
      const { pending, receive, faults } = setUp(revision)
      const waiting = pending.open(toCall('a'))
      receive(`[{"jsonrpc":"2.0","method":"notifications/x"},{"jsonrpc":"2.0","id":${waiting.id},"result":{}}]`)
      expect(waiting.open).toBe(!works)
      expect(faults).toHaveLength(works ? 0 : 1)
    }
  })
})

describe('progress', () => {
  it('trap-49: goes to its call without the token, only upward, and only where it is wanted', () => {
    const { pending, receive } = setUp()
    const interim = recordingInterim({ progress: true })
    const other = recordingInterim()
    const { id } = pending.open(toCall('a', {}, { interim }))
    const { id: quiet } = pending.open(toCall('b', {}, { interim: other }))
    const progress = (progressToken: unknown, value: unknown) =>
      receive({ method: 'notifications/progress', params: { progressToken, progress: value, total: 3 } })
    for (const value of [1, 1, 0.5, 'x', 2]) progress(id, value)
    progress(String(id), 3)
    progress(99, 3)
    progress(quiet, 1)
    expect(interim.heard.map(({ params }) => params)).toEqual([
      { progress: 1, total: 3 },
      { progress: 2, total: 3 },
    ])
    expect(other.heard).toEqual([])
  })

  it('keeps a call waiting', () => {
    const { pending, receive, clock } = setUp()
    const waiting = pending.open(toCall('a', {}, { interim: recordingInterim({ progress: true }) }))
    clock.advance(900)
    receive({ method: 'notifications/progress', params: { progressToken: waiting.id, progress: 1 } })
    clock.advance(900)
    expect(waiting.open).toBe(true)
  })
})

describe('a log message', () => {
  const log = (level: string) => ({ method: 'notifications/message', params: { level, data: level } })

  it('belongs to the only call in flight, at the level that call wants', () => {
    const { pending, receive, stray } = setUp()
    const interim = recordingInterim({ logLevel: 'warning' })
    pending.open(toCall('tools/call', {}, { interim }))
    pending.open(toCall('subscriptions/listen'))
    pending.open(toOutgoing('logging/setLevel', {}))
    for (const level of ['info', 'warning', 'error']) receive(log(level))
    expect(interim.heard.map(({ params }) => params.level)).toEqual(['warning', 'error'])
    expect(stray).toEqual([])
  })

  it('belongs to the only call that has anybody to hear it, whatever lists are read meanwhile', () => {
    const { pending, receive, stray } = setUp()
    const interim = recordingInterim({ logLevel: 'debug' })
    pending.open(toCall('tools/list'))
    pending.open(toCall('tools/call', {}, { interim }))
    receive(log('error'))
    expect([interim.heard.length, stray.length]).toEqual([1, 0])
    pending.open(toCall('tools/call'))
    receive(log('error'))
    expect([interim.heard.length, stray.length]).toEqual([1, 1])
  })

  it('belongs to nobody where several calls are in flight, or none, or it has no level', () => {
    const { pending, receive, stray } = setUp()
    receive(log('info'))
    const interim = recordingInterim({ logLevel: 'debug' })
    pending.open(toCall('a', {}, { interim }))
    receive({ method: 'notifications/message', params: { level: 'loud' } })
    const home = pending.open(toCall('b', {}, { interim }))
    receive(log('error'))
    expect(stray).toHaveLength(3)
    expect(interim.heard).toEqual([])
    receive(log('error'), home)
    expect(interim.heard).toHaveLength(1)
  })
})

describe('a question of the server', () => {
  const question = {
    id: 'q',
    method: 'sampling/createMessage',
    params: { messages: [], _meta: { progressToken: 1, keep: 2 } },
  }

  it('goes to the only call in flight, without what belongs to the hop', async () => {
    const { pending, receive, replies } = setUp()
    const asked: Notification[] = []
    const interim = recordingInterim({
      ask: async (request) => {
        asked.push(request)
        return { role: 'assistant', resultType: 'complete' }
      },
    })
    pending.open(toCall('tools/call', {}, { interim }))
    receive(question)
    await settled()
    expect(asked).toEqual([{ method: 'sampling/createMessage', params: { messages: [], _meta: { keep: 2 } } }])
    expect(replies).toEqual([{ jsonrpc: '2.0', id: 'q', result: { role: 'assistant' } }])
  })

  it('goes to the only call that may ask, whatever lists are read meanwhile', async () => {
    const { pending, receive, replies } = setUp()
    pending.open(toCall('tools/list'))
    pending.open(toCall('tools/call', {}, { interim: recordingInterim({ ask: async () => ({ role: 'assistant' }) }) }))
    pending.open(toCall('resources/list'))
    receive(question)
    await settled()
    expect(replies).toEqual([{ jsonrpc: '2.0', id: 'q', result: { role: 'assistant' } }])
  })

  it('goes to whoever answers for the connection when no call or several could have caused it', async () => {
    const asked: string[] = []
    const { pending, receive, replies } = setUp('2025-11-25', {
      ask: async ({ method }) => {
        asked.push(method)
        return {}
      },
    })
    const interim = recordingInterim({ ask: () => expect.unreachable() })
    receive(question)
    await settled()
    pending.open(toCall('a', {}, { interim }))
    pending.open(toCall('b', {}, { interim }))
    receive({ ...question, id: 2 })
    await settled()
    expect(asked).toHaveLength(2)
    expect(replies.map(({ id }) => id)).toEqual(['q', 2])
  })

  it('goes there too when the caller cannot be asked, and is refused when nobody can', async () => {
    const refusing = recordingInterim({
      ask: () => Promise.reject(new McpError('caller.missing_capability', 'The caller did not declare it')),
    })
    for (const ask of [async () => ({ fallback: true }), undefined]) {
      const { pending, receive, replies } = setUp('2025-11-25', { ask })
      pending.open(toCall('tools/call', {}, { interim: refusing }))
      receive(question)
      await settled()
      expect(replies[0]).toMatchObject(ask === undefined ? { error: { code: -32601 } } : { result: { fallback: true } })
    }
    const { receive, replies } = setUp()
    receive(question)
    await settled()
    expect(replies[0]).toMatchObject({ error: { code: -32601 } })
  })

  it('passes on what the person said no with', async () => {
    const { pending, receive, replies } = setUp()
    const rpc = { code: -1, message: 'User rejected' }
    const interim = recordingInterim({ ask: () => Promise.reject(new McpError('upstream.error', 'no', { rpc })) })
    pending.open(toCall('tools/call', {}, { interim }))
    receive(question)
    await settled()
    expect(replies).toEqual([{ jsonrpc: '2.0', id: 'q', error: rpc }])
  })

  it('is dropped when the server takes it back', async () => {
    const { pending, receive, replies } = setUp()
    let answer: (result: JsonObject) => void = () => {}
    const interim = recordingInterim({ ask: () => new Promise((resolve) => (answer = resolve)) })
    pending.open(toCall('tools/call', {}, { interim }))
    receive(question)
    receive({ method: 'notifications/cancelled', params: { requestId: 'q' } })
    answer({})
    await settled()
    expect(replies).toEqual([])
  })

  it('is not thought about for ever', async () => {
    const { pending, receive, replies, clock } = setUp()
    const interim = recordingInterim({ ask: () => new Promise(() => {}) })
    const waiting = pending.open(toCall('tools/call', {}, { interim }))
    receive(question)
    clock.advance(599_000)
    expect(waiting.open).toBe(true)
    clock.advance(1_000)
    await settled()
    expect(replies).toMatchObject([{ id: 'q', error: { code: -32603 } }])
  })

  it('abuse-16: is refused when those that are open are as large as a message may be', async () => {
    let answer: (result: JsonObject) => void = () => {}
    const ask = () => new Promise<JsonObject>((resolve) => (answer = resolve))
    const { receive, replies } = setUp('2025-11-25', { ask, limits: { ...CALLER_LIMITS, maxBytes: 4_000 } })
    const large = (id: string) => receive({ id, method: 'roots/list', params: { a: 'x'.repeat(2_500) } })
    large('first')
    large('second')
    expect(replies).toMatchObject([{ id: 'second', error: { message: expect.stringMatching(/too large/) } }])
    answer({ roots: [] })
    await settled()
    large('third')
    expect(replies.map(({ id }) => id)).toEqual(['second', 'first'])
  })

  it('is refused when too many are open, or one has its id', async () => {
    const { pending, receive, replies } = setUp()
    const interim = recordingInterim({ ask: () => new Promise(() => {}) })
    pending.open(toCall('tools/call', {}, { interim }))
    for (let id = 0; id < 262; id++) receive({ ...question, id })
    receive({ ...question, id: 0 })
    expect(replies.map(({ id }) => id)).toEqual([256, 257, 258, 259, 260, 261, 0])
  })

  it('trap-11: is a fault in a revision where servers do not ask', () => {
    const { receive, replies, faults } = setUp('2026-07-28')
    receive(question)
    receive({ id: 1, method: 'ping' })
    expect(replies).toEqual([])
    expect(faults).toHaveLength(2)
  })

  it('is a ping that we answer ourselves', () => {
    const { receive, replies } = setUp()
    receive({ id: 'p', method: 'ping' })
    expect(replies).toEqual([{ jsonrpc: '2.0', id: 'p', result: {} }])
  })
})

describe('a change', () => {
  it('goes to the listener it names, where subscriptions share one pipe', () => {
    const { pending, receive, stray } = setUp('2026-07-28')
    const [first, second] = [recordingInterim(), recordingInterim()]
    const { id } = pending.open(toCall('subscriptions/listen', {}, { interim: first }), Number.POSITIVE_INFINITY)
    pending.open(toCall('subscriptions/listen', {}, { interim: second }), Number.POSITIVE_INFINITY)
    const _meta = { 'io.modelcontextprotocol/subscriptionId': id, keep: 1 }
    receive({ method: 'notifications/tools/list_changed', params: { _meta } })
    receive({
      method: 'notifications/tools/list_changed',
      params: { _meta: { ..._meta, 'io.modelcontextprotocol/subscriptionId': String(id) } },
    })
    expect(first.heard).toEqual([{ method: 'notifications/tools/list_changed', params: { _meta: { keep: 1 } } }])
    expect(second.heard).toEqual([])
    expect(stray).toHaveLength(1)
  })

  it('ends with the subscription when the server cancels it', async () => {
    const { pending, receive } = setUp('2026-07-28')
    const waiting = pending.open(toCall('subscriptions/listen'), Number.POSITIVE_INFINITY)
    const call = pending.open(toCall('tools/call'))
    receive({ method: 'notifications/cancelled', params: { requestId: waiting.id } })
    receive({ method: 'notifications/cancelled', params: { requestId: call.id } })
    expect(await waiting.answer).toEqual({ kind: 'result', result: {} })
    expect(call.open).toBe(true)
  })

  it('goes to who listens for the connection where the revision has no subscriptions', () => {
    const { conversation, receive, stray } = setUp()
    receive({ method: 'notifications/tools/list_changed' })
    const heard: unknown[] = []
    conversation.changed = (notification) => heard.push(notification)
    receive({ method: 'notifications/tools/list_changed' })
    receive({ method: 'notifications/of/tomorrow', params: { a: 1 } })
    expect(heard).toEqual([{ method: 'notifications/tools/list_changed', params: {} }])
    expect(stray.map(({ method }) => method)).toEqual(['notifications/tools/list_changed', 'notifications/of/tomorrow'])
  })
})
