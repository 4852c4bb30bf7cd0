import { createFakeClock } from '@crosspoint/testkit'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { SILENT } from '../log.ts'
import type { CounterStore, KeptCount } from '../stores/contract/counter-store.ts'
import { StoreError } from '../stores/contract/store-error.ts'
import { countersSuite } from './counters.suite.ts'
import { type Charge, type Counters, MemoryCounters } from './counters.ts'
import { LastingCounters } from './lasting-counters.ts'

countersSuite(async () => {
  const clock = createFakeClock()
  return { instances: [open(clock, new KeptInMemory())], clock, key: (name) => name }
})

test('a budget goes on where it was, in whatever process, and short windows are not kept', async () => {
  const clock = createFakeClock()
  const store = new KeptInMemory()
  const one = open(clock, store)
  const [day, minute] = [toCharge('day', 86_400_000, 5), toCharge('minute', 59_999, 5)]
  for (let n = 0; n < 3; n++) expect(await one.take([day, minute])).toEqual({ isTaken: true })
  await one.close()
  expect([...store.kept.values()].map(({ key, amount }) => [key, amount])).toEqual([['day', 3]])
  clock.advance(3_600_000)
  const next = open(clock, store)
  expect((await next.take([{ ...day, amount: 3 }])).isTaken).toBe(false)
  expect(await next.take([{ ...day, amount: 2 }])).toEqual({ isTaken: true })
  await next.close()
  const last = open(clock, store)
  expect((await last.take([day])).isTaken).toBe(false)
  expect(await last.take([minute])).toEqual({ isTaken: true })
})

test('many calls are written at once, and a crash loses those since the last writing', async () => {
  const clock = createFakeClock()
  const store = new KeptInMemory()
  const counters = open(clock, store)
  const day = toCharge('day', 86_400_000, 1_000)
  for (let n = 0; n < 100; n++) await counters.take([day])
  expect(store.writes).toBe(0)
  clock.advance(1_000)
  await expect.poll(() => store.writes).toBe(1)
  for (let n = 0; n < 10; n++) await counters.take([day])
  const next = open(clock, store)
  expect((await next.take([{ ...day, amount: 901 }])).isTaken).toBe(false)
  expect((await next.take([{ ...day, amount: 900 }])).isTaken).toBe(true)
})

test('a quota of the calendar is kept until it begins again', async () => {
  const clock = createFakeClock()
  const store = new KeptInMemory()
  const charge = { ...toCharge('monday', 86_400_000, 1), leftMs: 60_000 }
  const one = open(clock, store)
  await one.take([charge])
  await one.close()
  clock.advance(20_000)
  const next = open(clock, store)
  expect(await next.take([{ ...charge, leftMs: 40_000 }])).toEqual({ isTaken: false, at: 0, retryAfterMs: 40_000 })
  clock.advance(600_000)
  await next.take([toCharge('other', 86_400_000, 1)])
  await next.close()
  expect([...store.kept.values()].map(({ key }) => key)).toEqual(['other'])
})

test('over restarts, at any time, no stretch of the window’s length holds more than its limit, nor much less for ever', async () => {
  const windowMs = 160_000
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 8 }),
      fc.array(fc.record({ ms: fc.integer({ min: 0, max: 60_000 }), restarts: fc.boolean() }), {
        minLength: 10,
        maxLength: 60,
      }),
      async (max, steps) => {
        const clock = createFakeClock()
        const store = new KeptInMemory()
        let counters = open(clock, store)
        const passed: number[] = []
        for (const { ms, restarts } of steps) {
          clock.advance(ms)
          if (restarts) {
            await counters.close()
            counters = open(clock, store)
          }
          const taken = await counters.take([toCharge('a', windowMs, max)])
          if (taken.isTaken) passed.push(clock.now())
          else expect(taken.retryAfterMs).toBeLessThanOrEqual((windowMs * 18) / 16)
        }
        for (let at = max; at < passed.length; at++) {
          expect(Number(passed[at]) - Number(passed[at - max])).toBeGreaterThanOrEqual(windowMs)
        }
        await counters.close()
      },
    ),
    { numRuns: 50 },
  )
})

