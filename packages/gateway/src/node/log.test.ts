import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync, write } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, onTestFinished, test, vi } from 'vitest'
import { createLog, type ProcessLog } from './log.ts'

function open(level: Parameters<typeof createLog>[0]): { log: ProcessLog; file: string; lines: () => unknown[] } {
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
    file,
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

test('a descriptor is not touched while there is nothing to write', () => {
  vi.useFakeTimers()
  onTestFinished(() => void vi.useRealTimers())
  const { log, lines } = open('info')
  expect(vi.getTimerCount()).toBe(0)
  log.info({}, 'one')
  expect(vi.getTimerCount()).toBe(1)
  expect(lines()).toMatchObject([{ msg: 'one' }])
  expect(vi.getTimerCount()).toBe(0)
})

test.skipIf(!existsSync('/dev/full'))('on a full disk lines are lost, and nothing else fails or waits', async () => {
  const fd = openSync('/dev/full', 'w')
  const log = createLog('info', fd)
  log.info({}, 'x'.repeat(10_000)) // so many that they are written in this turn, and fail in another
  await expect(promisify(write)(fd, 'x')).rejects.toThrow('ENOSPC')
  log.info({}, 'and more')
  log.flush()
})

test('lines come by themselves, whole and in order, however many', async () => {
  const { log, file } = open('info')
  const said = Array.from({ length: 2_000 }, (_, at) => `${at} ${'é'.repeat(at % 50)}`)
  for (const message of said) log.info({}, message)
  const written = () => readFileSync(file, 'utf8').split('\n').slice(0, -1)
  await vi.waitUntil(() => written().length === said.length, { timeout: 10_000 })
  expect(written().map((line) => JSON.parse(line).msg)).toEqual(said)
})
