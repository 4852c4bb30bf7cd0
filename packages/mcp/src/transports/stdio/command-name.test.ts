import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { toCommandName } from './command-name.ts'

describe('a command is named by its program', () => {
  it.each([
    ['server', ['--token', 'secret', 'more'], 'server'],
    ['server', ['--token=secret'], 'server'],
    ['server', ['secret'], 'server'],
    ['server', ['secret.js'], 'server'],
    ['server', [], 'server'],
    ['/home/anna/bin/server', ['secret'], 'server'],
    ['C:\\Program Files\\nodejs\\node.exe', ['server.mjs'], 'node.exe server.mjs'],
    ['node server.mjs --token secret', [], 'node'],
    ['TOKEN=secret node server.mjs', [], 'node'],
    ['TOKEN=secret', [], 'a program'],
    ['/usr/bin/server https://example.com/secret', [], 'server'],
    ['/usr/bin/node files/secret', [], 'node'],
    ['', [], 'a program'],
  ])('and by nothing that it was given: %s %j', (command, args, name) => {
    expect(toCommandName(command, args)).toBe(name)
  })

  it.each([
    ['node', ['server.mjs', '--token', 'secret'], 'node server.mjs'],
    ['node', ['--enable-source-maps', 'dist/server.js', 'secret'], 'node dist/server.js'],
    ['node', ['--max-old-space-size', '512', 'server.js'], 'node'],
    ['/usr/bin/node', ['/home/anna/server.mjs'], 'node server.mjs'],
    ['uvx', ['mcp-server-git'], 'uvx mcp-server-git'],
    ['npx', ['-y', '@scope/server@1.2.3', 'secret'], 'npx @scope/server@1.2.3'],
    ['npx.cmd', ['--yes', 'server'], 'npx.cmd server'],
    ['python3.12', ['-m', 'mcp_server_time', 'secret'], 'python3.12 mcp_server_time'],
    ['uv', ['run', 'server.py'], 'uv run server.py'],
    ['docker', ['run', '-i', '--rm', 'mcp/fetch:1.0', 'secret'], 'docker run mcp/fetch:1.0'],
    ['docker', ['run', '-i', '-e', 'TOKEN=secret', 'mcp/fetch'], 'docker run'],
    ['docker', ['run', '--password', 'secret', 'mcp/fetch'], 'docker run'],
  ])('and what that runs: %s %j', (command, args, name) => {
    expect(toCommandName(command, args)).toBe(name)
  })

  it.each([
    'sk-abcdefghijklmnop',
    'ghp_abcdefghijkl',
    'github_pat_11AAAAAAAA',
    'xoxb-123456789012',
    'AKIAABCDEFGHIJKL',
    'eyJhbGciOiJIUzI1NiJ9',
    '6f1ed002-ab5f-4b6c-8d5a-27c1a3b0c9d1',
    'a8f5f167f44f4964e6c998dee827110c',
    'path/a8f5f167f44f4964e6c998dee827110c/server.js',
    'TOKEN=secret',
    'https://example.com/secret.tgz',
    'anna:secret@example.com',
    'const token = "secret"',
    'a\n\u001b[2Jb',
  ])('and not by what looks like a secret: node %j', (arg) => {
    expect(toCommandName('node', [arg])).toBe('node')
  })

  it('and never by what an option was given, whatever that is', () => {
    const option = fc.string({ minLength: 1 }).map((name) => `--x${name}`)
    const secret = fc.stringMatching(/^[a-zA-Z0-9+/=_-]{12,64}$/)
    fc.assert(
      fc.property(fc.constantFrom('node', 'npx', 'docker', 'server'), option, secret, (program, name, value) => {
        const named = toCommandName(program, [name, value])
        return named === program && toCommandName(program, [`${name}=${value}`]) === program
      }),
    )
  })

  it('in a few words, however long it is', () => {
    expect(toCommandName('x'.repeat(5_000), ['y'.repeat(5_000)]).length).toBeLessThan(200)
  })
})
