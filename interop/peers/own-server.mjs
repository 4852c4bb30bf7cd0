// Our engine's fixture server, from the build, and a few tools that show what a call's surroundings do:
//
//   node own-server.mjs stdio | http
//
// Over HTTP it prints the port it got as one line of JSON.
import { openHttpDoor, serveStdio } from '../../packages/mcp/dist/transports/index.js'
import { createFixtureServer } from '../../packages/testkit/dist/index.js'

const server = createFixtureServer()
addTouch()
addWaiting()

if (process.argv[2] === 'http') {
  const at = (own) => (path) => (path === own ? server.endpoint : undefined)
  const door = await openHttpDoor({ endpoint: at('/mcp'), sse: at('/sse') })
  process.stdout.write(`${JSON.stringify({ port: door.port })}\n`)
} else {
  await serveStdio(server.endpoint).closed
}

function addTouch() {
  server.tool('touch', { description: 'Changes the watched resource' }, () => {
    server.resourceUpdated('test://watched-resource')
    return 'Touched'
  })
}

function addWaiting() {
  let cancelled = 0
  const waiting = new Set()
  server.tool('wait', { description: 'Waits until it is cancelled' }, async (_args, { signal, progress }) => {
    progress(1)
    await new Promise((done) => signal.addEventListener('abort', done, { once: true }))
    cancelled++
    for (const look of waiting) look()
    return 'Too late'
  })
  const input = { type: 'object', properties: { above: { type: 'integer' } }, required: ['above'] }
  const description = 'Says how many calls were cancelled, as soon as it is more than "above"'
  server.tool('cancelled', { description, input }, async ({ above }) => {
    await new Promise((done) => {
      const look = () => {
        if (cancelled <= above) return
        waiting.delete(look)
        done()
      }
      waiting.add(look)
      look()
    })
    return String(cancelled)
  })
}
