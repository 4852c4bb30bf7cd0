import { createFakeClock } from '@crosspoint/testkit'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createMemoryEventStore, type MemoryEventStoreOptions } from './memory-store.ts'

const open = (options: MemoryEventStoreOptions = {}) => createMemoryEventStore({ clock: createFakeClock(), ...options })
const texts = (found: readonly { readonly text: string }[] | undefined) => found?.map(({ text }) => text)

describe('a store of events in memory', () => {
  it('gives back what came after an event, in order and no more than asked for', () => {
    const store = open()
    for (const seq of [1, 2, 3, 4]) store.append('s', 'a', { seq, text: `a${seq}` })
    store.append('s', 'b', { seq: 1, text: 'b1' })
    expect(texts(store.read('s', 'a', 0, 10))).toEqual(['a1', 'a2', 'a3', 'a4'])
    expect(texts(store.read('s', 'a', 2, 10))).toEqual(['a3', 'a4'])
    expect(texts(store.read('s', 'a', 1, 2))).toEqual(['a2', 'a3'])
    expect(store.read('s', 'a', 4, 10)).toEqual([])
    expect(store.read('s', 'a', 5, 10)).toBeUndefined()
    expect(store.read('s', 'c', 0, 10)).toBeUndefined()
    expect(store.read('t', 'a', 0, 10)).toBeUndefined()
  })

  it('does not give a part where the beginning was forgotten', () => {
    const store = open({ maxEvents: 2 })
    for (const seq of [1, 2, 3, 4]) store.append('s', 'a', { seq, text: `a${seq}` })
    expect(store.read('s', 'a', 1, 10)).toBeUndefined()
    expect(texts(store.read('s', 'a', 2, 10))).toEqual(['a3', 'a4'])
    store.drop('s', 'a')
    store.append('s', 'a', { seq: 5, text: 'a5' })
    expect(store.read('s', 'a', 3, 10)).toBeUndefined()
    expect(texts(store.read('s', 'a', 4, 10))).toEqual(['a5'])
  })

  it('keeps the latest of a topic only, which leaves no gap', () => {
    const store = open({ maxEvents: 2 })
    store.append('s', 'n', { seq: 1, text: 'x1', topic: 'x' })
    for (let seq = 2; seq < 500; seq++) store.append('s', 'n', { seq, text: `y${seq}`, topic: 'y' })
    expect(texts(store.read('s', 'n', 0, 10))).toEqual(['x1', 'y499'])
    expect(texts(store.read('s', 'n', 7, 10))).toEqual(['y499'])
    expect(store.figures()).toMatchObject({ events: 2 })
  })

  it('forgets the stream that was written to longest ago when there are too many, and of a session alone', () => {
    const store = open({ maxStreams: 2 })
    store.append('other', 'a', { seq: 1, text: 'x' })
    for (const name of ['a', 'b']) store.append('s', name, { seq: 1, text: name })
    store.append('s', 'a', { seq: 2, text: 'again' })
    store.append('s', 'c', { seq: 1, text: 'c' })
    expect(store.read('s', 'b', 0, 10)).toBeUndefined()
    expect(texts(store.read('s', 'a', 0, 10))).toEqual(['a', 'again'])
    expect(store.read('other', 'a', 0, 10)).toHaveLength(1)
  })

  it('bounds the bytes of a session by its oldest events, and of all by those of the oldest session', () => {
    const text = 'x'.repeat(436) // 1,000 bytes as they are counted
    const store = open({ maxSessionBytes: 3_000, maxBytes: 5_000 })
    for (const seq of [1, 2, 3, 4]) store.append('s', 'a', { seq, text })
    expect(store.read('s', 'a', 0, 10)).toBeUndefined()
    expect(store.read('s', 'a', 1, 10)).toHaveLength(3)
    for (const seq of [1, 2, 3]) store.append('t', 'a', { seq, text })
    expect(store.figures()).toEqual({ sessions: 2, streams: 2, events: 5, bytes: 5_000 })
    expect(store.read('t', 'a', 0, 10)).toHaveLength(3)
    expect(store.read('s', 'a', 1, 10)).toBeUndefined()
    store.append('t', 'b', { seq: 1, text: 'x'.repeat(10_000) })
    expect(store.read('t', 'b', 0, 10)).toBeUndefined()
  })

  it('abuse-14: bounds the bytes of one owner by the oldest of its own sessions', () => {
    const text = 'x'.repeat(436) // 1,000 bytes as they are counted
    const store = open({ maxBytes: 8_000 })
    store.append('other', 'a', { seq: 1, text }, 'b')
    store.append('nobody', 'a', { seq: 1, text })
    for (const session of ['s', 't', 'u', 'v']) store.append(session, 'a', { seq: 1, text }, 'a')
    expect(store.figures()).toEqual({ sessions: 4, streams: 4, events: 4, bytes: 4_000 })
    expect([store.read('s', 'a', 0, 9), store.read('t', 'a', 0, 9)]).toEqual([undefined, undefined])
    for (const session of ['other', 'nobody', 'u', 'v']) expect(store.read(session, 'a', 0, 9)).toHaveLength(1)
    store.drop('u')
    store.append('w', 'a', { seq: 1, text }, 'a')
    expect(store.read('v', 'a', 0, 9)).toHaveLength(1)
    store.append('w', 'b', { seq: 1, text: 'x'.repeat(2_000) }, 'a')
    expect(store.figures().bytes).toBe(2_000)
  })

  it('forgets what was not written to for its time, and owes the clock nothing when it is empty', () => {
    const clock = createFakeClock()
    const store = open({ clock, ttlMs: 1_000 })
    store.append('s', 'a', { seq: 1, text: 'x' })
    clock.advance(600)
    store.append('s', 'b', { seq: 1, text: 'x' })
    clock.advance(600)
    expect(store.read('s', 'a', 0, 10)).toBeUndefined()
    expect(store.read('s', 'b', 0, 10)).toHaveLength(1)
    clock.advance(2_000)
    expect(store.figures()).toEqual({ sessions: 0, streams: 0, events: 0, bytes: 0 })
    expect(clock.pending).toBe(0)
    store.append('s', 'a', { seq: 2, text: 'x' })
    store.drop('s')
    store.drop('s')
    store.drop('t', 'a')
    expect(clock.pending).toBe(0)
  })

  it('stays within all of its bounds and counts right, whatever is done to it', () => {
    const bounds = {
      maxEvents: 5,
      maxStreams: 3,
      maxSessionBytes: 2_000,
      maxBytes: 4_000,
      maxBytesPerPrincipal: 2_500,
      ttlMs: 50,
    }
    const owners: Readonly<Record<string, string>> = { a: 'x', b: 'x', c: 'y', d: 'y' }
    const name = fc.constantFrom('a', 'b', 'c', 'd', 'e')
    const doing = fc.oneof(
      { weight: 8, arbitrary: fc.tuple(fc.constant('append'), name, name, fc.nat(600), fc.option(name)) },
      { weight: 1, arbitrary: fc.tuple(fc.constant('drop'), name, fc.option(name)) },
      { weight: 1, arbitrary: fc.tuple(fc.constant('wait'), fc.nat(80)) },
    )
    fc.assert(
      fc.property(fc.array(doing, { maxLength: 80 }), (steps) => {
        const clock = createFakeClock()
        const store = open({ ...bounds, clock })
        const said = new Map<string, number>()
        for (const [what, ...how] of steps) {
          if (what === 'wait') clock.advance(Number(how[0]))
          else if (what === 'drop') store.drop(String(how[0]), how[1] === null ? undefined : String(how[1]))
          else {
            const [session, stream, size, topic] = how as [string, string, number, string | null]
            const seq = (said.get(session + stream) ?? 0) + 1
            said.set(session + stream, seq)
            const event = { seq, text: 'x'.repeat(size), ...(topic === null ? {} : { topic }) }
            store.append(session, stream, event, owners[session])
          }
          let events = 0
          let bytes = 0
          const owned = new Map<string | undefined, number>()
          for (const session of 'abcde') {
            let ofSession = 0
            for (const stream of 'abcde') {
              const last = said.get(session + stream) ?? 0
              // From the oldest place that is still known.
              const from = [...Array(last + 1).keys()].find((after) => store.read(session, stream, after, 99))
              const found = from === undefined ? [] : (store.read(session, stream, from, 99) ?? [])
              expect(found.length).toBeLessThanOrEqual(bounds.maxEvents)
              events += found.length
              ofSession += found.reduce((sum, { text }) => sum + text.length * 2 + 128, 0)
            }
            expect(ofSession).toBeLessThanOrEqual(bounds.maxSessionBytes)
            bytes += ofSession
            owned.set(owners[session], (owned.get(owners[session]) ?? 0) + ofSession)
          }
          for (const owner of ['x', 'y']) expect(owned.get(owner)).toBeLessThanOrEqual(bounds.maxBytesPerPrincipal)
          const figures = store.figures()
          expect(figures.bytes).toBeLessThanOrEqual(bounds.maxBytes)
          // Nothing is counted that is not held; what is past its time is held until it is swept.
          expect(figures.events).toBeGreaterThanOrEqual(events)
          expect(figures.bytes).toBeGreaterThanOrEqual(bytes)
          expect(clock.pending).toBe(figures.events > 0 ? 1 : 0)
        }
        clock.advance(200)
        expect(store.figures()).toEqual({ sessions: 0, streams: 0, events: 0, bytes: 0 })
      }),
    )
  })
})
