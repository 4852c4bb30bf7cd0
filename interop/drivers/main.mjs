// Does with one official SDK what it is told, as one JSON argument, and prints what was seen as one line of JSON:
//
//   { line: 1 | 2, mode?, target: { url, transport? } | { command, args }, job: "tour" | "signals", … }
//
// `transport` is "sse" for the oldest one. `mode` is for line 2: "legacy", "auto", or { pin: revision }. What else there is belongs to the job.
import { readSignals } from './signals.mjs'
import { takeTour } from './tour.mjs'

const order = JSON.parse(process.argv[2])
const jobs = { tour: takeTour, signals: readSignals }

try {
  const { connect } = await import(`./line-${order.line}.mjs`)
  const { client, about, close } = await connect(order)
  try {
    const seen = await jobs[order.job](client, order, about)
    process.stdout.write(`${JSON.stringify({ ...about, ...seen })}\n`)
  } finally {
    await close()
  }
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`)
  process.exitCode = 1
}