test('while the store is away calls are counted in memory, said once, and all of it is written when it is back', async () => {
  const clock = createFakeClock()
  const store = new KeptInMemory()
  store.isAway = true
  const told: string[] = []
  const counters = open(clock, store, told)
  const day = toCharge('day', 86_400_000, 3)
  expect(await counters.take([day])).toEqual({ isTaken: true })
  expect(await counters.take([day])).toEqual({ isTaken: true })
  await expect.poll(() => told).toEqual(['Counts cannot be kept now, and are in memory only'])
  for (let n = 0; n < 3; n++) {
    clock.advance(1_000)
    await expect.poll(() => counters.figures.counts_unwritten).toBe(1)
  }
  store.kept.set('before', {
    key: 'day',
    owner: 'before',
    part: partOf(clock, 86_400_000),
    amount: 1,
    windowMs: 86_400_000,
    expiresAt: 2 ** 50,
  })
  store.isAway = false
  await expect
    .poll(() => {
      clock.advance(1_000)
      return told.at(-1)
    })
    .toBe('Counts are kept again')
  await expect.poll(() => store.kept.size).toBe(2)
  await expect.poll(() => counters.take([day])).toMatchObject({ isTaken: false })
})

test('abuse-14: what waits for a store that is away has a bound, and what goes beyond it is counted', async () => {
  const clock = createFakeClock()
  const store = new KeptInMemory()
  store.isAway = true
  const counters = open(clock, store)
  await counters.take([toCharge('first', 86_400_000, 1)])
  for (let n = 0; n < 100_500; n++) counters.take([toCharge(`${n}`, 86_400_000, 1)])
  expect(counters.figures).toEqual({ counts_unwritten: 100_000, counts_lost: 501 })
})

test('a call does not wait for a store that says nothing', async () => {
  const clock = createFakeClock()
  const store = new KeptInMemory()
  store.read = () => new Promise(() => {})
  const counters = open(clock, store)
  const first = counters.take([toCharge('day', 86_400_000, 1)])
  clock.advance(2_000)
  expect(await first).toEqual({ isTaken: true })
  expect(counters.take([toCharge('day', 86_400_000, 1)])).toMatchObject({ isTaken: false })
})

function open(
  clock: ReturnType<typeof createFakeClock>,
  store: CounterStore,
  told: string[] = [],
): Counters & LastingCounters {
  const tell = (_: unknown, message: string) => void told.push(message)
  return new LastingCounters({
    memory: new MemoryCounters({ clock }),
    store,
    clock,
    log: { ...SILENT, warn: tell, info: tell },
    owner: crypto.randomUUID(),
    minWindowMs: 60_000,
    writeDelayMs: 1_000,
  })
}

function toCharge(key: string, windowMs: number, max: number): Charge {
  return { key, amount: 1, max, windowMs }
}

function partOf(clock: { wallNow(): number }, windowMs: number): number {
  return Math.floor(clock.wallNow() / (windowMs / 16))
}

/** A store that may be away. */
class KeptInMemory implements CounterStore {
  readonly kept = new Map<string, KeptCount>()
  writes = 0
  isAway = false

  async save(counts: readonly KeptCount[]): Promise<void> {
    this.#check()
    this.writes++
    for (const count of counts) this.kept.set(JSON.stringify([count.key, count.owner, count.part]), { ...count })
  }

  async read({ now, after }: Parameters<CounterStore['read']>[0]): Promise<readonly KeptCount[]> {
    this.#check()
    return after === undefined ? [...this.kept.values()].filter(({ expiresAt }) => expiresAt > now) : []
  }

  async forget(now: number): Promise<void> {
    for (const [key, { expiresAt }] of this.kept) if (expiresAt <= now) this.kept.delete(key)
  }

  #check(): void {
    if (this.isAway) throw new StoreError('unavailable', 'Cannot use the store: it is away')
  }
}
