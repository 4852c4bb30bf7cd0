// A server over stdio whose list of tools grows by one whenever "grow" is called, which it announces.
import { createInterface } from 'node:readline'

const toTool = (name) => ({ name, inputSchema: { type: 'object' } })
const tools = [toTool('grow')]

const answers = {
  initialize: ({ protocolVersion }) => ({
    protocolVersion: protocolVersion <= '2025-11-25' ? protocolVersion : '2025-11-25',
    capabilities: { tools: { listChanged: true } },
    serverInfo: { name: 'bench-growing', version: '1.0.0' },
  }),
  ping: () => ({}),
  'tools/list': () => ({ tools }),
  'tools/call': () => {
    tools.push(toTool(`tool_${tools.length}`))
    return { content: [{ type: 'text', text: `${tools.length} tools` }] }
  },
}

const send = (message) => process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`)
createInterface({ input: process.stdin }).on('line', (line) => {
  const { id, method, params } = JSON.parse(line)
  if (id === undefined) return
  const answer = answers[method]
  if (answer === undefined) send({ id, error: { code: -32601, message: `Unknown method ${method}` } })
  else send({ id, result: answer(params) })
  if (method === 'tools/call') send({ method: 'notifications/tools/list_changed' })
})
