import { Readable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { main } from './main.ts'

async function run(...argv: string[]) {
  const written = { out: '', err: '' }
  const stream = (key: 'out' | 'err') => ({
    write: (text: string | Uint8Array, done?: () => void) => {
      written[key] += String(text)
      done?.()
      return true
    },
  })
  const code = await main(argv, {
    stdin: Readable.from([]),
    stdout: stream('out'),
    stderr: stream('err'),
    env: {},
    cwd: '/',
    program: ['node', 'crosspoint.js'],
    version: '1.2.3',
    stopping: { signal: new AbortController().signal, by: undefined, onHangup: () => {}, dispose: () => {} },
  })
  return { code, ...written }
}

describe('the command line', () => {
  it('prints its version', async () => {
    expect(await run('--version')).toEqual({ code: 0, out: '1.2.3\n', err: '' })
  })

  it('prints help as data, with every command, an example and the exit codes', async () => {
    const { code, out, err } = await run('--help')
    expect([code, err]).toEqual([0, ''])
    for (const name of [
      'up',
      'stdio',
      'ls',
      'call',
      'read',
      'prompt',
      'config',
      'keys',
      'doctor',
      'pipeline',
      'completion',
    ]) {
      expect(out).toMatch(new RegExp(`^ +${name}\\b`, 'm'))
    }
    expect(out).toContain('Exit codes:')
  })

  it.each([
    ['up'],
    ['stdio'],
    ['ls'],
    ['call'],
    ['read'],
    ['prompt'],
    ['config', 'validate'],
    ['config', 'explain'],
    ['doctor'],
    ['pipeline'],
    ['completion'],
  ])('prints help with examples and the common options for %s %s', async (...words) => {
    const { code, out } = await run(...words.filter((word) => word !== undefined), '--help')
    expect(code).toBe(0)
    expect(out).toContain('Examples:\n')
    expect(out).toContain('--json')
  })

  it('prints help on standard error when no command is given', async () => {
    const { code, out, err } = await run()
    expect([code, out]).toEqual([1, ''])
    expect(err).toContain('Usage: crosspoint')
  })

  it('asks whether another command was meant', async () => {
    expect(await run('lss')).toEqual({
      code: 1,
      out: '',
      err: "crosspoint: Unknown command 'lss'\n  Did you mean ls?\n",
    })
  })

  it('asks whether another option was meant, as JSON where that was asked for', async () => {
    const { code, out, err } = await run('ls', '--json', '--verbos')
    expect([code, out]).toEqual([1, ''])
    expect(JSON.parse(err)).toEqual({
      error: { kind: 'usage', exitCode: 1, message: "Unknown option '--verbos'", hint: 'Did you mean --verbose?' },
    })
  })

  it('takes common options before and after the command', async () => {
    const before = await run('--json', 'call')
    const after = await run('call', '--json')
    expect(before).toEqual(after)
    expect(JSON.parse(after.err)).toMatchObject({ error: { kind: 'usage', message: 'No tool is named' } })
  })

  it('refuses a server command where nothing would use it', async () => {
    expect(await run('up', '--', 'npx', 'x')).toMatchObject({
      code: 1,
      err: 'crosspoint: This command takes no server command after "--"\n',
    })
  })

  it('refuses to be quiet and verbose at once', async () => {
    expect(await run('ls', '-q', '-v')).toMatchObject({ code: 1 })
  })

  it('prints a completion script for each shell, and names them when asked for another', async () => {
    for (const shell of ['bash', 'zsh', 'fish', 'powershell']) {
      const { code, out } = await run('completion', shell)
      expect(code).toBe(0)
      expect(out).toContain('validate')
      expect(out).toContain('doctor')
    }
    expect(await run('completion', 'bahs')).toMatchObject({
      code: 1,
      err: 'crosspoint: No completion for "bahs"\n  Did you mean "bash"?\n',
    })
  })
})
