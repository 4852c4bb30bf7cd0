// The official SDK, line 2, doing what the engine's bench does (bench/engine).
//
//   node bench-sdk-v2.mjs http [tools] | stdio | hello | client-http <port> | client-stdio
import { createServer } from 'node:http'
import { fileURLToPath } from 'node:url'
import { createMcpHandler, McpServer } from '@modelcontextprotocol/server'
import { serveStdio } from '@modelcontextprotocol/server/stdio'
import * as z from 'zod'
import { toText, toTools } from '../../bench/engine/message.mjs'
import { serveRuns } from '../../bench/engine/peers/runs.mjs'

const [, , role, given] = process.argv
const inputSchema = z.object({
  message: z.string().min(1).max(10_000),
  times: z.int().min(1).max(10).optional(),
  tone: z.enum(['plain', 'loud']).optional(),
  tags: z.array(z.string()).max(20).optional(),
})

function create() {
  const server = new McpServer({ name: 'bench', version: '1.0.0' })
  for (const { name, description } of toTools(Number(given ?? 1))) {
    server.registerTool(name, { description, inputSchema }, ({ message }) => ({
      content: [{ type: 'text', text: message }],
    }))
  }
  return server
}

function createHello() {
  const server = new McpServer({ name: 'hello', version: '1.0.0' })
  server.registerTool('hello', { description: 'Greets' }, () => ({ content: [{ type: 'text', text: 'Hello' }] }))
  return server
}

if (role === 'stdio') serveStdio(create)
else if (role === 'hello') serveStdio(createHello)
else if (role === 'http') serveHttp()
else await drive()

function serveHttp() {
  const handler = createMcpHandler(create)
  const server = createServer(async (incoming, outgoing) => {
    const chunks = []
    for await (const chunk of incoming) chunks.push(chunk)
    const request = new Request(`http://${incoming.headers.host}${incoming.url}`, {
      method: incoming.method,
      headers: Object.entries(incoming.headers).map(([name, value]) => [name, String(value)]),
      body: Buffer.concat(chunks),
    })
    const response = await handler.fetch(request)
    const text = await response.text()
    outgoing.writeHead(response.status, {
      ...Object.fromEntries(response.headers),
      'content-length': Buffer.byteLength(text),
    })
    outgoing.end(text)
  })
  server.listen(0, '127.0.0.1', () => console.log(JSON.stringify({ port: server.address().port })))
}

async function drive() {
  const { Client, StreamableHTTPClientTransport } = await import('@modelcontextprotocol/client')
  const { StdioClientTransport } = await import('@modelcontextprotocol/client/stdio')
  const client = new Client({ name: 'bench', version: '1.0.0' }, { versionNegotiation: { mode: 'auto' } })
  const floor = fileURLToPath(new URL('../../bench/engine/peers/floor-stdio.mjs', import.meta.url))
  await client.connect(
    role === 'client-http'
      ? new StreamableHTTPClientTransport(new URL(`http://127.0.0.1:${given}/mcp`))
      : new StdioClientTransport({ command: process.execPath, args: [floor] }),
  )
  serveRuns((n) => client.callTool({ name: 'echo', arguments: { message: toText(n) } }))
}
