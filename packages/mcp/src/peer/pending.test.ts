import { createFakeClock } from '@crosspoint/testkit'
import { describe, expect, it, vi } from 'vitest'
import type { McpError } from '../errors.ts'
import type { Call } from '../protocol/call.ts'
import { recordingInterim, toCall } from '../protocol/fixtures/calls.ts'
import { HOP } from './outgoing.ts'
import { Pending, type Waiting } from './pending.ts'

interface Options {
  readonly timeoutMs?: number | (() => number)
  readonly maxMs?: number | (() => number)
  readonly max?: number
}

function setUp({ timeoutMs = 1_000, maxMs, max = 10 }: Options = {}) {
  const clock = createFakeClock(5)
  const abandoned: [number, string][] = []
  const abandon = (waiting: Waiting, reason: string) => void abandoned.push([waiting.id, reason])
  return { clock, abandoned, pending: new Pending({ clock, timeoutMs, maxMs, max, abandon }) }
}

const failureOf = (waiting: Waiting): Promise<McpError> =>
  waiting.answer.then(
    () => expect.fail('answered'),
    (e) => e,
  )
const result = (value: unknown) => ({ kind: 'result', result: { value } }) as const

describe('a request in flight', () => {
  it('gets the answer of its own id, once', async () => {
    const { pending, clock } = setUp()
    const first = pending.open(toCall('a'))
    const second = pending.open(toCall('b'))
    expect(second.id).not.toBe(first.id)
    expect(pending.settle(second.id, result(2))).toBe(true)
    expect(pending.settle(second.id, result(3))).toBe(false)
    expect(pending.settle(first.id, result(1))).toBe(true)
    expect(await Promise.all([first.answer, second.answer])).toEqual([result(1), result(2)])
    expect(pending.settle(99, result(0))).toBe(false)
    expect(pending.size).toBe(0)
    clock.advance(10_000)
    expect(clock.pending).toBe(0)
  })

  it('never shares an id with one before it', () => {
    const { pending } = setUp({ max: 1 })
    const ids = Array.from({ length: 100 }, () => {
      const { id } = pending.open(toCall('a'))
      pending.settle(id, result(0))
      return id
    })
    expect(new Set(ids).size).toBe(100)
    expect(ids.every(Number.isSafeInteger)).toBe(true)
  })

  it('waits as long as is right when it is sent, where that may change', async () => {
    let timeoutMs = 1_000
    const { pending, clock } = setUp({ timeoutMs: () => timeoutMs })
    const first = pending.open(toCall('a'))
    timeoutMs = 3_000
    const second = pending.open(toCall('b'))
    clock.advance(1_000)
    expect([first.open, second.open]).toEqual([false, true])
    expect(await failureOf(first)).toMatchObject({ message: 'Cannot wait longer for "a": no answer for 1 s' })
    clock.advance(2_000)
    expect(await failureOf(second)).toMatchObject({ message: 'Cannot wait longer for "b": no answer for 3 s' })
  })

  it('is given up when it hears nothing for too long', async () => {
    const { pending, clock, abandoned } = setUp()
    const waiting = pending.open(toCall('a'))
    clock.advance(999)
    expect(waiting.open).toBe(true)
    clock.advance(1)
    expect(await failureOf(waiting)).toMatchObject({
      code: 'upstream.timeout',
      message: 'Cannot wait longer for "a": no answer for 1 s',
    })
    expect(abandoned).toEqual([[waiting.id, 'timed out']])
  })

  it('waits anew with every sign of life', async () => {
    const { pending, clock } = setUp()
    const waiting = pending.open(toCall('a'))
    for (let round = 0; round < 5; round++) {
      clock.advance(900)
      pending.touch(waiting)
    }
    expect(waiting.open).toBe(true)
    clock.advance(1_010)
    expect(await failureOf(waiting)).toMatchObject({ code: 'upstream.timeout' })
  })

  it.each([
    ['its peer keeps saying that it works', (pending: Pending, waiting: Waiting) => pending.touch(waiting)],
    ['its peer keeps asking', (pending: Pending, waiting: Waiting) => pending.rest(waiting)],
  ])('ends at its maximum, though %s', async (_, live) => {
    const { pending, clock, abandoned } = setUp({ maxMs: () => 5_000 })
    const waiting = pending.open(toCall('a'))
    for (let round = 0; round < 9; round++) {
      clock.advance(500)
      live(pending, waiting)
    }
    clock.advance(499)
    live(pending, waiting)
    expect(waiting.open).toBe(true)
    clock.advance(6)
    expect(await failureOf(waiting)).toMatchObject({
      code: 'upstream.timeout',
      message: 'Cannot wait longer for "a": 5 s are the most it may take ("maxRequestMs"), whatever progress it makes',
    })
    expect(abandoned).toEqual([[waiting.id, 'timed out']])
  })

  it('has a maximum of its own where its caller says so, else an hour, or all of a longer timeout', async () => {
    const { pending, clock } = setUp()
    const short = pending.open(toCall('a', {}, { maxMs: 2_000 }))
    const usual = pending.open(toCall('b'))
    const long = setUp({ timeoutMs: 7_200_000 })
    const longer = long.pending.open(toCall('c'))
    const ends: [string, number][] = []
    for (const waiting of [short, usual]) {
      waiting.answer.catch(() => ends.push([waiting.outgoing.method, clock.now()]))
    }
    for (let round = 0; round < 7_400; round++) {
      clock.advance(500)
      for (const waiting of [short, usual]) pending.touch(waiting)
      await null
    }
    expect(ends.map(([method, at]) => [method, Math.round(at / 1_000)])).toEqual([
      ['a', 2],
      ['b', 3_600],
    ])
    long.clock.advance(7_199_000)
    expect(longer.open).toBe(true)
    long.clock.advance(1_010)
    expect(await failureOf(longer)).toMatchObject({ message: 'Cannot wait longer for "c": no answer for 7200 s' })
  })

  it('asks for progress where that gives it more time, whether anybody listens or not', () => {
    const { pending } = setUp()
    const asks = (more: Partial<Call>, within?: number) => {
      const waiting = pending.open(toCall('a', {}, more), within)
      pending.settle(waiting.id, result(0))
      return waiting.asksProgress
    }
    expect(asks({})).toBe(true)
    expect(asks({ deadline: 1_000 })).toBe(false)
    expect(asks({ deadline: 1_000, interim: recordingInterim({ progress: true }) })).toBe(true)
    expect(asks({ interim: HOP })).toBe(false)
    expect(asks({}, Number.POSITIVE_INFINITY)).toBe(false)
  })

  it('keeps its deadline whatever it hears', async () => {
    const { pending, clock } = setUp()
    const waiting = pending.open(toCall('a', {}, { deadline: 505 }))
    clock.advance(400)
    pending.touch(waiting)
    clock.advance(100)
    expect(await failureOf(waiting)).toMatchObject({ message: 'Cannot wait longer for "a": its deadline has passed' })
  })

  it('waits while a person thinks about a question', () => {
    const { pending, clock } = setUp()
    const waiting = pending.open(toCall('a'))
    waiting.questions = 1
    clock.advance(100_000)
    expect(waiting.open).toBe(true)
    waiting.questions = 0
    clock.advance(2_010)
    expect(waiting.open).toBe(false)
    waiting.answer.catch(() => {})
  })

  it('stays open where it is meant to', () => {
    const { pending, clock } = setUp()
    const waiting = pending.open(toCall('a'), Number.POSITIVE_INFINITY)
    clock.advance(1e9)
    expect(waiting.open).toBe(true)
    expect(clock.pending).toBe(0)
  })

  it('is one of many on one timer, each ending in its own time', async () => {
    const { pending, clock, abandoned } = setUp()
    const long = pending.open(toCall('long', {}, { deadline: 800 }))
    const short = pending.open(toCall('short', {}, { deadline: 100 }))
    expect(clock.pending).toBe(1)
    clock.advance(95)
    expect(await failureOf(short)).toMatchObject({ code: 'upstream.timeout' })
    expect(long.open).toBe(true)
    clock.advance(700)
    expect(await failureOf(long)).toMatchObject({ code: 'upstream.timeout' })
    expect(abandoned.map(([id]) => id)).toEqual([short.id, long.id])
  })

  it('ends when its caller cancels, and the peer is told', async () => {
    const { pending, abandoned } = setUp()
    const cancel = new AbortController()
    const waiting = pending.open(toCall('a', {}, { signal: cancel.signal }))
    cancel.abort()
    expect(await failureOf(waiting)).toMatchObject({ code: 'caller.cancelled', message: 'Cancelled "a"' })
    expect(abandoned).toEqual([[waiting.id, 'cancelled']])
  })

  it('is not even sent when its caller cancelled before', () => {
    const { pending } = setUp()
    expect(() => pending.open(toCall('a', {}, { signal: AbortSignal.abort() }))).toThrow('Cancelled "a"')
    expect(pending.size).toBe(0)
  })

  it('is refused when too many are', () => {
    const { pending } = setUp({ max: 2 })
    pending.open(toCall('a'))
    const { id } = pending.open(toCall('a'))
    expect(() => pending.open(toCall('a'))).toThrow('2 requests are already in flight')
    pending.settle(id, result(0))
    pending.open(toCall('a'))
  })

  it('ends with all the others when the way is lost, and no timer is left', async () => {
    const { pending, clock, abandoned } = setUp()
    const all = [pending.open(toCall('a')), pending.open(toCall('b'))]
    pending.failAll(({ outgoing }) => new Error(`lost ${outgoing.method}`) as McpError)
    expect((await Promise.all(all.map(failureOf))).map(({ message }) => message)).toEqual(['lost a', 'lost b'])
    expect(clock.pending).toBe(0)
    expect(abandoned).toEqual([])
  })
})

describe('a signal behind many requests', () => {
  it('gets one listener, on however many connections', async () => {
    const cancel = new AbortController()
    const listened = vi.spyOn(cancel.signal, 'addEventListener')
    const all = Array.from({ length: 50 }, () => setUp().pending.open(toCall('a', {}, { signal: cancel.signal })))
    expect(listened).toHaveBeenCalledTimes(1)
    cancel.abort()
    for (const waiting of all) expect(await failureOf(waiting)).toMatchObject({ code: 'caller.cancelled' })
  })

  it('holds nothing of requests that are over', () => {
    const { pending, abandoned } = setUp()
    const cancel = new AbortController()
    for (let round = 0; round < 100; round++) {
      pending.settle(
        pending.open(toCall('a', {}, { signal: cancel.signal, interim: recordingInterim() })).id,
        result(0),
      )
    }
    cancel.abort()
    expect(abandoned).toEqual([])
  })
})
