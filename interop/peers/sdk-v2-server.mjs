// A server on the official SDK, line 2, which speaks the newest revision: a referee for our client side.
//
//   node sdk-v2-server.mjs stdio | http      both eras
//   node sdk-v2-server.mjs … --modern-only   refuses handshakes
//
// Over HTTP it prints the port it got as one line of JSON.
import { createServer } from 'node:http'
import { createMcpHandler, McpServer } from '@modelcontextprotocol/server'
import { serveStdio } from '@modelcontextprotocol/server/stdio'
import * as z from 'zod'

const [door] = process.argv.slice(2)
const legacy = process.argv.includes('--modern-only') ? 'reject' : undefined

function create() {
  const server = new McpServer({ name: 'sdk-v2-peer', version: '2.4.0' })
  server.registerTool(
    'greet',
    { description: 'Greets somebody', inputSchema: z.object({ name: z.string() }) },
    ({ name }) => ({ content: [{ type: 'text', text: `Hello, ${name}!` }] }),
  )
  server.registerTool(
    'count',
    {
      description: 'Counts letters',
      inputSchema: z.object({ text: z.string() }),
      outputSchema: z.object({ letters: z.number() }),
    },
    ({ text }) => ({
      content: [{ type: 'text', text: JSON.stringify({ letters: text.length }) }],
      structuredContent: { letters: text.length },
    }),
  )
  server.registerResource('note', 'note://hello', { description: 'A note', mimeType: 'text/plain' }, (uri) => ({
    contents: [{ uri: uri.href, mimeType: 'text/plain', text: 'hello' }],
  }))
  server.registerPrompt('ask', { description: 'Asks' }, () => ({
    messages: [{ role: 'user', content: { type: 'text', text: 'What is it?' } }],
  }))
  return server
}

if (door === 'stdio') {
  serveStdio(create, legacy === undefined ? {} : { legacy })
} else {
  const handler = createMcpHandler(create, legacy === undefined ? {} : { legacy })
  const server = createServer((incoming, outgoing) => void answer(handler, incoming, outgoing))
  server.listen(0, '127.0.0.1', () => process.stdout.write(`${JSON.stringify({ port: server.address().port })}\n`))
}

async function answer(handler, incoming, outgoing) {
  const chunks = []
  for await (const chunk of incoming) chunks.push(chunk)
  const gone = new AbortController()
  outgoing.on('close', () => gone.abort())
  const request = new Request(`http://${incoming.headers.host}${incoming.url}`, {
    method: incoming.method,
    headers: Object.entries(incoming.headers).map(([name, value]) => [name, String(value)]),
    body: chunks.length === 0 ? undefined : Buffer.concat(chunks),
    signal: gone.signal,
  })
  const response = await handler.fetch(request)
  outgoing.writeHead(response.status, Object.fromEntries(response.headers))
  if (response.body === null) return outgoing.end()
  try {
    for await (const chunk of response.body) outgoing.write(chunk)
  } catch {
    // The caller left; there is nobody to tell.
  }
  outgoing.end()
}
