import { spawn } from 'node:child_process'

export interface Finished {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface RunOptions {
  /** Added to the environment of the child. */
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
  /** After this the child is killed and the run fails. Default 30 s. */
  readonly timeoutMs?: number
}

/** Runs a program to its end, with nothing on its stdin. A program that has to be killed is an error. */
export function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<Finished> {
  const timeoutMs = options.timeoutMs ?? 30_000
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: options.cwd,
      env: { ...process.env, ...options.env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let stdout = ''
    let stderr = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text
    })
    const timer = setTimeout(() => {
      child.kill('SIGKILL')
      reject(new Error(`"${[command, ...args].join(' ')}" took longer than ${timeoutMs} ms\n${stderr}`))
    }, timeoutMs)
    child.once('error', (error) => {
      clearTimeout(timer)
      reject(error)
    })
    child.once('close', (code) => {
      clearTimeout(timer)
      resolve({ code, stdout, stderr })
    })
  })
}
