import type { Notification } from '@crosspoint/mcp'
import { createFakeClock, recordCall } from '@crosspoint/testkit'
import { describe, expect, it } from 'vitest'
import { PacedInterim } from './paced.ts'

const step = (progress: number): Notification => ({ method: 'notifications/progress', params: { progress } })
const log = (data: number): Notification => ({ method: 'notifications/message', params: { level: 'info', data } })
const changed: Notification = { method: 'notifications/tools/list_changed', params: {} }

function setUp() {
  const clock = createFakeClock()
  const { call, heard } = recordCall('tools/call', {})
  return { clock, heard, paced: new PacedInterim(call.interim, clock) }
}

describe('what a server says during one call', () => {
  it('passes as it comes, as long as it is little', () => {
    const { paced, heard, clock } = setUp()
    const said = [step(1), log(1), step(2)]
    for (const notification of said) paced.notify(notification)
    expect(heard).toEqual(said)
    paced.flush()
    expect(heard).toEqual(said)
    expect(clock.pending).toBe(0)
  })

  it('abuse-16: of a storm of progress the newest is said after a second, and before the answer', () => {
    const { paced, heard, clock } = setUp()
    for (let at = 1; at <= 5_000; at++) paced.notify(step(at))
    expect(heard).toHaveLength(100)
    clock.advance(1_000)
    expect(heard.slice(100)).toEqual([step(5_000)])
    for (let at = 5_001; at <= 10_000; at++) paced.notify(step(at))
    paced.flush()
    expect(heard).toHaveLength(202)
    expect(heard.at(-1)).toEqual(step(10_000))
    expect(clock.pending).toBe(0)
  })

  it('abuse-16: of a storm of log messages it is said how many were left out', () => {
    const { paced, heard } = setUp()
    for (let at = 1; at <= 1_000; at++) paced.notify(log(at))
    paced.flush()
    expect(heard).toHaveLength(101)
    expect(heard.at(-1)?.params).toMatchObject({ level: 'warning', data: expect.stringMatching(/^900 log messages/) })
  })

  it('what else there is to say is never held back', () => {
    const { paced, heard } = setUp()
    for (let at = 1; at <= 200; at++) paced.notify(step(at))
    paced.notify(changed)
    expect(heard.at(-1)).toEqual(changed)
  })
})
