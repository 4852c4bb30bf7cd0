import { readdirSync, watch, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { serveStdio } from '@crosspoint/mcp/transports'
import { createMatrixServer, registerGrown } from './upstream.ts'

/**
 * A server of the matrix as a process: `node packages/testkit/dist/matrix/serve.js <name> <revision> <folder>`.
 * There may be several processes of it, one for each kind of caller. What tools it has beyond the first ones is in the
 * folder, and they all follow it.
 */
const [name = 'matrix', revision = '', folder = '.'] = process.argv.slice(2)
const server = createMatrixServer(name, revision, (tool) => writeFileSync(join(folder, tool), ''))
const known = new Set<string>()
const follow = () => {
  for (const tool of readdirSync(folder)) {
    if (known.has(tool)) continue
    known.add(tool)
    registerGrown(server, tool)
  }
}
const watcher = watch(folder, follow)
follow()
await serveStdio(server.endpoint).closed
watcher.close()
