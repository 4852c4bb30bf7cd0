import {
  createDeferred,
  createDoors,
  createFakeClock,
  openHttp,
  openWireSession,
  sendEnveloped,
} from '@crosspoint/testkit'
import { afterEach, describe, expect, it } from 'vitest'
import type { Call } from '../../../protocol/call.ts'
import { type Context, createServer } from '../../../server/index.ts'

const doors = createDoors()
afterEach(() => doors.closeAll())

/** A server with one tool, which does what the test says. */
async function openTool(
  work: (context: Context) => string | Promise<string>,
  endpoint: Parameters<typeof doors.open>[1] = {},
  options: Parameters<typeof doors.open>[2] = {},
) {
  const server = createServer({ name: 's', version: '1' })
  server.tool('t', {}, (_args, context) => work(context))
  const { url } = await doors.open(server.endpoint.handle, endpoint, options)
  return url
}

const CALL = { name: 't', _meta: { progressToken: 'p' } }
const SAID = { content: [{ type: 'text', text: 'done' }] }

describe('a handler that lets its caller go', () => {
  it('trap-31: ends the connection after an id and how long to stay away; the result is there on return', async () => {
    const release = createDeferred()
    const url = await openTool(async ({ closeStream }) => {
      closeStream({ retryMs: 250 })
      await release.promise
      return 'done'
    })
    const session = await openWireSession(url)
    const stream = await session.open('tools/call', CALL)
    expect(stream.headers['content-type']).toBe('text/event-stream')
    const text = await stream.rest()
    expect(text).toMatch(/^id: (\S+)\nretry: 1000\ndata:\n\nretry: 250\n\n$/)
    const id = /^id: (\S+)/.exec(text)?.[1]
    const early = await session.listen(id)
    release.resolve()
    expect((await early.next()).result).toMatchObject(SAID)
    expect(await early.rest()).toBe('')
    const late = await session.listen(id)
    expect((await late.next()).result).toMatchObject(SAID)
  })

  it('keeps what it says meanwhile, and may do it again and again', async () => {
    const steps = [createDeferred(), createDeferred(), createDeferred()]
    const url = await openTool(async ({ closeStream, progress }) => {
      for (const [i, step] of steps.entries()) {
        progress(i * 2 + 1)
        closeStream()
        closeStream() // nobody is there to be let go
        progress(i * 2 + 2)
        await step.promise
      }
      return 'done'
    })
    const session = await openWireSession(url)
    let stream = await session.open('tools/call', CALL)
    const seen: unknown[] = []
    const perStream: number[] = []
    for (const step of [undefined, ...steps]) {
      step?.resolve()
      const before = seen.length
      for (;;) {
        const message = await stream.next().catch(() => undefined)
        if (message === undefined) break
        seen.push(message.params?.progress ?? message.result)
      }
      perStream.push(seen.length - before)
      const id = stream.lastEventId
      if (step === steps.at(-1)) break
      expect(stream.retryMs).toBe(1_000)
      stream = await session.listen(id)
    }
    expect(seen).toMatchObject([1, 2, 3, 4, 5, 6, SAID])
    expect(perStream).toEqual([1, 2, 2, 2])
  })

  it.each([
    [Number.NaN, 1_000],
    [Number.POSITIVE_INFINITY, 1_000],
    [-5, 0],
    [12.4, 12],
    [1e12, 600_000],
  ])('asking for %s ms asks for %i', async (retryMs, expected) => {
    const url = await openTool(({ closeStream }) => {
      closeStream({ retryMs })
      return 'done'
    })
    const session = await openWireSession(url)
    const stream = await session.open('tools/call', CALL)
    expect(await stream.rest()).toContain(`\n\nretry: ${expected}\n\n`)
  })

  it.each(['2025-06-18', '2025-03-26', '2024-11-05'])('does nothing to a caller of %s', async (revision) => {
    const session = await openWireSession(await openTool(letGo), { revision })
    const answer = await session.request('tools/call', CALL)
    expect(answer.headers['content-type']).toBe('application/json')
    expect(answer.messages[0].result).toMatchObject(SAID)
  })

  it('does nothing to a caller of the newest revision, one that reads no streams, or where nothing is resumed', async () => {
    const url = await openTool(letGo)
    expect((await sendEnveloped(url, 'tools/call', { name: 't' })).messages[0].result).toMatchObject(SAID)
    const session = await openWireSession(url)
    const answer = await session.request('tools/call', CALL, { headers: { accept: 'application/json' } })
    expect(answer.headers['content-type']).toBe('application/json')
    const off = await openWireSession(await openTool(letGo, { resume: false }))
    expect((await off.request('tools/call', CALL)).messages[0].result).toMatchObject(SAID)
  })

  it('does nothing after the answer', async () => {
    let late: Context['closeStream'] | undefined
    let call: Call | undefined
    const url = await openTool((context) => {
      late = context.closeStream
      call = context.call
      context.progress(1)
      return 'done'
    })
    const session = await openWireSession(url)
    const answer = await session.request('tools/call', CALL)
    late?.()
    call?.interim.pause?.()
    expect(answer.messages).toHaveLength(2)
  })
})

