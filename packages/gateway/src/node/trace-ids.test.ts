import { expect, test } from 'vitest'
import { createTraceIds } from './trace-ids.ts'

test('ids are lower-case hex of their length and do not repeat, over several blocks of randomness', () => {
  const ids = createTraceIds()
  const seen = new Set<string>()
  for (let n = 0; n < 5_000; n++) {
    const trace = ids.traceId()
    const span = ids.spanId()
    expect(trace).toMatch(/^[0-9a-f]{32}$/)
    expect(span).toMatch(/^[0-9a-f]{16}$/)
    seen.add(trace).add(span)
  }
  expect(seen.size).toBe(10_000)
})
