import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { once } from 'node:events'
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import {
  createDeferred,
  createDoors,
  createFakeClock,
  JSON_HEADERS,
  openHttp,
  openRaw,
  openSseSession,
  openWireSession,
  sendEnveloped,
  toEnveloped,
  toRawHttp,
} from '@crosspoint/testkit'
import { afterEach, describe, expect, it, onTestFinished } from 'vitest'
import { McpError } from '../../errors.ts'
import { CALLER_LIMITS } from '../../jsonrpc/limits.ts'
import type { Call, Principal, Result } from '../../protocol/call.ts'
import type { Endpoint, EndpointEvent } from '../endpoint.ts'
import { createFetchHandler } from './fetch.ts'
import { createNodeHandler } from './node-handler.ts'

/** Callers who hang up while nobody listens to them: their names are asked for, or others have the request. */

const doors = createDoors()
afterEach(() => doors.closeAll())

const NOTHING = { replies: 0, sessions: 0 }
const STREAM = { accept: 'text/event-stream' }
/** Everybody has one of each: who leaves one behind has none. */
const ONE_OF_EACH = { maxSessionsPerPrincipal: 1, maxListenersPerPrincipal: 1 }

/** Takes the names of callers, and its time where it is told to. */
function createReceptionist() {
  let wait: Promise<unknown> | undefined
  const asked: (() => void)[] = []
  return {
    async authenticate(headers: Readonly<Record<string, string | undefined>>): Promise<Principal> {
      asked.shift()?.()
      await wait
      if (headers.authorization === undefined) throw new McpError('caller.unauthenticated', 'Who are you')
      return { id: headers.authorization, tenant: 't' }
    },
    /** From now on; gives what lets everybody pass who waits. */
    dawdle(): () => Promise<void> {
      const goOn = createDeferred<void>()
      wait = goOn.promise
      return async () => {
        wait = undefined
        goOn.resolve()
        await turn()
      }
    },
    isAsked: () => new Promise<void>((resolve) => void asked.push(resolve)),
  }
}

const answers = async (call: Call): Promise<Result> =>
  call.method === 'server/discover' ? { capabilities: { tools: {} } } : { content: [] }

/** Everything that was about to happen has happened. */
const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

/** Whether it ends in order or by a reset. */
const toClosed = (socket: Socket) => new Promise<void>((resolve) => void socket.once('close', () => resolve()))

/** The server's end of every connection that brings a request during a test. */
function watchSockets(): Set<Socket> {
  const sockets = new Set<Socket>()
  const heard = (message: unknown) => void sockets.add((message as { socket: Socket }).socket) // as Node documents it
  subscribe('http.server.request.start', heard)
  onTestFinished(() => void unsubscribe('http.server.request.start', heard))
  return sockets
}

const toGet = (path: string, headers: Readonly<Record<string, string>>) =>
  `GET ${path} HTTP/1.1\r\n${Object.entries({ host: 'localhost', ...STREAM, ...headers })
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('')}\r\n`

const CALL = toEnveloped('tools/call', { name: 't' })
const BOB = { authorization: 'bob' }

