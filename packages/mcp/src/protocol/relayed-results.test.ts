import { expect, test } from 'vitest'
import { UPSTREAM_LIMITS } from '../jsonrpc/limits.ts'
import { relay, sizeOfResult } from './relayed-results.ts'

test('the size of a result is that of its JSON, read or relayed', () => {
  const result = { content: [{ type: 'text', text: 'ä'.repeat(5_000) }], isError: false }
  const text = JSON.stringify(result)
  const bytes = new TextEncoder().encode(`{"jsonrpc":"2.0","id":1,"result":${text}}`)
  const relayed = relay([bytes.subarray(0, 100), bytes.subarray(100)], UPSTREAM_LIMITS)?.result
  if (relayed === undefined) throw new Error('It is plain enough to be relayed')
  const size = new TextEncoder().encode(text).length
  expect([sizeOfResult(result), sizeOfResult(relayed)]).toEqual([size, size])
})
