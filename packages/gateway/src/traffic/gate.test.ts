import { createFakeClock } from '@crosspoint/testkit'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { CallClass } from '../config/model-traffic.ts'
import { Gate, type Shed } from './gate.ts'

const BOUNDS = { max: 1, maxWaiting: 100, maxWaitMs: 10_000 }

function open(bounds: Partial<typeof BOUNDS> = {}) {
  const clock = createFakeClock()
  const gate = new Gate({ ...BOUNDS, ...bounds }, clock)
  const told: [string, Shed['why'] | 'in'][] = []
  const enter = (owner: string, of: CallClass = 'normal', deadline?: number) => {
    const entered = gate.enter({ class: of, owner, deadline }, (shed) => void told.push([owner, shed?.why ?? 'in']))
    return typeof entered === 'function' ? 'waits' : entered
  }
  return { clock, gate, told, enter }
}

test('classes are served by their weights: interactive first of all, and a batch not never', () => {
  const { gate, told, enter } = open()
  enter('first')
  for (let n = 0; n < 30; n++) for (const of of ['batch', 'normal', 'interactive'] as const) enter(of, of)
  for (let n = 0; n < 21; n++) gate.leave(1)
  const count = (of: string) => told.filter(([owner]) => owner === of).length
  expect([count('interactive'), count('normal'), count('batch')]).toEqual([16, 4, 1])
  expect(told[0]).toEqual(['interactive', 'in'])
})

test('abuse-14: owners take turns, so that a thousand calls of one are no line in front of another', () => {
  const { gate, told, enter } = open({ maxWaiting: 1_001 })
  enter('first')
  for (let n = 0; n < 1_000; n++) enter('mallory')
  enter('anna')
  gate.leave(1)
  gate.leave(1)
  expect(told).toEqual([
    ['mallory', 'in'],
    ['anna', 'in'],
  ])
})

test('abuse-14: a line full of one owner makes room for another, and for what is more urgent', () => {
  const { told, enter } = open({ maxWaiting: 3 })
  enter('first')
  for (let n = 0; n < 3; n++) expect(enter('mallory')).toBe('waits')
  expect(enter('mallory')).toMatchObject({ why: 'full' })
  expect(enter('anna')).toBe('waits')
  expect(enter('bert', 'batch')).toMatchObject({ why: 'full' })
  expect(enter('clara', 'interactive')).toBe('waits')
  expect(told).toEqual([
    ['mallory', 'displaced'],
    ['mallory', 'displaced'],
  ])
})

test('who cannot be served in time is told at once, with the time it would take', () => {
  const { clock, gate, enter } = open({ maxWaitMs: 2_500 })
  enter('first')
  gate.leave(1_000)
  enter('first')
  expect(enter('a')).toBe('waits')
  expect(enter('b', 'normal', clock.now() + 1_500)).toEqual({ why: 'too-late', retryAfterMs: 2_000 })
  expect(enter('b')).toBe('waits')
  expect(enter('c')).toEqual({ why: 'too-late', retryAfterMs: 3_000 })
  expect(enter('d', 'interactive')).toBe('waits')
})

test('who waited too long is told so and stands in line no more', () => {
  const { clock, gate, told, enter } = open()
  enter('first')
  enter('a')
  enter('b', 'normal', 5_000)
  clock.advance(5_000)
  expect(told).toEqual([['b', 'too-late']])
  clock.advance(5_000)
  expect(told).toHaveLength(2)
  expect(gate.waiting).toBe(0)
  gate.leave(1)
  expect(gate.inside).toBe(0)
})

test('never are more in than may be, and everybody is told exactly once', () => {
  const step = fc.oneof(
    fc.record({
      kind: fc.constant('enter' as const),
      of: fc.constantFrom('interactive' as const, 'batch' as const),
      owner: fc.nat(3),
    }),
    fc.record({ kind: fc.constantFrom('leave' as const, 'wait' as const, 'go' as const), n: fc.nat(900) }),
  )
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 3 }),
      fc.nat(4),
      fc.array(step, { maxLength: 80 }),
      (max, maxWaiting, steps) => {
        const clock = createFakeClock()
        const gate = new Gate({ max, maxWaiting, maxWaitMs: 1_000 }, clock)
        let [inside, asked, answered] = [0, 0, 0]
        const waiting = new Set<() => void>()
        for (const one of steps) {
          if (one.kind === 'enter') {
            asked++
            let leaveLine: (() => void) | undefined
            const entered = gate.enter({ class: one.of, owner: String(one.owner), deadline: undefined }, (shed) => {
              answered++
              if (shed === undefined) inside++
              if (leaveLine !== undefined) waiting.delete(leaveLine)
            })
            if (typeof entered === 'function') {
              leaveLine = entered
              waiting.add(entered)
            } else {
              answered++
              if (entered === 'in') inside++
            }
          } else if (one.kind === 'leave' && inside > 0) {
            inside--
            gate.leave(one.n)
          } else if (one.kind === 'wait') clock.advance(one.n)
          else if (one.kind === 'go') {
            const [first] = waiting
            if (first === undefined) continue
            first()
            waiting.delete(first)
            answered++
          }
          expect(gate.inside).toBe(inside)
          expect(inside).toBeLessThanOrEqual(max)
          expect(gate.waiting).toBe(waiting.size)
          expect(gate.waiting).toBeLessThanOrEqual(maxWaiting)
          expect(answered + waiting.size).toBe(asked)
        }
      },
    ),
  )
})