describe('abuse-14: who hangs up while their name is asked for leaves nothing behind', () => {
  async function open(endpoint: Partial<Endpoint> = {}) {
    const receptionist = createReceptionist()
    const { authenticate } = receptionist
    const calls: string[] = []
    const handle = (call: Call) => {
      calls.push(call.method)
      return answers(call)
    }
    const opened = await doors.open(handle, { authenticate, ...ONE_OF_EACH, ...endpoint })
    const sockets = watchSockets()
    /** Sends what is to be sent, hangs up once it was heard, and lets the names be known after that. */
    const hangUp = async (bytes: string) => {
      const [goOn, asked] = [receptionist.dawdle(), receptionist.isAsked()]
      const peer = await openRaw(opened.door.port)
      sockets.clear()
      peer.write(bytes)
      await asked
      const [socket] = sockets
      const closed = socket === undefined ? undefined : toClosed(socket)
      peer.socket.resetAndDestroy()
      await closed
      await goOn()
    }
    return { ...opened, hangUp, calls }
  }

  it.each([
    ['a POST', toRawHttp('/mcp', CALL)],
    ['a POST whose body is on its way', toRawHttp('/mcp', CALL).slice(0, -1)],
    ['a GET', toGet('/mcp', {})],
    ['a GET of the oldest transport', toGet('/sse', {})],
    ['a POST of the oldest transport', toRawHttp('/sse?sessionId=x', { headers: JSON_HEADERS, body: '{}' })],
    ['several in line', toRawHttp('/mcp', CALL).repeat(3) + toGet('/sse', {})],
  ])('by nobody: %s', async (_what, bytes) => {
    const { door, hangUp } = await open()
    for (let i = 0; i < 3; i++) await hangUp(bytes)
    expect(door.figures()).toEqual(NOTHING)
  })

  it.each([
    ['a call', toRawHttp('/mcp', { ...CALL, headers: { ...CALL.headers, ...BOB } })],
    ['several in line', toRawHttp('/mcp', { ...CALL, headers: { ...CALL.headers, ...BOB } }).repeat(3)],
  ])('by a caller: %s', async (_what, bytes) => {
    const { door, hangUp, calls } = await open()
    for (let i = 0; i < 3; i++) await hangUp(bytes)
    expect(door.figures()).toEqual(NOTHING)
    expect(calls).toEqual([])
  })

  it('streams of a session: the next one is opened', async () => {
    const { door, url, hangUp } = await open()
    const session = await openWireSession(url, { headers: BOB, revision: '2025-06-18' })
    const headers = { ...session.headers, ...STREAM, ...BOB } as Record<string, string>
    for (let i = 0; i < 3; i++) await hangUp(toGet('/mcp', headers))
    expect(door.figures()).toEqual({ replies: 0, sessions: 1 })
    const stream = await openHttp(url, { method: 'GET', headers })
    expect(stream.status).toBe(200)
    stream.destroy()
  })

  it('and no stream stands in line, where it would hear nothing', async () => {
    const held = createDeferred<Result>()
    const handle = (call: Call) => (call.method === 'tools/call' ? held.promise : answers(call))
    const { door, url } = await doors.open(handle)
    const session = await openWireSession(url, { revision: '2025-06-18' })
    const headers = { ...JSON_HEADERS, ...session.headers } as Record<string, string>
    const peer = await openRaw(door.port)
    const body = '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"t"}}'
    peer.write(toRawHttp('/mcp', { headers, body }) + toGet('/mcp', { ...headers, ...STREAM }))
    held.resolve({ content: [] })
    expect(await peer.until('Cannot open a stream behind')).toContain('HTTP/1.1 429')
    peer.destroy()
  })

  it('sessions of the oldest transport: the next one is opened', async () => {
    const { door, sse, hangUp } = await open()
    for (let i = 0; i < 3; i++) await hangUp(toGet('/sse', BOB))
    expect(door.figures()).toEqual(NOTHING)
    const session = await openSseSession(sse, BOB)
    expect(session.stream.status).toBe(200)
    session.stream.destroy()
  })
})

describe('abuse-14: who aborts a web-standard request leaves nothing behind', () => {
  function open() {
    const receptionist = createReceptionist()
    const { authenticate } = receptionist
    const calls: string[] = []
    const endpoint: Endpoint = {
      handle: (call) => {
        calls.push(call.method)
        return answers(call)
      },
      serverInfo: { name: 's', version: '1' },
      authenticate,
      ...ONE_OF_EACH,
    }
    const handler = createFetchHandler(endpoint, { sse: '/sse' })
    onTestFinished(() => handler.close({ drainMs: 0 }))
    return { handler, receptionist, calls }
  }

  it.each([
    ['nobody, by POST', 'http://localhost/mcp', CALL],
    ['nobody, by GET', 'http://localhost/sse', { headers: STREAM }],
    ['a caller, by POST', 'http://localhost/mcp', { ...CALL, headers: { ...CALL.headers, ...BOB } }],
    ['a session of the oldest transport', 'http://localhost/sse', { headers: { ...STREAM, ...BOB } }],
  ])('while the name is asked for: %s', async (_what, url, { headers, body }: ReturnType<typeof toEnveloped>) => {
    const { handler, receptionist, calls } = open()
    const method = body === undefined ? 'GET' : 'POST'
    for (let i = 0; i < 3; i++) {
      const leaving = new AbortController()
      const init = { method, headers: headers as Record<string, string>, signal: leaving.signal }
      const goOn = receptionist.dawdle()
      const answer = handler(new Request(url, body === undefined ? init : { ...init, body }))
      leaving.abort()
      expect((await answer).status).toBe(499)
      await goOn()
    }
    expect(handler.figures()).toEqual(NOTHING)
    expect(calls).toEqual([])
    const stream = await handler(new Request('http://localhost/sse', { headers: { ...STREAM, ...BOB } }))
    expect(stream.status).toBe(200)
    await stream.body?.cancel()
  })

  it('abuse-41: while the end of the body is on its way: no call begins', async () => {
    const { handler, calls } = open()
    const pulled = createDeferred<ReadableStreamDefaultController<Uint8Array>>()
    let pulls = 0
    const body = new ReadableStream<Uint8Array>(
      {
        pull(controller) {
          if (pulls++ === 0) controller.enqueue(new TextEncoder().encode(CALL.body))
          else pulled.resolve(controller)
        },
      },
      { highWaterMark: 0 },
    )
    const leaving = new AbortController()
    const headers = { ...CALL.headers, ...BOB } as Record<string, string>
    const init = { method: 'POST', headers, body, duplex: 'half', signal: leaving.signal }
    const answer = handler(new Request('http://localhost/mcp', init as RequestInit))
    const controller = await pulled.promise
    leaving.abort()
    expect((await answer).status).toBe(499)
    controller.close()
    await turn()
    expect(calls).toEqual([])
    expect(handler.figures()).toEqual(NOTHING)
  })
})

