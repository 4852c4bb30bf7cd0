import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { setTimeout } from 'node:timers/promises'
import { root } from './installed.ts'

export interface Finished {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface RunOptions {
  /** Added to the environment of the child. */
  readonly env?: Readonly<Record<string, string>>
  /** After this the child is killed and the run fails. Default 30 s. */
  readonly timeoutMs?: number
}

/** Runs a program to its end, with nothing on its stdin. A program that has to be killed is an error. */
export function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<Finished> {
  const timeoutMs = options.timeoutMs ?? 30_000
  const { child, output } = spawnQuiet(command, args, options.env)
  return new Promise((resolve, reject) => {
    const timer = globalThis.setTimeout(() => {
      child.kill('SIGKILL')
      reject(new Error(`"${[command, ...args].join(' ')}" took longer than ${timeoutMs} ms\n${output.stderr}`))
    }, timeoutMs)
    child.once('error', (error) => {
      clearTimeout(timer)
      reject(error)
    })
    child.once('close', (code) => {
      clearTimeout(timer)
      resolve({ code, ...output })
    })
  })
}

export interface Running<T> {
  /** What it said when it was ready. */
  readonly said: T
  /** What it has written to stderr so far. */
  log(): string
  /** Ends it as Ctrl-C would and returns the processes it left behind, which should be none. */
  stop(): Promise<readonly number[]>
}

/**
 * Starts a program that stays, and waits until a line of JSON on its stdout is what `read` looks for.
 * @param read what the line says, or undefined where it is another line
 */
export async function start<T>(
  command: string,
  args: readonly string[],
  read: (said: object) => T | undefined,
  options: RunOptions = {},
): Promise<Running<T>> {
  const timeoutMs = options.timeoutMs ?? 30_000
  const { child, output } = spawnQuiet(command, args, options.env)
  let timer: NodeJS.Timeout | undefined
  try {
    const said = await new Promise<T>((resolve, reject) => {
      timer = globalThis.setTimeout(() => reject(new Error(`It was not ready within ${timeoutMs} ms`)), timeoutMs)
      child.once('error', reject)
      child.once('exit', (code) => reject(new Error(`It ended with exit code ${code}`)))
      createInterface({ input: child.stdout }).on('line', (line) => {
        const said = line.startsWith('{') ? read(JSON.parse(line)) : undefined
        if (said !== undefined) resolve(said)
      })
    })
    return { said, log: () => output.stderr, stop: () => stop(child) }
  } catch (cause) {
    child.kill('SIGKILL')
    throw new Error(`Cannot start "${[command, ...args].join(' ')}": ${output.stderr}`, { cause })
  } finally {
    clearTimeout(timer)
  }
}

function spawnQuiet(command: string, args: readonly string[], env: RunOptions['env']) {
  const child = spawn(command, args, {
    cwd: root,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const output = { stdout: '', stderr: '' }
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output.stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    output.stderr += text
  })
  return { child, output }
}

async function stop(child: ChildProcess): Promise<readonly number[]> {
  const family = child.pid === undefined ? [] : descendants(child.pid)
  if (child.exitCode === null && child.signalCode === null) {
    child.kill('SIGINT')
    await once(child, 'exit')
  }
  return sweep(family)
}

/** Ends those processes that are still there after a moment, and returns them. */
export async function sweep(family: readonly number[]): Promise<readonly number[]> {
  // What watches over the family sees the end only after us, so it gets a moment, and no more than that.
  for (let waitedMs = 0; waitedMs < 2_000 && family.some(isAlive); waitedMs += 20) await setTimeout(20)
  const left = family.filter(isAlive)
  for (const pid of left) process.kill(pid, 'SIGKILL')
  return left
}

/** Every process started by this one, and by those. Where there is no /proc nobody can tell, and none is named. */
export function descendants(parent: number): number[] {
  const children = new Map<number, number[]>()
  for (const pid of allProcesses()) {
    const above = parentOf(pid)
    if (above !== undefined) children.set(above, [...(children.get(above) ?? []), pid])
  }
  const below = (pid: number): number[] => (children.get(pid) ?? []).flatMap((child) => [child, ...below(child)])
  return below(parent)
}

function allProcesses(): number[] {
  try {
    return readdirSync('/proc').map(Number).filter(Number.isInteger)
  } catch {
    return []
  }
}

/** proc(5): the parent is the second field after the name, which is in brackets and may hold anything. */
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
