// The benches. Each compares neighbours in time within one interleaved run, since only ratios survive the machine.
//   npm run bench                  the gateway beside a plain proxy and mcp-proxy
//   npm run bench -- idle          10,000 streams that say nothing, beside a bare server, and news for all of them
//   npm run bench -- evidence      what 20,000 records a second cost the calls beside them
//   npm run bench -- engine        server and client of the engine beside what is written by hand, and the official SDK
const BENCHES = ['gateway', 'idle', 'engine', 'evidence']

const [, , named] = process.argv
if (named !== undefined && !named.startsWith('-')) {
  if (!BENCHES.includes(named)) {
    console.error(`No bench named "${named}"; there are: ${BENCHES.join(', ')}`)
    process.exit(2)
  }
  process.argv.splice(2, 1)
}
await import(`./${BENCHES.includes(named) ? named : 'gateway'}/run.mjs`)
