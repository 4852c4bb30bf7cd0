// Our client.
//   node ours-client.mjs http <port> | stdio
import { fileURLToPath } from 'node:url'
import { connect } from '../../../packages/mcp/dist/client/index.js'
import { toText } from '../message.mjs'
import { serveRuns } from './runs.mjs'

const [, , kind, port] = process.argv
const floor = fileURLToPath(new URL('floor-stdio.mjs', import.meta.url))
const client = await connect(
  kind === 'http' ? `http://127.0.0.1:${port}/mcp` : { command: process.execPath, args: [floor] },
  { client: { name: 'bench', version: '1.0.0' } },
)
serveRuns((n) => client.callTool('echo', { message: toText(n) }))
