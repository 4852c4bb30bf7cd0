import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { createLog, type ProcessLog } from './log.ts'

function open(level: Parameters<typeof createLog>[0]): { log: ProcessLog; lines: () => unknown[] } {
  const folder = mkdtempSync(join(tmpdir(), 'crosspoint-log-'))
  const file = join(folder, 'log')
  const fd = openSync(file, 'w')
  const log = createLog(level, fd)
  onTestFinished(() => {
    closeSync(fd)
    rmSync(folder, { recursive: true })
  })
  return {
    log,
    lines() {
      log.flush()
      const text = readFileSync(file, 'utf8')
      return text === ''
        ? []
        : text
            .trimEnd()
            .split('\n')
            .map((line) => JSON.parse(line))
    },
  }
}

test('writes JSON lines with a level, a time and the details', () => {
  const { log, lines } = open('info')
  log.debug({}, 'not this')
  log.info({ upstream: 'one' }, 'Hello\nthere')
  log.recorder?.write('call', '"method":"ping"')
  const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT/)
  expect(lines()).toEqual([
    { level: 'info', time, upstream: 'one', msg: 'Hello\nthere' },
    { level: 'info', time, msg: 'call', method: 'ping' },
  ])
})

test('the level can be changed, for records too', () => {
  const { log, lines } = open('info')
  expect(log.recorder?.isOn).toBe(true)
  log.setLevel('warn')
  expect(log.recorder?.isOn).toBe(false)
  log.info({}, 'no')
  log.warn({}, 'yes')
  log.setLevel('silent')
  log.error({}, 'no')
  expect(lines()).toMatchObject([{ level: 'warn', msg: 'yes' }])
})
