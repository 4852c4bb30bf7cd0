import { createFakeClock } from '@crosspoint/testkit'
import { describe, expect, it } from 'vitest'
import { CALLER_LIMITS } from '../../jsonrpc/limits.ts'
import { toCall } from '../../protocol/fixtures/calls.ts'
import { findRevision, NEWEST_HANDSHAKE } from '../../revisions/index.ts'
import type { Channel, ChannelEvents } from '../channel.ts'
import type { WireOptions } from '../wire.ts'
import { openDuplexWire } from './connect.ts'

/** A channel whose other end is the test. */
function scripted(ask?: WireOptions['ask']) {
  let events: ChannelEvents | undefined
  let release: () => void = () => {}
  const state = { sent: [] as string[], isFull: false, closes: 0 }
  const channel: Channel = {
    start(given) {
      events = given
    },
    send(text) {
      state.sent.push(text)
      return !state.isFull
    },
    drained: () => new Promise((resolve) => (release = resolve)),
    close() {
      state.closes++
      events?.closed(undefined)
      return Promise.resolve()
    },
  }
  const wire = openDuplexWire(channel, {
    revision: NEWEST_HANDSHAKE,
    clock: createFakeClock(),
    limits: CALLER_LIMITS,
    timeoutMs: 1_000,
    maxInFlight: 10_000,
    capabilities: ask === undefined ? {} : { roots: {} },
    ask,
    stray: undefined,
    fault: undefined,
  })
  return {
    wire,
    state,
    methods: () => state.sent.map((text) => JSON.parse(text).method),
    ask: (id: number, method: string) => events?.message(JSON.stringify({ jsonrpc: '2.0', id, method })),
    answer: (id: number, result = {}) => events?.message(JSON.stringify({ jsonrpc: '2.0', id, result })),
    drain: () => release(),
    lose: (error?: Error) => events?.closed(error),
  }
}

describe('a wire over a channel', () => {
  it('holds back while the channel is full, and keeps the order', async () => {
    const { wire, state, methods, drain, answer } = scripted()
    state.isFull = true
    const first = wire.request(toCall('a'), '')
    const second = wire.request(toCall('b'), '')
    void wire.notify('c', {})
    expect(methods()).toEqual(['a'])
    state.isFull = false
    drain()
    answer(1)
    await first
    expect(methods()).toEqual(['a', 'b', 'c'])
    answer(2)
    expect(await second).toMatchObject({ kind: 'result' })
  })

  it('refuses what the server still asks before it closes: who waits for an answer may not see the end', async () => {
    const nobody = () => new Promise<never>(() => {})
    const { wire, state, ask } = scripted(nobody)
    ask(7, 'roots/list')
    await wire.close()
    expect(state.sent.map((text) => JSON.parse(text))).toEqual([
      {
        jsonrpc: '2.0',
        id: 7,
        error: expect.objectContaining({ message: 'The client is closing and will not answer' }),
      },
    ])
    expect(state.closes).toBe(1)
  })

  it('ends a conversation with somebody who reads nothing any more', async () => {
    const { wire, state } = scripted()
    state.isFull = true
    const calls: Promise<unknown>[] = []
    while (state.closes === 0 && calls.length < 10_000) {
      calls.push(wire.request(toCall('a'), '').catch((error) => error.code))
    }
    expect(calls.length).toBeLessThan(5_000)
    expect(new Set(await Promise.all(calls))).toEqual(new Set(['upstream.unavailable']))
    expect((await wire.closed).reason).toBe('The server does not read what it is sent')
  })

  it('tells the server of a cancelled request, except of initialize', async () => {
    const { wire, methods, state } = scripted()
    const cancel = new AbortController()
    const calls = ['initialize', 'tools/call'].map((method) =>
      wire.request(toCall(method, {}, { signal: cancel.signal }), ''),
    )
    cancel.abort()
    for (const call of calls) await expect(call).rejects.toMatchObject({ code: 'caller.cancelled' })
    expect(methods()).toEqual(['initialize', 'tools/call', 'notifications/cancelled'])
    expect(JSON.parse(state.sent[2] ?? '').params).toEqual({ requestId: 2, reason: 'cancelled' })
  })

  it('ends its requests with the channel: a tool may have run, all else may be repeated', async () => {
    const { wire, lose } = scripted()
    const tool = wire.request(toCall('tools/call'), '')
    const list = wire.request(toCall('tools/list'), '')
    lose(new Error('The server exited with code 1'))
    await expect(tool).rejects.toMatchObject({
      code: 'upstream.closed',
      message: 'Lost the server while "tools/call" was at work, its outcome is unknown: The server exited with code 1',
    })
    await expect(list).rejects.toMatchObject({ code: 'upstream.unavailable' })
    expect(await wire.closed).toEqual({ reason: 'The server exited with code 1', asked: false })
    expect(() => wire.request(toCall('tools/list'), '')).toThrow('the server is gone: The server exited with code 1')
  })

  it('says who closed it', async () => {
    const ours = scripted()
    await ours.wire.close()
    expect(await ours.wire.closed).toEqual({ reason: 'Closed by us', asked: true })
    const theirs = scripted()
    theirs.lose()
    expect(await theirs.wire.closed).toEqual({ reason: 'Closed by the server', asked: false })
  })

  it('speaks what it is told to', () => {
    const { wire } = scripted()
    const older = findRevision('2024-11-05') ?? NEWEST_HANDSHAKE
    wire.adopt(older, true)
    expect(wire.revision).toBe(older)
  })
})
