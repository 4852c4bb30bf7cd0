// Our server over stdio.
import { createServer, serve } from '../../../packages/mcp/dist/server/index.js'
import { ECHO } from '../message.mjs'

const server = createServer({ name: 'bench', version: '1.0.0' })
const { name, description, inputSchema } = ECHO
server.tool(name, { description, input: inputSchema }, ({ message }) => message)
await serve(server)
