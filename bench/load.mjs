// The load: raw sockets and ready bytes, so that the client costs little beside what it measures. One JSON line in
// (a job), one JSON line out (what happened); runs in a process of its own.
import { createInterface } from 'node:readline'
import { exchange, openSocket } from './raw-http.mjs'

const META = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientInfo': { name: 'bench', version: '1.0.0' },
  'io.modelcontextprotocol/clientCapabilities': {},
}

for await (const line of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify(await run(JSON.parse(line))))
}

/** job: { port, path, tool, era: 'modern' | 'legacy', calls, concurrency } */
async function run(job) {
  const headers = job.era === 'legacy' ? await openSession(job) : modernHeaders(job)
  const start = process.hrtime.bigint()
  let next = 0
  let failed = 0
  let sample
  const started = []
  for (let c = 0; c < job.concurrency; c++) started.push(worker())
  await Promise.all(started)
  return { calls: job.calls, failed, sample, ms: Number(process.hrtime.bigint() - start) / 1e6 }

  async function worker() {
    const socket = await openSocket(job.port)
    try {
      while (next < job.calls) {
        const n = next++
        const reply = await exchange(socket, post(job.path, headers, callBody(job, n)))
        if (!reply.includes(`Echo: hello ${n}`)) {
          failed++
          sample ??= reply.slice(0, 400)
        }
      }
    } finally {
      socket.destroy()
    }
  }
}

function callBody(job, n) {
  const params = { name: job.tool, arguments: { message: `hello ${n}` } }
  if (job.era === 'modern') params._meta = META
  return JSON.stringify({ jsonrpc: '2.0', id: n, method: 'tools/call', params })
}

function modernHeaders(job) {
  return { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call', 'mcp-name': job.tool }
}

async function openSession(job) {
  const socket = await openSocket(job.port)
  const initialize = {
    jsonrpc: '2.0',
    id: 'open',
    method: 'initialize',
    params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'bench', version: '1.0.0' } },
  }
  const reply = await exchange(socket, post(job.path, {}, JSON.stringify(initialize)))
  const session = /mcp-session-id: *([^\r\n]+)/i.exec(reply)?.[1]
  const headers = {
    'mcp-protocol-version': '2025-06-18',
    ...(session === undefined ? {} : { 'mcp-session-id': session }),
  }
  await exchange(
    socket,
    post(job.path, headers, JSON.stringify({ jsonrpc: '2.0', method: 'notifications/initialized' })),
  )
  socket.destroy()
  return headers
}

function post(path, headers, body) {
  let head = `POST ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\naccept: application/json, text/event-stream\r\n`
  for (const [name, value] of Object.entries(headers)) head += `${name}: ${value}\r\n`
  return `${head}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
}
