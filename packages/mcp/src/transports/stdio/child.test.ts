import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../peer/clock.ts'
import { type ChildOptions, openChild } from './child.ts'
import { allGone } from './fixtures/processes.ts'

const cleanup: (() => unknown)[] = []
afterEach(async () => {
  for (const end of cleanup.splice(0)) await end()
})

function open(script: string, more: Partial<ChildOptions> = {}) {
  const channel = openChild({
    command: process.execPath,
    args: ['-e', script],
    env: {},
    cwd: undefined,
    maxLineBytes: 1_000_000,
    killGraceMs: 100,
    clock: systemClock,
    stderr: undefined,
    ...more,
  })
  cleanup.push(() => channel.close())
  const heard: string[] = []
  let tellClosed: (error: Error | undefined) => void = () => {}
  let tellFirst: () => void = () => {}
  const closed = new Promise<Error | undefined>((resolve) => {
    tellClosed = resolve
  })
  const first = new Promise<void>((resolve) => {
    tellFirst = resolve
  })
  channel.start({
    message(text) {
      heard.push(text)
      tellFirst()
    },
    fault: () => {},
    closed: tellClosed,
  })
  return { channel, heard, closed, first }
}

const PIDS = `
const child = require('node:child_process').spawn(process.execPath, ['-e', 'setInterval(() => {}, 1e6)'], { stdio: 'inherit' })
console.log(JSON.stringify([process.pid, child.pid]))
`
const ORDER = `
process.stdin.resume().on('end', () => console.log('end of stdin'))
process.on('SIGTERM', () => console.log('SIGTERM'))
setInterval(() => {}, 1e6)
console.log('ready')
`

describe.skipIf(process.platform === 'win32')('a child process', () => {
  it('is asked to end by its stdin, then by TERM, then made to', async () => {
    const { channel, heard, closed, first } = open(ORDER, { killGraceMs: 500 })
    await first
    await channel.close()
    expect(heard).toEqual(['ready', 'end of stdin', 'SIGTERM'])
    expect(await closed).toBeUndefined()
  })

  it('gets neither when the end of its stdin is enough', async () => {
    const { channel, heard, first } = open(
      `process.stdin.resume().on('end', () => { console.log('bye'); process.exit(0) })
       process.on('SIGTERM', () => console.log('SIGTERM')); console.log('ready')`,
      { killGraceMs: 5_000 },
    )
    await first
    await Promise.all([channel.close(), channel.close()])
    expect(heard).toEqual(['ready', 'bye'])
  })

  it('takes its own children along, whether it is closed or dies', async () => {
    const closing = open(`${PIDS}; setInterval(() => {}, 1e6)`)
    await closing.first
    const dying = open(`${PIDS}; setTimeout(() => process.exit(3), 10)`)
    await dying.first
    const pids = [...closing.heard, ...dying.heard].flatMap((line) => JSON.parse(line) as number[])
    expect(pids).toHaveLength(4)
    await closing.channel.close()
    await dying.closed
    expect(await allGone(pids, 2_000)).toBe(true)
  })

  it('is said to have been killed, by what', async () => {
    const { closed } = open(`process.kill(process.pid, 'SIGKILL')`)
    expect((await closed)?.message).toMatch(/was killed by SIGKILL$/)
  })

  it('is quoted with its last words', async () => {
    const { closed } = open(`for (let at = 0; at < 9; at++) console.error('word', at); process.exitCode = 1`)
    expect((await closed)?.message).toMatch(
      /exited with code 1; its last words: word 4 \| word 5 \| word 6 \| word 7 \| word 8$/,
    )
  })

  it('is quoted with the error it died of, and not with the stack below it', async () => {
    const { closed } = open(`console.error('Error: from long ago'); console.error('starting'); undefined.foo()`)
    expect((await closed)?.message).toMatch(
      /^The server ".*" exited with code 1: TypeError: Cannot read properties of undefined \(reading 'foo'\)$/,
    )
  })

  it.each([
    [
      'Traceback (most recent call last):\n  File "x.py"\nModuleNotFoundError: No module named "mcp"',
      /: Module.*"mcp"$/,
    ],
    ['npm says: Error: no such package\nand more\nand more', /code 1: npm says: Error: no such package$/],
    [`Error: ${'x'.repeat(9_000)}`, /code 1: Error: x{493}…$/],
    ['x'.repeat(9_000), /its last words: x{500}…$/],
  ])('is quoted within bounds, whatever it is written in (%#)', async (text, expected) => {
    const { closed } = open(`console.error(${JSON.stringify(text)}); process.exitCode = 1`)
    expect((await closed)?.message).toMatch(expected)
  })

  it('that does not read makes a writer hold back', async () => {
    const { channel, first } = open(`console.log('ready'); setInterval(() => {}, 1e6)`)
    await first
    const text = 'x'.repeat(100_000)
    let sent = 0
    while (channel.send(text) && sent < 1_000) sent++
    expect(sent).toBeGreaterThan(5)
    expect(sent).toBeLessThan(50)
    let isDrained = false
    const drained = channel.drained().then(() => {
      isDrained = true
    })
    await new Promise((resolve) => setImmediate(resolve))
    expect(isDrained).toBe(false)
    await channel.close()
    await drained
  })

  it('that reads in the end lets a writer go on', async () => {
    const { channel, first, heard } = open(
      `console.log('ready'); let size = 0
       setTimeout(() => process.stdin.on('data', (chunk) => { size += chunk.length }).on('end', () => console.log(size)), 50)`,
      { killGraceMs: 5_000 },
    )
    await first
    for (let at = 0; at < 40; at++) if (!channel.send('x'.repeat(99_999))) await channel.drained()
    await channel.close()
    expect(heard).toEqual(['ready', '4000000'])
  })

  it('that was closed takes nothing more and says nothing more', async () => {
    const { channel, heard, closed } = open(`process.stdin.pipe(process.stdout)`, { killGraceMs: 5_000 })
    channel.send('one')
    await channel.close()
    await closed
    expect(channel.send('two')).toBe(true)
    await channel.drained()
    expect(heard).toEqual(['one'])
  })
})

