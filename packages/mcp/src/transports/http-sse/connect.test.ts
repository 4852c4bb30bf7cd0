import { createDeferred, createFakeClock } from '@crosspoint/testkit'
import { afterEach, describe, expect, it } from 'vitest'
import type { ConnectionOptions, Target } from '../../client/connection.ts'
import { openConnection } from '../../client/open.ts'
import type { McpError } from '../../errors.ts'
import type { JsonObject } from '../../jsonrpc/frame.ts'
import { UPSTREAM_LIMITS } from '../../jsonrpc/limits.ts'
import type { Interim, Notification } from '../../protocol/call.ts'
import { cancellationOf } from '../../protocol/cancellation.ts'
import { recordingInterim, toCall } from '../../protocol/fixtures/calls.ts'
import { REVISIONS } from '../../revisions/index.ts'
import { type Exchanged, type Stream, startHttpServer } from '../http/fixtures/server.ts'

const cleanup: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const end of cleanup.splice(0).reverse()) await end()
})

type Answer = (message: JsonObject, stream: Stream, exchanged: Exchanged) => void

const INITIALIZED = {
  protocolVersion: '2024-11-05',
  capabilities: { tools: { listChanged: true }, logging: {} },
  serverInfo: { name: 'old', version: '1' },
}
const OK = { content: [{ type: 'text', text: 'ok' }] }
const answered: Answer = ({ id }, stream) => stream.event({ id, result: OK })

/** A server of the oldest revision: a stream at /mcp, messages at /say, nothing else. */
async function startOld(answer: Answer = answered, refusal = 404, target = '/say?s=') {
  const streams: Stream[] = []
  const server = await startHttpServer((exchanged) => {
    const { method, path, message } = exchanged
    if (method === 'GET' && path === '/mcp') {
      const stream = exchanged.stream()
      stream.raw(`event: endpoint\ndata: ${target}${streams.length}\n\n`)
      streams.push(stream)
      return
    }
    const stream = streams[Number(path.split('=')[1])]
    if (method !== 'POST' || !path.startsWith('/say') || stream === undefined) {
      exchanged.plain(refusal, 'Cannot POST /mcp')
      return
    }
    exchanged.plain(202, 'Accepted')
    if (message.method === 'initialize') stream.event({ id: message.id, result: INITIALIZED })
    else if (message.id !== undefined && message.method !== undefined) answer(message, stream, exchanged)
  })
  cleanup.push(() => server.stop())
  return { ...server, streams }
}

async function open(url: string, options: Partial<ConnectionOptions> = {}, target: Partial<Target> = {}) {
  const whole = { kind: 'http', url, ...target } as Target // the tests name members of this kind only
  const connection = await openConnection(whole, { client: { name: 'test', version: '1' }, ...options })
  cleanup.push(() => connection.close())
  return connection
}

const failureOf = (promise: Promise<unknown>): Promise<McpError> =>
  promise.then(
    () => expect.fail('no error'),
    (e) => e,
  )
const tool = (name = 't', more = {}) => toCall('tools/call', { name, arguments: {} }, more)

/** A clock that stands still, and says when somebody wants to be woken after `ms`. */
function createWatchedClock() {
  const clock = createFakeClock()
  let expected: { readonly ms: number; readonly resolve: () => void } | undefined
  return {
    ...clock,
    setTimer(ms: number, fire: () => void) {
      const timer = clock.setTimer(ms, fire)
      if (expected?.ms === ms) expected.resolve()
      return timer
    },
    waitFor: (ms: number) =>
      new Promise<void>((resolve) => {
        expected = { ms, resolve }
      }),
  }
}

