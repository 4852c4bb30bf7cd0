// A stdio server of the handshake revisions that says again what it is told, and is killed in the middle of it.
import { createInterface } from 'node:readline'
import { answerEcho } from './echo.mjs'

const send = (message) => process.stdout.write(`${JSON.stringify(message)}\n`)
createInterface({ input: process.stdin }).on('line', (line) => {
  const { id, method, params } = JSON.parse(line)
  if (id !== undefined) send(answerEcho(id, method, params, 'legacy'))
})
