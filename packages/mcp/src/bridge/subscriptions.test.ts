import { createFakeClock } from '@crosspoint/testkit'
import { describe, expect, it } from 'vitest'
import { McpError } from '../errors.ts'
import type { Caller } from '../peer/open-call.ts'
import { ANONYMOUS, type Call, type Handle, type Notification, type Result } from '../protocol/call.ts'
import type { ServerCapabilities } from '../protocol/capabilities.ts'
import { NEWEST_HANDSHAKE } from '../revisions/index.ts'
import { toServed } from '../transports/served.ts'
import { Subscriptions } from './subscriptions.ts'

const ALL: ServerCapabilities = { tools: { listChanged: true }, resources: { subscribe: true, listChanged: true } }

function open(handle: Handle, capabilities = ALL) {
  const clock = createFakeClock()
  const told: Notification[] = []
  const events: string[] = []
  const served = toServed({
    handle,
    serverInfo: { name: 's', version: '1' },
    clock,
    log: ({ event }) => events.push(event),
  })
  const caller: Caller = {
    revision: NEWEST_HANDSHAKE,
    principal: ANONYMOUS,
    downstream: { revision: NEWEST_HANDSHAKE.name, client: undefined, capabilities: {}, session: 's' },
    logLevel: undefined,
    questions: undefined,
  }
  const subscriptions = new Subscriptions(served, caller, capabilities, (notification) => told.push(notification))
  return { subscriptions, clock, told, events }
}

/** Listens that a test ends as it likes. */
function createListening() {
  const open: { call: Call; end(): void; fail(error: unknown): void }[] = []
  const handle = (call: Call): Promise<Result> =>
    new Promise((resolve, reject) => {
      open.push({ call, end: () => resolve({}), fail: reject })
      call.cancellation.signal.addEventListener('abort', () => reject(call.cancellation.signal.reason))
      call.interim.notify({
        method: 'notifications/subscriptions/acknowledged',
        params: { notifications: call.params.notifications },
      })
    })
  return { handle, open }
}

const settled = () => new Promise(setImmediate)

describe('Subscriptions', () => {
  it('listens once for the lists that the server announces', async () => {
    const { handle, open: listens } = createListening()
    const { subscriptions } = open(handle)
    subscriptions.hearLists()
    subscriptions.hearLists()
    expect(listens.map(({ call }) => call.params.notifications)).toEqual([
      { toolsListChanged: true, resourcesListChanged: true },
    ])
    subscriptions.close()
    await settled()
  })

  it('does not listen where nothing is announced', () => {
    const { handle, open: listens } = createListening()
    open(handle, { tools: {} }).subscriptions.hearLists()
    expect(listens).toEqual([])
  })

  it('opens a listen again that was dropped, later each time, and tells what may have been missed', async () => {
    const { handle, open: listens } = createListening()
    const { subscriptions, clock, told } = open(handle)
    await subscriptions.subscribe({ uri: 'a:b' })
    listens[0]?.end()
    await settled()
    expect(listens).toHaveLength(1)
    clock.advance(1_000)
    expect(listens).toHaveLength(2)
    expect(told).toEqual([{ method: 'notifications/resources/updated', params: { uri: 'a:b' } }])
    listens[1]?.fail(new McpError('upstream.closed', 'Gone'))
    await settled()
    clock.advance(1_000)
    expect(listens).toHaveLength(3)
    subscriptions.close()
    await settled()
    expect(clock.pending).toBe(0)
  })

  it('does not open again what was refused', async () => {
    const { handle, open: listens } = createListening()
    const { subscriptions, clock } = open(handle)
    await subscriptions.subscribe({ uri: 'a:b' })
    listens[0]?.fail(new McpError('caller.unsupported_feature', 'No more'))
    await settled()
    expect(clock.pending).toBe(0)
  })

  it('keeps trying while the other end is away', async () => {
    let attempts = 0
    const { handle: listening, open: listens } = createListening()
    const { subscriptions, clock, told } = open((call) => {
      attempts++
      if (attempts === 1 || attempts > 3) return listening(call)
      return Promise.reject(new McpError('upstream.unavailable', 'Away'))
    })
    await subscriptions.subscribe({ uri: 'a:b' })
    listens[0]?.end()
    for (const ms of [1_000, 2_000, 4_000]) {
      await settled()
      clock.advance(ms)
    }
    await settled()
    expect(attempts).toBe(4)
    expect(told).toHaveLength(1)
    subscriptions.close()
    await settled()
  })

  it('unsubscribing ends the listen, and what still comes is not told', async () => {
    const { handle, open: listens } = createListening()
    const { subscriptions, told } = open(handle)
    await subscriptions.subscribe({ uri: 'a:b' })
    subscriptions.unsubscribe({ uri: 'a:b' })
    expect(listens[0]?.call.cancellation.signal.aborted).toBe(true)
    listens[0]?.call.interim.notify({ method: 'notifications/resources/updated', params: { uri: 'a:b' } })
    expect(told).toEqual([])
    subscriptions.unsubscribe({ uri: 'never:subscribed' })
  })

  it('a URI left out of the acknowledgement is refused by name and its listen ended', async () => {
    let given: Call | undefined
    const { subscriptions } = open((call) => {
      given = call
      call.interim.notify({
        method: 'notifications/subscriptions/acknowledged',
        params: { notifications: { resourceSubscriptions: [] } },
      })
      return new Promise(() => {})
    })
    await expect(subscriptions.subscribe({ uri: 'a:b' })).rejects.toMatchObject({
      code: 'caller.invalid_params',
      message: expect.stringContaining('a:b'),
    })
    expect(given?.cancellation.signal.aborted).toBe(true)
  })

  it('says what the handle said when it cannot listen', async () => {
    const { subscriptions } = open(() => Promise.reject(new McpError('upstream.unavailable', 'Away')))
    await expect(subscriptions.subscribe({ uri: 'a:b' })).rejects.toMatchObject({ code: 'upstream.unavailable' })
  })

  it('no more than 1,024 at once', async () => {
    const { handle } = createListening()
    const { subscriptions } = open(handle)
    for (let i = 0; i < 1_024; i++) await subscriptions.subscribe({ uri: `a:${i}` })
    await expect(subscriptions.subscribe({ uri: 'a:more' })).rejects.toMatchObject({ code: 'policy.limit' })
    subscriptions.close()
    await settled()
  })
})