describe('a server of the oldest revision', () => {
  it.each([400, 404, 405, 415])('is found by itself where a POST gets %i', async (status) => {
    const server = await startOld(answered, status)
    const connection = await open(server.url)
    expect(connection.verdict).toMatchObject({ revision: '2024-11-05', transport: 'sse' })
    expect(connection.serverInfo).toEqual({ name: 'old', version: '1' })
    expect(await connection.handle(tool())).toEqual(OK)
    const ways = server.seen.map(({ method, path, message }) => [method, path, message.method])
    expect(ways).toEqual([
      ['POST', '/mcp', 'server/discover'],
      ['POST', '/mcp', 'initialize'],
      ['GET', '/mcp', undefined],
      ['POST', '/say?s=0', 'initialize'],
      ['POST', '/say?s=0', 'notifications/initialized'],
      ['POST', '/say?s=0', 'tools/call'],
    ])
  })

  it.each([401, 403, 429, 500, 503])('is not looked for where a POST gets %i', async (status) => {
    const server = await startOld(answered, status)
    await expect(open(server.url)).rejects.toThrow(`HTTP ${status}`)
    expect(server.methods()).not.toContain('GET')
  })

  it('is not what a wrong URL is taken for: what was refused first is told', async () => {
    const server = await startHttpServer((exchanged) => exchanged.plain(404, 'nothing here'))
    cleanup.push(() => server.stop())
    const failure = await failureOf(open(server.url))
    expect(failure).toMatchObject({ code: 'upstream.unavailable', message: expect.stringContaining('check its path') })
    expect(server.methods()).toEqual(['server/discover', 'initialize', 'GET'])
  })

  it('is not opened in a revision that has no sessions: who pins that is told what would work', async () => {
    const server = await startOld()
    const revision = REVISIONS[0]?.name ?? ''
    expect(await failureOf(open(server.url, { revision }, { transport: 'sse' }))).toMatchObject({
      code: 'caller.unsupported_revision',
      message: `Cannot speak "${revision}" over HTTP+SSE, which only revisions with sessions have: leave out "transport", or pin an older revision`,
    })
    expect(await failureOf(open(server.url, { revision: '1999-01-01' }))).toMatchObject({
      code: 'caller.unsupported_revision',
      message: `Cannot speak "1999-01-01": known revisions are ${REVISIONS.map(({ name }) => name).join(', ')}`,
    })
    expect(server.methods()).toEqual([])
  })

  it('is not what a page is taken for', async () => {
    const server = await startHttpServer((exchanged) =>
      exchanged.method === 'GET'
        ? exchanged.plain(200, '<html>', { 'content-type': 'text/html' })
        : exchanged.plain(405),
    )
    cleanup.push(() => server.stop())
    await expect(open(server.url)).rejects.toThrow('HTTP 405')
    const failure = await failureOf(open(server.url, {}, { transport: 'sse' }))
    expect(failure.message).toContain('answers with "text/html", not with an event stream')
  })

  it('says that a sign-in is wanted where the stream wants one', async () => {
    const server = await startHttpServer((exchanged) => exchanged.plain(exchanged.method === 'GET' ? 401 : 404))
    cleanup.push(() => server.stop())
    expect(await failureOf(open(server.url))).toMatchObject({ code: 'upstream.unauthorized' })
  })

  it('is remembered: with the verdict nothing else is tried first', async () => {
    const server = await startOld()
    const { verdict } = await open(server.url)
    const before = server.seen.length
    const again = await open(server.url, { verdict })
    expect(again.verdict.transport).toBe('sse')
    expect(server.methods().slice(before, before + 2)).toEqual(['GET', 'initialize'])
  })

  it('is remembered no longer than it is one', async () => {
    const verdict = { revision: '2024-11-05', transport: 'sse', at: new Date().toISOString() } as const
    const server = await startHttpServer((exchanged) => {
      if (exchanged.method !== 'POST') exchanged.plain(405)
      else exchanged.result({ supportedVersions: ['2026-07-28'], capabilities: {}, ttlMs: 0, cacheScope: 'private' })
    })
    cleanup.push(() => server.stop())
    const connection = await open(server.url, { verdict })
    expect(connection.verdict).toMatchObject({ revision: '2026-07-28' })
    expect(connection.verdict.transport).toBeUndefined()
  })

  it('can be asked for, and nothing else is tried then', async () => {
    const server = await startOld()
    await open(server.url, {}, { transport: 'sse' })
    expect(server.methods().slice(0, 2)).toEqual(['GET', 'initialize'])
  })

  it('cannot be asked for together with a revision without sessions', async () => {
    const failure = await failureOf(open('http://127.0.0.1:9/sse', { revision: '2026-07-28' }, { transport: 'sse' }))
    expect(failure.message).toContain('Cannot speak "2026-07-28" over HTTP+SSE')
  })

  it('may move within its origin', async () => {
    const server = await startHttpServer((exchanged) => {
      if (exchanged.path === '/mcp') exchanged.plain(307, '', { location: '/mcp/' })
      else if (exchanged.method === 'GET') exchanged.stream().raw('event: endpoint\ndata: here\n\n')
      else exchanged.plain(400, 'enough')
    })
    cleanup.push(() => server.stop())
    await failureOf(open(server.url, {}, { transport: 'sse' }))
    expect(server.seen.map(({ path }) => path)).toEqual(['/mcp', '/mcp/', '/mcp/here'])
  })

  it('asks, and is answered', async () => {
    const server = await startOld((message, stream) => {
      if (message.method === 'tools/call') stream.event({ id: 'q', method: 'roots/list' })
    })
    const connection = await open(server.url, { capabilities: { roots: {} }, ask: async () => ({ roots: [] }) })
    void connection.handle(tool()).catch(() => {})
    const reply = await server.saw(({ message }) => message.id === 'q')
    expect(reply.message).toEqual({ jsonrpc: '2.0', id: 'q', result: { roots: [] } })
    expect(reply.path).toBe('/say?s=0')
  })

  it('hears that a call is given up', async () => {
    const server = await startOld(() => {})
    const connection = await open(server.url)
    const giveUp = new AbortController()
    const failed = failureOf(connection.handle(tool('t', { cancellation: cancellationOf(giveUp.signal) })))
    await server.saw(({ message }) => message.method === 'tools/call')
    giveUp.abort()
    expect(await failed).toMatchObject({ code: 'caller.cancelled' })
    await server.saw(({ message }) => message.method === 'notifications/cancelled')
  })

  it('carries what is large', async () => {
    const text = 'ü'.repeat(3 * 1024 * 1024)
    const server = await startOld(({ id, params }, stream) => stream.event({ id, result: { content: [], params } }))
    const connection = await open(server.url)
    const result = await connection.handle(toCall('tools/call', { name: 't', arguments: { text } }))
    expect(result.params).toMatchObject({ arguments: { text } })
  })
})

