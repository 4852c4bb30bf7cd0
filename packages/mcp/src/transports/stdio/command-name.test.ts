import { expect, it } from 'vitest'
import { toCommandName } from './command-name.ts'

it.each([
  ['node', ['server.mjs', '--token', 'secret'], 'node server.mjs'],
  ['node', ['--enable-source-maps', 'dist/server.js', 'secret'], 'node dist/server.js'],
  ['uvx', ['mcp-server-git'], 'uvx mcp-server-git'],
  ['node', ['-e', 'const token = "secret"'], 'node'],
  ['server', ['--token', 'secret', 'more'], 'server'],
  ['server', ['--token=secret'], 'server'],
  ['server', [], 'server'],
  ['node', ['a\n\u001b[2Jb'], 'node a\uFFFD\uFFFD[2Jb'],
])('a command is named by its program and its script, whatever else it was given: %s %j', (command, args, name) => {
  expect(toCommandName(command, args)).toBe(name)
})

it('a command is named in a few words, however long it is', () => {
  expect(toCommandName('x'.repeat(5_000), ['y'.repeat(5_000)]).length).toBeLessThan(200)
})
