// A stdio server that exists to be killed: handshake revisions, one tool that says which process answered.
import { createInterface } from 'node:readline'

const pid = { name: 'pid', description: 'The process that answers', inputSchema: { type: 'object' } }
const answers = {
  initialize: ({ protocolVersion }) => ({
    protocolVersion,
    capabilities: { tools: {} },
    serverInfo: { name: 'victim', version: '1.0.0' },
  }),
  ping: () => ({}),
  'tools/list': () => ({ tools: [pid] }),
  'tools/call': () => ({ content: [{ type: 'text', text: String(process.pid) }] }),
}

createInterface({ input: process.stdin }).on('line', (line) => {
  const { id, method, params } = JSON.parse(line)
  if (id === undefined) return
  const answer = answers[method]
  const reply =
    answer === undefined ? { error: { code: -32601, message: 'Method not found' } } : { result: answer(params) }
  process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', id, ...reply })}\n`)
})
