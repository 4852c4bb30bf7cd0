// The same over HTTP: `node echo-http.mjs <port> <modern|legacy>`. A legacy one keeps sessions, which its end ends.
import { randomUUID } from 'node:crypto'
import { createServer } from 'node:http'
import { answerEcho } from './echo.mjs'

const [, , port, era] = process.argv
const sessions = new Set()

const server = createServer((request, response) => {
  const chunks = []
  request.on('data', (chunk) => chunks.push(chunk))
  request.on('end', () => {
    const answer =
      request.method === 'POST' ? take(JSON.parse(Buffer.concat(chunks)), request.headers) : { status: 405 }
    const { status, message, headers } = answer
    const body = message === undefined ? '' : JSON.stringify(message)
    response.writeHead(status, {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
      ...headers,
    })
    response.end(body)
  })
})
server.listen(Number(port), '127.0.0.1', () => process.stdout.write('listening\n'))

function take({ id, method, params }, headers) {
  if (era === 'modern') {
    const message = answerEcho(id, method, params, era)
    return { status: message.error === undefined ? 200 : 404, message }
  }
  const message = id === undefined ? undefined : answerEcho(id, method, params, era)
  if (method === 'initialize') {
    const session = randomUUID()
    sessions.add(session)
    return { status: 200, message, headers: { 'mcp-session-id': session } }
  }
  if (headers['mcp-session-id'] === undefined) {
    return { status: 400, message: { jsonrpc: '2.0', id, error: { code: -32000, message: 'Initialize first' } } }
  }
  if (!sessions.has(headers['mcp-session-id'])) {
    return { status: 404, message: { jsonrpc: '2.0', id, error: { code: -32001, message: 'No such session' } } }
  }
  return { status: id === undefined ? 202 : 200, message }
}
