import { createFakeClock } from '@crosspoint/testkit'
import { expect, test } from 'vitest'
import { SILENT } from '../log.ts'
import { type Charge, MemoryCounters } from './counters.ts'
import { SharedCounters } from './shared-counters.ts'

function open({ onLoss = 'local' as 'local' | 'refuse', replicas = 3 } = {}) {
  const clock = createFakeClock()
  const common = new MemoryCounters({ clock })
  const told: string[] = []
  const state = { isAway: false, asked: 0 }
  const tell = (_: unknown, message: string) => void told.push(message)
  const counters = new SharedCounters({
    common: {
      replicas,
      take: async (charges) => {
        state.asked++
        if (state.isAway) throw new Error('Nobody there')
        return common.take(charges)
      },
      close: async () => {},
    },
    memory: new MemoryCounters({ clock }),
    clock,
    log: { ...SILENT, warn: tell, info: tell },
    onLoss: () => onLoss,
  })
  return { clock, counters, state, told }
}

const charge = (max: number, more: Partial<Charge> = {}): Charge => ({
  key: 'a',
  amount: 1,
  max,
  windowMs: 60_000,
  ...more,
})

test('while nobody answers each replica lets its share through, of which it knows what it has used', async () => {
  const { clock, counters, state, told } = open()
  for (let n = 0; n < 2; n++) expect(await counters.take([charge(12)])).toEqual({ isTaken: true })
  state.isAway = true
  const taken = await Promise.all(Array.from({ length: 9 }, () => counters.take([charge(12)])))
  expect(taken.filter(({ isTaken }) => isTaken)).toHaveLength(2) // its share is 4
  expect(told).toEqual(['Calls are counted by this replica alone, up to its share'])
  expect(counters.figures).toEqual({ counters_away: 1, counted_alone: 9 })
  state.isAway = false
  clock.advance(2_000)
  expect(await counters.take([charge(12)])).toEqual({ isTaken: true })
  expect(told.at(-1)).toBe('Calls are counted together with other replicas again')
  expect(counters.figures).toMatchObject({ counters_away: 0 })
})

test('after three that waited in vain nobody waits, and one in two seconds finds out', async () => {
  const { clock, counters, state } = open()
  state.isAway = true
  for (let n = 0; n < 3; n++) await counters.take([charge(100)])
  expect(counters.take([charge(100)])).toEqual({ isTaken: true }) // no promise
  expect(state.asked).toBe(3)
  clock.advance(2_000)
  const [probe, other] = [counters.take([charge(100)]), counters.take([charge(100)])]
  expect(other).toEqual({ isTaken: true })
  await probe
  expect(state.asked).toBe(4)
  expect(counters.take([charge(100)])).toEqual({ isTaken: true })
})

test('what is dearer than a share still passes, once', async () => {
  const { counters, state } = open()
  state.isAway = true
  expect(await counters.take([charge(20, { amount: 10 })])).toEqual({ isTaken: true })
  expect(await counters.take([charge(20, { amount: 10 })])).toMatchObject({ isTaken: false })
  expect(await counters.take([charge(20, { key: 'b', amount: 21 })])).toMatchObject({ isTaken: false })
})

test('or nothing passes, and it is said that nobody can tell', async () => {
  const { counters, state, told } = open({ onLoss: 'refuse' })
  state.isAway = true
  expect(await counters.take([charge(12)])).toEqual({ isTaken: false, at: 0, retryAfterMs: 2_000, isAway: true })
  expect(told).toEqual(['Calls cannot be counted, and are refused where they are limited'])
})
