import { createDeferred, createFakeClock, type Message, withEnvelope } from '@crosspoint/testkit'
import { describe, expect, it } from 'vitest'
import { McpError } from '../../errors.ts'
import type { Id, JsonObject } from '../../jsonrpc/frame.ts'
import type { Call, Result } from '../../protocol/call.ts'
import { createServer } from '../../server/index.ts'
import type { Channel } from '../channel.ts'
import type { Endpoint } from '../endpoint.ts'
import { createMemoryPipe } from '../memory/pipe.ts'
import { serveChannel } from './serve.ts'

const HANDSHAKES = ['2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05']

/** The other end of the pipe, without an engine. */
function open(handle: Endpoint['handle'], endpoint: Partial<Endpoint> = {}) {
  const pipe = createMemoryPipe()
  const served = serveChannel({ handle, serverInfo: { name: 's', version: '1' }, ...endpoint }, pipe.server)
  return { served, ...createPeer(pipe.client) }
}

function createPeer(channel: Channel) {
  const got: Message[] = []
  const waiting = new Set<() => void>()
  const gone = createDeferred()
  channel.start({
    message: (text) => {
      got.push(JSON.parse(text))
      for (const wake of [...waiting]) wake()
    },
    fault: (reason) => {
      throw new Error(reason)
    },
    closed: () => gone.resolve(),
  })
  const until = (holds: () => boolean) =>
    new Promise<void>((resolve) => {
      const check = () => {
        if (!holds()) return
        waiting.delete(check)
        resolve()
      }
      waiting.add(check)
      check()
    })
  const send = (message: unknown) => void channel.send(typeof message === 'string' ? message : JSON.stringify(message))
  let last = 0
  const answer = async (id: Id): Promise<Message> => {
    await until(() => got.some((message) => message.id === id && message.method === undefined))
    return got.find((message) => message.id === id && message.method === undefined)
  }
  const request = (method: string, params: JsonObject = {}, id: Id = `r${++last}`) => {
    send({ jsonrpc: '2.0', id, method, params })
    return answer(id)
  }
  return {
    channel,
    got,
    gone: gone.promise,
    send,
    answer,
    request,
    enveloped: (method: string, params: JsonObject = {}, id?: Id, meta: JsonObject = {}) =>
      request(method, withEnvelope(params, meta), id),
    notify: (method: string, params: JsonObject = {}) => send({ jsonrpc: '2.0', method, params }),
    until: (count: number) => until(() => got.length >= count),
    async initialize(revision = '2025-11-25', confirm = true) {
      const params = { protocolVersion: revision, capabilities: {}, clientInfo: { name: 'c', version: '1' } }
      const opened = await request('initialize', params)
      if (confirm) send({ jsonrpc: '2.0', method: 'notifications/initialized' })
      return opened
    },
  }
}

const answers = async (call: Call): Promise<Result> =>
  call.method === 'server/discover' ? { capabilities: { tools: {} } } : { content: [] }

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

