import { expect, it } from 'vitest'
import { run } from '../../fixtures/crosspoint.ts'
import { createWorkspace, EVERYTHING } from '../../fixtures/workspace.ts'

function setUp(tests?: string) {
  const workspace = createWorkspace()
  workspace.write('crosspoint.json', {
    servers: { everything: { command: process.execPath, args: EVERYTHING, prefix: 'all' } },
    policy: {
      rules: [
        { name: 'devs', effect: 'deny', tools: ['all__get-env'], when: '!("dev" in principal.roles)' },
        { name: 'quiet', effect: 'deny', tools: ['all__echo'], when: 'arguments.message.size() > 5' },
        { name: 'no-keys', effect: 'deny', tools: ['all__echo'], when: 'result.text.contains("sk-")' },
      ],
    },
  })
  if (tests !== undefined) workspace.write('crosspoint.tests.json', tests)
  return workspace
}

it('policy test holds the rules against what is expected, without a call', async () => {
  const { options, left } = setUp(`{ "tests": [
    { "as": "alice", "tool": "all__get-env", "expect": "deny", "rule": "devs", "listed": false },
    { "as": "alice", "roles": ["dev"], "tool": "all__get-env", "expect": "allow", "listed": true },
    { "as": "bob", "tool": "all__echo", "arguments": { "message": "short" }, "expect": "allow" },
    { "as": "bob", "tool": "all__echo", "arguments": { "message": "much too long" }, "expect": "deny", "rule": "quiet" },
    { "as": "bob", "tool": "all__echo", "arguments": { "message": "x" }, "expect": "deny", "rule": "no-keys",
      "result": { "content": [{ "type": "text", "text": "sk-1" }] } }
  ] }`)
  const { code, stdout, stderr } = await run(['policy', 'test'], options)
  expect({ code, stdout }).toEqual({ code: 0, stdout: '' })
  expect(stderr).toContain('all as expected: 5 tests')
  expect(left()).toEqual([])
})

it('policy test names each that is decided otherwise, with its line, and ends with 8', async () => {
  const { options } = setUp(`{ "tests": [
    { "as": "alice", "tool": "all__get-env", "expect": "allow" },
    { "name": "by another rule", "as": "bob", "tool": "all__get-env", "expect": "deny", "rule": "quiet" },
    { "as": "bob", "tool": "all__none", "expect": "deny" },
    { "as": "bob", "tool": "all__echo", "arguments": { "message": "x" }, "expect": "allow" }
  ] }`)
  const { code, stdout } = await run(['policy', 'test'], options)
  expect(code).toBe(8)
  expect(
    stdout
      .trimEnd()
      .split('\n')
      .map((line) => line.replace(/^.*tests\.json:/, '')),
  ).toEqual([
    '2: failed: alice and all__get-env: expected allow, found deny by devs',
    '3: failed: by another rule: expected deny by quiet, found deny by devs',
    '4: failed: bob and all__none: expected deny, found no tool "all__none"',
  ])
  const json = JSON.parse((await run(['policy', 'test', '--json'], options)).stdout)
  expect(json).toMatchObject({ passed: 1, failed: 3 })
})

it('policy test says what to write where there is no file', async () => {
  const { options } = setUp()
  const { code, stderr } = await run(['policy', 'test'], options)
  expect(code).toBe(1)
  expect(stderr).toContain('tests:')
})
