import {
  createDeferred,
  createDoors,
  createFakeClock,
  openHttp,
  openRaw,
  sendEnveloped,
  toEnveloped,
  toRawHttp,
} from '@crosspoint/testkit'
import { afterEach, describe, expect, it } from 'vitest'
import { McpError } from '../../errors.ts'
import type { Call } from '../../protocol/call.ts'
import type { EndpointEvent } from '../endpoint.ts'

const doors = createDoors()
afterEach(() => doors.closeAll())
const open = async (...given: Parameters<typeof doors.open>) => (await doors.open(...given)).url

const echo = { name: 'echo', arguments: { text: 'hi' } }

describe('what is said before the answer', () => {
  const progress = (value: unknown) => ({ method: 'notifications/progress', params: { progress: value, total: 10 } })
  const message = (level: string) => ({ method: 'notifications/message', params: { level, data: level } })

  it('goes ahead of it on one stream, with the token of the caller', async () => {
    const url = await open(async (call) => {
      call.interim.notify(progress(1))
      call.interim.notify(progress(2.5))
      return { content: [] }
    })
    const answer = await sendEnveloped(url, 'tools/call', echo, { meta: { progressToken: 7 } })
    expect(answer.headers).toMatchObject({ 'content-type': 'text/event-stream', 'x-accel-buffering': 'no' })
    expect(answer.messages).toMatchObject([
      { method: 'notifications/progress', params: { progressToken: 7, progress: 1, total: 10 } },
      { method: 'notifications/progress', params: { progressToken: 7, progress: 2.5 } },
      { id: 1, result: {} },
    ])
    expect(answer.text).not.toMatch(/^id:/m)
  })

  it('trap-49: drops progress that does not increase, and progress nobody asked for', async () => {
    const url = await open(async (call) => {
      for (const value of [1, 1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, '2', undefined, 2])
        call.interim.notify(progress(value))
      return {}
    })
    const asked = await sendEnveloped(url, 'tools/call', echo, { meta: { progressToken: 'x' } })
    expect(asked.messages.map((sent) => sent.params?.progress)).toEqual([1, 2, undefined])
    expect((await sendEnveloped(url, 'tools/call', echo)).headers['content-type']).toBe('application/json')
  })

  it('trap-20: sends log messages of the level the request names, and none without one', async () => {
    const url = await open(async (call) => {
      for (const level of ['debug', 'info', 'warning', 'emergency', 'loud']) call.interim.notify(message(level))
      return {}
    })
    const meta = { 'io.modelcontextprotocol/logLevel': 'warning' }
    const asked = await sendEnveloped(url, 'tools/call', echo, { meta })
    expect(asked.messages.map((sent) => sent.params?.level)).toEqual(['warning', 'emergency', undefined])
    expect((await sendEnveloped(url, 'tools/call', echo)).messages).toHaveLength(1)
  })

  it('drops what does not belong to a request', async () => {
    const url = await open(async (call) => {
      call.interim.notify({ method: 'notifications/tools/list_changed', params: {} })
      call.interim.notify({ method: 'notifications/resources/updated', params: { uri: 'a:b' } })
      call.interim.notify({ method: 'notifications/made-up', params: {} })
      return {}
    })
    expect((await sendEnveloped(url, 'tools/call', echo, { meta: { progressToken: 1 } })).messages).toHaveLength(1)
  })

  it('trap-49: says nothing after the answer', async () => {
    let late: Call | undefined
    const url = await open(async (call) => {
      late = call
      call.interim.notify(progress(1))
      return {}
    })
    const answer = await sendEnveloped(url, 'tools/call', echo, { meta: { progressToken: 1 } })
    late?.interim.notify(progress(2))
    expect(answer.messages).toHaveLength(2)
  })

  it('an error after the first word comes on the stream, with status 200', async () => {
    const url = await open(async (call) => {
      call.interim.notify(progress(1))
      throw new McpError('caller.invalid_params', 'No')
    })
    const answer = await sendEnveloped(url, 'tools/call', echo, { meta: { progressToken: 1 } })
    expect(answer.status).toBe(200)
    expect(answer.messages[1].error).toEqual({ code: -32602, message: 'No' })
  })

  it('a client that reads only JSON gets the answer without it', async () => {
    const url = await open(async (call) => {
      call.interim.notify(progress(1))
      return {}
    })
    const options = { meta: { progressToken: 1 }, headers: { accept: 'application/json' } }
    const answer = await sendEnveloped(url, 'tools/call', echo, options)
    expect([answer.headers['content-type'], answer.messages.length]).toEqual(['application/json', 1])
  })

  it('a client that reads only streams gets a stream', async () => {
    const url = await open(async () => ({}))
    const answer = await sendEnveloped(url, 'tools/call', echo, { headers: { accept: 'text/event-stream' } })
    expect([answer.headers['content-type'], answer.messages.length]).toEqual(['text/event-stream', 1])
  })

  it('trap-11: cannot ask the caller', async () => {
    const url = await open((call) => call.interim.ask({ method: 'elicitation/create', params: {} }))
    const { status, messages } = await sendEnveloped(url, 'tools/call', echo)
    expect([status, messages[0].error.code]).toEqual([400, -32021])
  })

  it('abuse-15: a caller that never reads is cut off with what waits bounded, and its call ends', async () => {
    let written = 0
    const ended = createDeferred<unknown>()
    const events: EndpointEvent[] = []
    const url = await open(
      (call) =>
        new Promise(() => {
          const chunk = 'x'.repeat(64 * 1024)
          call.cancellation.signal.addEventListener('abort', () => ended.resolve(call.cancellation.signal.reason))
          const write = () => {
            if (call.cancellation.signal.aborted) return
            written += chunk.length
            call.interim.notify({ method: 'notifications/progress', params: { progress: written, message: chunk } })
            setImmediate(write)
          }
          write()
        }),
      { maxStreamBytes: 256 * 1024 },
      { log: (event) => events.push(event) },
    )
    const stream = await openHttp(url, toEnveloped('tools/call', echo, { meta: { progressToken: 1 } }))
    stream.pause()
    expect(await ended.promise).toMatchObject({ code: 'caller.cancelled' })
    expect(events).toContainEqual({ level: 'warn', event: 'stream.cut', maxBytes: 256 * 1024 })
    stream.resume()
    await stream.closed
    // Kernel buffers on both sides hold some megabytes; what matters is that it ended by itself.
    expect(written).toBeLessThan(64 * 1024 * 1024)
  })
})

