import { expect, test } from 'vitest'
import { type Offer, withSessions } from './offer.ts'

const offer = (tools: readonly object[]): Offer => ({
  tools: tools as Offer['tools'],
  prompts: [],
  resources: [],
  templates: [],
  skills: [],
  capabilities: { tools: {} },
  instructions: undefined,
  told: [],
})

const one = { name: 'one', description: 'as we saw it' }
const two = { name: 'two' }

test('what a call brought into a session, or changed there, is offered in the order we know, the new behind', () => {
  const changed = { name: 'one', description: 'changed' }
  const seen = withSessions(offer([one, two]), [offer([two, one, { name: 'three' }]), offer([changed, two])])
  expect(seen?.tools).toEqual([changed, two, { name: 'three' }])
})

test('a session that shows the same changes nothing, not even the object', () => {
  const own = offer([one, two])
  expect(withSessions(own, [offer([two]), offer([one])])).toBe(own)
  expect(withSessions(undefined, [own])).toBe(own)
})
