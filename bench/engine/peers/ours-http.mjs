// Our server over HTTP.
//   node ours-http.mjs [tools]
import { createServer, serve } from '../../../packages/mcp/dist/server/index.js'
import { toTools } from '../message.mjs'

const server = createServer({ name: 'bench', version: '1.0.0' })
for (const { name, description, inputSchema } of toTools(Number(process.argv[2] ?? 1))) {
  server.tool(name, { description, input: inputSchema }, ({ message }) => message)
}
const { url } = await serve(server, { port: 0 })
console.log(JSON.stringify({ port: Number(new URL(url).port) }))
