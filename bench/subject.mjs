import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'

/** A process under measurement. `ready` reads its lines until one gives a port; the CPU time is the kernel's own account. */
export async function startSubject(
  name,
  command,
  args,
  { env = {}, ready = readPort, stream = 'stdout', timeoutMs = 30_000 } = {},
) {
  const child = spawn(command, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
    detached: true,
  })
  const heard = []
  for (const output of [child.stdout, child.stderr]) {
    createInterface({ input: output }).on('line', (line) => {
      if (heard.length < 200) heard.push(line)
    })
  }
  const port = await new Promise((resolve, reject) => {
    const timer = setTimeout(() => fail('was not ready in time'), timeoutMs)
    const fail = (why) => {
      clearTimeout(timer)
      reject(new Error(`${name} ${why}:\n${heard.slice(-20).join('\n')}`))
    }
    createInterface({ input: child[stream] }).on('line', (line) => {
      const found = ready(line)
      if (found === undefined) return
      clearTimeout(timer)
      resolve(found)
    })
    child.on('error', (error) => fail(error.message))
    child.on('exit', (code) => fail(`stopped with code ${code}`))
  })
  return {
    name,
    port,
    cpuMs: () => cpuMs(child.pid),
    stop: () =>
      new Promise((resolve) => {
        child.removeAllListeners('exit')
        child.on('exit', resolve)
        try {
          process.kill(-child.pid, 'SIGTERM')
        } catch {
          resolve()
        }
      }),
  }
}

export function readPort(line) {
  if (!line.startsWith('{')) return undefined
  const { port, url } = JSON.parse(line)
  return port ?? (url === undefined ? undefined : Number(new URL(url).port))
}

/** User and system time of one process in milliseconds (proc(5), fields 14 and 15; 100 ticks a second on Linux). */
function cpuMs(pid) {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) * 10
}
