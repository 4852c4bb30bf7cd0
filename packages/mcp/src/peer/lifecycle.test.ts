import { expect, it } from 'vitest'
import { admits, advance, type Lifecycle, type LifecycleEvent, maySend } from './lifecycle.ts'

const STATES: Lifecycle[] = ['new', 'opening', 'opened', 'ready', 'closed']

it.each<[Lifecycle, LifecycleEvent, Lifecycle | 'refused']>([
  ['new', 'initialize', 'opening'],
  ['opening', 'initialize', 'refused'],
  ['opened', 'initialize', 'refused'],
  ['ready', 'initialize', 'refused'],
  ['opening', 'answered', 'opened'],
  ['ready', 'answered', 'ready'],
  ['opening', 'refused', 'new'],
  ['ready', 'refused', 'ready'],
  ['new', 'initialized', 'new'],
  ['opening', 'initialized', 'opening'],
  ['opened', 'initialized', 'ready'],
  ['ready', 'initialized', 'ready'],
  ['ready', 'close', 'closed'],
  ['closed', 'initialize', 'closed'],
])('%s and %s gives %s', (state, event, next) => {
  if (next === 'refused') expect(() => advance(state, event)).toThrow('Cannot initialize twice')
  else expect(advance(state, event)).toBe(next)
})

it('a request before initialize is refused, during it waits, and a ping never does', () => {
  expect(STATES.map((state) => admits(state, 'tools/list'))).toEqual(['never', 'later', 'now', 'now', 'never'])
  expect(STATES.map((state) => admits(state, 'ping'))).toEqual(['now', 'now', 'now', 'now', 'never'])
})

it('until the client confirms we send only pings and log messages', () => {
  const changed = 'notifications/tools/list_changed'
  expect(STATES.map((state) => maySend(state, changed))).toEqual([false, false, false, true, false])
  expect(STATES.map((state) => maySend(state, 'notifications/message'))).toEqual([false, false, true, true, false])
  expect(STATES.map((state) => maySend(state, 'ping'))).toEqual([false, false, true, true, false])
})