describe('credentials', () => {
  const headers = { authorization: 'Bearer secret', 'x-key': '1' }

  it('go with the stream and with every message', async () => {
    const server = await startOld()
    const connection = await open(server.url, {}, { headers })
    await connection.handle(tool())
    for (const { headers: sent } of server.seen) expect(sent).toMatchObject(headers)
  })

  it.each([
    'http://127.0.0.1:PORT/say',
    '//127.0.0.1:PORT/say',
    'https://evil.example/say',
    'http://user@HOST/say',
    'x:y',
  ])('never go to another origin that the server names: %s', async (target) => {
    const other = await startHttpServer((exchanged) => exchanged.plain(202))
    cleanup.push(() => other.stop())
    const server = await startHttpServer((exchanged) => {
      if (exchanged.method !== 'GET') return exchanged.plain(404)
      const named = target.replace('PORT', new URL(other.url).port).replace('HOST', String(exchanged.headers.host))
      exchanged.stream().raw(`event: endpoint\ndata: ${named}\n\n`)
    })
    cleanup.push(() => server.stop())
    const failure = await failureOf(open(server.url, {}, { headers }))
    expect(failure).toMatchObject({
      code: 'upstream.protocol',
      message: expect.stringContaining('not of the same origin'),
    })
    expect(other.seen).toEqual([])
  })

  it('never follow a redirect to another origin', async () => {
    const other = await startHttpServer((exchanged) => exchanged.plain(202))
    cleanup.push(() => other.stop())
    const server = await startHttpServer((exchanged) => exchanged.plain(307, '', { location: other.url }))
    cleanup.push(() => server.stop())
    const failure = await failureOf(open(server.url, {}, { headers, transport: 'sse' }))
    expect(failure.message).toContain('redirects to')
    expect(other.seen).toEqual([])
  })
})

