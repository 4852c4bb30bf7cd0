// The floor over stdio: JSON a line, in and out, and the one handler called in between.
let rest = ''
process.stdin.setEncoding('utf8').on('data', (text) => {
  const lines = (rest + text).split('\n')
  rest = lines.pop()
  for (const line of lines) take(JSON.parse(line))
})

function take({ id, method, params }) {
  if (id === undefined) return
  process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', id, result: answer(method, params) })}\n`)
}

function answer(method, params) {
  if (method === 'tools/call') return { content: [{ type: 'text', text: params.arguments.message }] }
  return {
    protocolVersion: params.protocolVersion,
    capabilities: { tools: {} },
    serverInfo: { name: 'floor', version: '1.0.0' },
  }
}
