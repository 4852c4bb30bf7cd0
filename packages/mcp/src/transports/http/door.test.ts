import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Endpoint } from '@crosspoint/mcp/transports'
import {
  createFakeClock,
  JSON_HEADERS,
  openHttp,
  openRaw,
  openWireSession,
  sendEnveloped,
  sendHttp,
  toEnveloped,
  toRawHttp,
} from '@crosspoint/testkit'
import { afterEach, describe, expect, it } from 'vitest'
import { McpError } from '../../errors.ts'
import type { Call, Result } from '../../protocol/call.ts'
import { type HttpDoor, type HttpDoorOptions, openHttpDoor } from './door.ts'

const doors: HttpDoor[] = []
afterEach(async () => {
  await Promise.all(doors.splice(0).map((door) => door.close({ drainMs: 0 })))
})

async function open(
  handle: (call: Call) => Promise<Result>,
  options: Partial<HttpDoorOptions> = {},
  endpoint: Partial<Endpoint> = {},
) {
  const served: Endpoint = { handle, serverInfo: { name: 's', version: '1' }, ...endpoint }
  const door = await openHttpDoor({ endpoint: (path) => (path === '/mcp' ? served : undefined), ...options })
  doors.push(door)
  return { door, url: `${door.url}/mcp` }
}

const answers = async (): Promise<Result> => ({ content: [] })

/** A call that stays open until the test lets it go. */
function createHolding() {
  const calls: Call[] = []
  let arrived = () => {}
  const began = new Promise<void>((resolve) => {
    arrived = resolve
  })
  let release: (result: Result) => void = () => {}
  const held = new Promise<Result>((resolve) => {
    release = resolve
  })
  const handle = (call: Call) => {
    calls.push(call)
    arrived()
    return held
  }
  return { handle, calls, began, release: () => release({ content: [] }) }
}

describe('who answers beside the endpoints', () => {
  const beside = (path: string) =>
    path === '/login'
      ? (request: IncomingMessage, response: ServerResponse) => {
          response.setHeader('x-origin', request.headers.origin ?? 'none')
          request.pipe(response)
        }
      : undefined

  it('has the whole exchange, and judges pages itself', async () => {
    const { door } = await open(answers, { beside })
    const post = (origin?: string) =>
      fetch(`${door.url}/login?a=1`, {
        method: 'POST',
        body: 'told back',
        ...(origin === undefined ? {} : { headers: { origin } }),
      })
    const answered = await Promise.all([post(), post('https://elsewhere.example'), post('null')])
    expect(answered.map(({ headers }) => headers.get('x-origin'))).toEqual([
      'none',
      'https://elsewhere.example',
      'null',
    ])
    expect(await answered[1]?.text()).toBe('told back')
    expect((await fetch(`${door.url}/other`, { method: 'POST' })).status).toBe(404)
  })

  it('abuse-01, abuse-02: does not open endpoints to pages, nor anything to other hosts', async () => {
    const { door, url } = await open(answers, { beside })
    const headers = { origin: 'https://elsewhere.example' }
    expect((await fetch(url, { method: 'POST', headers })).status).toBe(403)
    expect((await fetch(`${door.url}/other`, { method: 'POST', headers })).status).toBe(403)
    const raw = await openRaw(door.port)
    raw.write('GET /login HTTP/1.1\r\nHost: elsewhere.example\r\nOrigin: http://elsewhere.example\r\n\r\n')
    expect(await raw.until('\r\n\r\n')).toMatch(/^HTTP\/1\.1 403 /)
    raw.destroy()
  })
})

describe('where it listens', () => {
  it('abuse-03: listens on 127.0.0.1 by default', async () => {
    const { door } = await open(answers)
    expect(door.host).toBe('127.0.0.1')
    expect(door.url).toBe(`http://127.0.0.1:${door.port}`)
  })

  it.each(['0.0.0.0', '::', '192.0.2.1', 'example.org'])(
    'abuse-03: refuses to listen on "%s" without authentication',
    async (host) => {
      await expect(openHttpDoor({ host, endpoint: () => undefined })).rejects.toThrow('without authentication')
    },
  )

  it('listens on every address with authentication', async () => {
    const authenticate = () => ({ id: 'ann', tenant: 't' })
    const { door } = await open(answers, { host: '0.0.0.0', authenticate })
    expect((await sendEnveloped(`http://127.0.0.1:${door.port}/mcp`, 'tools/call', { name: 't' })).status).toBe(200)
  })

  it('says that a port is taken', async () => {
    const { door } = await open(answers)
    await expect(openHttpDoor({ port: door.port, endpoint: () => undefined })).rejects.toThrow('EADDRINUSE')
  })
})

