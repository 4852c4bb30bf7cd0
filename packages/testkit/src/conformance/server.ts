import { parseArgs } from 'node:util'
import { ENVELOPE_REVISIONS, HANDSHAKE_REVISIONS, REVISIONS } from '@crosspoint/mcp'
import { openHttpDoor } from '@crosspoint/mcp/transports'
import { createFixtureServer } from '../fixture/server.ts'

/**
 * The fixture server as a process, for the official conformance suite and other tests from outside: every revision
 * at `/mcp`, or those of one era. Says `listening on <url>` on stderr; ends on SIGTERM and SIGINT.
 *
 *   node packages/testkit/dist/conformance/server.js --port 3000 --era dual|legacy|modern
 */
const { values } = parseArgs({
  options: { port: { type: 'string', default: '0' }, era: { type: 'string', default: 'dual' } },
})
const port = Number(values.port)
if (!Number.isInteger(port) || port < 0 || port > 65_535) {
  console.error(`Cannot listen on port "${values.port}": a port is a number from 0 to 65535`)
  process.exit(1)
}

const ERAS = new Map([
  ['dual', REVISIONS],
  ['legacy', HANDSHAKE_REVISIONS],
  ['modern', ENVELOPE_REVISIONS],
])
const revisions = ERAS.get(values.era)?.map(({ name }) => name)
if (revisions === undefined) {
  console.error(`Cannot serve the era "${values.era}": there are ${[...ERAS.keys()].join(', ')}`)
  process.exit(1)
}

const server = createFixtureServer({ revisions })
const door = await openHttpDoor({
  port,
  endpoint: (path) => (path === '/mcp' ? server.endpoint : undefined),
  log: (event) => {
    if (event.level === 'error') console.error(event)
  },
})
console.error(`listening on ${door.url}/mcp`)

const stop = () => {
  server.close()
  void door.close({ drainMs: 2000 })
}
process.once('SIGTERM', stop)
process.once('SIGINT', stop)
