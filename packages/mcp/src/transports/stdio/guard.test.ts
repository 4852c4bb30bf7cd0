import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { afterEach, describe, expect, it } from 'vitest'
import { allGone, isAlive } from './fixtures/processes.ts'

// A real parent with real children. It runs the build, since a process of its own cannot read the sources.
const build = new URL('../../../build/transports/stdio/', import.meta.url)

/** Servers that end when their stdin does, that ignore stdin and TERM alike, and that have a child themselves. */
const CHILDREN = [
  ['node', '-e', `process.stdin.resume(); console.log(JSON.stringify([process.pid]))`],
  [
    'node',
    '-e',
    `process.on('SIGTERM', () => {}); setInterval(() => {}, 1e6); console.log(JSON.stringify([process.pid]))`,
  ],
  [
    'node',
    '-e',
    `const child = require('node:child_process').spawn(process.execPath, ['-e', 'setInterval(() => {}, 1e6)'], { stdio: 'inherit' })
     setInterval(() => {}, 1e6); console.log(JSON.stringify([process.pid, child.pid]))`,
  ],
]

const PARENT = `
const { openChild } = await import(${JSON.stringify(new URL('child.js', build).href)})
const { systemClock } = await import(${JSON.stringify(new URL('../../peer/clock.js', build).href)})
for (const [command, ...args] of ${JSON.stringify(CHILDREN)}) {
  openChild({
    command: process.execPath, args, env: {}, cwd: undefined, maxLineBytes: 1e6, killGraceMs: 2000,
    clock: systemClock, stderr: undefined,
  }).start({ message: (text) => console.log(text), fault() {}, closed() {} })
}
process.stdin.on('data', (chunk) => {
  if (String(chunk).includes('throw')) throw new Error('on purpose')
  if (String(chunk).includes('exit')) process.exit(0)
  if (String(chunk).includes('ping')) console.log('pong')
})
`

let parent: ChildProcess | undefined
let pids: number[] = []
let heardPong = () => {}

async function startParent(): Promise<ChildProcess> {
  // A group of its own, as a shell gives to what runs in the foreground.
  const child = spawn(process.execPath, ['--input-type=module', '-e', PARENT], {
    detached: true,
    stdio: ['pipe', 'pipe', 'ignore'],
  })
  parent = child
  pids = []
  let servers = 0
  await new Promise<void>((resolve) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      if (line === 'pong') heardPong()
      else {
        pids.push(...(JSON.parse(line) as number[]))
        if (++servers === CHILDREN.length) resolve()
      }
    })
  })
  return child
}

afterEach(() => {
  for (const pid of [...pids, parent?.pid ?? 0]) if (pid > 0 && isAlive(pid)) process.kill(pid, 'SIGKILL')
})

describe.skipIf(process.platform === 'win32')('no child outlives a parent that', () => {
  const ends: [string, (child: ChildProcess) => void][] = [
    ['is killed', (child) => child.kill('SIGKILL')],
    ['is terminated', (child) => child.kill('SIGTERM')],
    ['crashes', (child) => child.stdin?.write('throw\n')],
    ['exits without closing anything', (child) => child.stdin?.write('exit\n')],
    ['gets Ctrl-C together with its whole group', (child) => process.kill(-(child.pid ?? 0), 'SIGINT')],
  ]
  for (const [how, end] of ends) {
    it(how, async () => {
      const child = await startParent()
      expect(pids).toHaveLength(4)
      expect(pids.every(isAlive)).toBe(true)
      const exited = once(child, 'exit')
      end(child)
      await exited
      expect(await allGone(pids, 8_000)).toBe(true)
    })
  }

  it.skipIf(process.platform !== 'linux')('is killed after somebody killed the watchdog first', async () => {
    const child = await startParent()
    const watchdog = await nextWatchdog(child.pid ?? 0, 0)
    process.kill(watchdog, 'SIGKILL')
    await nextWatchdog(child.pid ?? 0, watchdog)
    // The new one is told of the children in the turn it is started in: an answer means that this turn is over.
    const pong = new Promise<void>((resolve) => {
      heardPong = resolve
    })
    child.stdin?.write('ping\n')
    await pong
    const exited = once(child, 'exit')
    child.kill('SIGKILL')
    await exited
    expect(await allGone(pids, 8_000)).toBe(true)
  })
})

/** Waits for the shell among the children of a process to be there, and to be another than `before`. */
async function nextWatchdog(parent: number, before: number): Promise<number> {
  for (;;) {
    // Looked up once a turn: between two looks the old one may go without the new one being there.
    const found = watchdogOf(parent)
    if (found !== 0 && found !== before) return found
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

/** 0 where none is seen: the list of children may leave some out while one of them ends (proc(5)). */
function watchdogOf(parent: number): number {
  const children = readFileSync(`/proc/${parent}/task/${parent}/children`, 'utf8').trim().split(' ').map(Number)
  return children.find((pid) => commandOf(pid).startsWith('/bin/sh')) ?? 0
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8')
  } catch {
    return '' // it has ended meanwhile
  }
}
