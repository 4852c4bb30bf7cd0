import { afterEach, describe, expect, it } from 'vitest'
import type { McpError } from '../errors.ts'
import type { JsonObject } from '../jsonrpc/frame.ts'
import { UPSTREAM_LIMITS } from '../jsonrpc/limits.ts'
import type { Notification } from '../protocol/call.ts'
import { type Exchanged, startHttpServer } from '../transports/http/fixtures/server.ts'
import type { Connection, ConnectionOptions } from './connection.ts'
import { recordingInterim, toCall } from './fixtures/calls.ts'
import { openConnection } from './open.ts'

const client = { name: 'test', version: '1' }
const MODERN = '2026-07-28'
const META = 'io.modelcontextprotocol/'

type Server = Awaited<ReturnType<typeof startHttpServer>>
const cleanup: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const end of cleanup.splice(0).reverse()) await end()
})

async function start(answer: (exchanged: Exchanged) => void): Promise<Server> {
  const server = await startHttpServer(answer)
  cleanup.push(() => server.stop())
  return server
}

async function open(server: Server, options: Partial<ConnectionOptions> = {}, headers = {}): Promise<Connection> {
  const connection = await openConnection({ kind: 'http', url: server.url, headers }, { client, ...options })
  cleanup.push(() => connection.close())
  return connection
}

const failureOf = (promise: Promise<unknown>): Promise<McpError> =>
  promise.then(
    () => expect.fail('no error'),
    (e) => e,
  )

/** A server of a handshake revision: opens, has no GET stream, and leaves the rest to `answer`. */
function legacy(answer: (exchanged: Exchanged) => void, { session = 'session-1', revision = '2025-11-25' } = {}) {
  return (exchanged: Exchanged) => {
    const { method, message } = exchanged
    if (method === 'GET') return exchanged.plain(405)
    if (method === 'DELETE') return exchanged.plain(200)
    if (message.method === 'server/discover') return exchanged.plain(400, 'Bad Request: no session')
    if (message.method === 'initialize') {
      const result = {
        protocolVersion: revision,
        capabilities: {
          tools: { listChanged: true },
          resources: { subscribe: true },
          logging: {},
          prompts: {},
        },
        serverInfo: { name: 'fixture', version: '1' },
      }
      return exchanged.result(result, session === '' ? {} : { 'mcp-session-id': session })
    }
    if (message.id === undefined || message.method === undefined) return exchanged.plain(202)
    answer(exchanged)
  }
}

function modern(answer: (exchanged: Exchanged) => void) {
  return (exchanged: Exchanged) => {
    if (exchanged.method !== 'POST') return exchanged.plain(405)
    if (exchanged.message.method !== 'server/discover') return answer(exchanged)
    exchanged.result({ supportedVersions: [MODERN], capabilities: { tools: {} }, ttlMs: 0, cacheScope: 'private' })
  }
}

const metaOf = (message: JsonObject) => (message.params as { _meta: JsonObject })._meta
const ok = (exchanged: Exchanged) => exchanged.result({ content: [{ type: 'text', text: 'ok' }] })
const OK = { content: [{ type: 'text', text: 'ok' }] }
const tool = (name: string, args: JsonObject = {}, more = {}) => toCall('tools/call', { name, arguments: args }, more)

