import { openStdio } from './stdio-load.mjs'
import { startSubject } from './subject.mjs'

/** What a server that only greets has cost once it has answered `initialize`, and what it holds then. */
export async function measureStarts(peer, sdk, starts) {
  const rows = [
    { name: 'ours', script: peer('ours-hello'), args: [] },
    { name: 'by hand', script: peer('floor-stdio'), args: [] },
    ...(sdk === undefined ? [] : [{ name: 'SDK v2', script: sdk, args: ['hello'] }]),
  ].map((row) => ({ ...row, cpu: [], rss: [] }))
  for (let at = -1; at < starts; at++) {
    for (const row of rows) {
      const subject = startSubject(row.script, row.args)
      try {
        await openStdio(subject)
        const { cpuUs, rss } = await subject.used()
        if (at < 0) continue
        row.cpu.push(cpuUs / 1_000)
        row.rss.push(rss / 1024 / 1024)
      } finally {
        await subject.stop()
      }
    }
  }
  return [
    { name: 'start of a hello world over stdio, CPU', unit: 'ms', most: 1.8, rows: toRows(rows, 'cpu') },
    { name: 'start of a hello world over stdio, resident', unit: 'MB', below: 'SDK v2', rows: toRows(rows, 'rss') },
  ]
}

function toRows(rows, member) {
  const [ours] = rows
  return rows.map((row) => ({
    name: row.name,
    value: median(row[member]),
    ratio: median(row[member].map((value, at) => ours[member][at] / value)),
  }))
}

function median(values) {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
}