describe('a handshake', () => {
  it.each(HANDSHAKES)('of %s opens a session for the channel', async (revision) => {
    const calls: Call[] = []
    const peer = open(async (call) => {
      calls.push(call)
      return answers(call)
    })
    expect((await peer.initialize(revision)).result).toEqual({
      protocolVersion: revision,
      capabilities: { tools: {} },
      serverInfo: { name: 's', version: '1' },
    })
    expect((await peer.request('tools/call', { name: 't' })).result).toEqual({ content: [] })
    expect(calls.at(-1)?.downstream).toMatchObject({ revision, client: { name: 'c' }, session: undefined })
  })

  it('before it only pings are answered', async () => {
    const peer = open(answers)
    expect((await peer.request('ping')).result).toEqual({})
    expect((await peer.request('tools/list')).error.code).toBe(-32600)
    expect((await peer.initialize()).result.protocolVersion).toBe('2025-11-25')
    expect((await peer.request('ping')).result).toEqual({})
  })

  it('comes once', async () => {
    const peer = open(answers)
    await peer.initialize()
    expect((await peer.request('initialize', { protocolVersion: '2025-06-18' })).error.code).toBe(-32600)
    expect((await peer.request('tools/list')).result).toBeDefined()
  })

  it('that is still being answered is not begun again, and what comes meanwhile waits for it', async () => {
    const discovered = createDeferred<Result>()
    const peer = open((call) =>
      call.method === 'server/discover' ? discovered.promise : Promise.resolve({ content: [] }),
    )
    const opened = peer.initialize('2025-06-18')
    const again = peer.request('initialize', { protocolVersion: '2025-06-18' }, 'again')
    const listed = peer.request('tools/list', {}, 'list')
    expect((await peer.request('ping')).result).toEqual({})
    expect(peer.got.map(({ id }) => id)).not.toContain('list')
    discovered.resolve({ capabilities: {} })
    expect((await opened).result).toBeDefined()
    expect((await listed).result).toBeDefined()
    expect((await again).error.code).toBe(-32600)
  })

  it('trap-50: cannot be taken back', async () => {
    const discovered = createDeferred<Result>()
    const peer = open(() => discovered.promise)
    peer.send({ jsonrpc: '2.0', id: 'i', method: 'initialize', params: { protocolVersion: '2025-06-18' } })
    peer.notify('notifications/cancelled', { requestId: 'i' })
    expect((await peer.request('ping')).result).toEqual({})
    discovered.resolve({ capabilities: {} })
    expect((await peer.answer('i')).result.protocolVersion).toBe('2025-06-18')
  })

  it('that failed may be tried again', async () => {
    let fails = true
    const peer = open(async (call) => {
      if (fails) throw new McpError('upstream.unavailable', 'Not yet')
      return answers(call)
    })
    expect((await peer.initialize('2025-06-18', false)).error.message).toBe('Not yet')
    fails = false
    expect((await peer.initialize('2025-06-18')).result.protocolVersion).toBe('2025-06-18')
  })

  it('is refused by an endpoint of the newest revision, which says what works', async () => {
    const peer = open(answers, { revisions: ['2026-07-28'] })
    for (const method of ['initialize', 'ping', 'tools/list']) {
      expect((await peer.request(method, { protocolVersion: '2025-06-18' })).error).toMatchObject({
        code: -32022,
        data: { supported: ['2026-07-28'] },
      })
    }
  })
})

describe('both eras on one channel', () => {
  it('an envelope is answered before, during and after a handshake', async () => {
    const discovered = createDeferred<Result>()
    let asked = 0
    const peer = open((call) =>
      call.method === 'server/discover' && asked++ === 0 ? discovered.promise : answers(call),
    )
    const opened = peer.initialize('2025-06-18')
    expect((await peer.enveloped('tools/call', { name: 't' })).result.resultType).toBe('complete')
    discovered.resolve({ capabilities: {} })
    await opened
    const [older, newer] = await Promise.all([peer.request('tools/list'), peer.enveloped('tools/list')])
    expect(older.result).toEqual({ content: [] })
    expect(newer.result).toMatchObject({ resultType: 'complete', ttlMs: 0, cacheScope: 'private' })
    expect((await peer.enveloped('ping')).error.code).toBe(-32601)
    expect((await peer.request('server/discover')).error.code).toBe(-32601)
  })

  it('an envelope that is not whole is not taken for a request of the session', async () => {
    const peer = open(answers)
    await peer.initialize()
    const meta = { 'io.modelcontextprotocol/clientCapabilities': undefined }
    expect((await peer.enveloped('tools/list', {}, 'x', meta)).error.code).toBe(-32602)
    const other = { 'io.modelcontextprotocol/protocolVersion': '2025-06-18' }
    expect((await peer.enveloped('tools/list', {}, 'y', other)).error.code).toBe(-32022)
  })

  it('an id that is still open is refused, whichever era it came in', async () => {
    const held = createDeferred<Result>()
    const peer = open((call) => (call.method === 'tools/call' ? held.promise : answers(call)))
    await peer.initialize()
    peer.send({ jsonrpc: '2.0', id: 7, method: 'tools/call', params: { name: 't' } })
    peer.send({ jsonrpc: '2.0', id: 7, method: 'tools/call', params: withEnvelope({ name: 't' }) })
    await peer.until(2)
    held.resolve({ content: [] })
    await peer.until(3)
    expect(peer.got.slice(1)).toMatchObject([
      { id: 7, error: { code: -32600 } },
      { id: 7, result: { content: [] } },
    ])
  })
})

