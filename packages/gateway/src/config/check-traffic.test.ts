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