describe('who may call', () => {
  it.each([
    'null',
    'http://evil.example',
    'http://localhost.evil.example',
    'http://sub.localhost:PORT',
    'http://localhost:1',
    'http://localhost',
    'https://localhost:PORT',
    'HTTP://LOCALHOST:PORT',
    'http://localhost:PORT/',
    'http://localhost:PORT.evil.example',
    'http://localhost:PORT, http://evil.example',
    '',
  ])('trap-35, abuse-01: a page of origin "%s" gets 403 before its body is read', async (origin) => {
    let called = false
    const { door } = await open(async () => {
      called = true
      return {}
    })
    const peer = await openRaw(door.port)
    // The body is announced and never sent: an answer means that nobody waited for it.
    peer.write(
      `POST /mcp HTTP/1.1\r\nHost: localhost\r\nOrigin: ${origin.replace('PORT', String(door.port))}\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n`,
    )
    const answer = await peer.until('\r\n\r\n')
    expect(answer).toMatch(/^HTTP\/1\.1 403 /)
    expect(called).toBe(false)
    peer.destroy()
  })

  it.each(['localhost', '127.0.0.1', '[::1]'])('a page of our own origin http://%s may call', async (host) => {
    const { door, url } = await open(answers)
    const origin = `http://${host}:${door.port}`
    const answer = await sendEnveloped(url, 'tools/call', { name: 't' }, { headers: { origin } })
    expect(answer.status).toBe(200)
    expect(answer.headers['access-control-allow-origin']).toBe(origin)
  })

  it('abuse-01: a page of our own may call beside those that are allowed, and no other page', async () => {
    const { door, url } = await open(answers, { allowedOrigins: ['https://app.example'] })
    const from = async (origin: string) =>
      (await sendEnveloped(url, 'tools/call', { name: 't' }, { headers: { origin } })).status
    expect(await from('https://app.example')).toBe(200)
    for (const host of ['localhost', '127.0.0.1', '[::1]']) expect(await from(`http://${host}:${door.port}`)).toBe(200)
    expect(await from(`http://localhost:${door.port + 1}`)).toBe(403)
    expect(await from(`https://localhost:${door.port}`)).toBe(403)
  })

  it('abuse-01: a door that others can reach has no pages of its own', async () => {
    const authenticate = () => ({ id: 'ann', tenant: 't' })
    const { door } = await open(answers, { host: '0.0.0.0', authenticate })
    const url = `http://127.0.0.1:${door.port}/mcp`
    const headers = { origin: `http://127.0.0.1:${door.port}` }
    expect((await sendEnveloped(url, 'tools/call', { name: 't' }, { headers })).status).toBe(403)
  })

  it('a browser may ask first whether a known page may call', async () => {
    const { url } = await open(answers, { allowedOrigins: ['https://app.example'] })
    const ask = (origin: string) =>
      sendHttp(url, {
        method: 'OPTIONS',
        headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'mcp-method' },
      })
    const yes = await ask('https://app.example')
    expect([yes.status, yes.headers['access-control-allow-headers']]).toEqual([204, 'mcp-method'])
    expect((await ask('https://other.example')).status).toBe(403)
  })

  it.each([
    ['evil.example', 403],
    ['evil.example:PORT', 403],
    ['localhost.evil.example', 403],
    ['localhost@evil.example', 403],
    ['[::2]', 403],
    ['127.0.0.1.evil.example', 403],
    ['localhost', 200],
    ['LOCALHOST:PORT', 200],
    ['[::1]:PORT', 200],
    ['127.0.0.1:9', 200],
    ['[::1]evil.example', 403],
    ['127.0.0.1:evil.example', 403],
    ['localhost:80:evil', 403],
    ['[::1]:x', 403],
  ])('abuse-02: a request to host "%s" gets %i', async (host, status) => {
    const { door, url } = await open(answers)
    const headers = { host: host.replace('PORT', String(door.port)) }
    expect((await sendEnveloped(url, 'tools/call', { name: 't' }, { headers })).status).toBe(status)
  })

  it.each([
    ['gate.example', 'gate.example', 200],
    ['gate.example', 'GATE.example:9', 200],
    ['gate.example', 'gate.example.evil:80', 403],
    ['gate.example:8443', 'gate.example:8443', 200],
    ['Gate.Example:8443', 'GATE.example:8443', 200],
    ['gate.example:8443', 'gate.example:8444', 403],
    ['gate.example:8443', 'gate.example', 403],
    ['gate.example:8443', 'gate.example:84430', 403],
    // A Host without a port means the one of the scheme, which a proxy before us may have ended.
    ['gate.example:443', 'gate.example', 200],
    ['gate.example:80', 'gate.example', 200],
    ['gate.example:443', 'gate.example:80', 403],
    ['[fd00::1]:8443', '[fd00::1]:8443', 200],
    ['[fd00::1]:8443', '[fd00::1]', 403],
    ['[fd00::1]', '[fd00::1]:1', 200],
    ['gate.example', 'localhost', 403],
  ])('abuse-02: where "%s" is allowed, a request to host "%s" gets %i', async (allowed, host, status) => {
    const { url } = await open(answers, { allowedHosts: [allowed] })
    expect((await sendEnveloped(url, 'tools/call', { name: 't' }, { headers: { host } })).status).toBe(status)
  })

  it('abuse-02: two Host headers get 400', async () => {
    const { door } = await open(answers)
    const peer = await openRaw(door.port)
    peer.write('POST /mcp HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\nContent-Length: 0\r\n\r\n')
    expect(await peer.until('\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 /)
    peer.destroy()
  })

  it.each([
    'Content-Type: text/plain\r\nContent-Type: application/json',
    'Content-Type: application/json\r\ncontent-type: application/json',
    'Content-Type: application/json\r\nAuthorization: Bearer a\r\nAUTHORIZATION: Bearer b',
  ])('abuse-04: a header that says twice what it is about gets 400: %s', async (lines) => {
    const { door } = await open(answers)
    const peer = await openRaw(door.port)
    peer.write(`POST /mcp HTTP/1.1\r\nHost: localhost\r\n${lines}\r\nContent-Length: 0\r\n\r\n`)
    expect(await peer.until('\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 /)
    peer.destroy()
  })

  it('a caller that cannot be authenticated gets 401 and no reason', async () => {
    const { url } = await open(answers, {
      authenticate: () => {
        throw new Error('secret store at 10.0.0.1 is down')
      },
    })
    const answer = await sendEnveloped(url, 'tools/call', { name: 't' })
    expect(answer.status).toBe(401)
    expect(answer.headers['www-authenticate']).toBe('Bearer')
    expect(answer.text).not.toContain('10.0.0.1')
  })

  it('hands the principal to the call', async () => {
    const seen: unknown[] = []
    const authenticate = async (headers: Readonly<Record<string, string | undefined>>) => ({
      id: String(headers['x-user']),
      tenant: 't',
    })
    const handle = async (call: Call) => {
      seen.push(call.principal)
      return {}
    }
    const { url } = await open(handle, {}, { authenticate })
    await sendEnveloped(url, 'tools/call', { name: 't' }, { headers: { 'x-user': 'ann' } })
    expect(seen).toEqual([{ id: 'ann', tenant: 't' }])
  })
})

describe('slow and large requests', () => {
  it('abuse-13: headers that never end get 408', async () => {
    const { door } = await open(answers, { headersTimeoutMs: 60, requestTimeoutMs: 60, timeoutCheckMs: 20 })
    const peer = await openRaw(door.port)
    peer.write('POST /mcp HTTP/1.1\r\nHost: localhost\r\nX-Slow: ')
    expect(await peer.ended).toMatch(/^HTTP\/1\.1 408 /)
  })

  it('abuse-13: a body that never ends gets 408', async () => {
    const { door } = await open(answers, { headersTimeoutMs: 60, requestTimeoutMs: 60, timeoutCheckMs: 20 })
    const peer = await openRaw(door.port)
    peer.write(
      'POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n{"',
    )
    expect(await peer.ended).toMatch(/^HTTP\/1\.1 408 /)
  })

  it('abuse-13: headers over 16 KiB get 431', async () => {
    const { door } = await open(answers)
    const peer = await openRaw(door.port)
    peer.write(`POST /mcp HTTP/1.1\r\nHost: localhost\r\nX-Large: ${'x'.repeat(17 * 1024)}\r\n\r\n`)
    expect(await peer.ended).toMatch(/^HTTP\/1\.1 431 /)
  })

  it.each([
    'Content-Length: 5\r\nTransfer-Encoding: chunked',
    'Content-Length: 5\r\nContent-Length: 6',
    'Transfer-Encoding: chunked\r\nTransfer-Encoding: identity',
    'Transfer-Encoding: gzip',
  ])('abuse-18: a body whose end has two meanings (%j) gets 400', async (headers) => {
    const { door } = await open(answers)
    const peer = await openRaw(door.port)
    peer.write(`POST /mcp HTTP/1.1\r\nHost: localhost\r\n${headers}\r\n\r\n0\r\n\r\n`)
    expect(await peer.ended).toMatch(/^HTTP\/1\.1 400 /)
  })

  it('more connections than allowed are closed unheard', async () => {
    const { door } = await open(answers, { maxConnections: 1 })
    const first = await openRaw(door.port)
    first.write('GET /mcp HTTP/1.1\r\nHost: localhost\r\n\r\n')
    await first.until('HTTP/1.1')
    const second = await openRaw(door.port)
    second.write('GET /mcp HTTP/1.1\r\nHost: localhost\r\n\r\n')
    expect(await second.ended).toBe('')
    first.destroy()
  })
})

describe('paths', () => {
  it('serves plain pages beside the endpoints, and 404 elsewhere', async () => {
    const { door } = await open(answers, {
      plain: ({ path }) => (path === '/healthz' ? { status: 200, body: 'ok' } : undefined),
    })
    const health = await sendHttp(`${door.url}/healthz`, { method: 'GET' })
    expect([health.status, health.text, health.headers['content-type']]).toEqual([
      200,
      'ok',
      'text/plain; charset=utf-8',
    ])
    expect((await sendHttp(`${door.url}/nowhere`, { method: 'GET' })).status).toBe(404)
  })

  it('does not look at the query', async () => {
    const { url } = await open(answers)
    expect((await sendEnveloped(`${url}?x=/other`, 'tools/call', { name: 't' })).status).toBe(200)
  })

  it('keeps the sessions of two endpoints apart', async () => {
    const one: Endpoint = { handle: async () => ({ capabilities: {} }), serverInfo: { name: 'one', version: '1' } }
    const two: Endpoint = { handle: async () => ({ capabilities: {} }), serverInfo: { name: 'two', version: '1' } }
    const { door } = await open(answers, { endpoint: (path) => (path === '/one' ? one : two) })
    const session = await openWireSession(`${door.url}/one`)
    expect((await session.request('ping')).status).toBe(200)
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'ping' })
    expect((await sendHttp(`${door.url}/two`, { headers: session.headers, body })).status).toBe(404)
  })

  it('forgets endpoints that are no longer used', async () => {
    const { door } = await open(answers, {
      endpoint: () => ({ handle: answers, serverInfo: { name: 's', version: '1' } }),
    })
    for (let i = 0; i < 200; i++) await sendEnveloped(`${door.url}/mcp`, 'tools/call', { name: 't' })
    expect(door.figures()).toEqual({ replies: 0, sessions: 0 })
  })

  it('and never while something of theirs is open, or a caller is still being named', async () => {
    const kept: Endpoint = {
      handle: async () => ({ capabilities: {} }),
      serverInfo: { name: 'kept', version: '1' },
      authenticate: async () => {
        await new Promise(setImmediate)
        return { id: 'ann', tenant: 't' }
      },
    }
    const { door } = await open(answers, {
      endpoint: (path) => (path === '/kept' ? kept : { handle: answers, serverInfo: { name: path, version: '1' } }),
    })
    const opening = openWireSession(`${door.url}/kept`)
    const flood = Array.from({ length: 150 }, (_, i) => sendEnveloped(`${door.url}/${i}`, 'tools/call', { name: 't' }))
    const session = await opening
    await Promise.all(flood)
    for (let i = 0; i < 150; i++) await sendEnveloped(`${door.url}/${i}`, 'tools/call', { name: 't' })
    expect((await session.request('ping')).status).toBe(200)
    expect(door.figures().sessions).toBe(1)
  })
})

describe('closing', () => {
  it('lets a call at work finish and takes no other', async () => {
    const { handle, began, release } = createHolding()
    const { door, url } = await open(handle)
    const answer = sendEnveloped(url, 'tools/call', { name: 't' })
    await began
    const closed = door.close()
    await expect(sendEnveloped(url, 'tools/call', { name: 't' })).rejects.toThrow('ECONNREFUSED')
    release()
    expect((await answer).status).toBe(200)
    await closed
  })

  it('refuses a request on a connection that is still open with 503', async () => {
    const { handle, began, release } = createHolding()
    const { door } = await open(handle)
    const request = toRawHttp('/mcp', toEnveloped('tools/call', { name: 't' }))
    const peer = await openRaw(door.port)
    peer.write(request)
    await began
    const closed = door.close()
    peer.write(request)
    release()
    const received = await peer.ended
    await closed
    expect(received).toMatch(/^HTTP\/1\.1 200 /)
    // The first answer said that the connection ends with it, so the second request is never answered with a result.
    expect(received.match(/HTTP\/1\.1 200 /g)).toHaveLength(1)
  })

  it('fails what is still at work when its time is up', async () => {
    const clock = createFakeClock()
    const { handle, began, calls } = createHolding()
    const { door, url } = await open(handle, { clock })
    const answer = sendEnveloped(url, 'tools/call', { name: 't' })
    await began
    const closed = door.close({ drainMs: 5_000 })
    clock.advance(5_000)
    const { status, messages } = await answer
    expect([status, messages[0].error.message]).toEqual([503, 'Cannot finish the request: the server is closing'])
    expect(calls[0]?.cancellation.isCancelled).toBe(true)
    await closed
    expect(clock.pending).toBe(0)
  })

  it('ends listeners with their result', async () => {
    const handle = (call: Call) =>
      new Promise<Result>((resolve) => {
        call.cancellation.signal.addEventListener('abort', () => resolve({}))
        call.interim.notify({
          method: 'notifications/subscriptions/acknowledged',
          params: { notifications: { toolsListChanged: true } },
        })
      })
    const { door, url } = await open(handle)
    const params = { notifications: { toolsListChanged: true } }
    const stream = await openHttp(url, toEnveloped('subscriptions/listen', params, { id: 'L' }))
    await stream.next()
    const closed = door.close()
    expect(await stream.next()).toMatchObject({
      id: 'L',
      result: { resultType: 'complete', _meta: { 'io.modelcontextprotocol/subscriptionId': 'L' } },
    })
    await closed
  })

  it('leaves no timer behind', async () => {
    const clock = createFakeClock()
    const { door, url } = await open(async () => ({ capabilities: {} }), { clock }, { clock })
    await openWireSession(url)
    await door.close()
    expect(clock.pending).toBe(0)
  })

  it('may be closed twice', async () => {
    const { door } = await open(answers)
    await Promise.all([door.close(), door.close()])
  })
})

it('says nothing about an error of its own making', async () => {
  const events: unknown[] = []
  const { url } = await open(
    async () => {
      throw new Error('password=hunter2')
    },
    {},
    { log: (event) => events.push(event) },
  )
  const answer = await sendEnveloped(url, 'tools/call', { name: 't' })
  expect(answer.messages).toEqual([{ jsonrpc: '2.0', id: 1, error: { code: -32603, message: 'Internal error' } }])
  expect(events).toMatchObject([{ level: 'error', event: 'call.failed', method: 'tools/call' }])
})

describe('requests that stand in line on one connection', () => {
  const calls = (count: number) => toRawHttp('/mcp', toEnveloped('tools/call', { name: 'a' })).repeat(count)

  it('are all taken back when their client hangs up', async () => {
    let cancelled = 0
    let began = 0
    let begin = () => {}
    let cancel = () => {}
    const allBegan = new Promise<void>((resolve) => {
      begin = resolve
    })
    const allCancelled = new Promise<void>((resolve) => {
      cancel = resolve
    })
    const { door } = await open(async (call) => {
      if (++began === 3) begin()
      return new Promise((_, reject) =>
        call.cancellation.watch({
          cancelled: () => {
            if (++cancelled === 3) cancel()
            reject(call.cancellation.reason)
          },
        }),
      )
    })
    const raw = await openRaw(door.port)
    raw.write(calls(3))
    await allBegan
    raw.destroy()
    await allCancelled
    expect(door.figures()).toEqual({ replies: 0, sessions: 0 })
  })

  it('abuse-14: no listener stands in line: it would hear nothing and take a place', async () => {
    const methods: string[] = []
    let release = () => {}
    const { door } = await open((call) => {
      methods.push(call.method)
      // The second call comes after the listener between the two.
      if (methods.length === 2) release()
      return new Promise((resolve) => {
        if (methods.length === 1) release = () => resolve({ content: [] })
        else resolve({ content: [] })
      })
    })
    const raw = await openRaw(door.port)
    const listen = toRawHttp('/mcp', toEnveloped('subscriptions/listen', { notifications: {} }))
    raw.write(calls(1) + listen + calls(1))
    expect(await raw.until('"code":')).toContain('HTTP/1.1 429')
    expect(methods).toEqual(['tools/call', 'tools/call'])
    raw.destroy()
  })

  it('are answered in their order', async () => {
    const { door } = await open(answers)
    const raw = await openRaw(door.port)
    raw.write(calls(20))
    raw.write(`GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`)
    expect((await raw.ended).match(/HTTP\/1\.1 200/g)).toHaveLength(20)
  })

  it('abuse-14: cost a client its connection when they are too many', async () => {
    const holding = createHolding()
    const { door } = await open(holding.handle)
    const raw = await openRaw(door.port)
    raw.write(calls(300))
    await raw.ended
    expect(holding.calls.length).toBeLessThan(300)
    expect(door.figures().replies).toBe(0)
  })
})

it('keeps a long call alive with comments, and still answers it', async () => {
  const clock = createFakeClock()
  const { handle, began, release } = createHolding()
  const { url } = await open(handle, { clock })
  const opening = openHttp(url, toEnveloped('tools/call', { name: 't' }))
  await began
  clock.advance(45_000)
  const stream = await opening
  release()
  expect(await stream.next()).toMatchObject({ id: 1, result: { content: [] } })
  expect(stream.comments).toBe(2)
})

it('abuse-14: more calls at once than allowed get 429 and when to come back', async () => {
  const { handle, began, release } = createHolding()
  const { url } = await open(handle, { maxCalls: 1 })
  const first = sendEnveloped(url, 'tools/call', { name: 't' })
  await began
  const second = await sendEnveloped(url, 'tools/call', { name: 't' })
  expect([second.status, second.messages[0].error.code]).toEqual([429, 1001])
  release()
  expect((await first).status).toBe(200)
})

it('answers 500 for an endpoint that cannot be served', async () => {
  const { url } = await open(answers, {}, { revisions: ['1999-01-01'] })
  const answer = await sendHttp(url, { headers: JSON_HEADERS, body: '{}' })
  expect(answer.status).toBe(500)
})

it('a McpError of authenticate decides the status', async () => {
  const { url } = await open(answers, {
    authenticate: () => {
      throw new McpError('policy.limit', 'Cannot take another request of yours')
    },
  })
  expect((await sendEnveloped(url, 'tools/call', { name: 't' })).status).toBe(429)
})