describe('what is said of its own accord', () => {
  it.each(HANDSHAKES)('changes reach a session of %s', async (revision) => {
    const { server, tool } = createChanging()
    const peer = open(server.endpoint.handle)
    await peer.initialize(revision)
    expect((await peer.request('resources/subscribe', { uri: 'app://r' })).result).toEqual({})
    server.resourceUpdated('app://r')
    tool.update({ title: 'T' })
    await peer.until(4)
    expect(peer.got.slice(2)).toEqual([
      { jsonrpc: '2.0', method: 'notifications/resources/updated', params: { uri: 'app://r' } },
      { jsonrpc: '2.0', method: 'notifications/tools/list_changed', params: {} },
    ])
  })

  it('nothing before the client has confirmed', async () => {
    const { server, tool } = createChanging()
    const peer = open(server.endpoint.handle)
    await peer.initialize('2025-11-25', false)
    tool.update({ title: 'T' })
    await peer.request('ping')
    expect(peer.got).toHaveLength(2)
  })

  it('trap-49: progress and log messages come before the answer, never after', async () => {
    const { server } = createChanging()
    const peer = open(server.endpoint.handle)
    await peer.initialize()
    await peer.request('tools/call', { name: 't', _meta: { progressToken: 9 } }, 'c')
    expect(peer.got.slice(1).map(({ method, id }) => method ?? id)).toEqual([
      'notifications/progress',
      'notifications/message',
      'c',
    ])
  })

  it('trap-19: several listeners share the channel, each with its own id and filter', async () => {
    const { server, tool } = createChanging()
    const peer = open(server.endpoint.handle)
    const subscription = 'io.modelcontextprotocol/subscriptionId'
    peer.send({
      jsonrpc: '2.0',
      id: 1,
      method: 'subscriptions/listen',
      params: withEnvelope({ notifications: { toolsListChanged: true } }),
    })
    peer.send({
      jsonrpc: '2.0',
      id: '1',
      method: 'subscriptions/listen',
      params: withEnvelope({ notifications: { resourceSubscriptions: ['app://r'] } }),
    })
    await peer.until(2)
    tool.update({ title: 'T' })
    server.resourceUpdated('app://r')
    await peer.until(4)
    const heard = peer.got.map(({ method, params }) => [method, params._meta[subscription]])
    expect(heard.slice(0, 2)).toEqual([
      ['notifications/subscriptions/acknowledged', 1],
      ['notifications/subscriptions/acknowledged', '1'],
    ])
    expect(heard.slice(2).sort()).toEqual([
      ['notifications/resources/updated', '1'],
      ['notifications/tools/list_changed', 1],
    ])
    server.close()
    await peer.until(8)
    expect(peer.got.slice(4)).toMatchObject([
      { method: 'notifications/cancelled', params: { requestId: 1 } },
      { id: 1, result: { resultType: 'complete', _meta: { [subscription]: 1 } } },
      { method: 'notifications/cancelled', params: { requestId: '1' } },
      { id: '1', result: { resultType: 'complete', _meta: { [subscription]: '1' } } },
    ])
  })

  it('a listener taken back hears nothing more and gets no answer', async () => {
    const { server, tool } = createChanging()
    const peer = open(server.endpoint.handle)
    peer.send({
      jsonrpc: '2.0',
      id: 'L',
      method: 'subscriptions/listen',
      params: withEnvelope({ notifications: { toolsListChanged: true } }),
    })
    await peer.until(1)
    peer.notify('notifications/cancelled', { requestId: 'L' })
    tool.update({ title: 'T' })
    await peer.enveloped('tools/list', {}, 'last')
    expect(peer.got.map(({ method, id }) => method ?? id)).toEqual(['notifications/subscriptions/acknowledged', 'last'])
  })
})

