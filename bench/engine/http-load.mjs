// The load over HTTP: raw sockets and ready bytes, so that the client costs little beside what it measures.
import { exchange, openSocket } from '../raw-http.mjs'
import { INITIALIZE, INITIALIZED, NEWEST, NEWEST_SESSION, toCall, toList, toText } from './message.mjs'

/**
 * Makes `calls` calls over `concurrency` connections and looks at every answer.
 * @param job { port, path, era: 'modern' | 'session', method: 'tools/call' | 'tools/list', tools }
 * @returns { failed, sample, ms }
 */
export async function runHttp(job, calls, concurrency) {
  const lead = await toLead(job)
  const start = process.hrtime.bigint()
  let next = 0
  let failed = 0
  let sample
  const worker = async () => {
    const socket = await openSocket(job.port)
    try {
      while (next < calls) {
        const n = next++
        const body = job.method === 'tools/list' ? toList(n, job.era) : toCall(n, job.era)
        const reply = await exchange(socket, post(lead, body))
        if (isRight(reply, n, job)) continue
        failed++
        sample ??= reply.slice(0, 600)
      }
    } finally {
      socket.destroy()
    }
  }
  await Promise.all(Array.from({ length: concurrency }, worker))
  return { failed, sample, ms: Number(process.hrtime.bigint() - start) / 1e6 }
}

function isRight(reply, n, { method, tools }) {
  if (!reply.includes(`"id":${n},`) && !reply.includes(`"id":${n}}`)) return false
  return method === 'tools/list'
    ? reply.includes('"name":"echo"') && reply.includes(`"name":"tool_${tools - 1}"`)
    : reply.includes(`"text":"${toText(n)}"`)
}

/** Everything of a request's head that does not change from call to call. */
async function toLead({ port, path = '/mcp', era, method }) {
  const lead = `POST ${path} HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\ncontent-type: application/json\r\naccept: application/json, text/event-stream\r\n`
  if (era === 'modern') {
    const name = method === 'tools/call' ? 'mcp-name: echo\r\n' : ''
    return `${lead}mcp-protocol-version: ${NEWEST}\r\nmcp-method: ${method}\r\n${name}`
  }
  const socket = await openSocket(port)
  const reply = await exchange(socket, post(lead, INITIALIZE))
  const session = /mcp-session-id: *([^\r\n]+)/i.exec(reply)?.[1]
  if (session === undefined) throw new Error(`No session was opened:\n${reply.slice(0, 600)}`)
  const own = `${lead}mcp-protocol-version: ${NEWEST_SESSION}\r\nmcp-session-id: ${session}\r\n`
  await exchange(socket, post(own, INITIALIZED))
  socket.destroy()
  return own
}

function post(lead, body) {
  return `${lead}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
}
