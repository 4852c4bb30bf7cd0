import { toText } from '../message.mjs'

/**
 * Lets a client be told over IPC to make calls: `{ calls, concurrency }` in, what went wrong and how long it took out.
 * Says `{ "ready": true }` on stdout when it may be told.
 * @param call makes the nth call and gives its result
 */
export function serveRuns(call) {
  process.on('message', (message) => {
    if (typeof message === 'object') run(call, message).then((report) => process.send(report))
  })
  process.channel.ref()
  console.log(JSON.stringify({ ready: true }))
}

async function run(call, { calls, concurrency }) {
  const start = process.hrtime.bigint()
  let next = 0
  let failed = 0
  let sample
  const worker = async () => {
    while (next < calls) {
      const n = next++
      try {
        const { content } = await call(n)
        if (content[0].text === toText(n)) continue
        sample ??= JSON.stringify(content).slice(0, 600)
      } catch (error) {
        sample ??= String(error)
      }
      failed++
    }
  }
  await Promise.all(Array.from({ length: concurrency }, worker))
  return { failed, sample, ms: Number(process.hrtime.bigint() - start) / 1e6 }
}