describe('a stream that breaks', () => {
  it('takes calls along: what a tool did is unknown, what only reads may be asked again', async () => {
    const server = await startOld(() => {})
    const connection = await open(server.url)
    const calling = failureOf(connection.handle(tool()))
    const listing = failureOf(connection.handle(toCall('tools/list')))
    await server.saw(({ message }) => message.method === 'tools/call')
    await server.saw(({ message }) => message.method === 'tools/list')
    server.streams[0]?.cut()
    expect(await calling).toMatchObject({
      code: 'upstream.closed',
      message: expect.stringContaining('outcome is unknown'),
    })
    expect(await listing).toMatchObject({ code: 'upstream.unavailable' })
  })

  it('is opened anew by the next call, which is sent once', async () => {
    const clock = createFakeClock()
    const server = await startOld((message, stream) => {
      if (server.streams.length > 1) answered(message, stream, server.seen[0] as Exchanged)
      else stream.end()
    })
    const connection = await open(server.url, { clock })
    await failureOf(connection.handle(tool('first')))
    expect(await connection.handle(tool('second'))).toEqual(OK)
    const calls = server.seen.filter(({ message }) => message.method === 'tools/call')
    expect(calls.map(({ path, message }) => [path, (message.params as JsonObject).name])).toEqual([
      ['/say?s=0', 'first'],
      ['/say?s=1', 'second'],
    ])
    // In the order of a new session: nothing is sent before the handshake is done.
    const second = server.seen.filter(({ path }) => path === '/say?s=1').map(({ message }) => message.method)
    expect(second).toEqual(['initialize', 'notifications/initialized', 'tools/call'])
  })

  it('is opened anew by itself, so that who listens hears of changes again', async () => {
    const clock = createWatchedClock()
    const server = await startOld()
    const connection = await open(server.url, { clock })
    const heard = createDeferred<Notification>()
    const interim: Interim = {
      ...recordingInterim(),
      notify: (notification) => {
        if (notification.method === 'notifications/tools/list_changed') heard.resolve(notification)
      },
    }
    const listening = toCall('subscriptions/listen', { notifications: { toolsListChanged: true } }, { interim })
    const ended = connection.handle(listening).catch(() => {})
    const scheduled = clock.waitFor(1_000)
    server.streams[0]?.cut()
    await scheduled
    clock.advance(1_000)
    await server.saw(({ path, message }) => path === '/say?s=1' && message.method === 'notifications/initialized')
    server.streams[1]?.event({ method: 'notifications/tools/list_changed' })
    await heard.promise
    await connection.close()
    await ended
  })

  it('tells the caller why it cannot be opened anew, and tries again with the next call', async () => {
    let isDown = false
    const server = await startHttpServer((exchanged) => {
      if (isDown) return exchanged.plain(503, 'down')
      if (exchanged.method === 'GET') {
        stream = exchanged.stream()
        stream.raw('event: endpoint\ndata: /say\n\n')
        return
      }
      if (exchanged.path !== '/say') return exchanged.plain(404)
      exchanged.plain(202)
      const { id, method } = exchanged.message
      if (id !== undefined) stream?.event({ id, result: method === 'initialize' ? INITIALIZED : OK })
    })
    let stream: Stream | undefined
    cleanup.push(() => server.stop())
    const clock = createWatchedClock()
    const connection = await open(server.url, { clock })
    isDown = true
    const scheduled = clock.waitFor(1_000)
    stream?.cut()
    await scheduled
    expect(await failureOf(connection.handle(toCall('tools/list')))).toMatchObject({ code: 'upstream.unavailable' })
    isDown = false
    expect(await connection.handle(tool())).toEqual(OK)
  })

  it('is not opened in a loop where a server ends it at once', async () => {
    const clock = createWatchedClock()
    const server = await startOld()
    await open(server.url, { clock })
    for (let round = 0; round < 3; round++) {
      const scheduled = clock.waitFor(1_000)
      server.streams.at(-1)?.end()
      await scheduled
      expect(server.streams).toHaveLength(round + 1)
      clock.advance(1_000)
      await server.saw(
        ({ path, message }) => path === `/say?s=${round + 1}` && message.method === 'notifications/initialized',
      )
    }
  })

  it('a session that the server has forgotten is opened anew', async () => {
    let forgotten = false
    const server = await startHttpServer((exchanged) => {
      if (exchanged.method === 'GET') {
        forgotten = false
        stream = exchanged.stream()
        stream.raw('event: endpoint\ndata: /say\n\n')
        return
      }
      if (exchanged.path !== '/say' || forgotten) return exchanged.plain(404)
      exchanged.plain(202)
      const { id, method } = exchanged.message
      if (id !== undefined) stream?.event({ id, result: method === 'initialize' ? INITIALIZED : { tools: [] } })
    })
    let stream: Stream | undefined
    cleanup.push(() => server.stop())
    const connection = await open(server.url)
    forgotten = true
    expect(await connection.handle(toCall('tools/list'))).toEqual({ tools: [] })
    expect(server.methods().filter((method) => method === 'GET')).toHaveLength(2)
  })
})

describe('a hostile server', () => {
  it('that never says where to POST keeps us no longer than a connection may take', async () => {
    const server = await startHttpServer((exchanged) => {
      if (exchanged.method === 'GET') exchanged.stream().raw(': nothing\n\n')
      else exchanged.plain(404)
    })
    cleanup.push(() => server.stop())
    const clock = createFakeClock()
    const failed = failureOf(open(server.url, { clock, connectTimeoutMs: 5_000 }, { transport: 'sse' }))
    const { gone } = await server.saw(({ method }) => method === 'GET')
    clock.advance(5_000)
    expect(await failed).toMatchObject({ code: 'upstream.timeout' })
    await gone
    expect(clock.pending).toBe(0)
  })

  it('abuse-16: that sends an event without end is let go', async () => {
    const server = await startOld((_message, stream) => stream.raw(`data: ${'x'.repeat(70_000)}`))
    const connection = await open(server.url, { limits: { ...UPSTREAM_LIMITS, maxBytes: 64 * 1024 } })
    const failure = await failureOf(connection.handle(tool()))
    expect(failure).toMatchObject({ code: 'upstream.closed', message: expect.stringContaining('larger than 65536') })
  })

  it('that says twice where to POST is believed the first time', async () => {
    const server = await startOld((message, stream) => {
      stream.raw('event: endpoint\ndata: /elsewhere\n\n')
      stream.event({ id: message.id, result: OK })
    })
    const connection = await open(server.url)
    await connection.handle(tool())
    await connection.handle(tool())
    expect(server.seen.map(({ path }) => path)).not.toContain('/elsewhere')
  })
})
