// A process full of clients that listen and do nothing else. Over IPC: { open: n, port, era } opens so many, 'count'
// says what they heard so far, 'close' hangs up.
import { INITIALIZE, INITIALIZED, META, NEWEST, NEWEST_SESSION } from '../engine/message.mjs'
import { exchange, openSocket } from '../raw-http.mjs'

const AT_ONCE = 50
let streams = []

process.on('message', async (message) => {
  if (message === 'count') process.send(count())
  else if (message === 'close') {
    await close()
    process.send('closed')
  } else {
    await open(message)
    process.send('open')
  }
})

async function open({ open: wanted, port, era }) {
  let next = 0
  const worker = async () => {
    while (next++ < wanted) streams.push(await (era === 'modern' ? listen(port) : get(port)))
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
}

/** Hangs up, after ending the sessions there are. */
async function close() {
  const leaving = streams
  streams = []
  const worker = async () => {
    for (let stream = leaving.pop(); stream !== undefined; stream = leaving.pop()) {
      if (stream.end !== undefined) await stream.end()
      stream.socket.destroy()
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
}

/** A `subscriptions/listen` of the newest revision. */
async function listen(port) {
  const params = { notifications: { toolsListChanged: true }, _meta: META }
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'subscriptions/listen', params })
  const names = `mcp-protocol-version: ${NEWEST}\r\nmcp-method: subscriptions/listen\r\n`
  return take(await openSocket(port), post(names, body))
}

/** A session, and the stream for its news on the same socket. */
async function get(port) {
  const socket = await openSocket(port)
  const opened = await exchange(socket, post('', INITIALIZE))
  const session = /mcp-session-id: *([^\r\n]+)/i.exec(opened)?.[1]
  const names = `mcp-protocol-version: ${NEWEST_SESSION}\r\nmcp-session-id: ${session}\r\n`
  await exchange(socket, post(names, INITIALIZED))
  const stream = await take(socket, `GET /mcp HTTP/1.1\r\nhost: 127.0.0.1\r\naccept: text/event-stream\r\n${names}\r\n`)
  const end = async () => {
    const other = await openSocket(port)
    await exchange(other, `DELETE /mcp HTTP/1.1\r\nhost: 127.0.0.1\r\n${names}\r\n`)
    other.destroy()
  }
  return Object.assign(stream, { end })
}

/** Resolves when the head of a stream has come. */
function take(socket, request) {
  const stream = { socket, changes: 0, heardAt: undefined, isOpen: true }
  return new Promise((resolve, reject) => {
    let head = ''
    socket.on('data', (chunk) => {
      const text = chunk.latin1Slice()
      if (head !== undefined) {
        head += text
        if (!head.includes('\r\n\r\n')) return
        if (!head.startsWith('HTTP/1.1 200') || !head.includes('text/event-stream'))
          reject(new Error(`No stream was opened:\n${head.slice(0, 400)}`))
        head = undefined
        resolve(stream)
      }
      const heard = text.split('list_changed').length - 1
      if (heard > 0) stream.heardAt = Date.now()
      stream.changes += heard
    })
    socket.on('close', () => {
      stream.isOpen = false
      reject(new Error('The connection was closed'))
    })
    socket.write(request)
  })
}

function count() {
  const heard = {}
  for (const { changes } of streams) heard[changes] = (heard[changes] ?? 0) + 1
  const times = streams.flatMap(({ heardAt }) => heardAt ?? [])
  return {
    open: streams.filter(({ isOpen }) => isOpen).length,
    heard,
    first: times.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY),
    last: times.reduce((a, b) => Math.max(a, b), 0),
  }
}

function post(names, body) {
  const lead = `POST /mcp HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\naccept: application/json, text/event-stream\r\n`
  return `${lead}${names}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
}
