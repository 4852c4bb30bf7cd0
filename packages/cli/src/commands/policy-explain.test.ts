import { expect, it } from 'vitest'
import { run } from '../../fixtures/crosspoint.ts'
import { createWorkspace, EVERYTHING } from '../../fixtures/workspace.ts'

function setUp() {
  const workspace = createWorkspace()
  workspace.write('crosspoint.json', {
    servers: { everything: { command: process.execPath, args: EVERYTHING, prefix: 'all' } },
    scopes: { read: { tools: ['all__get-*'] }, all: { tools: ['*'] } },
    roles: { reader: { scopes: ['read'] }, dev: { scopes: ['all'] } },
    policy: {
      rules: [
        { name: 'devs', effect: 'deny', tools: ['all__get-env'], when: '!("dev" in principal.roles)' },
        { name: 'quiet', effect: 'deny', tools: ['all__echo'], when: 'arguments.message.size() > 5' },
      ],
    },
  })
  return workspace
}

it('policy explain says which rule decided, and how it stands with every rule about the thing', async () => {
  const { options, left } = setUp()
  const { code, stdout, stderr } = await run(['policy', 'explain', 'all__get-env', '--as', 'alice'], options)
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(stdout).toContain('"alice" of "default" may not use "all__get-env": the rule "devs" refuses it')
  expect(stdout).toContain('In its lists: no, hidden because the rule "devs" refuses it')
  expect(stdout).toMatch(/^deny {2}devs {2}holds$/m)
  const dev = await run(['policy', 'explain', 'all__get-env', '--as', 'bob', '--role', 'dev'], options)
  expect(dev.stdout).toContain('may use "all__get-env": its scope "all" covers it')
  expect(dev.stdout).toMatch(/^deny {2}devs {2}does not hold: not !\("dev" in principal\.roles\)$/m)
  const long = ['policy', 'explain', 'all__echo', 'message=much too long', '--as', 'bob', '--json']
  expect(JSON.parse((await run(long, options)).stdout)).toMatchObject({
    listed: true,
    decision: { effect: 'deny', rule: 'quiet', dryRun: false },
  })
  const bound = ['policy', 'explain', 'all__echo', '--as', 'bob', '--role', 'reader', '--json']
  expect(JSON.parse((await run(bound, options)).stdout)).toMatchObject({
    listed: false,
    decision: { effect: 'deny', rule: 'scopes' },
    scopes: ['read'],
    covering: ['all'],
  })
  expect(left()).toEqual([])
})

it.each([
  [['all__none', '--as', 'x'], 'No server has a tool "all__none"'],
  [['all__echo', '--as', 'x', '--claims', '[]'], 'Cannot read the claims'],
  [['all__echo', '--as', 'x', '--view', 'none'], 'No view "none" in the configuration'],
])('policy explain %s is refused with what would help', async (words, message) => {
  const { options } = setUp()
  const { code, stderr } = await run(['policy', 'explain', ...words], options)
  expect(code).toBe(1)
  expect(stderr).toContain(message)
})
