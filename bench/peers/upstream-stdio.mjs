// An MCP server over stdio written by hand: handshake revisions only, as nearly every installed server is.
import { createInterface } from 'node:readline'

const tools = [
  {
    name: 'echo',
    description: 'Says it again',
    inputSchema: { type: 'object', properties: { message: { type: 'string' } } },
  },
]

const answers = {
  initialize: (params) => ({
    protocolVersion: params.protocolVersion <= '2025-11-25' ? params.protocolVersion : '2025-11-25',
    capabilities: { tools: {} },
    serverInfo: { name: 'bench-stdio', version: '1.0.0' },
  }),
  ping: () => ({}),
  'tools/list': () => ({ tools }),
  'tools/call': (params) => ({ content: [{ type: 'text', text: params.arguments.message }] }),
}

createInterface({ input: process.stdin }).on('line', (line) => {
  const { id, method, params } = JSON.parse(line)
  if (id === undefined) return
  const answer = answers[method]
  process.stdout.write(
    `${JSON.stringify(
      answer === undefined
        ? { jsonrpc: '2.0', id, error: { code: -32601, message: `Unknown method ${method}` } }
        : { jsonrpc: '2.0', id, result: answer(params) },
    )}\n`,
  )
})
