import { expect, test } from 'vitest'
import { ConfigError } from './config-error.ts'
import { parseConfig } from './parse.ts'

function problemsOf(traffic: object): readonly string[] {
  try {
    parseConfig(JSON.stringify({ servers: { one: { command: 'one' } }, traffic }), { path: 'c.json' })
    return []
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return error.message.split('\n')
  }
}

const limit = { name: 'calm', per: 'all', calls: 1, windowMs: 1_000 }

test('two counts of one name are one too many', () => {
  expect(problemsOf({ limits: [limit] })).toEqual([])
  const budget = { name: 'calm', per: 'all', cost: 1, windowMs: 1_000 }
  expect(problemsOf({ limits: [limit], budgets: [budget] }).join()).toContain('The name "calm" is already taken')
})

test('a rule about a server or view that is not there says so, and which was meant', () => {
  const problems = problemsOf({ limits: [{ ...limit, match: { servers: ['on', 'x*'], views: ['none'] } }] }).join()
  expect(problems).toContain('No server is named "on"')
  expect(problems).toContain('did you mean "one"?')
  expect(problems).toContain('No view is named "none"')
  expect(problems).not.toContain('x*')
})

test('a limit slides or follows the calendar, and not both', () => {
  const { windowMs: _, ...bare } = limit
  expect(problemsOf({ limits: [{ ...bare, every: 'day' }] })).toEqual([])
  expect(problemsOf({ limits: [{ ...bare, every: 'week', timezone: 'Europe/Berlin' }] })).toEqual([])
  for (const wrong of [bare, { ...limit, every: 'day' }]) {
    expect(problemsOf({ limits: [wrong] }).join()).toContain('Must have either "windowMs" or "every"')
  }
  expect(problemsOf({ limits: [{ ...limit, timezone: 'UTC' }] }).join()).toContain('Only what has "every" has this')
  const nowhere = problemsOf({ limits: [{ ...bare, every: 'day', timezone: 'Europe/Nowhere' }] }).join()
  expect(nowhere).toContain('No time zone has this name')
  expect(nowhere).not.toContain('Nowhere')
})

test('who is to count in Redis is told where that is', () => {
  expect(problemsOf({ counters: 'redis' }).join()).toContain('No Redis is configured')
  expect(problemsOf({ counters: 'store', onLoss: 'refuse', durable: { minWindowMs: 1_000 } })).toEqual([])
})
