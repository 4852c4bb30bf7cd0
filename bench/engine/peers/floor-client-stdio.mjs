// The floor of a client over stdio: JSON a line by hand, and a Map of who waits.
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { INITIALIZED, NEWEST_SESSION, toText } from '../message.mjs'
import { serveRuns } from './runs.mjs'

const floor = fileURLToPath(new URL('floor-stdio.mjs', import.meta.url))
const child = spawn(process.execPath, [floor], { stdio: ['pipe', 'pipe', 'inherit'] })
process.on('exit', () => child.kill())
const waiting = new Map()
let ids = 0
let rest = ''
child.stdout.setEncoding('utf8').on('data', (text) => {
  const lines = (rest + text).split('\n')
  rest = lines.pop()
  for (const line of lines) {
    const { id, result, error } = JSON.parse(line)
    const { resolve, reject } = waiting.get(id)
    waiting.delete(id)
    if (error === undefined) resolve(result)
    else reject(new Error(error.message))
  }
})

function request(method, params) {
  return new Promise((resolve, reject) => {
    const id = ++ids
    waiting.set(id, { resolve, reject })
    child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', id, method, params })}\n`)
  })
}

await request('initialize', {
  protocolVersion: NEWEST_SESSION,
  capabilities: {},
  clientInfo: { name: 'bench', version: '1.0.0' },
})
child.stdin.write(`${INITIALIZED}\n`)
serveRuns((n) => request('tools/call', { name: 'echo', arguments: { message: toText(n) } }))
