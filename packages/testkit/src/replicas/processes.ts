import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const BIN = fileURLToPath(new URL('../../../cli/bin/crosspoint.js', import.meta.url))

/** A gateway in a process of its own, as it is installed. */
export interface Process {
  /** Such as `http://127.0.0.1:40123`. */
  readonly origin: string
  /** What it logged. */
  readonly log: () => string
  /** As the kernel ends it: nothing is said or finished. */
  kill(): Promise<void>
  stop(): Promise<void>
  signal(name: NodeJS.Signals): void
}

/** Gateways on one configuration, and the command line beside them. */
export interface Fleet {
  readonly folder: string
  start(): Promise<Process>
  run(
    ...args: readonly string[]
  ): Promise<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }>
  close(): Promise<void>
}

/** @param config of all of them; they listen where there is room */
export function createFleet(config: object): Fleet {
  const folder = mkdtempSync(join(tmpdir(), 'crosspoint-replicas-'))
  const path = join(folder, 'crosspoint.json')
  writeFileSync(path, JSON.stringify(config))
  const env = { PATH: process.env.PATH, HOME: folder }
  const started = new Set<ChildProcess>()
  return {
    folder,
    async start() {
      const child = spawn(process.execPath, [BIN, 'up', '--config', path, '--port', '0', '--json'], {
        env,
        stdio: ['ignore', 'pipe', 'pipe'],
      })
      started.add(child)
      let log = ''
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        log = (log + text).slice(-100_000)
      })
      const ended = once(child, 'exit').then(() => started.delete(child))
      const origin = await new Promise<string>((resolve, reject) => {
        createInterface({ input: child.stdout }).on('line', (line) => {
          if (!line.startsWith('{')) return
          const { url } = JSON.parse(line) as { readonly url?: string } // the announcement is the line that has one
          if (url !== undefined) resolve(new URL(url).origin)
        })
        void ended.then(() => reject(new Error(`Ended before it listened:\n${log}`)))
      })
      const end = async (signal: NodeJS.Signals) => {
        child.kill(signal)
        await ended
      }
      return {
        origin,
        log: () => log,
        kill: () => end('SIGKILL'),
        stop: () => end('SIGTERM'),
        signal: (name) => void child.kill(name),
      }
    },
    async run(...args) {
      const child = spawn(process.execPath, [BIN, ...args, '--config', path], {
        env,
        stdio: ['ignore', 'pipe', 'pipe'],
      })
      const said = { stdout: '', stderr: '' }
      for (const name of ['stdout', 'stderr'] as const) {
        child[name].setEncoding('utf8').on('data', (text: string) => {
          said[name] += text
        })
      }
      const [code] = (await once(child, 'close')) as [number | null]
      return { code, ...said }
    },
    async close() {
      await Promise.all(
        [...started].map(async (child) => {
          child.kill('SIGKILL')
          if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
        }),
      )
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
