import { createFakeClock } from '@crosspoint/testkit'
import { expect, test } from 'vitest'
import { SILENT } from '../log.ts'
import { createStderrLog } from './stderr.ts'

function record() {
  const clock = createFakeClock()
  const lines: [string, object][] = []
  const log = {
    ...SILENT,
    info: (details: object, message: string) => void lines.push([message, details]),
    warn: (details: object, message: string) => void lines.push([message, details]),
  }
  return { clock, lines, stderr: createStderrLog('noisy', log, clock) }
}

test('abuse-16: a flood on stderr costs a bounded number of lines a second, and the rest is counted', () => {
  const { clock, lines, stderr } = record()
  for (let n = 0; n < 10_000; n++) stderr(`line ${n}`)
  expect(lines).toHaveLength(20)
  clock.advance(1000)
  stderr('later')
  expect(lines[20]?.[1]).toEqual({ upstream: 'noisy', dropped: 9_980 })
  expect(lines[21]?.[1]).toEqual({ upstream: 'noisy', stderr: 'later' })
})

test('abuse-40: control characters of a server never reach the log as such', () => {
  const { lines, stderr } = record()
  stderr('\u001b[31mred\u001b[0m')
  expect(lines[0]?.[1]).toEqual({ upstream: 'noisy', stderr: '\\u{1b}[31mred\\u{1b}[0m' })
})

test('skips blank lines', () => {
  const { lines, stderr } = record()
  stderr('   ')
  stderr('Error: no token')
  expect(lines).toHaveLength(1)
})
