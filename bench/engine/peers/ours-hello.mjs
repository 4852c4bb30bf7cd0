// The smallest server a user of ours would write.
import { createServer, serve } from '../../../packages/mcp/dist/server/index.js'

const server = createServer({ name: 'hello', version: '1.0.0' })
server.tool('hello', { description: 'Greets' }, () => 'Hello')
await serve(server)
