import { expect, test } from 'vitest'
import type { Balance } from '../../config/model-replicas.ts'
import { type Candidate, choose } from './balance.ts'

/** The same numbers with each run. */
function seeded(seed = 1): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

const candidate = (more: Partial<Candidate> = {}): Candidate & { count: number } => ({
  weight: 1,
  pending: 0,
  latencyMs: 10,
  credit: 0,
  count: 0,
  ...more,
})

/** How many of 6,000 calls each gets, of which so many are at work at once. */
function spread(candidates: readonly (Candidate & { count: number })[], balance: Balance, atWork = 0): number[] {
  const random = seeded()
  const line: { pending: number }[] = []
  for (let n = 0; n < 6_000; n++) {
    const chosen = choose(candidates, balance, random) as Candidate & { count: number; pending: number }
    chosen.count++
    if (atWork === 0) continue
    chosen.pending++
    line.push(chosen)
    const done = line.length > atWork ? line.shift() : undefined
    if (done !== undefined) done.pending--
  }
  return candidates.map(({ count }) => count)
}

test('by turns each gets exactly its weight, and nobody several at once', () => {
  expect(spread([candidate(), candidate({ weight: 2 }), candidate({ weight: 3 })], 'round-robin')).toEqual([
    1_000, 2_000, 3_000,
  ])
  const [a, b] = [candidate({ weight: 2 }), candidate()]
  const order = Array.from({ length: 6 }, () => choose([a, b], 'round-robin', seeded()) === a)
  expect(order).toEqual([true, false, true, true, false, true])
})

test('the fewest at work, each by its weight', () => {
  const [light = 0, heavy = 0] = spread([candidate(), candidate({ weight: 3 })], 'least-pending', 40)
  expect(heavy / light).toBeGreaterThan(2.7)
  expect(heavy / light).toBeLessThan(3.3)
})

test.each(['random-two', 'least-pending'] as const)(
  '%s: among equals nobody gets much more than another',
  (balance) => {
    for (const atWork of [0, 30]) {
      const counts = spread([candidate(), candidate(), candidate()], balance, atWork)
      for (const count of counts) expect(Math.abs(count - 2_000)).toBeLessThan(200)
    }
  },
)

test('random-two: weights count among equals, and a slow one gets less however heavy it is', () => {
  const [light = 0, heavy = 0] = spread([candidate(), candidate({ weight: 3 })], 'random-two')
  expect(heavy / light).toBeGreaterThan(2.7)
  expect(heavy / light).toBeLessThan(3.3)
  const [quick = 0, slow = 0] = spread([candidate(), candidate({ weight: 10, latencyMs: 500 })], 'random-two')
  expect(slow).toBeLessThan(quick / 10)
})

test('random-two: one of whom nothing is known is tried like the quickest', () => {
  const [known = 0, unknown = 0] = spread([candidate(), candidate({ latencyMs: undefined })], 'random-two')
  expect(Math.abs(known - unknown)).toBeLessThan(300)
})
