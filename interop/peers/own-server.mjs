// Our engine's fixture server, from the build:
//
//   node own-server.mjs stdio | http
//
// Over HTTP it prints the port it got as one line of JSON.
import { openHttpDoor, serveStdio } from '../../packages/mcp/dist/transports/index.js'
import { createFixtureServer } from '../../packages/testkit/dist/index.js'

const { endpoint } = createFixtureServer()
if (process.argv[2] === 'http') {
  const door = await openHttpDoor({ endpoint: (path) => (path === '/mcp' ? endpoint : undefined) })
  process.stdout.write(`${JSON.stringify({ port: door.port })}\n`)
} else {
  await serveStdio(endpoint).closed
}
