// Our server behind web-standard requests, called in this process.
import { createServer, toFetchHandler } from '../../../packages/mcp/dist/server/index.js'
import { ECHO } from '../message.mjs'
import { toRequest } from './requests.mjs'
import { serveRuns } from './runs.mjs'

const server = createServer({ name: 'bench', version: '1.0.0' })
const { name, description, inputSchema } = ECHO
server.tool(name, { description, input: inputSchema }, ({ message }) => message)
const handle = toFetchHandler(server)

serveRuns(async (n) => (await (await handle(toRequest(n))).json()).result)
