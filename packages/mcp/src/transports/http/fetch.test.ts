import { createDeferred, createFakeClock, JSON_HEADERS, toEnveloped } from '@crosspoint/testkit'
import { afterEach, describe, expect, it } from 'vitest'
import { connect } from '../../client/index.ts'
import { CALLER_LIMITS } from '../../jsonrpc/limits.ts'
import type { Call, Result } from '../../protocol/call.ts'
import { REVISIONS } from '../../revisions/index.ts'
import { createServer, toFetchHandler } from '../../server/index.ts'
import type { Endpoint, EndpointEvent } from '../endpoint.ts'
import type { FetchOptions } from './brought.ts'
import { createFetchHandler } from './fetch.ts'
import { startFetchBridge } from './fixtures/fetch-bridge.ts'

const cleanup: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const end of cleanup.splice(0).reverse()) await end()
})

const answers = async (call: Call): Promise<Result> =>
  call.method === 'server/discover' ? { capabilities: { tools: {} } } : { content: [] }

function open(handle: Endpoint['handle'] = answers, options: FetchOptions = {}, endpoint: Partial<Endpoint> = {}) {
  const handler = createFetchHandler({ handle, serverInfo: { name: 's', version: '1' }, ...endpoint }, options)
  cleanup.push(() => handler.close({ drainMs: 0 }))
  return handler
}

/** A call of the newest revision. */
function toRequest(url = 'http://localhost/mcp', init: RequestInit = {}, meta = {}): Request {
  const { headers, body } = toEnveloped('tools/call', { name: 't' }, { meta })
  const all = { ...(headers as Record<string, string>), ...(init.headers as Record<string, string>) }
  return new Request(url, { method: 'POST', body: body ?? null, ...init, headers: all })
}

const initialize = (revision = '2025-11-25') =>
  JSON.stringify({
    jsonrpc: '2.0',
    id: 0,
    method: 'initialize',
    params: { protocolVersion: revision, capabilities: {} },
  })
const post = (body: RequestInit['body'], headers: Record<string, string> = {}, url = 'http://localhost/mcp') =>
  new Request(url, { method: 'POST', body, headers: { ...JSON_HEADERS, ...headers }, duplex: 'half' } as RequestInit)

const codeOf = (text: string): number => JSON.parse(text).error.code

/** Reads events off a stream as they come. */
function readerOf(response: Response) {
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader()
  let text = ''
  return {
    async next(): Promise<string> {
      for (;;) {
        const end = text.indexOf('\n\n')
        if (end !== -1) {
          const event = text.slice(0, end)
          text = text.slice(end + 2)
          return event
        }
        const read = await reader?.read()
        if (read === undefined || read.done) throw new Error('The stream ended')
        text += read.value
      }
    },
    cancel: () => reader?.cancel(),
  }
}

