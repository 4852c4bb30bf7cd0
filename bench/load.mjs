// The load: raw sockets and ready bytes, so that the client costs little beside what it measures. One JSON line in
// (a job), one JSON line out (what happened); runs in a process of its own.
import { createInterface } from 'node:readline'
import { INITIALIZE, INITIALIZED, META, NEWEST, NEWEST_SESSION, toCall, toText } from './engine/message.mjs'
import { exchange, openSocket } from './raw-http.mjs'

for await (const line of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify(await run(JSON.parse(line))))
}

/**
 * @param job { port, era: 'modern' | 'legacy', calls, concurrency } and
 *   { method: 'tools/call', tool, more } or { method: 'tools/list', page, has }: a page counted from 0, and what it shows;
 *   `token` is shown with every request, where there is one
 */
async function run(job) {
  const lead = await toLead(job)
  const cursor = job.method === 'tools/list' ? await findCursor(job, lead) : undefined
  const latencies = new Float64Array(job.calls)
  const start = process.hrtime.bigint()
  let next = 0
  let failed = 0
  let sample
  await Promise.all(Array.from({ length: job.concurrency }, worker))
  const ms = Number(process.hrtime.bigint() - start) / 1e6
  return { failed, sample, ms, p50Us: latencies.sort()[job.calls >> 1] }

  async function worker() {
    const socket = await openSocket(job.port)
    try {
      while (next < job.calls) {
        const n = next++
        const request = post(
          lead,
          job.method === 'tools/list' ? listBody(job, n, cursor) : toCall(n, job.era, job.tool, job.more),
        )
        const sent = performance.now()
        const reply = await exchange(socket, request)
        latencies[n] = (performance.now() - sent) * 1000
        if (isRight(job, n, reply)) continue
        failed++
        sample ??= reply.slice(0, 600)
      }
    } finally {
      socket.destroy()
    }
  }
}

function isRight(job, n, reply) {
  if (!reply.includes(`"id":${n}`)) return false
  return reply.includes(
    job.method === 'tools/list' ? job.has : `"text":"${toText(n)}${job.more === undefined ? '"' : ''}`,
  )
}

function listBody({ era }, id, cursor) {
  const params = { ...(cursor === undefined ? {} : { cursor }), ...(era === 'modern' ? { _meta: META } : {}) }
  return JSON.stringify({ jsonrpc: '2.0', id, method: 'tools/list', params })
}

/** The cursor of a page, found as a client does: page by page. */
async function findCursor(job, lead) {
  const socket = await openSocket(job.port)
  let cursor
  for (let page = 0; page < job.page; page++) {
    const reply = await exchange(socket, post(lead, listBody(job, 'walk', cursor)))
    cursor = /"nextCursor":"([^"]+)"/.exec(reply)?.[1]
    if (cursor === undefined) throw new Error(`There is no page after page ${page}:\n${reply.slice(0, 600)}`)
  }
  socket.destroy()
  return cursor
}

/** Everything of a request's head that does not change from call to call. */
async function toLead(job) {
  const plain = `POST /mcp HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\naccept: application/json, text/event-stream\r\n${job.token === undefined ? '' : `authorization: Bearer ${job.token}\r\n`}`
  if (job.era === 'modern') {
    const name = job.tool === undefined ? '' : `mcp-name: ${job.tool}\r\n`
    return `${plain}mcp-protocol-version: ${NEWEST}\r\nmcp-method: ${job.method}\r\n${name}`
  }
  const socket = await openSocket(job.port)
  const reply = await exchange(socket, post(plain, INITIALIZE))
  const session = /mcp-session-id: *([^\r\n]+)/i.exec(reply)?.[1]
  const own = `${plain}mcp-protocol-version: ${NEWEST_SESSION}\r\n${session === undefined ? '' : `mcp-session-id: ${session}\r\n`}`
  await exchange(socket, post(own, INITIALIZED))
  socket.destroy()
  return own
}

function post(lead, body) {
  return `${lead}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
}
