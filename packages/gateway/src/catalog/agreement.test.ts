import { expect, test } from 'vitest'
import { agree } from './agreement.ts'
import type { Offer } from './offer.ts'

const offer = (...names: readonly string[]): Offer => ({
  tools: names.map((name) => ({ name, inputSchema: {} })),
  resources: [],
  templates: [],
  prompts: [],
  skills: [],
  capabilities: { tools: {} },
  instructions: undefined,
  told: [],
})

test('what most replicas offer is listed, of as many the first', () => {
  const [a, b, c] = [offer('one'), offer('one', 'two'), offer('two', 'one')]
  expect(agree([a, b, c]).offer).toBe(b)
  expect(agree([a, b]).offer).toBe(a)
  expect(agree([undefined, b]).offer).toBe(b)
  expect(agree([]).offer).toBeUndefined()
})

test('says how one differs, and which listed tools it lacks', () => {
  const { differences } = agree([offer('one', 'two'), offer('one', 'two'), offer('two', 'three'), undefined])
  expect(differences.map(({ named }) => named)).toEqual([[], [], ['tools: one', 'tools: three'], []])
  expect([...(differences[2]?.lacks ?? [])]).toEqual(['one'])
  const many = agree([offer(), offer(), offer(...'abcdefgh')])
  expect(many.differences[2]?.named).toHaveLength(6)
})

test('what is listed stays the same object where another replica offers the same', () => {
  const before = offer('one')
  expect(agree([offer('one'), before], before).offer).toBe(before)
})
