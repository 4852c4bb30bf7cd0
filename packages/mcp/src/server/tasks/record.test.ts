import fc from 'fast-check'
import { expect, test } from 'vitest'
import { isFinal } from '../../protocol/features/tasks.ts'
import { advance, expiryOf, isOrphan, type TaskEvent, type TaskRecord, toDetailedTask } from './record.ts'

const RECORD: TaskRecord = {
  taskId: 'id',
  owner: 'me',
  status: 'working',
  createdAtMs: 1_000,
  updatedAtMs: 1_000,
  keepMs: 500,
  bytes: 8_192,
  pollIntervalMs: 10,
  worker: 'w',
  leaseUntilMs: 2_000,
  inputRequests: {},
}
const request = { method: 'roots/list', params: {} }

const events: fc.Arbitrary<TaskEvent> = fc.oneof(
  fc.record({
    kind: fc.constant('asked' as const),
    key: fc.constantFrom('a', 'b', 'c'),
    request: fc.constant(request),
  }),
  fc.record({ kind: fc.constant('answered' as const), keys: fc.array(fc.constantFrom('a', 'b', 'c', '__proto__')) }),
  fc.record({ kind: fc.constant('completed' as const), result: fc.constant({ content: [] }) }),
  fc.record({ kind: fc.constant('failed' as const), error: fc.constant({ code: -32603, message: 'm' }) }),
  fc.record({ kind: fc.constant('cancelled' as const) }),
)

test('trap-40: whatever happens, what is final stays as it is, and every status has what belongs to it', () => {
  fc.assert(
    fc.property(fc.array(events), (happened) => {
      let record = RECORD
      for (const [index, event] of happened.entries()) {
        const before = record
        record = advance(before, event, 1_000 + index)
        if (isFinal(before.status)) expect(record).toBe(before)
        const open = Object.keys(record.inputRequests).length
        expect(open > 0).toBe(record.status === 'input_required')
        expect(record.result !== undefined).toBe(record.status === 'completed')
        expect(record.error !== undefined).toBe(record.status === 'failed')
        const task = toDetailedTask(record, 2_000)
        expect('inputRequests' in task).toBe(task.status === 'input_required')
      }
    }),
  )
})

test('an answer to nothing that is asked changes nothing', () => {
  const asked = advance(RECORD, { kind: 'asked', key: 'a', request }, 1_100)
  expect(advance(asked, { kind: 'answered', keys: ['b'] }, 1_200)).toBe(asked)
  expect(advance(asked, { kind: 'answered', keys: ['a', 'b'] }, 1_200)).toMatchObject({
    status: 'working',
    updatedAtMs: 1_200,
  })
})

test('the time to live of a task at work grows with it, and stands once it is final', () => {
  expect(toDetailedTask(RECORD, 1_000).ttlMs).toBe(500)
  expect(toDetailedTask(RECORD, 61_000.4).ttlMs).toBe(60_501)
  const final = advance(RECORD, { kind: 'cancelled' }, 3_000)
  expect([toDetailedTask(final, 9_000).ttlMs, expiryOf(final)]).toEqual([2_500, 3_500])
})

test('a task whose worker gave no sign of life is an orphan; one that is final is none', () => {
  expect([isOrphan(RECORD, 2_000), isOrphan(RECORD, 2_001)]).toEqual([false, true])
  expect(isOrphan(advance(RECORD, { kind: 'cancelled' }, 1_500), 2_001)).toBe(false)
})