describe('the era of an HTTP server', () => {
  const rows: [string, (exchanged: Exchanged) => void, string][] = [
    ['a result', (e) => e.result({ supportedVersions: [MODERN], capabilities: {} }), MODERN],
    ['400 with an empty body', (e) => e.plain(400), '2025-11-25'],
    ['404 with an empty body', (e) => e.plain(404), '2025-11-25'],
    ['405', (e) => e.plain(405), '2025-11-25'],
    ['400 with -32600', (e) => e.error(-32600, 'no', { status: 400 }), '2025-11-25'],
    ['400 with -32602', (e) => e.error(-32602, 'no', { status: 400 }), '2025-11-25'],
    ['400 with -32000', (e) => e.error(-32000, 'Server not initialized', { status: 400 }), '2025-11-25'],
    ['404 with -32601 to server/discover itself', (e) => e.error(-32601, 'no', { status: 404 }), '2025-11-25'],
    ['200 with -32601', (e) => e.error(-32601, 'no'), '2025-11-25'],
    [
      '-32022 with only older revisions to offer',
      (e) => e.error(-32022, 'no', { status: 400, data: { supported: ['2025-06-18'] } }),
      '2025-06-18',
    ],
  ]
  for (const [what, discover, verdict] of rows) {
    it(`is ${verdict} after ${what}`, async () => {
      const revision = verdict === MODERN ? '2025-11-25' : verdict
      const server = await start((exchanged) =>
        exchanged.message.method === 'server/discover' ? discover(exchanged) : legacy(ok, { revision })(exchanged),
      )
      const connection = await open(server)
      expect(connection.verdict.revision).toBe(verdict)
      expect(server.methods()[0]).toBe('server/discover')
    })
  }

  const outages: [string, (exchanged: Exchanged) => void, string][] = [
    ['401', (e) => e.plain(401), 'upstream.unauthorized'],
    ['403', (e) => e.error(-32600, 'no', { status: 403 }), 'upstream.unauthorized'],
    ['500', (e) => e.plain(500), 'upstream.unavailable'],
    ['503', (e) => e.plain(503, '', { 'retry-after': '2' }), 'upstream.unavailable'],
    ['400 with -32021', (e) => e.error(-32021, 'no', { status: 400 }), 'caller.missing_capability'],
  ]
  for (const [what, discover, code] of outages) {
    it(`is not told by ${what}`, async () => {
      const server = await start(discover)
      expect(await failureOf(open(server))).toMatchObject({ code })
      expect(server.methods()).toEqual(['server/discover'])
    })
  }

  it('is not told by a silence', async () => {
    const server = await start(() => {})
    expect(await failureOf(open(server, { connectTimeoutMs: 50 }))).toMatchObject({ code: 'upstream.timeout' })
    expect(server.methods()).toEqual(['server/discover'])
  })

  it('is asked for again in a revision the server offers', async () => {
    let first = true
    const server = await start((exchanged) => {
      if (!first) return modern(ok)(exchanged)
      first = false
      exchanged.error(-32022, 'no', { status: 400, data: { supported: ['2099-01-01'] } })
    })
    expect(await failureOf(open(server))).toMatchObject({
      code: 'upstream.protocol',
      message: 'Cannot agree on a revision: the server offers 2099-01-01',
    })
  })

  it('is handed to the handshake at once while a verdict is fresh', async () => {
    const server = await start(legacy(ok))
    await open(server, { verdict: { revision: '2025-06-18', at: new Date().toISOString() } })
    expect(server.methods()[0]).toBe('initialize')
  })

  it('is probed for when a fresh verdict turns out to be wrong', async () => {
    const server = await start((exchanged) => {
      if (exchanged.message.method !== 'initialize') return modern(ok)(exchanged)
      exchanged.error(-32022, 'no', { status: 400, data: { supported: [MODERN] } })
    })
    const connection = await open(server, { verdict: { revision: '2025-06-18', at: new Date().toISOString() } })
    expect(connection.verdict.revision).toBe(MODERN)
  })
})

describe('a handshake session over HTTP', () => {
  it('sends the session id and the version after initialize and not before, and ends the session', async () => {
    const server = await start(legacy(ok))
    const connection = await open(server)
    expect(await connection.handle(tool('x'))).toEqual(OK)
    await connection.close()
    const of = (method: string) => server.seen.find((seen) => seen.message.method === method || seen.method === method)
    expect(of('initialize')?.headers).not.toHaveProperty('mcp-session-id')
    expect(of('initialize')?.headers).not.toHaveProperty('mcp-protocol-version')
    for (const later of ['notifications/initialized', 'tools/call', 'GET', 'DELETE']) {
      expect(of(later)?.headers).toMatchObject({ 'mcp-session-id': 'session-1', 'mcp-protocol-version': '2025-11-25' })
    }
    expect(of('tools/call')?.headers.accept).toBe('application/json, text/event-stream')
    expect(of('GET')?.headers.accept).toBe('text/event-stream')
  })

  it('sends no version header in a revision that has none', async () => {
    const server = await start(legacy(ok, { revision: '2025-03-26' }))
    const connection = await open(server)
    await connection.handle(tool('x'))
    expect(server.seen.at(-1)?.headers).not.toHaveProperty('mcp-protocol-version')
  })

  it('reads an answer from an event stream, with what comes before it', async () => {
    const server = await start(
      legacy(({ message, stream }) => {
        const { event, raw, end } = stream()
        const { progressToken } = metaOf(message)
        raw(': keep-alive\n\n')
        event({ method: 'notifications/progress', params: { progressToken, progress: 1 } })
        event({ method: 'notifications/progress', params: { progressToken, progress: 1 } })
        event({ method: 'notifications/message', params: { level: 'info', data: 'hello' } })
        event({ method: 'notifications/message', params: { level: 'debug', data: 'too much' } })
        event({ id: message.id, result: OK })
        end()
      }),
    )
    const connection = await open(server)
    const interim = recordingInterim({ progress: true, logLevel: 'info' })
    await connection.handle(toCall('tools/list', {}, { interim: recordingInterim() })).catch(() => {})
    expect(await connection.handle(tool('x', {}, { interim }))).toEqual(OK)
    expect(interim.heard).toEqual([
      { method: 'notifications/progress', params: { progress: 1 } },
      { method: 'notifications/message', params: { level: 'info', data: 'hello' } },
    ])
  })
})
