// A stateless MCP server written by hand, as cheap as an upstream can be, so that what is measured is the hop before it.
import { createServer } from 'node:http'

const tools = [
  {
    name: 'echo',
    description: 'Says it again',
    inputSchema: { type: 'object', properties: { message: { type: 'string' } } },
  },
]
const hints = { resultType: 'complete', ttlMs: 60_000, cacheScope: 'private' }

const answers = {
  'server/discover': () => ({ ...hints, supportedVersions: ['2026-07-28'], capabilities: { tools: {} } }),
  'tools/list': () => ({ ...hints, tools }),
  'tools/call': (params) => ({
    resultType: 'complete',
    content: [{ type: 'text', text: `Echo: ${params.arguments.message}` }],
  }),
}

const server = createServer((request, response) => {
  const chunks = []
  request.on('data', (chunk) => chunks.push(chunk))
  request.on('end', () => {
    const { id, method, params } = JSON.parse(Buffer.concat(chunks).toString())
    const answer = answers[method]
    const body = Buffer.from(
      JSON.stringify(
        answer === undefined
          ? { jsonrpc: '2.0', id, error: { code: -32601, message: `Unknown method ${method}` } }
          : { jsonrpc: '2.0', id, result: answer(params) },
      ),
    )
    response.writeHead(answer === undefined ? 404 : 200, {
      'content-type': 'application/json',
      'content-length': body.length,
    })
    response.end(body)
  })
})
server.keepAliveTimeout = 60_000
server.listen(0, '127.0.0.1', () => console.log(JSON.stringify({ port: server.address().port })))
