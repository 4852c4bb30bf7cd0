import { expect, test } from 'vitest'
import { type Ranked, rank } from './rank.ts'

const way = (name: string, more: Partial<Ranked> = {}) => ({
  name,
  cost: 1,
  weight: 1,
  pending: 0,
  latencyMs: 10,
  ...more,
})
const names = (ways: readonly { readonly name: string }[]) => ways.map(({ name }) => name).join('')

test('by order and by cost, the order of the file decides among equals', () => {
  const ways = [way('a', { cost: 2 }), way('b'), way('c', { cost: 2 }), way('d')]
  expect(names(rank(ways, 'order', Math.random))).toBe('abcd')
  expect(names(rank(ways, 'cost', Math.random))).toBe('bdac')
})

test('by latency the quickest, with what is at work there; the unknown is tried by one call at a time', () => {
  expect(names(rank([way('a', { latencyMs: 30 }), way('b', { pending: 3 }), way('c')], 'latency', Math.random))).toBe(
    'cab',
  )
  const unknown = { latencyMs: undefined }
  expect(names(rank([way('a'), way('b', unknown)], 'latency', Math.random))).toBe('ba')
  expect(names(rank([way('a'), way('b', { ...unknown, pending: 1 })], 'latency', Math.random))).toBe('ab')
})

test('by weight everybody is in the order once', () => {
  expect(names(rank([way('a'), way('b', { weight: 3 }), way('c')], 'weight', () => 0.5))).toBe('bca')
})
