// Proves that the conformance run cannot be green by accident: each way it can go wrong is put before the judge.
import { deepStrictEqual } from 'node:assert'
import { judge } from './conformance-judge.mjs'
import { createTally } from './tally.mjs'

const reports = (scenarios) =>
  new Map(Object.entries(scenarios).map(([name, statuses]) => [name, statuses.map((status) => ({ id: name, status }))]))
const listed = (...scenarios) => scenarios.map((scenario) => ({ scenario, reason: 'later' }))

/** What was reported, what the baseline says, and the titles that must have failed. */
const cases = {
  'as expected': [{ a: ['SUCCESS', 'SUCCESS'], b: ['FAILURE'] }, { checks: 3, failing: listed('b') }, []],
  'a failure nobody listed': [{ a: ['SUCCESS', 'FAILURE'] }, { checks: 2 }, ['a']],
  'a warning nobody listed': [{ a: ['SUCCESS', 'WARNING'] }, { checks: 2 }, ['a']],
  'a listed scenario that passes': [{ a: ['SUCCESS'] }, { checks: 1, failing: listed('a') }, ['a']],
  'a listed scenario that does not exist': [{ a: ['SUCCESS'] }, { checks: 1, failing: listed('z') }, ['z']],
  'a scenario that never reported': [{ a: ['SUCCESS'], b: [] }, { checks: 1 }, ['b']],
  'a scenario that only skipped': [{ a: ['SUCCESS'], b: ['SKIPPED', 'INFO'] }, { checks: 1 }, ['b']],
  'a scenario that is known to be skipped': [
    { a: ['SUCCESS'], b: ['SKIPPED'] },
    { checks: 1, skipping: listed('b') },
    [],
  ],
  'a scenario no longer skipped': [{ a: ['SUCCESS', 'SUCCESS'] }, { checks: 2, skipping: listed('a') }, ['a']],
  'a scenario known to be skipped that never reported': [{ a: [] }, { checks: 0, skipping: listed('a') }, ['a']],
  'a listed scenario without a reason': [{ a: ['FAILURE'] }, { checks: 1, failing: [{ scenario: 'a' }] }, ['a']],
  'fewer checks than expected': [{ a: ['SUCCESS'] }, { checks: 2 }, ['number of checks']],
  'more checks than expected': [{ a: ['SUCCESS', 'SUCCESS'] }, { checks: 1 }, ['number of checks']],
  'nothing at all': [{}, { checks: 3 }, ['number of checks']],
}

const tally = createTally('conformance judge')
for (const [title, [found, expected, failing]] of Object.entries(cases)) {
  await tally.check(title, () => {
    const { failed } = judge(reports(found), expected)
    deepStrictEqual(
      failed.map(([name]) => name),
      failing,
    )
  })
}
tally.finish()
