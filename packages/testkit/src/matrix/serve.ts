import { serveStdio } from '@crosspoint/mcp/transports'
import { createMatrixServer } from './upstream.ts'

/** A server of the matrix as a process: `node packages/testkit/dist/matrix/serve.js <name> <revision>`. */
const [name = 'matrix', revision = ''] = process.argv.slice(2)
await serveStdio(createMatrixServer(name, revision).endpoint).closed