describe('abuse-41: taking a request back', () => {
  it.each([
    ['in a session', false],
    ['in an envelope', true],
  ])('%s aborts it, and nothing more is said', async (_what, isEnveloped) => {
    const began = createDeferred<Call>()
    const peer = open((call) => {
      if (call.method !== 'tools/call') return answers(call)
      began.resolve(call)
      return new Promise((resolve) =>
        call.cancellation.signal.addEventListener('abort', () => resolve({ content: [] })),
      )
    })
    await peer.initialize()
    const params = { name: 't' }
    peer.send({ jsonrpc: '2.0', id: 'c', method: 'tools/call', params: isEnveloped ? withEnvelope(params) : params })
    const call = await began.promise
    peer.notify('notifications/cancelled', { requestId: 'c' })
    await peer.request('ping', {}, 'after')
    expect(call.cancellation.signal.aborted).toBe(true)
    expect(peer.got.map(({ id }) => id)).not.toContain('c')
  })

  it('that waits in line is never begun', async () => {
    const held = createDeferred<Result>()
    const begun: unknown[] = []
    const peer = open(
      (call) => {
        begun.push(call.params.name)
        return held.promise
      },
      { maxConcurrent: 1 },
    )
    const first = peer.enveloped('tools/call', { name: 'a' }, 'a')
    peer.send({ jsonrpc: '2.0', id: 'b', method: 'tools/call', params: withEnvelope({ name: 'b' }) })
    const third = peer.enveloped('tools/call', { name: 'c' }, 'c')
    peer.notify('notifications/cancelled', { requestId: 'b' })
    held.resolve({ content: [] })
    await Promise.all([first, third])
    expect(begun).toEqual(['a', 'c'])
  })
})

describe('hostile input', () => {
  it.each([
    ['words', 'hello', -32700],
    ['half a message', '{"jsonrpc":"2.0"', -32700],
    ['no JSON-RPC', '{"id":1}', -32600],
    ['a batch', '[{"jsonrpc":"2.0","id":1,"method":"ping"}]', -32600],
    ['a key named twice', '{"jsonrpc":"2.0","id":1,"method":"ping","method":"x"}', -32600],
    ['too deep', `{"jsonrpc":"2.0","method":"x","params":{"a":${'['.repeat(70)}${']'.repeat(70)}}}`, -32600],
    ['a number that would change', '{"jsonrpc":"2.0","id":1,"method":"ping","params":{"x":1e400}}', -32602],
  ])('%s is answered with its error and the channel lives on', async (_what, text, code) => {
    const peer = open(answers)
    peer.send(text)
    await peer.until(1)
    expect(peer.got[0].error.code).toBe(code)
    expect((await peer.request('ping')).result).toEqual({})
  })

  it('what has no id is not answered where every error needs one', async () => {
    const events: string[] = []
    const peer = open(answers, { log: ({ event }) => events.push(event) })
    await peer.initialize('2025-03-26')
    peer.send('hello')
    await peer.request('ping')
    expect(peer.got).toHaveLength(2)
    expect(events).toContain('channel.unreadable')
  })

  it('responses to nothing are dropped', async () => {
    const peer = open(answers)
    await peer.initialize()
    peer.send({ jsonrpc: '2.0', id: 99, result: {} })
    peer.send({ jsonrpc: '2.0', id: 98, error: { code: 1, message: 'x' } })
    expect((await peer.request('ping')).result).toEqual({})
    expect(peer.got).toHaveLength(2)
  })

  it('trap-32: batches work where the revision has them', async () => {
    const peer = open(answers)
    await peer.initialize('2025-03-26')
    peer.send([
      { jsonrpc: '2.0', id: 1, method: 'ping' },
      { jsonrpc: '2.0', method: 'notifications/made-up' },
      { jsonrpc: '2.0', id: 2, method: 'tools/call', params: { name: 't' } },
    ])
    await peer.until(2)
    expect(peer.got[1]).toEqual([
      { jsonrpc: '2.0', id: 1, result: {} },
      { jsonrpc: '2.0', id: 2, result: { content: [] } },
    ])
  })

  it('abuse-08: a batch that mixes requests and responses runs none of them', async () => {
    const peer = open(answers)
    await peer.initialize('2025-03-26')
    peer.send([
      { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 't' } },
      { jsonrpc: '2.0', id: 7, result: {} },
      { jsonrpc: '2.0', id: 2, method: 'ping' },
    ])
    await peer.until(2)
    expect(peer.got[1]).toMatchObject([
      { id: 1, error: { code: -32600 } },
      { id: 2, error: { code: -32600 } },
    ])
  })
})

