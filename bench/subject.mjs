import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const GAUGE = fileURLToPath(new URL('engine/gauge.mjs', import.meta.url))

/**
 * A Node program under measurement, with a gauge inside. It is there once a line of its stdout or stderr gives a port.
 * @param nodeArgs for Node itself, before the script
 */
export async function startSubject(name, script, args, { ready = readPort, nodeArgs = [], timeoutMs = 30_000 } = {}) {
  const child = spawn(process.execPath, [...nodeArgs, '--import', GAUGE, script, ...args], {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    detached: true,
  })
  const waiting = []
  child.on('message', (message) => waiting.shift()?.resolve(message))
  child.on('exit', (code, signal) => {
    for (const { reject } of waiting.splice(0)) reject(new Error(`${name} stopped with ${code ?? signal}`))
  })
  const ask = (message) =>
    new Promise((resolve, reject) => {
      waiting.push({ resolve, reject })
      child.send(message, (error) => error && reject(error))
    })
  const port = await untilReady(name, child, ready, timeoutMs)
  return {
    name,
    port,
    pid: child.pid,
    /** CPU in microseconds and resident bytes up to now. */
    used: () => ask('used'),
    ask,
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return
      process.kill(-child.pid, 'SIGTERM')
      await once(child, 'exit')
    },
  }
}

async function untilReady(name, child, ready, timeoutMs) {
  const heard = []
  const found = await new Promise((resolve, reject) => {
    const fail = (why) => {
      clearTimeout(timer)
      reject(new Error(`${name} ${why}:\n${heard.slice(-20).join('\n')}`))
    }
    const timer = setTimeout(() => fail('was not ready in time'), timeoutMs)
    const readers = [child.stdout, child.stderr].map((input) => createInterface({ input }))
    for (const reader of readers) {
      reader.on('line', (line) => {
        heard.push(line)
        const port = ready(line)
        if (port === undefined) return
        clearTimeout(timer)
        for (const done of readers) done.close()
        resolve(port)
      })
    }
    child.once('error', (error) => fail(error.message))
    child.once('exit', (code) => fail(`stopped with code ${code}`))
  })
  // Read, so that it does not stand still, and thrown away, so that it costs us little.
  for (const output of [child.stdout, child.stderr]) output.resume()
  return found
}

function readPort(line) {
  if (!line.startsWith('{')) return undefined
  const { port, url } = JSON.parse(line)
  return port ?? (url === undefined ? undefined : Number(new URL(url).port))
}
