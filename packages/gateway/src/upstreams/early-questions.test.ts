import type { Notification, Result } from '@crosspoint/mcp'
import type { Connection } from '@crosspoint/mcp/client'
import { createFakeClock, recordCall } from '@crosspoint/testkit'
import { describe, expect, it } from 'vitest'
import { EarlyQuestions } from './early-questions.ts'

const ROOTS: Notification = { method: 'roots/list', params: {} }
const FOLDERS = { roots: [{ uri: 'file:///home/ada' }] }

const settle = () => new Promise((resolve) => setImmediate(resolve))

function setUp() {
  const clock = createFakeClock()
  const early = new EarlyQuestions(clock)
  const serve = (
    ask: (request: Notification) => Promise<Result>,
    capabilities = { roots: {} },
    abort?: () => boolean,
  ) => {
    const { call } = recordCall('tools/call', {}, { capabilities, ask })
    const cancellation =
      abort === undefined
        ? call.cancellation
        : {
            ...call.cancellation,
            get isCancelled() {
              return abort()
            },
          }
    let isServed = false
    const served = early.serve({ ...call, cancellation, interim: { ...call.interim, canAsk: true, ask } }).then(() => {
      isServed = true
    })
    return { served, isServed: () => isServed }
  }
  return { clock, early, serve }
}

describe('what a server asks before any call', () => {
  it('is asked of the next caller who has it, whose call waits until the server could act on it', async () => {
    const { clock, early, serve } = setUp()
    const answer = early.ask(ROOTS, undefined)
    await serve(() => expect.unreachable(), {} as { roots: object }).served
    const asked: Notification[] = []
    const call = serve(async (request) => {
      asked.push(request)
      return FOLDERS
    })
    expect(await answer).toBe(FOLDERS)
    await settle()
    expect([asked, call.isServed()]).toEqual([[ROOTS], false])
    clock.advance(250)
    await call.served
    await serve(() => expect.unreachable()).served
    expect(clock.pending).toBe(0)
  })

  it('stays for the next caller where one gives up its call, and is refused where one refuses', async () => {
    const { clock, early, serve } = setUp()
    const answer = early.ask(ROOTS, undefined)
    const given = serve(
      () => Promise.reject(new Error('gone')),
      { roots: {} },
      () => true,
    )
    await settle()
    clock.advance(250)
    await given.served
    void serve(() => Promise.reject(new Error('no')))
    await expect(answer).rejects.toThrow('no')
  })

  it('holds up the calls of others for a while, and no longer', async () => {
    const { clock, early, serve } = setUp()
    early.ask(ROOTS, undefined).catch(() => {})
    void serve(() => new Promise(() => {}))
    const other = serve(() => expect.unreachable())
    await settle()
    clock.advance(1_999)
    await settle()
    expect(other.isServed()).toBe(false)
    clock.advance(1)
    await other.served
  })

  it('is waited for until the server answers something else, or asks and holds that back', async () => {
    const { early } = setUp()
    const { call } = recordCall('tools/call')
    const connect = (answer: () => Promise<Result>) =>
      ({ capabilities: { resources: {} }, handle: answer }) as unknown as Connection // of which only these are used
    const methods: string[] = []
    await early.arrive(
      {
        ...connect(async () => ({})),
        handle: async ({ method }) => {
          methods.push(method)
          return {}
        },
      },
      call,
    )
    expect(methods).toEqual(['resources/list'])
    await early.arrive(
      connect(() => Promise.reject(new Error('no list'))),
      call,
    )
    const arrived = early.arrive(
      connect(() => new Promise(() => {})),
      call,
    )
    const refused = early.ask(ROOTS, undefined)
    await arrived
    early.refuse(new Error('nobody'))
    await expect(refused).rejects.toThrow('nobody')
  })

  it('is bounded', async () => {
    const { early } = setUp()
    for (let count = 0; count < 16; count++) early.ask(ROOTS, undefined).catch(() => {})
    await expect(early.ask(ROOTS, undefined)).rejects.toMatchObject({ code: 'policy.limit' })
  })
})
