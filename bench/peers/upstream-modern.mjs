// A stateless MCP server written by hand, as cheap as an upstream can be, so that what is measured is the hop before it.
import { toTools } from '../engine/message.mjs'
import { toEcho } from './filler.mjs'
import { serveJson } from './serve-json.mjs'

const hints = { resultType: 'complete', ttlMs: 60_000, cacheScope: 'private' }
const tools = toTools(Number(process.argv[2] ?? 1))

const answers = {
  'server/discover': () => ({ ...hints, supportedVersions: ['2026-07-28'], capabilities: { tools: {} } }),
  'tools/list': () => ({ ...hints, tools }),
  'tools/call': (params) => ({ resultType: 'complete', ...toEcho(params.arguments.message, params.arguments.more) }),
}

serveJson(({ id, method, params }) => {
  const answer = answers[method]
  return answer === undefined
    ? { status: 404, message: { jsonrpc: '2.0', id, error: { code: -32601, message: `Unknown method ${method}` } } }
    : { status: 200, message: { jsonrpc: '2.0', id, result: answer(params) } }
})