describe('abuse-14: who hangs up while a host application has the request leaves nothing behind', () => {
  /** An application that reads what is sent and looks at it until it is told to go on. */
  async function open() {
    const calls: string[] = []
    const handle = (call: Call) => {
      calls.push(call.method)
      return answers(call)
    }
    const handler = createNodeHandler({ handle, serverInfo: { name: 's', version: '1' } }, { sse: '/sse' })
    onTestFinished(() => handler.close({ drainMs: 0 }))
    let look = async (_request: IncomingMessage, _response: ServerResponse) => {}
    const http = createHttpServer(async (request, response) => {
      await look(request, response)
      handler(request, response)
    }).listen(0, '127.0.0.1')
    await once(http, 'listening')
    onTestFinished(async () => {
      http.closeAllConnections()
      http.close()
      await once(http, 'close')
    })
    const { port } = http.address() as AddressInfo // a TCP server that listens has one
    const hangUp = async (bytes: string, reads: boolean) => {
      const [begun, over] = [createDeferred<Socket>(), createDeferred<void>()]
      look = async (request) => {
        if (reads) Object.assign(request, { body: Buffer.concat(await request.toArray()) })
        begun.resolve(request.socket)
        await over.promise
      }
      const peer = await openRaw(port)
      peer.write(bytes)
      const closed = toClosed(await begun.promise)
      peer.socket.resetAndDestroy()
      await closed
      over.resolve()
      look = async () => {}
      await turn()
    }
    return { handler, hangUp, calls, url: `http://127.0.0.1:${port}` }
  }

  it.each([
    ['a stream of the oldest transport', toGet('/sse', {}), false],
    ['a call', toRawHttp('/mcp', CALL), false],
    ['a call that was read', toRawHttp('/mcp', CALL), true],
    ['what is refused', toRawHttp('/mcp', { headers: JSON_HEADERS, body: '{' }), true],
    ['what has no business here', toRawHttp('/mcp', { headers: { host: 'evil.example' } }), false],
  ])('%s', async (_what, bytes, reads) => {
    const { handler, hangUp, calls, url } = await open()
    for (let i = 0; i < 3; i++) await hangUp(bytes, reads)
    expect(handler.figures()).toEqual(NOTHING)
    expect(calls).toEqual([])
    expect((await sendEnveloped(url, 'tools/call', { name: 't' })).status).toBe(200)
  })
})

describe('abuse-41: who hangs up after a body that was refused takes back the call before it', () => {
  const PUSHED = 8 * 1024 * 1024
  const REFUSED = {
    'announced, and too large': `Content-Type: application/json\r\nContent-Length: 90000000\r\n\r\n${' '.repeat(PUSHED)}`,
    'too large, in chunks': `Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n${PUSHED.toString(16)}\r\n${' '.repeat(PUSHED)}`,
    'of another type': `Content-Type: text/plain\r\nContent-Length: 90000000\r\n\r\n${' '.repeat(PUSHED)}`,
    'of another type, and short': `Content-Type: text/plain\r\nContent-Length: 65536\r\n\r\n${' '.repeat(65_535)}`,
  }

  it.each(Object.entries(REFUSED))('%s', async (_what, rest) => {
    const [began, over] = [createDeferred<void>(), createDeferred<unknown>()]
    const clock = createFakeClock()
    const limits = { ...CALLER_LIMITS, maxBytes: 1024 * 1024 }
    const handle = (call: Call) =>
      new Promise<Result>((_, reject) => {
        call.cancellation.watch({
          cancelled: () => {
            over.resolve(call.cancellation.reason)
            reject(call.cancellation.reason)
          },
        })
        began.resolve()
      })
    const refused = createDeferred<void>()
    const log = ({ event }: EndpointEvent) => void (event === 'request.refused' && refused.resolve())
    const { door } = await doors.open(handle, { clock, limits }, { clock, log })
    const sockets = watchSockets()
    const peer = await openRaw(door.port)
    peer.write(toRawHttp('/mcp', CALL))
    await began.promise
    peer.write(`POST /mcp HTTP/1.1\r\nHost: localhost\r\n${rest}`)
    await refused.promise
    peer.socket.resetAndDestroy()
    expect(await over.promise).toMatchObject({ code: 'caller.cancelled' })
    for (const socket of sockets) expect(socket.destroyed).toBe(true)
    expect(door.figures()).toEqual(NOTHING)
  })
})
