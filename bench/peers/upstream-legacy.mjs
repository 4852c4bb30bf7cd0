// An MCP server of a handshake revision over HTTP, with sessions, written by hand.
import { toTools } from '../engine/message.mjs'
import { toEcho } from './filler.mjs'
import { serveJson } from './serve-json.mjs'

const tools = toTools(Number(process.argv[2] ?? 1))
const sessions = new Set()

const answers = {
  ping: () => ({}),
  'tools/list': () => ({ tools }),
  'tools/call': (params) => toEcho(params.arguments.message, params.arguments.more),
}

serveJson(({ id, method, params }, headers) => {
  if (method === 'initialize') {
    const session = `session-${sessions.size}`
    sessions.add(session)
    const serverInfo = { name: 'bench-legacy', version: '1.0.0' }
    const result = { protocolVersion: '2025-11-25', capabilities: { tools: {} }, serverInfo }
    return { status: 200, message: { jsonrpc: '2.0', id, result }, headers: { 'mcp-session-id': session } }
  }
  if (!sessions.has(headers['mcp-session-id'])) {
    return { status: 400, message: { jsonrpc: '2.0', id, error: { code: -32000, message: 'Initialize first' } } }
  }
  if (id === undefined) return { status: 202 }
  const answer = answers[method]
  return answer === undefined
    ? { status: 200, message: { jsonrpc: '2.0', id, error: { code: -32601, message: `Unknown method ${method}` } } }
    : { status: 200, message: { jsonrpc: '2.0', id, result: answer(params) } }
})
