import { createDeferred, type Message, withEnvelope } from '@crosspoint/testkit'
import { describe, expect, it } from 'vitest'
import type { JsonObject } from '../../jsonrpc/frame.ts'
import type { Call, Result } from '../../protocol/call.ts'
import type { Channel } from '../channel.ts'
import type { Endpoint, EndpointEvent } from '../endpoint.ts'
import { serveChannel } from './serve.ts'

/** What waits on a channel, and what becomes of it beyond the bounds. */

const serverInfo = { name: 's', version: '1' }
const INITIALIZE = {
  protocolVersion: '2025-11-25',
  capabilities: { elicitation: {} },
  clientInfo: serverInfo,
}

/** A channel under the hands of its test: what is said on it, whether its client reads, whether it can be paused. */
function createHandChannel(canPause: boolean) {
  const written: Message[] = []
  let isStuck = false
  let isPaused = false
  let isClosed = false
  let drained = createDeferred()
  let events: Parameters<Channel['start']>[0] | undefined
  const channel: Channel = {
    start: (given) => {
      events = given
    },
    send: (text) => {
      written.push(JSON.parse(text))
      return !isStuck
    },
    drained: () => (isStuck ? drained.promise : Promise.resolve()),
    ...(canPause
      ? {
          pause: () => {
            isPaused = true
          },
          resume: () => {
            isPaused = false
          },
        }
      : {}),
    close: async () => {
      isClosed = true
      events?.closed(undefined)
    },
  }
  return {
    channel,
    written,
    isPaused: () => isPaused,
    isClosed: () => isClosed,
    say: (message: unknown) => events?.message(JSON.stringify(message)),
    request: (id: number | string, method: string, params: JsonObject = {}) =>
      events?.message(JSON.stringify({ jsonrpc: '2.0', id, method, params })),
    answerTo: (id: number | string) => written.find((message) => message.id === id && message.method === undefined),
    stick: () => {
      isStuck = true
      drained = createDeferred()
    },
    unstick: async () => {
      isStuck = false
      drained.resolve()
      await settle()
    },
  }
}

const settle = () => new Promise(setImmediate)

/** A call of so many bytes, about. */
const callOf = (bytes: number): JsonObject => ({ name: 't', arguments: { text: 'x'.repeat(bytes) } })

function open(canPause: boolean, endpoint: Partial<Endpoint> = {}) {
  const hand = createHandChannel(canPause)
  const begun: Call[] = []
  const events: EndpointEvent[] = []
  const discover = createDeferred<Result>()
  const work = createDeferred<Result>()
  const handle = (call: Call): Promise<Result> => {
    if (call.method === 'server/discover') return discover.promise
    begun.push(call)
    return call.method === 'tools/call' ? work.promise : Promise.resolve({})
  }
  const served = serveChannel({ handle, serverInfo, log: (event) => events.push(event), ...endpoint }, hand.channel)
  return {
    ...hand,
    served,
    begun,
    events,
    finishDiscover: async () => {
      discover.resolve({ capabilities: { tools: { listChanged: true } } })
      await settle()
    },
    finishWork: async () => {
      work.resolve({ content: [] })
      await settle()
    },
  }
}

describe('abuse-14: requests before the handshake is answered', () => {
  it('let a client wait whose channel can, and none is lost', async () => {
    const peer = open(true, { maxWaitingBytes: 10_000 })
    peer.request(0, 'initialize', INITIALIZE)
    let said = 0
    while (!peer.isPaused()) peer.request(++said, 'tools/call', callOf(1_000))
    expect(said * 1_000).toBeLessThanOrEqual(11_000)
    await peer.finishDiscover()
    await peer.finishWork()
    expect(peer.isPaused()).toBe(false)
    for (let id = 0; id <= said; id++) expect(peer.answerTo(id).result).toBeDefined()
  })

  it('are counted, too', async () => {
    const peer = open(true, { maxWaiting: 5 })
    peer.request(0, 'initialize', INITIALIZE)
    let said = 0
    while (!peer.isPaused()) peer.request(++said, 'tools/list')
    expect(said).toBe(6)
    await peer.finishDiscover()
    expect(peer.begun).toHaveLength(6)
  })

  it('are refused by their ids beyond the bound where a channel cannot wait, and it lives on', async () => {
    const peer = open(false, { maxWaitingBytes: 10_000 })
    peer.request(0, 'initialize', INITIALIZE)
    for (let id = 1; id <= 100; id++) peer.request(id, 'tools/call', callOf(1_000))
    const refused = peer.written.filter(({ error }) => error?.code === 1001)
    expect(refused.length).toBeGreaterThan(90)
    expect(refused.at(-1)?.id).toBe(100)
    expect(refused[0].error.message).toMatch(/^Cannot take another request: \d messages of \d{4} bytes are waiting$/)
    await peer.finishDiscover()
    await peer.finishWork()
    expect(peer.begun.length + refused.length).toBe(100)
    expect(peer.answerTo(1).result).toEqual({ content: [] })
  })

  it('one that is larger than the bound is held when it is alone', async () => {
    const peer = open(false, { maxWaitingBytes: 10 })
    peer.request(0, 'initialize', INITIALIZE)
    peer.request(1, 'tools/list')
    peer.request(2, 'tools/list')
    await peer.finishDiscover()
    expect([peer.answerTo(1).result, peer.answerTo(2).error.code]).toEqual([expect.anything(), 1001])
  })

  it('notifications take no room, and a confirmation that came early counts', async () => {
    const peer = open(false, { maxWaiting: 1 })
    peer.request(0, 'initialize', INITIALIZE)
    for (let i = 0; i < 1_000; i++) peer.say({ jsonrpc: '2.0', method: 'notifications/roots/list_changed' })
    peer.say({ jsonrpc: '2.0', method: 'notifications/initialized' })
    peer.request(1, 'tools/list')
    await peer.finishDiscover()
    expect(peer.answerTo(1).result).toBeDefined()
    expect(peer.begun.map(({ method }) => method)).toContain('subscriptions/listen')
  })

  it('abuse-41: one that is taken back makes room and is never begun', async () => {
    const peer = open(false, { maxWaiting: 1 })
    peer.request(0, 'initialize', INITIALIZE)
    peer.request(1, 'tools/call', { name: 'a' })
    peer.say({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 1 } })
    peer.request(2, 'tools/call', { name: 'b' })
    await peer.finishDiscover()
    expect(peer.begun.map(({ params }) => params.name)).toEqual(['b'])
  })
})

