// Our engine's fixture server, built, on stdio: what the official clients start as their one server.
import { serveStdio } from '../../packages/mcp/dist/transports/index.js'
import { createFixtureServer } from '../../packages/testkit/dist/index.js'

const { closed } = serveStdio(createFixtureServer().endpoint)
await closed