describe('a door that lets go of its streams by itself', () => {
  it('says so at the beginning, and does it after the time it was given, again after each return', async () => {
    const clock = createFakeClock()
    const release = createDeferred()
    const url = await openTool(
      async ({ progress }) => {
        progress(1)
        await release.promise
        return 'done'
      },
      { clock, resume: { pollAfterMs: 5_000, retryMs: 100 } },
    )
    const session = await openWireSession(url)
    const stream = await session.open('tools/call', CALL)
    expect((await stream.next()).params.progress).toBe(1)
    expect(stream.retryMs).toBe(100)
    clock.advance(4_999)
    clock.advance(1)
    expect(await stream.rest()).toBe('retry: 100\n\n')
    const second = await session.listen(stream.lastEventId)
    clock.advance(5_000)
    expect(await second.rest()).toBe('retry: 100\n\n')
    const third = await session.listen(stream.lastEventId)
    release.resolve()
    expect((await third.next()).result).toMatchObject(SAID)
    await third.closed
  })

  it('does it to streams for news too, and tells on return what happened meanwhile', async () => {
    const clock = createFakeClock()
    const server = createServer({ name: 's', version: '1' })
    const tool = server.tool('t', {}, () => 'x')
    const { url } = await doors.open(server.endpoint.handle, { clock, resume: { pollAfterMs: 1_000 } })
    const session = await openWireSession(url)
    const stream = await session.listen()
    tool.update({ title: 'A' })
    await stream.next()
    clock.advance(1_000)
    expect(await stream.rest()).toBe('retry: 1000\n\n')
    tool.update({ title: 'B' })
    for (let i = 0; i < 3; i++) await session.request('ping')
    const again = await session.listen(stream.lastEventId)
    expect((await again.next()).method).toBe('notifications/tools/list_changed')
  })

  it('leaves callers alone whose revision does not know to come back', async () => {
    const clock = createFakeClock()
    const release = createDeferred()
    const work = async ({ progress }: Context) => {
      progress(1)
      await release.promise
      return 'done'
    }
    const url = await openTool(work, { clock, resume: { pollAfterMs: 1_000 } })
    const session = await openWireSession(url, { revision: '2025-06-18' })
    const stream = await session.open('tools/call', CALL)
    await stream.next()
    clock.advance(10_000)
    release.resolve()
    expect((await stream.next()).result).toMatchObject(SAID)
    expect(stream.retryMs).toBeUndefined()
  })

  it('owes the clock nothing when streams end before their time', async () => {
    const clock = createFakeClock()
    const store = { append() {}, read: () => undefined, drop() {} }
    const url = await openTool(
      ({ progress }) => {
        progress(1)
        return 'done'
      },
      { clock, resume: { pollAfterMs: 1_000, store } },
    )
    const session = await openWireSession(url)
    const before = clock.pending
    const stream = await openHttp(url, {
      headers: session.headers,
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: CALL }),
    })
    await stream.closed
    for (let i = 0; i < 3; i++) await session.request('ping')
    // What is left watches over calls and sessions, whatever they are.
    clock.advance(15 * 60_000)
    expect(clock.pending).toBeLessThanOrEqual(before)
  })
})

function letGo({ closeStream }: Context): string {
  closeStream()
  return 'done'
}