describe('abuse-14: calls beyond those that work at once', () => {
  it('wait up to the bound, and are refused by their ids beyond it', async () => {
    const peer = open(true, { maxConcurrent: 1, maxWaitingBytes: 10_000 })
    for (let id = 1; id <= 100; id++) peer.request(id, 'tools/call', withEnvelope(callOf(1_000)))
    expect(peer.isPaused()).toBe(false)
    const refused = peer.written.filter(({ error }) => error?.code === 1001).map(({ id }) => id)
    expect(refused.length).toBeGreaterThan(90)
    expect(refused.at(-1)).toBe(100)
    await peer.finishWork()
    expect(peer.begun.length + refused.length).toBe(100)
  })

  it('abuse-41: leave their room at once when they are taken back', async () => {
    const peer = open(true, { maxConcurrent: 1, maxWaiting: 10, maxWaitingBytes: 10_000 })
    for (let id = 1; id <= 1_000; id++) {
      peer.request(id, 'tools/call', withEnvelope(callOf(4_000)))
      if (id > 1) peer.say({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: id } })
    }
    expect(peer.written).toEqual([])
    await peer.finishWork()
    expect(peer.begun).toHaveLength(1)
  })
})

describe('abuse-15: of a client that does not read', () => {
  async function openStuck(canPause: boolean, endpoint: Partial<Endpoint> = {}) {
    const peer = open(canPause, endpoint)
    peer.request(0, 'initialize', INITIALIZE)
    await peer.finishDiscover()
    peer.stick()
    peer.request('p', 'ping')
    await settle()
    return peer
  }

  it('no more bytes are held than the bound: it is told so once, and cut off', async () => {
    const peer = await openStuck(false, { maxWaitingBytes: 1024 * 1024 })
    let said = 0
    for (; said < 1_000 && !peer.isClosed(); said++) peer.request(said, 'tools/call', callOf(64 * 1024))
    for (let id = said; id < said + 100; id++) peer.request(id, 'tools/call', callOf(10))
    await peer.served.closed
    expect(said).toBe(16)
    expect(peer.written.filter(({ error }) => error?.code === 1001)).toHaveLength(1)
    expect(peer.events).toContainEqual({ level: 'error', event: 'channel.cut', reason: 'it sends without reading' })
    expect(peer.begun.filter(({ method }) => method === 'tools/call')).toEqual([])
  })

  it('the channel is read no further where that is possible, and what was said is answered later', async () => {
    const peer = await openStuck(true, { maxWaiting: 10 })
    let said = 0
    while (!peer.isPaused()) peer.request(++said, 'tools/list')
    expect(said).toBe(11)
    await peer.unstick()
    expect(peer.isPaused()).toBe(false)
    for (let id = 1; id <= said; id++) expect(peer.answerTo(id).result).toBeDefined()
  })

  it('answers to questions are taken all the same: work goes on with them', async () => {
    const peer = open(false)
    peer.request(0, 'initialize', INITIALIZE)
    await peer.finishDiscover()
    peer.say({ jsonrpc: '2.0', method: 'notifications/initialized' })
    peer.request(1, 'tools/call', { name: 't' })
    const asked = peer.begun.at(-1)?.interim.ask({
      method: 'elicitation/create',
      params: { mode: 'form', message: 'x', requestedSchema: { type: 'object', properties: {} } },
    })
    await settle()
    const question = peer.written.find(({ method }) => method === 'elicitation/create')
    peer.stick()
    peer.request('p', 'ping')
    peer.say({ jsonrpc: '2.0', id: question.id, result: { action: 'decline' } })
    expect(await asked).toMatchObject({ action: 'decline' })
  })
})