describe('a handler of web-standard requests', () => {
  for (const { name: revision } of REVISIONS) {
    it(`serves our own client in ${revision}`, async () => {
      const server = createServer({ name: 'here', version: '1', logging: true })
      const tool = server.tool('steps', {}, (_, { progress, log }) => {
        progress(1, 2)
        log('warning', 'heard')
        return 'done'
      })
      server.resource('app://r', { name: 'r' }, () => 'x'.repeat(2 * 1024 * 1024))
      server.prompt('greet', {}, () => 'Hello')
      const handler = toFetchHandler(server, { path: '/mcp' })
      const bridge = await startFetchBridge(handler)
      cleanup.push(() => bridge.stop())
      const client = await connect(`${bridge.origin}/mcp`, { client: { name: 'test', version: '1' }, revision })
      const heard: unknown[] = []
      const result = await client.callTool(
        'steps',
        {},
        { onProgress: ({ progress }) => heard.push(progress), onLog: ({ data }) => heard.push(data) },
      )
      expect(result.content).toEqual([{ type: 'text', text: 'done' }])
      expect(heard).toEqual([1, 'heard'])
      const { contents } = await client.readResource('app://r')
      expect(contents).toMatchObject([{ text: 'x'.repeat(2 * 1024 * 1024) }])
      expect(await client.listPrompts().all()).toHaveLength(1)
      const changes = client.listen({ toolsListChanged: true })
      await changes.acknowledged
      tool.update({ title: 'T' })
      for await (const { method } of changes) {
        expect(method).toBe('notifications/tools/list_changed')
        break
      }
      await client.close()
      await handler.close({ drainMs: 0 })
    })
  }

  it('serves the oldest transport where it is told to', async () => {
    const server = createServer({ name: 'here', version: '1' })
    server.tool('echo', {}, () => 'ok')
    const handler = toFetchHandler(server, { path: '/mcp', sse: '/sse' })
    cleanup.push(() => handler.close({ drainMs: 0 }))
    const bridge = await startFetchBridge(handler)
    cleanup.push(() => bridge.stop())
    const client = await connect(`${bridge.origin}/sse`, { client: { name: 'test', version: '1' } })
    expect(client.connection.verdict.transport).toBe('sse')
    expect((await client.callTool('echo')).content).toEqual([{ type: 'text', text: 'ok' }])
    await client.close()
  })

  it('serves every path unless told which one', async () => {
    expect((await open()(toRequest('http://localhost/any/where'))).status).toBe(200)
    const handler = open(answers, { path: '/mcp' })
    expect((await handler(toRequest('http://localhost/mcp?x=1'))).status).toBe(200)
    expect((await handler(toRequest('http://localhost/other'))).status).toBe(404)
  })

  it('hands the principal to the call, and opens no session to another', async () => {
    const seen: unknown[] = []
    const authenticate = async (headers: Readonly<Record<string, string | undefined>>) => {
      if (headers.authorization === undefined) throw new Error('secret reason')
      return { id: headers.authorization, tenant: 't' }
    }
    const handler = open(
      async (call) => {
        seen.push(call.principal)
        return answers(call)
      },
      { authenticate },
    )
    const refused = await handler(toRequest())
    expect([refused.status, refused.headers.get('www-authenticate')]).toEqual([401, 'Bearer'])
    expect(await refused.text()).not.toContain('secret')
    expect((await handler(toRequest('http://localhost/', { headers: { authorization: 'ann' } }))).status).toBe(200)
    expect(seen).toEqual([{ id: 'ann', tenant: 't' }])
    const opened = await handler(post(initialize(), { authorization: 'ann' }))
    const session = String(opened.headers.get('mcp-session-id'))
    const ping = '{"jsonrpc":"2.0","id":1,"method":"ping"}'
    for (const [authorization, status] of [
      ['ann', 200],
      ['bob', 404],
    ] as const) {
      expect((await handler(post(ping, { authorization, 'mcp-session-id': session }))).status).toBe(status)
    }
  })
})

describe('who may call', () => {
  it.each([
    ['http://localhost/', 200],
    ['http://127.0.0.1:8000/', 200],
    ['http://[::1]/', 200],
    ['http://evil.example/', 403],
    ['http://localhost.evil.example/', 403],
  ])('abuse-02: without authentication %s gets %i', async (url, status) => {
    expect((await open()(toRequest(url))).status).toBe(status)
  })

  it('abuse-02: names can be allowed, and every name is where callers are asked who they are', async () => {
    const named = open(answers, { allowedHosts: ['mcp.example'] })
    expect((await named(toRequest('https://mcp.example/'))).status).toBe(200)
    expect((await named(toRequest('http://localhost/'))).status).toBe(403)
    const asking = open(answers, { authenticate: () => ({ id: 'ann', tenant: 't' }) })
    expect((await asking(toRequest('https://mcp.example/'))).status).toBe(200)
  })

  it('trap-35, abuse-01: pages may not, but those that are listed', async () => {
    const handler = open(answers, { allowedOrigins: ['https://app.example'] })
    for (const origin of ['null', 'http://localhost', 'https://evil.example', 'https://APP.example']) {
      let read = false
      const body = new ReadableStream(
        {
          pull() {
            read = true
          },
        },
        { highWaterMark: 0 },
      )
      expect((await handler(post(body, { origin }))).status).toBe(403)
      expect(read).toBe(false)
    }
    const answer = await handler(toRequest(undefined, { headers: { origin: 'https://app.example' } }))
    expect([answer.status, answer.headers.get('access-control-allow-origin')]).toEqual([200, 'https://app.example'])
    const asked = new Request('http://localhost/', {
      method: 'OPTIONS',
      headers: { origin: 'https://app.example', 'access-control-request-method': 'POST' },
    })
    const preflight = await handler(asked)
    expect([preflight.status, preflight.body]).toEqual([204, null])
  })
})

