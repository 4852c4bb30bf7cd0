import { expect, test } from 'vitest'
import { ConfigError } from './config-error.ts'
import { diffConfig } from './diff.ts'
import { parseConfig } from './parse.ts'

const BASE = { servers: { files: { command: 'files' } }, views: { small: {} }, scopes: { 'read:file': {} } }

function issuesOf(more: object): readonly string[] {
  try {
    parseConfig(JSON.stringify({ ...BASE, ...more }), { path: 'crosspoint.json' })
  } catch (error) {
    if (error instanceof ConfigError)
      return error.issues.map(({ path, message, hint }) => `${path}: ${message} ${hint}`)
    throw error
  }
  return []
}

test.each([
  [
    { rules: [{ name: 'r', effect: 'deny', when: 'principal.idd == "secret"' }] },
    /rules.*"r" cannot be used at character 11: there is no such field; known are principal/,
  ],
  [{ rules: [{ name: 'r', effect: 'deny', when: 'user == "secret"' }] }, /known here are principal, view, server/],
  [
    { assign: [{ role: 'x', when: 'arguments.a == "secret"' }] },
    /role "x" cannot be used at character 1: known here are principal /,
  ],
  [
    { rules: [{ name: 'r', effect: 'deny', prompts: ['*'], when: 'tool.name == "secret"' }] },
    /speaks of "tool", and the rule is about others too/,
  ],
  [{ rules: [{ name: 'r', effect: 'deny', when: 'tool.name == prompt.name' }] }, /a rule for each can/],
  [
    {
      rules: [
        { name: 'r', effect: 'deny' },
        { name: 'r', effect: 'allow' },
      ],
    },
    /Another rule has this name/,
  ],
  [{ rules: [{ name: 'r', effect: 'deny', servers: ['file'] }] }, /No server is named "file" did you mean "files"\?/],
  [{ rules: [{ name: 'r', effect: 'deny', views: ['smal'] }] }, /No view is named "smal" did you mean "small"\?/],
  [{ views: { none: { default: 'deny' } } }, /No view is named "none"/],
  [{ rules: [{ name: 'r', effect: 'block' }] }, /Must be allow or deny/],
])('says what cannot be meant by %j, and repeats no condition', (policy, message) => {
  const issues = issuesOf({ policy })
  expect(issues).toEqual([expect.stringMatching(message) as string])
  expect(issues.join()).not.toContain('secret')
})

test('a role gives scopes that there are', () => {
  expect(issuesOf({ roles: { reader: { scopes: ['read:fil'] } } })).toEqual([
    expect.stringContaining('No scope is named "read:fil" did you mean "read:file"?') as string,
  ])
  expect(issuesOf({ roles: { reader: { scopes: ['read:*'] } } })).toEqual([])
})

test('a difference in rules is a setting that differs', () => {
  const parse = (more: object) => parseConfig(JSON.stringify({ ...BASE, ...more }), { path: 'crosspoint.json' }).config
  const rules = (effect: string) => ({ policy: { rules: [{ name: 'r', effect, when: 'view == ""' }] } })
  expect(diffConfig(parse(rules('deny')), parse(rules('deny'))).isEmpty).toBe(true)
  expect(diffConfig(parse(rules('deny')), parse(rules('allow'))).settings).toEqual(['policy.rules'])
  expect(diffConfig(parse({}), parse({ scopes: {}, roles: { x: { scopes: [] } } })).settings).toEqual([
    'policy.scopes',
    'policy.roles',
  ])
})
