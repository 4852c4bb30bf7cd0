import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { root } from './installed.ts'

export const CROSSPOINT = `${root}/packages/cli/bin/crosspoint.js`

export interface RunningGateway {
  /** The endpoint that offers everything. */
  readonly url: string
  /** What it has logged so far. */
  log(): string
  /** Ends it as Ctrl-C would and returns the processes it left behind, which should be none. */
  stop(): Promise<readonly number[]>
}

/** Starts the built gateway on a free port and waits until it says where it listens. */
export async function startGateway(config: string): Promise<RunningGateway> {
  const child = spawn(process.execPath, [CROSSPOINT, 'up', '--config', config, '--port', '0', '--json'], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let stderr = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  try {
    const url = await firstUrl(child)
    return { url, log: () => stderr, stop: () => stop(child) }
  } catch (error) {
    child.kill('SIGKILL')
    throw new Error(`The gateway did not start: ${stderr}`, { cause: error })
  }
}

function firstUrl(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('It said nothing for 30 s')), 30_000)
    child.once('exit', (code) => reject(new Error(`It ended with exit code ${code}`)))
    if (child.stdout === null) return
    createInterface({ input: child.stdout }).on('line', (line) => {
      const said: unknown = line.startsWith('{') ? JSON.parse(line) : undefined
      if (typeof said !== 'object' || said === null || !('url' in said) || typeof said.url !== 'string') return
      clearTimeout(timer)
      resolve(said.url)
    })
  })
}

async function stop(child: ChildProcess): Promise<readonly number[]> {
  const family = child.pid === undefined ? [] : descendants(child.pid)
  if (child.exitCode === null && child.signalCode === null) {
    child.kill('SIGINT')
    await once(child, 'exit')
  }
  const left = family.filter(isAlive)
  for (const pid of left) process.kill(pid, 'SIGKILL')
  return left
}

/** Every process started by this one, and by those (proc(5): the parent is the second field after the name). */
function descendants(parent: number): number[] {
  const children = new Map<number, number[]>()
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue
    const above = parentOf(Number(name))
    if (above !== undefined) children.set(above, [...(children.get(above) ?? []), Number(name)])
  }
  const below = (pid: number): number[] => (children.get(pid) ?? []).flatMap((child) => [child, ...below(child)])
  return below(parent)
}

function parentOf(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1])
  } catch {
    return undefined // It ended while we looked.
  }
}

function isAlive(pid: number): boolean {
  try {
    // A zombie has ended; only nobody has asked for its exit code yet.
    return !/^State:\tZ/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}
