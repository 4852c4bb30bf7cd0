import { describe, expect, it } from 'vitest'
import type { LogLevel } from '../protocol/features/logging.ts'
import { SessionLogLevel } from './log-level.ts'

function setUp() {
  const told: LogLevel[] = []
  const level = new SessionLogLevel(async (wanted) => void told.push(wanted))
  return { told, level }
}

describe('the log level of a session', () => {
  it('is the most verbose that any call wants', async () => {
    const { told, level } = setUp()
    await level.want('warning')
    await level.want('error')
    await level.want('debug')
    expect(told).toEqual(['warning', 'debug'])
  })

  it('is told once to a row of like calls', async () => {
    const { told, level } = setUp()
    for (let call = 0; call < 5; call++) (await level.want('info'))()
    expect(told).toEqual(['info'])
  })

  it('goes down again with the next call that wants less', async () => {
    const { told, level } = setUp()
    ;(await level.want('debug'))()
    await level.want('error')
    expect(told).toEqual(['debug', 'error'])
  })

  it('is known to the server before the call goes out', async () => {
    let tell: () => void = () => {}
    const level = new SessionLogLevel(() => new Promise((resolve) => (tell = resolve)))
    let isKnown = false
    const wanted = level.want('info').then(() => {
      isKnown = true
    })
    const like = level.want('info')
    await Promise.resolve()
    expect(isKnown).toBe(false)
    tell()
    await Promise.all([wanted, like])
    expect(isKnown).toBe(true)
  })

  it('is told anew to a server that forgot', async () => {
    const { told, level } = setUp()
    ;(await level.want('info'))()
    level.forget()
    await level.want('info')
    expect(told).toEqual(['info', 'info'])
  })
})
