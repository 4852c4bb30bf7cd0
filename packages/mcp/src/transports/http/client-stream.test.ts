import { createFakeClock } from '@crosspoint/testkit'
import { describe, expect, it } from 'vitest'
import { Exchange, type ExchangeTaker } from './client-exchange.ts'
import { EventStream, type EventStreamOptions } from './client-stream.ts'

/** A stream whose other side is in the hands of the test. */
function open(options: Partial<EventStreamOptions> = {}) {
  const clock = createFakeClock()
  const opened: { readonly taker: ExchangeTaker; readonly from: string | undefined }[] = []
  const messages: string[] = []
  const over: string[] = []
  let aborted = 0
  let isWanted = true
  const stream = new EventStream({
    clock,
    open: (taker, from) => {
      opened.push({ taker, from })
      const exchange = new Exchange(taker, 1_024)
      exchange.onConnect(() => aborted++)
      return exchange
    },
    message: (text) => void messages.push(text),
    wanted: () => isWanted,
    known: () => {},
    over: (reason) => void over.push(reason),
    ...options,
  })
  return {
    clock,
    stream,
    opened,
    messages,
    over,
    taker: () => opened.at(-1)?.taker as ExchangeTaker, // the tests open one first
    aborted: () => aborted,
    unwant: () => {
      isWanted = false
    },
  }
}

const answer = (taker: ExchangeTaker) => taker.head(200, { contentType: 'text/event-stream' })

describe('a GET stream', () => {
  it('is let go a moment after the last thing anybody wanted of it, though the server leaves it open', () => {
    const { clock, taker, aborted, unwant, messages } = open({ lastEventId: 'e1' })
    clock.advance(1_000)
    answer(taker())
    unwant()
    taker().message('the answer')
    expect(messages).toEqual(['the answer'])
    expect(aborted()).toBe(0)
    clock.advance(1_000)
    expect(aborted()).toBe(1)
    expect(clock.pending).toBe(0)
  })

  it('owes the clock nothing when the server ends it after the answer', () => {
    const { clock, taker, unwant, aborted } = open({ lastEventId: 'e1' })
    clock.advance(1_000)
    answer(taker())
    unwant()
    taker().message('the answer')
    taker().end(200, undefined)
    expect(clock.pending).toBe(0)
    expect(aborted()).toBe(0)
  })

  it('trap-31: waits as long as it is asked to, however long that is, and from where it was', () => {
    const { clock, opened, taker } = open({ lastEventId: 'e1', retryMs: 120_000 })
    clock.advance(119_999)
    expect(opened).toHaveLength(0)
    clock.advance(1)
    expect(opened).toMatchObject([{ from: 'e1' }])
    answer(taker())
    taker().retry(45_000)
    taker().position('e2')
    taker().failed(new Error('Cut'))
    clock.advance(44_999)
    expect(opened).toHaveLength(1)
    clock.advance(60_000)
    expect(opened).toMatchObject([{ from: 'e1' }, { from: 'e2' }])
  })

  it('comes back when it was asked to, as often as the server lets it go', () => {
    const { clock, taker, opened } = open()
    for (let i = 1; i < 20; i++) {
      answer(taker())
      taker().retry(2_000)
      taker().end(200, undefined)
      clock.advance(1_999)
      expect(opened).toHaveLength(i)
      clock.advance(1)
      expect(opened).toHaveLength(i + 1)
    }
  })

  it('abuse-16: is not hurried by a server that wants no wait and brings nothing', () => {
    const { clock, taker, opened } = open()
    for (let i = 0; i < 100; i++) {
      const before = opened.length
      answer(taker())
      taker().retry(0)
      taker().end(200, undefined)
      clock.advance(50 * 2 ** Math.min(i, 5) - 1)
      expect(opened).toHaveLength(before)
      clock.advance(1)
      expect(opened).toHaveLength(before + 1)
    }
  })

  it('gives up after as many failures in a row as it may have; ends in order are none', () => {
    const { clock, taker, over } = open({ lastEventId: 'e1', maxFailures: 3 })
    clock.advance(1_000)
    for (let i = 0; i < 20; i++) {
      answer(taker())
      taker().retry(100)
      taker().end(200, undefined)
      clock.advance(30_000)
    }
    for (let i = 0; i < 2; i++) {
      taker().failed(new Error('Cut'))
      clock.advance(30_000)
    }
    expect(over).toEqual([])
    taker().end(503, '')
    expect(over).toEqual(['3 failures in a row'])
    expect(clock.pending).toBe(0)
  })
})
