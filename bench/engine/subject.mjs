import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const GAUGE = fileURLToPath(new URL('gauge.mjs', import.meta.url))

/**
 * A Node program under measurement, with pipes at its stdin and stdout and a gauge inside.
 * @param script path of the program
 * @param args its arguments
 */
export function startSubject(script, args = []) {
  const child = spawn(process.execPath, ['--import', GAUGE, script, ...args], {
    stdio: ['pipe', 'pipe', 'pipe', 'ipc'],
  })
  let errors = ''
  child.stderr.setEncoding('utf8').on('data', (text) => {
    errors = (errors + text).slice(-4_000)
  })
  const waiting = []
  child.on('message', (message) => waiting.shift()?.resolve(message))
  child.on('exit', (code) => {
    for (const { reject } of waiting.splice(0)) reject(new Error(`${script} stopped with code ${code}:\n${errors}`))
  })
  const ask = (message) =>
    new Promise((resolve, reject) => {
      waiting.push({ resolve, reject })
      child.send(message, (error) => error && reject(error))
    })
  return {
    child,
    /** CPU in microseconds and resident bytes up to now. */
    used: () => ask('used'),
    /** Anything else the program answers over IPC, one answer for each message. */
    ask,
    /** The first line it prints, as JSON. */
    async ready() {
      const [line] = await Promise.race([
        once(createInterface({ input: child.stdout }), 'line'),
        once(child, 'exit').then(([code]) => {
          throw new Error(`${script} stopped with code ${code}:\n${errors}`)
        }),
      ])
      return JSON.parse(line)
    },
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return
      child.kill('SIGTERM')
      await once(child, 'exit')
    },
  }
}