describe('hanging up', () => {
  it('trap-10, abuse-41: cancels the call before anything was said', async () => {
    const began = createDeferred<Call>()
    const aborted = createDeferred<void>()
    const url = await open((call) => {
      call.cancellation.signal.addEventListener('abort', () => aborted.resolve())
      began.resolve(call)
      return new Promise(() => {})
    })
    const peer = await openRaw(Number(new URL(url).port))
    peer.write(toRawHttp('/mcp', toEnveloped('tools/call', echo)))
    await began.promise
    peer.destroy()
    await aborted.promise
  })

  it('trap-10: cancels the call in the middle of its stream', async () => {
    const aborted = createDeferred<unknown>()
    const url = await open((call) => {
      call.cancellation.signal.addEventListener('abort', () => aborted.resolve(call.cancellation.signal.reason))
      call.interim.notify({ method: 'notifications/progress', params: { progress: 1 } })
      return new Promise(() => {})
    })
    const stream = await openHttp(url, toEnveloped('tools/call', echo, { meta: { progressToken: 1 } }))
    await stream.next()
    stream.destroy()
    expect(await aborted.promise).toMatchObject({ code: 'caller.cancelled' })
  })

  it('a call that takes too long fails with an answer', async () => {
    const clock = createFakeClock()
    const began = createDeferred<Call>()
    const url = await open(
      (call) => {
        began.resolve(call)
        return new Promise(() => {})
      },
      { clock, callTimeoutMs: 1_000 },
    )
    const answer = sendEnveloped(url, 'tools/call', echo)
    const call = await began.promise
    expect(call.deadline).toBe(1_000)
    clock.advance(1_000)
    expect((await answer).messages[0].error.message).toBe('Cannot answer "tools/call" within 1000 ms')
    expect(call.cancellation.signal.aborted).toBe(true)
  })
})