describe('what is sent', () => {
  it.each([
    ['no JSON', 'hello', {}, 400, -32700],
    ['bytes that are not UTF-8', new Uint8Array([0x7b, 0xff]), {}, 400, -32700],
    ['no JSON-RPC', '{"id":1}', {}, 400, -32600],
    ['another type', '{}', { 'content-type': 'text/plain' }, 415, -32600],
    ['two types', '{}', { 'content-type': 'application/json, text/plain' }, 415, -32600],
    ['a compressed body', '{}', { 'content-encoding': 'gzip' }, 415, -32600],
    ['to who reads neither', '{}', { accept: 'text/html' }, 406, -32600],
  ])('%s is refused', async (_what, body, headers: Record<string, string>, status, code) => {
    const answer = await open()(post(body, headers))
    expect([answer.status, codeOf(await answer.text())]).toEqual([status, code])
  })

  it('abuse-05: a body over the limit gets 413, and no more of it is read', async () => {
    let pulled = 0
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        pulled++
        controller.enqueue(new Uint8Array(1_024).fill(0x20))
      },
    })
    const handler = open(answers, {}, { limits: { ...CALLER_LIMITS, maxBytes: 8 * 1_024 } })
    expect((await handler(post(body))).status).toBe(413)
    expect(pulled).toBeLessThan(20)
    const declared = await handler(post('x', { 'content-length': '1000000' }))
    expect([400, 413]).toContain(declared.status)
  })

  it('a body that breaks off is nobody’s request', async () => {
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        controller.error(new Error('gone'))
      },
    })
    const handler = open()
    expect((await handler(post(body))).status).toBe(499)
    expect(handler.figures()).toEqual({ replies: 0, sessions: 0 })
  })

  it('in any cut arrives whole', async () => {
    const text = new TextEncoder().encode(JSON.stringify({ jsonrpc: '2.0', id: 'ü', method: 'initialize', params: {} }))
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        for (const byte of text) controller.enqueue(new Uint8Array([byte]))
        controller.close()
      },
    })
    expect(JSON.parse(await (await open()(post(body))).text()).id).toBe('ü')
  })
})

