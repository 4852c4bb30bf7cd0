// A gateway that keeps evidence in the embedded store, and can be told to record so many things a second besides its
// calls: over IPC, a number is that many from now on, and 'kept' asks how many records the store has.
import { createGateway, openFrontDoor, openStore, SILENT } from '@crosspoint/gateway'
import { loadConfig } from '@crosspoint/gateway/config'

const [, , path] = process.argv
const { config } = await loadConfig(path)
const store = await openStore(config.store, SILENT)
const gateway = createGateway({ config, info: { name: 'bench', version: '1.0.0' }, store })
await gateway.start()
const door = await openFrontDoor(gateway)
console.log(JSON.stringify({ port: door.port }))

/** As long as the record of a call is. */
const about = Object.fromEntries(Array.from({ length: 10 }, (_, at) => [`member${at}`, 'x'.repeat(40)]))
const TICK_MS = 5
let rate = 0
let owed = 0
let last = performance.now()
setInterval(() => {
  const now = performance.now()
  owed += (rate * (now - last)) / 1000
  last = now
  for (; owed >= 1; owed--) {
    gateway.record({ event: 'bench.happened', tenant: 'acme', principal: 'alice', target: 'bench__echo', about })
  }
}, TICK_MS)

process.on('message', async (message) => {
  if (typeof message === 'number') {
    rate = message
    process.send({ rate })
  }
  if (message !== 'kept') return
  const chains = await store.audit.chains()
  const [newest] = await store.audit.search({ method: 'audit.lost', limit: 1 })
  process.send({ kept: chains.reduce((sum, chain) => sum + chain.last, 0), lost: newest !== undefined })
})
