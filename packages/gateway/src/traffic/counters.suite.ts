import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Charge, type Counters, MemoryCounters, type Taken } from './counters.ts'

/** Some that count together, by one clock that is in the hands of the test. */
export interface CountedTogether {
  readonly instances: readonly Pick<Counters, 'take'>[]
  readonly clock: { now(): number; advance(ms: number): void }
  /** Other keys than those of any run before. */
  readonly key: (name: string) => string
}

/** What every driver of the port keeps to: no driver may let through what another one would not. */
export function countersSuite(open: () => Promise<CountedTogether>): void {
  const step = fc.record({
    ms: fc.oneof(fc.integer({ min: 0, max: 20_000 }), fc.constant(0), fc.constant(63_750)),
    instance: fc.nat(),
    key: fc.constantFrom('a', 'b'),
    amount: fc.integer({ min: 1, max: 4 }),
  })

  test('counters: no stretch of a window’s length holds more than its limit, whoever counts, and waits are as long as they are said', async () => {
    const { instances, clock, key } = await open()
    let run = 0
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 3, max: 12 }),
        fc.integer({ min: 60_000, max: 90_000 }),
        fc.array(step, { minLength: 20, maxLength: 80 }),
        async (max, windowMs, steps) => {
          run++
          const passed = new Map<string, { at: number; amount: number }[]>()
          const model = new MemoryCounters({ clock: { now: () => clock.now(), wallNow: () => 0, setTimer: neverSet } })
          for (const { ms, instance, key: name, amount } of steps) {
            clock.advance(ms)
            const charge: Charge = { key: key(`${run}${name}`), amount, max, windowMs }
            const taken = await pick(instances, instance).take([charge])
            expect(taken).toEqual(model.take([charge]))
            if (!taken.isTaken) continue
            const own = passed.get(name) ?? []
            passed.set(name, [...own, { at: clock.now(), amount }])
            const held = [...own, { at: clock.now(), amount }].filter(({ at }) => at > clock.now() - windowMs)
            expect(held.reduce((sum, one) => sum + one.amount, 0)).toBeLessThanOrEqual(max)
          }
        },
      ),
      { numRuns: 25 },
    )
  })

  test('counters: who waits as long as was said is let through', async () => {
    const { instances, clock, key } = await open()
    const [one, other] = [pick(instances, 0), pick(instances, 1)]
    const charge = toCharge(key('a'), { max: 3, amount: 2 })
    expect(await one.take([charge])).toEqual({ isTaken: true })
    const refused = await other.take([charge])
    expect(refused).toMatchObject({ isTaken: false, at: 0 })
    const { retryAfterMs } = refused as Extract<Taken, { isTaken: false }>
    clock.advance(retryAfterMs - 1)
    expect((await other.take([charge])).isTaken).toBe(false)
    clock.advance(1)
    expect((await other.take([charge])).isTaken).toBe(true)
  })

  test('counters: of several charges all are counted or none', async () => {
    const { instances, key } = await open()
    const [one, other] = [pick(instances, 0), pick(instances, 1)]
    const wide = toCharge(key('wide'), { max: 2 })
    const narrow = toCharge(key('narrow'), { max: 1 })
    const day = toCharge(key('day'), { max: 2, leftMs: 70_000 })
    expect(await one.take([wide, narrow, day])).toEqual({ isTaken: true })
    expect(await other.take([wide, day, narrow])).toMatchObject({ isTaken: false, at: 2 })
    expect(await other.take([wide, day])).toEqual({ isTaken: true })
    expect(await one.take([wide])).toMatchObject({ isTaken: false, at: 0 })
    expect(await one.take([])).toEqual({ isTaken: true })
  })

  test('counters: what could never pass is refused, with the whole window as the wait', async () => {
    const { instances, key } = await open()
    const counters = pick(instances, 0)
    const sliding = toCharge(key('a'), { max: 3, amount: 4 })
    expect(await counters.take([sliding])).toEqual({ isTaken: false, at: 0, retryAfterMs: 60_000 })
    const daily = { ...sliding, key: key('b'), leftMs: 1_234 }
    expect(await counters.take([daily])).toEqual({ isTaken: false, at: 0, retryAfterMs: 1_234 })
  })

  test('counters: a stretch of the calendar holds its limit, and a refused one is told when it ends', async () => {
    const { instances, clock, key } = await open()
    const at = (leftMs: number, day: string) => toCharge(key(day), { max: 2, windowMs: 86_400_000, leftMs })
    expect(await pick(instances, 0).take([at(10_000, 'monday')])).toEqual({ isTaken: true })
    clock.advance(4_000)
    expect(await pick(instances, 1).take([at(6_000, 'monday')])).toEqual({ isTaken: true })
    clock.advance(5_000)
    expect(await pick(instances, 0).take([at(1_000, 'monday')])).toEqual({ isTaken: false, at: 0, retryAfterMs: 1_000 })
    clock.advance(1_000)
    expect(await pick(instances, 0).take([at(86_400_000, 'tuesday')])).toEqual({ isTaken: true })
  })

  test('counters: keys are apart, whatever is in them', async () => {
    const { instances, key } = await open()
    for (const odd of ['', ' ', '\0', '\ud800', '\udc00', '\ufffd', '{a}', '*', 'é', 'e\u0301', 'x'.repeat(5_000)]) {
      expect(await pick(instances, 0).take([toCharge(key(odd), { max: 1 })]), odd).toEqual({ isTaken: true })
      expect(await pick(instances, 1).take([toCharge(key(odd), { max: 1 })]), odd).toMatchObject({ isTaken: false })
    }
  })

  test('counters: of many at once exactly as many pass as may', async () => {
    const { instances, key } = await open()
    const charges = [toCharge(key('a'), { max: 37 }), toCharge(key('b'), { max: 41 })]
    const taken = await Promise.all(Array.from({ length: 200 }, (_, at) => pick(instances, at).take(charges)))
    expect(taken.filter(({ isTaken }) => isTaken)).toHaveLength(37)
  })
}

function toCharge(key: string, more: Partial<Charge>): Charge {
  return { key, amount: 1, max: 1, windowMs: 60_000, ...more }
}

function pick(instances: CountedTogether['instances'], at: number): Pick<Counters, 'take'> {
  const found = instances[at % instances.length]
  if (found === undefined) throw new Error('There is nobody who counts')
  return found
}

function neverSet(): never {
  throw new Error('Counting in memory needs no timer')
}
