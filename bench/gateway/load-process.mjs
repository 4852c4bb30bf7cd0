import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

/** The load, in a process of its own: a job goes in as a line and what happened comes back as one. */
export function startLoad() {
  const child = spawn(process.execPath, [fileURLToPath(new URL('../load.mjs', import.meta.url))], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const waiting = []
  createInterface({ input: child.stdout }).on('line', (line) => waiting.shift()?.resolve(JSON.parse(line)))
  child.on('exit', (code) => {
    for (const { reject } of waiting.splice(0)) reject(new Error(`The load process stopped with code ${code}`))
  })
  return {
    run: (job) =>
      new Promise((resolve, reject) => {
        waiting.push({ resolve, reject })
        child.stdin.write(`${JSON.stringify(job)}\n`)
      }),
    stop: () => child.stdin.end(),
  }
}