/** A pipe whose other end reads only when it is told to. */
function createStuckChannel() {
  const written: Message[] = []
  let isStuck = false
  let events: Parameters<Channel['start']>[0] | undefined
  let drained = createDeferred()
  const channel: Channel = {
    start: (given) => {
      events = given
    },
    send: (text) => {
      written.push(JSON.parse(text))
      return !isStuck
    },
    drained: () => (isStuck ? drained.promise : Promise.resolve()),
    close: async () => events?.closed(undefined),
  }
  return {
    channel,
    written,
    say: (message: unknown) => events?.message(JSON.stringify(message)),
    stick: () => {
      isStuck = true
      drained = createDeferred()
    },
    unstick: async () => {
      isStuck = false
      drained.resolve()
      await new Promise(setImmediate)
    },
  }
}

describe('abuse-15: a client that does not read', () => {
  it('gets no progress meanwhile, each change once, and its answers', async () => {
    const { server, tool } = createChanging()
    const began = createDeferred<Call>()
    const held = createDeferred<Result>()
    const stuck = createStuckChannel()
    const handle = (call: Call) => {
      if (call.params.name !== 'slow') return server.endpoint.handle(call)
      began.resolve(call)
      return held.promise
    }
    serveChannel({ handle, serverInfo: { name: 's', version: '1' } }, stuck.channel)
    stuck.say({
      jsonrpc: '2.0',
      id: 'L',
      method: 'subscriptions/listen',
      params: withEnvelope({ notifications: { toolsListChanged: true } }),
    })
    const params = withEnvelope({ name: 'slow' }, { progressToken: 1 })
    stuck.say({ jsonrpc: '2.0', id: 'c', method: 'tools/call', params })
    const call = await began.promise
    stuck.stick()
    for (let i = 1; i <= 1_000; i++) {
      call.interim.notify({ method: 'notifications/progress', params: { progress: i } })
      tool.update({ title: `T${i}` })
      await null
    }
    expect(stuck.written).toHaveLength(2) // the acknowledgement, and the first word that found nobody reading
    stuck.say({ jsonrpc: '2.0', id: 'later', method: 'tools/list', params: withEnvelope() })
    await stuck.unstick()
    held.resolve({ content: [] })
    await new Promise(setImmediate)
    const said = stuck.written.slice(2).map(({ method, id }) => method ?? id)
    expect(said.filter((word) => word === 'notifications/tools/list_changed')).toHaveLength(1)
    expect(said).toContain('later')
    expect(said).toContain('c')
    expect(said).not.toContain('notifications/progress')
  })

  it('and goes on sending is cut off', async () => {
    const stuck = createStuckChannel()
    const events: string[] = []
    const served = serveChannel(
      { handle: answers, serverInfo: { name: 's', version: '1' }, log: ({ event }) => events.push(event) },
      stuck.channel,
    )
    stuck.stick()
    for (let i = 0; i < 2_000; i++) {
      stuck.say({ jsonrpc: '2.0', id: i, method: 'tools/list', params: withEnvelope() })
      if (i === 0) await new Promise(setImmediate)
    }
    await served.closed
    expect(events).toContain('channel.cut')
    expect(stuck.written.length).toBeLessThan(10)
  })
})

describe('the end', () => {
  it('of the channel aborts what is at work', async () => {
    const began = createDeferred<Call>()
    const peer = open((call) => {
      began.resolve(call)
      return new Promise(() => {})
    })
    peer.send({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: withEnvelope({ name: 't' }) })
    const call = await began.promise
    await peer.channel.close()
    await peer.served.closed
    expect(call.cancellation.signal.reason).toMatchObject({ code: 'caller.cancelled' })
  })

  it('asked for by us lets calls finish and refuses new ones', async () => {
    const held = createDeferred<Result>()
    const peer = open(() => held.promise)
    const first = peer.enveloped('tools/call', { name: 't' }, 'first')
    await new Promise(setImmediate)
    const closed = peer.served.close()
    expect((await peer.enveloped('tools/call', { name: 't' }, 'second')).error.code).toBe(1003)
    held.resolve({ content: [] })
    expect((await first).result.content).toEqual([])
    await closed
    await peer.gone
  })

  it('fails what does not finish in time', async () => {
    const clock = createFakeClock()
    const peer = open(() => new Promise(() => {}), { clock })
    const first = peer.enveloped('tools/call', { name: 't' }, 'first')
    await new Promise(setImmediate)
    const closed = peer.served.close({ drainMs: 1_000 })
    clock.advance(1_000)
    expect((await first).error.code).toBe(1003)
    await closed
    expect(clock.pending).toBe(0)
  })
})
