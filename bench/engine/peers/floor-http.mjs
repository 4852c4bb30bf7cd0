// The floor of an MCP server over HTTP: node:http and nothing else, with every check the protocol demands written out,
// for calls that say all they need and for sessions. Its tools are a Map, its lists are serialised each time.
//   node floor-http.mjs [tools]
import { isUtf8 } from 'node:buffer'
import { randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import { NEWEST, NEWEST_SESSION, toTools } from '../message.mjs'

const MAX_BYTES = 4 * 1024 * 1024
const META = 'io.modelcontextprotocol/'
const sessions = new Map()
const tools = toTools(Number(process.argv[2] ?? 1))
const serverInfo = { name: 'floor', version: '1.0.0' }
const handlers = new Map(tools.map((tool) => [tool.name, echo]))

const server = createServer((request, response) => {
  const { headers, method, url } = request
  if (url !== '/mcp') return refuse(response, 404, -32600, 'Not here')
  if (!isLoopback(headers.host)) return refuse(response, 403, -32600, 'Wrong host')
  if (headers.origin !== undefined && !isLoopback(new URL(headers.origin).host)) {
    return refuse(response, 403, -32600, 'Wrong origin')
  }
  if (method !== 'POST') return refuse(response, 405, -32600, 'Only POST')
  if (headers['content-type'] !== 'application/json') return refuse(response, 415, -32600, 'Only JSON')
  const { accept } = headers
  if (accept === undefined || !accept.includes('application/json') || !accept.includes('text/event-stream')) {
    return refuse(response, 406, -32600, 'Accept both')
  }
  const chunks = []
  let bytes = 0
  request.on('data', (chunk) => {
    bytes += chunk.length
    if (bytes <= MAX_BYTES) chunks.push(chunk)
  })
  request.on('end', () => {
    if (bytes > MAX_BYTES) return refuse(response, 413, -32600, 'Too large')
    const body = chunks.length === 1 ? chunks[0] : Buffer.concat(chunks)
    if (!isUtf8(body)) return refuse(response, 400, -32700, 'Not UTF-8')
    let message
    try {
      message = JSON.parse(body.toString())
    } catch {
      return refuse(response, 400, -32700, 'Not JSON')
    }
    take(message, headers, response)
  })
})

function take(message, headers, response) {
  if (typeof message !== 'object' || message === null || message.jsonrpc !== '2.0') {
    return refuse(response, 400, -32600, 'Not JSON-RPC')
  }
  const { id, method, params = {} } = message
  if (typeof method !== 'string' || typeof params !== 'object' || params === null) {
    return refuse(response, 400, -32600, 'Not a request')
  }
  if (id === undefined) return response.writeHead(202).end()
  if (typeof id !== 'string' && !Number.isInteger(id)) return refuse(response, 400, -32600, 'Bad id')
  const version = params._meta?.[`${META}protocolVersion`]
  if (version !== undefined) return takeEnveloped(id, method, params, version, headers, response)
  if (method === 'initialize') return open(id, response)
  const session = sessions.get(headers['mcp-session-id'])
  if (session === undefined) return refuse(response, 404, -32600, 'No such session')
  const spoken = headers['mcp-protocol-version']
  if (spoken !== undefined && spoken !== NEWEST_SESSION) return refuse(response, 400, -32600, 'Wrong version')
  session.usedAt = Date.now()
  send(response, 200, answer(id, method, params))
}

function takeEnveloped(id, method, params, version, headers, response) {
  const { _meta } = params
  if (headers['mcp-protocol-version'] !== version) return refuse(response, 400, -32020, 'Version differs', id)
  if (version !== NEWEST) return refuse(response, 400, -32022, 'Unknown version', id)
  const capabilities = _meta[`${META}clientCapabilities`]
  const info = _meta[`${META}clientInfo`]
  if (typeof capabilities !== 'object' || capabilities === null) return refuse(response, 400, -32602, 'Envelope', id)
  if (info !== undefined && (typeof info.name !== 'string' || typeof info.version !== 'string')) {
    return refuse(response, 400, -32602, 'Envelope', id)
  }
  if (headers['mcp-method'] !== method) return refuse(response, 400, -32020, 'Method differs', id)
  if (method === 'tools/call' && headers['mcp-name'] !== params.name) {
    return refuse(response, 400, -32020, 'Name differs', id)
  }
  const reply = answer(id, method, params)
  if (reply.result !== undefined) {
    reply.result.resultType = 'complete'
    reply.result._meta = { [`${META}serverInfo`]: serverInfo }
    if (method !== 'tools/call') {
      reply.result.ttlMs = 0
      reply.result.cacheScope = 'private'
    }
  }
  send(response, 200, reply)
}

function open(id, response) {
  const session = randomBytes(24).toString('base64url')
  sessions.set(session, { usedAt: Date.now() })
  response.setHeader('mcp-session-id', session)
  const result = { protocolVersion: NEWEST_SESSION, capabilities: { tools: { listChanged: true } }, serverInfo }
  send(response, 200, { jsonrpc: '2.0', id, result })
}

function answer(id, method, params) {
  if (method === 'tools/list') return { jsonrpc: '2.0', id, result: { tools } }
  if (method === 'server/discover') {
    return { jsonrpc: '2.0', id, result: { supportedVersions: [NEWEST], capabilities: { tools: {} } } }
  }
  if (method !== 'tools/call') return { jsonrpc: '2.0', id, error: { code: -32601, message: 'Unknown method' } }
  const handler = handlers.get(params.name)
  if (handler === undefined) return { jsonrpc: '2.0', id, error: { code: -32602, message: 'Unknown tool' } }
  const args = params.arguments ?? {}
  const fault = findFault(args)
  if (fault !== undefined) {
    return { jsonrpc: '2.0', id, result: { content: [{ type: 'text', text: fault }], isError: true } }
  }
  return { jsonrpc: '2.0', id, result: { content: [{ type: 'text', text: handler(args) }] } }
}

/** What the schema of the echo says, by hand. */
function findFault(args) {
  const { message, times, tone, tags } = args
  if (typeof message !== 'string' || message.length < 1 || message.length > 10_000) return 'message'
  if (times !== undefined && (!Number.isInteger(times) || times < 1 || times > 10)) return 'times'
  if (tone !== undefined && tone !== 'plain' && tone !== 'loud') return 'tone'
  if (tags !== undefined && (!Array.isArray(tags) || tags.length > 20 || tags.some((tag) => typeof tag !== 'string'))) {
    return 'tags'
  }
  for (const name of Object.keys(args)) {
    if (name !== 'message' && name !== 'times' && name !== 'tone' && name !== 'tags') return name
  }
  return undefined
}

function echo({ message }) {
  return message
}

function refuse(response, status, code, message, id) {
  send(response, status, { jsonrpc: '2.0', ...(id === undefined ? {} : { id }), error: { code, message } })
}

function send(response, status, reply) {
  const text = JSON.stringify(reply)
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) })
  response.end(text)
}

function isLoopback(host) {
  if (host === undefined) return false
  const name = host.replace(/:\d+$/, '')
  return name === '127.0.0.1' || name === 'localhost' || name === '[::1]'
}

server.keepAliveTimeout = 60_000
server.listen(0, '127.0.0.1', () => console.log(JSON.stringify({ port: server.address().port })))