describe('a child that cannot be started', () => {
  const folder = () => {
    const path = mkdtempSync(join(tmpdir(), 'crosspoint-'))
    cleanup.push(() => rmSync(path, { recursive: true }))
    return path
  }
  const plainFile = () => {
    const path = join(folder(), 'plain')
    writeFileSync(path, 'not a program')
    chmodSync(path, 0o644)
    return path
  }
  const rows: [string, () => Partial<ChildOptions>, RegExp][] = [
    [
      'for want of a PATH',
      () => ({ command: 'nope' }),
      /^Cannot start "nope": not found, and its environment has no PATH/,
    ],
    [
      'since it is not in the PATH',
      () => ({ command: 'nope', env: { PATH: '/usr/bin' } }),
      /^Cannot start "nope": not found in the PATH of its environment; install it or give the full path$/,
    ],
    [
      'since its arguments are written in its name',
      () => ({ command: 'node  server.mjs --token secret' }),
      /^Cannot start "node": no program has .*; what comes after the program belongs into "args"$/,
    ],
    ['since there is no such file', () => ({ command: '/nope/nope' }), /^Cannot start "nope": no such file/],
    [
      'since it may not be executed',
      () => ({ command: plainFile() }),
      /: it may not be executed; check its permissions$/,
    ],
    ['since its directory is missing', () => ({ cwd: '/nope' }), /: its directory "\/nope" does not exist$/],
    ['with a zero byte', () => ({ args: ['secret\0b'] }), /^Cannot start "node": there are null bytes in its/],
    [
      'and not with what it runs, where it has a name',
      () => ({ name: 'files', command: 'secret', args: ['secret'] }),
      /^Cannot start "files": not found, and its environment/,
    ],
    [
      'and not where that would be',
      () => ({ name: 'files', cwd: '/secret' }),
      /^Cannot start "files": its directory does not exist$/,
    ],
  ]
  for (const [why, options, expected] of rows) {
    it(`says so: ${why}`, async () => {
      const { closed, channel } = open('', options())
      expect((await closed)?.message).toMatch(expected)
      await channel.close()
    })
  }
})
