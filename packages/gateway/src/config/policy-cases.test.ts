import { expect, test } from 'vitest'
import { ConfigError } from './config-error.ts'
import { parsePolicyCases } from './policy-cases.ts'

function faultsOf(text: string): readonly string[] {
  try {
    parsePolicyCases(text, 'rules.yaml')
  } catch (error) {
    if (error instanceof ConfigError) return error.message.split('\n')
    throw error
  }
  return []
}

test('tests of rules are read with their places, and what is left out is filled in', () => {
  const text = `
tests:
  - as: bob
    tool: files__delete
    expect: deny
  - name: docs may read
    as: alice
    tenant: acme
    claims: { department: docs }
    resource: file:///srv/a.txt
    expect: allow
    listed: true
`
  expect(parsePolicyCases(text, 'rules.yaml')).toMatchObject([
    { name: 'bob and files__delete', tenant: 'default', kind: 'tool', thing: 'files__delete', roles: [], line: 3 },
    { name: 'docs may read', kind: 'resource', thing: 'file:///srv/a.txt', listed: true, line: 6 },
  ])
})

test('everything wrong is said at once, each with its line', () => {
  expect(
    faultsOf(`tests:
  - as: bob
    tool: a
    promt: b
    expect: maybe
  - tool: a
    prompt: b
    expect: deny
    as: x
  - expect: deny
    tool: a
`),
  ).toEqual([
    'rules.yaml:4:5: tests[0].promt: Unknown key "promt"',
    'rules.yaml:5:5: tests[0].expect: Must be allow or deny',
    'rules.yaml:6:5: tests[1]: Must name one of "tool", "prompt" and "resource"',
    'rules.yaml:10:5: tests[2]: The key "as" is missing',
  ])
  expect(faultsOf('tests: []')).toEqual(['rules.yaml:1:1: tests: There must be at least one test'])
  expect(faultsOf('')).toEqual(['rules.yaml:1:1: The key "tests" is missing'])
})
