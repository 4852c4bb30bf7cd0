import type { EventStore, StoredEvent } from '@crosspoint/mcp/transports'
import fc from 'fast-check'
import { expect, test } from 'vitest'

/** Bounds of a store under test; bytes are those of the text and what the store counts besides. */
export interface EventBounds {
  readonly maxEvents?: number
  readonly maxStreams?: number
  readonly maxSessionBytes?: number
  readonly maxBytesPerPrincipal?: number
  readonly maxBytes?: number
  readonly ttlMs?: number
}

/**
 * What every `EventStore` keeps to that has these bounds.
 * @param open gives an empty one, and puts it away when the test is over
 * @param weigh what the store counts a text of so many ASCII characters as
 * @param sleep lets the clock of the store go on for so many milliseconds
 */
export function eventStoreSuite(
  open: (bounds?: EventBounds) => Promise<EventStore>,
  weigh: (length: number) => number,
  sleep: (ms: number) => Promise<void>,
): void {
  const say = (store: EventStore, session: string, stream: string, ...events: readonly StoredEvent[]) =>
    Promise.all(events.map((event) => store.append(session, stream, event)))
  const seqs = async (store: EventStore, session: string, stream: string, after = 0, limit = 99) =>
    (await store.read(session, stream, after, limit))?.map(({ seq }) => seq)

  test('events: what was said after a place is found in order, page by page', async () => {
    const store = await open()
    const said = [1, 2, 3, 4].map((seq) => ({ seq, text: `{"é":${seq}}` }))
    await say(store, 's', 'a', ...said)
    expect(await store.read('s', 'a', 0, 99)).toEqual(said)
    expect(await seqs(store, 's', 'a', 1, 2)).toEqual([2, 3])
    expect(await seqs(store, 's', 'a', 4)).toEqual([])
    expect(await seqs(store, 's', 'a', 5)).toBeUndefined()
    expect(await seqs(store, 's', 'b')).toBeUndefined()
    expect(await seqs(store, 't', 'a')).toBeUndefined()
  })

  test('events: a later one of a topic takes the place of the earlier, and nothing is missing for that', async () => {
    const store = await open()
    await say(
      store,
      's',
      'a',
      { seq: 1, text: 'x', topic: 't' },
      { seq: 2, text: 'y' },
      { seq: 3, text: 'z', topic: 't' },
    )
    expect(await store.read('s', 'a', 0, 99)).toEqual([
      { seq: 2, text: 'y' },
      { seq: 3, text: 'z', topic: 't' },
    ])
  })

  test('events: where one was forgotten for want of room nothing before it is given', async () => {
    const store = await open({ maxEvents: 2 })
    await say(store, 's', 'a', ...[1, 2, 3].map((seq) => ({ seq, text: 'x' })))
    expect(await seqs(store, 's', 'a', 0)).toBeUndefined()
    expect(await seqs(store, 's', 'a', 1)).toEqual([2, 3])
  })

  test('events: of too many streams of a session the oldest goes, with all that was known of it', async () => {
    const store = await open({ maxStreams: 2 })
    for (const stream of ['a', 'b', 'c']) {
      await say(store, 's', stream, { seq: 1, text: 'x', topic: 't' })
      await sleep(5)
    }
    expect(await seqs(store, 's', 'a')).toBeUndefined()
    expect(await seqs(store, 's', 'b')).toEqual([1])
    expect(await seqs(store, 's', 'c')).toEqual([1])
    expect(await seqs(store, 't', 'c')).toBeUndefined()
  })

  test('events: what was never kept is missing, though what follows was', async () => {
    const store = await open()
    await say(store, 's', 'a', { seq: 1, text: 'x' })
    await say(store, 's', 'a', { seq: 3, text: 'z' })
    expect(await seqs(store, 's', 'a', 2)).toEqual([3])
    expect((await seqs(store, 's', 'a', 0)) ?? []).not.toContain(2)
  })

  test('events: bounds the bytes of a session by its oldest, and of all by those of the oldest session', async () => {
    const text = 'x'.repeat(500)
    const one = weigh(text.length)
    const store = await open({ maxSessionBytes: 3 * one, maxBytes: 5 * one, maxBytesPerPrincipal: 5 * one })
    for (const seq of [1, 2, 3, 4]) await store.append('s', 'a', { seq, text })
    expect(await seqs(store, 's', 'a', 0)).toBeUndefined()
    expect(await seqs(store, 's', 'a', 1)).toEqual([2, 3, 4])
    await sleep(5)
    for (const seq of [1, 2, 3]) await store.append('t', 'a', { seq, text })
    expect(await seqs(store, 't', 'a')).toEqual([1, 2, 3])
    expect(await seqs(store, 's', 'a', 1)).toBeUndefined()
  })

  test('abuse-14: events: bounds the bytes of one owner by the oldest of its own sessions', async () => {
    const text = 'x'.repeat(500)
    const one = weigh(text.length)
    const store = await open({ maxBytesPerPrincipal: 2 * one, maxBytes: 100 * one })
    await store.append('other', 'a', { seq: 1, text }, 'bert')
    await store.append('nobody', 'a', { seq: 1, text })
    for (const session of ['s', 't', 'u']) {
      await store.append(session, 'a', { seq: 1, text }, 'anna')
      await sleep(5)
    }
    expect(await seqs(store, 's', 'a')).toBeUndefined()
    for (const session of ['other', 'nobody', 't', 'u']) expect(await seqs(store, session, 'a')).toEqual([1])
  })

  test('events: forgets what was not written to for its time', async () => {
    const store = await open({ ttlMs: 150 })
    await say(store, 's', 'a', { seq: 1, text: 'x' })
    await sleep(200)
    expect(await seqs(store, 's', 'a')).toBeUndefined()
    await say(store, 's', 'b', { seq: 1, text: 'x' })
    expect(await seqs(store, 's', 'b')).toEqual([1])
  })

  test('events: forgets a stream or a session when told so', async () => {
    const store = await open()
    await say(store, 's', 'a', { seq: 1, text: 'x' })
    await say(store, 's', 'b', { seq: 1, text: 'x' })
    await store.drop('s', 'a')
    expect(await seqs(store, 's', 'a')).toBeUndefined()
    expect(await seqs(store, 's', 'b')).toEqual([1])
    await store.drop('s')
    await store.drop('s')
    expect(await seqs(store, 's', 'b')).toBeUndefined()
  })

  test('events: never gives anything that was not said, or leaves out what was, whatever the bounds', async () => {
    const step = fc.tuple(
      fc.constantFrom('s', 't', 'u'),
      fc.constantFrom('a', 'b'),
      fc.nat(300),
      fc.option(fc.constantFrom('x', 'y')),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const one = weigh(300)
        const store = await open({
          maxEvents: 5,
          maxSessionBytes: 4 * one,
          maxBytes: 8 * one,
          maxBytesPerPrincipal: 6 * one,
        })
        const said = new Map<string, StoredEvent[]>()
        for (const [session, stream, length, topic] of steps) {
          const name = `${session}${stream}`
          const before = said.get(name) ?? []
          const event = { seq: before.length + 1, text: 'x'.repeat(length), ...(topic === null ? {} : { topic }) }
          said.set(name, [...before, event])
          await store.append(session, stream, event, session === 'u' ? undefined : 'anna')
        }
        for (const [name, all] of said) {
          for (let after = 0; after <= all.length; after++) {
            const found = await store.read(name.slice(0, 1), name.slice(1), after, 99)
            if (found === undefined) continue
            const last = new Map(all.map(({ seq, topic }) => [topic, seq]))
            const wanted = all.filter(
              ({ seq, topic }) => seq > after && (topic === undefined || last.get(topic) === seq),
            )
            expect(found).toEqual(wanted)
          }
        }
      }),
      { numRuns: 25 },
    )
  })
}
