import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { AuditRow } from '../contract/audit-store.ts'
import { packRows, unpackRows } from './packed-rows.ts'

test('rows come out of their package as they went in, also by way of another thread', () => {
  const text = fc.string({ unit: 'binary' })
  const index = fc.record(
    { tenant: text, principal: text, method: text, target: text, upstream: text, outcome: text, trace: text },
    { requiredKeys: ['tenant', 'principal', 'method', 'outcome'], noNullPrototype: true },
  )
  const row: fc.Arbitrary<AuditRow> = fc.record(
    { chain: text, seq: fc.nat(), at: fc.nat(), previous: text, hash: text, record: text, index },
    { noNullPrototype: true },
  )
  fc.assert(
    fc.property(fc.array(row), (rows) => {
      expect(unpackRows(structuredClone(packRows(rows)))).toStrictEqual(rows)
    }),
  )
})