describe('a caller that leaves', () => {
  function createHeld() {
    const began = createDeferred<Call>()
    const over = createDeferred<unknown>()
    const handle = (call: Call): Promise<Result> => {
      if (call.method === 'server/discover') return answers(call)
      call.cancellation.signal.addEventListener('abort', () => over.resolve(call.cancellation.signal.reason))
      began.resolve(call)
      return new Promise(() => {})
    }
    return { handle, began: began.promise, over: over.promise }
  }

  it('trap-10: takes back a request of the newest revision by aborting it', async () => {
    const held = createHeld()
    const handler = open(held.handle)
    const leaving = new AbortController()
    const answer = handler(toRequest(undefined, { signal: leaving.signal }))
    await held.began
    leaving.abort()
    expect(await held.over).toMatchObject({ code: 'caller.cancelled' })
    expect((await answer).status).toBe(499)
    expect(handler.figures().replies).toBe(0)
  })

  it('trap-10: takes it back by cancelling its stream', async () => {
    const held = createHeld()
    const handler = open(held.handle)
    const answer = handler(toRequest(undefined, {}, { progressToken: 1 }))
    const call = await held.began
    call.interim.notify({ method: 'notifications/progress', params: { progress: 1 } })
    const stream = readerOf(await answer)
    expect(await stream.next()).toContain('notifications/progress')
    await stream.cancel()
    expect(await held.over).toMatchObject({ code: 'caller.cancelled' })
  })

  it('trap-10: takes back no request of a session', async () => {
    const began = createDeferred<Call>()
    const held = createDeferred<Result>()
    const handler = open((call) => {
      if (call.method === 'server/discover') return answers(call)
      began.resolve(call)
      return held.promise
    })
    const opened = await handler(post(initialize()))
    const leaving = new AbortController()
    const headers = { ...JSON_HEADERS, 'mcp-session-id': String(opened.headers.get('mcp-session-id')) }
    const body = '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"t"}}'
    const answer = handler(new Request('http://localhost/', { method: 'POST', body, headers, signal: leaving.signal }))
    const call = await began.promise
    leaving.abort()
    await answer
    expect(call.cancellation.isCancelled).toBe(false)
    held.resolve({ content: [] })
  })

  it('before it is heard is not heard', async () => {
    const handler = open()
    const leaving = new AbortController()
    const request = toRequest(undefined, { signal: leaving.signal })
    leaving.abort(new Error('never mind'))
    await expect(handler(request)).rejects.toThrow('never mind')
    expect(handler.figures().replies).toBe(0)
  })

  it('ends a session of the oldest transport with its stream', async () => {
    const held = createHeld()
    const handler = open(held.handle, { sse: '/sse' })
    const stream = readerOf(await handler(new Request('http://localhost/sse')))
    const target = new URL((await stream.next()).split('data: ')[1] ?? '', 'http://localhost').href
    const say = (body: string) => handler(post(body, {}, target))
    expect((await say(initialize('2024-11-05'))).status).toBe(202)
    expect(await stream.next()).toContain('"protocolVersion":"2024-11-05"')
    await say('{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"t"}}')
    await held.began
    expect(handler.figures().sessions).toBe(1)
    await stream.cancel()
    await held.over
    expect((await say('{"jsonrpc":"2.0","id":2,"method":"ping"}')).status).toBe(404)
  })
})

describe('a stream', () => {
  it('abuse-15: of a caller that never reads is cut with what waits bounded', async () => {
    const events: EndpointEvent[] = []
    const ended = createDeferred<unknown>()
    let written = 0
    const handler = open(
      (call) =>
        new Promise(() => {
          const chunk = 'x'.repeat(16 * 1_024)
          call.cancellation.signal.addEventListener('abort', () => ended.resolve(call.cancellation.signal.reason))
          for (let i = 1; i < 1_000 && !call.cancellation.isCancelled; i++) {
            written += chunk.length
            call.interim.notify({ method: 'notifications/progress', params: { progress: i, message: chunk } })
          }
        }),
      { log: (event) => events.push(event) },
      { maxStreamBytes: 64 * 1_024 },
    )
    await handler(toRequest(undefined, {}, { progressToken: 1 }))
    expect(await ended.promise).toMatchObject({ code: 'caller.cancelled' })
    expect(written).toBeLessThan(160 * 1_024)
    expect(events).toContainEqual({ level: 'warn', event: 'stream.cut', maxBytes: 64 * 1_024 })
  })

  it('is kept alive by comments, from the first request on', async () => {
    const clock = createFakeClock()
    const held = createDeferred<Result>()
    const handler = open(() => held.promise, { clock, beatMs: 1_000 })
    expect(clock.pending).toBe(0)
    const answer = handler(toRequest())
    await new Promise<void>((resolve) => setImmediate(resolve))
    clock.advance(2_000)
    const stream = readerOf(await answer)
    expect(await stream.next()).toBe(': ')
    held.resolve({ content: [] })
    expect(await stream.next()).toContain('"result"')
    await expect(stream.next()).rejects.toThrow('ended')
  })

  it('ends when the handler is closed, and what comes later is refused', async () => {
    const server = createServer({ name: 's', version: '1' })
    server.tool('t', {}, () => 'x')
    const handler = toFetchHandler(server)
    const { headers, body } = toEnveloped('subscriptions/listen', { notifications: { toolsListChanged: true } })
    const listening = new Request('http://localhost/', {
      method: 'POST',
      headers: headers as Record<string, string>,
      body: body ?? null,
    })
    const stream = readerOf(await handler(listening))
    expect(await stream.next()).toContain('acknowledged')
    await handler.close()
    expect(await stream.next()).toContain('"result"')
    expect((await handler(toRequest())).status).toBe(503)
  })
})
