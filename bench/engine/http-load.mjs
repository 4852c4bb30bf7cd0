// The load over HTTP: raw sockets and ready bytes, so that the client costs little beside what it measures.
import { connect } from 'node:net'
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

function openSocket(port) {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true }, () => resolve(socket))
    socket.on('error', reject)
  })
}

function exchange(socket, request) {
  return new Promise((resolve, reject) => {
    let text = ''
    const onData = (chunk) => {
      text += chunk.latin1Slice()
      if (!isWhole(text)) return
      done()
      resolve(text)
    }
    const onClose = () => {
      done()
      reject(new Error(`The connection was closed in the middle of a reply: ${text.slice(0, 200)}`))
    }
    const done = () => {
      socket.off('data', onData)
      socket.off('close', onClose)
    }
    socket.on('data', onData)
    socket.on('close', onClose)
    socket.write(request)
  })
}

function isWhole(text) {
  const end = text.indexOf('\r\n\r\n')
  if (end === -1) return false
  const head = text.slice(0, end).toLowerCase()
  const length = /content-length: *(\d+)/.exec(head)
  if (length !== null) return text.length - end - 4 >= Number(length[1])
  if (head.includes('transfer-encoding: chunked')) return text.endsWith('0\r\n\r\n')
  return true
}
