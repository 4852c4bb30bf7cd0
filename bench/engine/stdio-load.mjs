// The load over stdio: lines in, lines out, a number of calls always under way.
import { INITIALIZE, INITIALIZED, toCall, toText } from './message.mjs'

/** Opens the conversation on a child's pipes. */
export async function openStdio({ child }) {
  const lines = readLines(child.stdout)
  child.stdin.write(`${INITIALIZE}\n`)
  const opened = await lines.next()
  if (!opened.includes('"protocolVersion"')) throw new Error(`Not opened: ${opened.slice(0, 400)}`)
  child.stdin.write(`${INITIALIZED}\n`)
  return { stdin: child.stdin, lines }
}

/** Makes `calls` calls with `outstanding` under way, and looks at every answer. */
export function runStdio({ stdin, lines }, calls, outstanding) {
  return new Promise((resolve) => {
    const start = process.hrtime.bigint()
    let sent = 0
    let heard = 0
    let failed = 0
    let sample
    const send = () => {
      stdin.write(`${toCall(sent++, 'session')}\n`)
    }
    lines.take((line) => {
      const n = Number(/"id":(\d+)/.exec(line)?.[1])
      if (!line.includes(`"text":"${toText(n)}"`)) {
        failed++
        sample ??= line.slice(0, 600)
      }
      heard++
      if (heard === calls) {
        lines.take(undefined)
        resolve({ failed, sample, ms: Number(process.hrtime.bigint() - start) / 1e6 })
      } else if (sent < calls) send()
    })
    for (let at = 0; at < outstanding; at++) send()
  })
}

function readLines(stream) {
  let rest = ''
  let taker
  const early = []
  stream.setEncoding('utf8').on('data', (text) => {
    const lines = (rest + text).split('\n')
    rest = lines.pop()
    for (const line of lines) {
      if (taker === undefined) early.push(line)
      else taker(line)
    }
  })
  const take = (next) => {
    taker = next
    while (taker !== undefined && early.length > 0) taker(early.shift())
  }
  return {
    take,
    next: () =>
      new Promise((resolve) =>
        take((line) => {
          take(undefined)
          resolve(line)
        }),
      ),
  }
}
