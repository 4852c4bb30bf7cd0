import { once } from 'node:events'
import { createServer as createHttpServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createDoors, openWireSession, sendEnveloped, sendHttp } from '@crosspoint/testkit'
import { afterEach, describe, expect, it, onTestFinished } from 'vitest'
import { createServer } from '../../server/index.ts'
import type { Endpoint, EndpointEvent } from '../endpoint.ts'
import { createFetchHandler } from './fetch.ts'
import { createNodeHandler } from './node-handler.ts'

/** Who forgets to throw: what plain JavaScript returns for a caller without a token. */

const doors = createDoors()
afterEach(() => doors.closeAll())

const NO_PRINCIPALS: readonly (readonly [unknown, string])[] = [
  [undefined, 'undefined'],
  [null, 'null'],
  [false, 'a boolean'],
  [true, 'a boolean'],
  [7, 'a number'],
  ['secret-ada', 'text'],
  [{ user: 'secret-ada' }, 'an object whose "id" is undefined'],
  [{ id: 'secret-ada' }, 'an object whose "tenant" is undefined'],
  [{ id: 'secret-ada', tenant: null }, 'an object whose "tenant" is null'],
  [{ id: 7, tenant: 't' }, 'an object whose "id" is a number'],
  [{ id: '', tenant: 'secret' }, 'an object whose "id" is empty'],
  [{ id: 'secret-ada', tenant: 't', scopes: 'administer' }, 'an object whose "scopes" are text'],
  [{ id: 'secret-ada', tenant: 't', scopes: ['secret', 7] }, 'an object whose "scopes" are not all text'],
  [{ id: 'ada', tenant: 't', attributes: ['secret'] }, 'an object whose "attributes" are a list'],
  [new Error('secret-ada'), 'an object whose "id" is undefined'],
  [['secret-ada', 't'], 'an object whose "id" is undefined'],
]

/** A server with one secret, a record of its log, and whether anybody came to a handler. */
function createGuarded(returned: unknown, isAsync = false) {
  const events: EndpointEvent[] = []
  let reached = 0
  const server = createServer({
    name: 's',
    version: '1',
    // As plain JavaScript has it, where no compiler says what is missing.
    authenticate: (isAsync ? async () => returned : () => returned) as NonNullable<Endpoint['authenticate']>,
    log: (event) => events.push(event),
  })
  server.tool('secret', {}, () => `secret ${++reached}`)
  return { endpoint: server.endpoint, events, reached: () => reached }
}

const openDoor = (endpoint: Endpoint) => doors.open(endpoint.handle, endpoint)

async function listenWithNode(endpoint: Endpoint): Promise<string> {
  const handler = createNodeHandler(endpoint)
  const http = createHttpServer(handler).listen(0, '127.0.0.1')
  await once(http, 'listening')
  onTestFinished(async () => {
    await handler.close({ drainMs: 0 })
    http.closeAllConnections()
    http.close()
  })
  return `http://127.0.0.1:${(http.address() as AddressInfo).port}/mcp`
}

/** Every way in: what it answers to a caller. */
const WAYS: Readonly<Record<string, (endpoint: Endpoint) => Promise<number>>> = {
  'a request without a session': async (endpoint) =>
    (await sendEnveloped((await openDoor(endpoint)).url, 'tools/call', { name: 'secret' })).status,
  'the start of a session': async (endpoint) =>
    (await openWireSession((await openDoor(endpoint)).url, { revision: '2025-06-18', confirm: false })).initialized
      .status,
  'a stream for news': async (endpoint) =>
    (await sendHttp((await openDoor(endpoint)).url, { method: 'GET', headers: { accept: 'text/event-stream' } }))
      .status,
  'a stream of HTTP+SSE': async (endpoint) =>
    (await sendHttp((await openDoor(endpoint)).sse, { method: 'GET', headers: { accept: 'text/event-stream' } }))
      .status,
  'a fetch handler': async (endpoint) => {
    const handler = createFetchHandler(endpoint)
    onTestFinished(() => handler.close({ drainMs: 0 }))
    const body = '{"jsonrpc":"2.0","id":1,"method":"initialize","params":{}}'
    const headers = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' }
    return (await handler(new Request('http://localhost/mcp', { method: 'POST', headers, body }))).status
  },
  'a handler of node:http': async (endpoint) =>
    (await sendEnveloped(await listenWithNode(endpoint), 'tools/call', { name: 'secret' })).status,
}

describe('abuse-25: what is no principal lets nobody in', () => {
  for (const [way, come] of Object.entries(WAYS)) {
    it.each(NO_PRINCIPALS.map(([returned, kind], at) => ({ returned, kind, at })))(
      `by ${way}: case $at, $kind`,
      async ({ returned, kind, at }) => {
        const guarded = createGuarded(returned, at % 2 === 0)
        expect(await come(guarded.endpoint)).toBe(401)
        expect(guarded.reached()).toBe(0)
        const said = guarded.events.filter(({ event }) => event === 'principal.invalid')
        expect(said).toEqual([
          {
            level: 'error',
            event: 'principal.invalid',
            message: `"authenticate" returned ${kind}; return { id, tenant }, both text, with a list of "scopes" where there are any, or throw to refuse the caller`,
          },
        ])
        expect(JSON.stringify(guarded.events)).not.toContain('secret')
      },
    )
  }

  it('also by the authenticate of a door, whose log is told', async () => {
    const events: EndpointEvent[] = []
    const { url } = await doors.open(
      async () => ({ content: [] }),
      {},
      { authenticate: (() => undefined) as never, log: (event) => events.push(event) }, // as plain JavaScript has it
    )
    expect((await sendEnveloped(url, 'tools/call', { name: 't' })).status).toBe(401)
    expect(events.map(({ event }) => event)).toContain('principal.invalid')
  })

  it('one that is null lets nobody in, and a server refuses it', async () => {
    const authenticate = null as never // as plain JavaScript has it
    const { url } = await doors.open(async () => ({ content: [] }), { authenticate })
    expect((await sendEnveloped(url, 'tools/call', { name: 't' })).status).toBe(401)
    expect(() => createServer({ name: 's', version: '1', authenticate })).toThrow('throws to refuse the caller')
  })
})

it('a principal of a class, with scopes or without, is let in', async () => {
  class Person {
    get id() {
      return 'ada'
    }
    readonly tenant = ''
  }
  for (const principal of [new Person(), { id: 'ada', tenant: 't', scopes: [] }, { id: 'ada', tenant: 't', more: 1 }]) {
    const guarded = createGuarded(principal)
    for (const way of ['a request without a session', 'the start of a session', 'a handler of node:http']) {
      expect(await WAYS[way]?.(guarded.endpoint)).toBe(200)
    }
    expect(guarded.events).toEqual([])
  }
})

/** A promise as libraries of their own have them. */
const thenable = (value: unknown) => ({
  // biome-ignore lint/suspicious/noThenProperty: it is meant to be waited for
  then: (resolve: (found: unknown) => void) => resolve(value),
})

const ADA = { id: 'ada', tenant: 't' }

it.each([
  ['at once', () => ADA],
  ['as a promise', () => Promise.resolve(ADA)],
  ['as a promise of another make', () => thenable(ADA)],
])('a caller is let in who is known %s', async (_, authenticate) => {
  const { endpoint, reached } = createGuarded(undefined)
  const asking = { ...endpoint, authenticate: authenticate as NonNullable<Endpoint['authenticate']> }
  const { status } = await sendEnveloped((await openDoor(asking)).url, 'tools/call', { name: 'secret' })
  expect([status, reached()]).toEqual([200, 1])
})

it('a promise of another make that brings no principal lets nobody in', async () => {
  const { endpoint, reached } = createGuarded(thenable(undefined))
  const { status } = await sendEnveloped((await openDoor(endpoint)).url, 'tools/call', { name: 'secret' })
  expect([status, reached()]).toEqual([401, 0])
})

it('what is thrown at once turns a caller away like what is thrown later', async () => {
  const { endpoint } = createGuarded(undefined)
  const refuse = () => {
    throw new Error('secret')
  }
  const asking = { ...endpoint, authenticate: refuse }
  const answer = await sendEnveloped((await openDoor(asking)).url, 'tools/call', { name: 'secret' })
  expect(answer.status).toBe(401)
  expect(answer.text).not.toContain('"secret"')
})

it('headers that came many times are texts', async () => {
  const seen: unknown[] = []
  const { endpoint } = createGuarded(undefined)
  const authenticate: Endpoint['authenticate'] = (headers) => {
    seen.push(headers['set-cookie'], headers['x-key'])
    return ADA
  }
  const headers = { 'set-cookie': ['a=1', 'b=2'], 'x-key': 'k' }
  await sendEnveloped(
    (await openDoor({ ...endpoint, authenticate })).url,
    'tools/call',
    { name: 'secret' },
    { headers },
  )
  expect(seen).toEqual(['a=1,b=2', 'k'])
})

it('trap-43, abuse-29: a token in the address is refused, beside a good one too', async () => {
  const { endpoint, reached } = createGuarded(ADA)
  const { url } = await openDoor(endpoint)
  for (const query of ['access_token=x', 'a=1&access%5Ftoken=', '=&access_token=x#y']) {
    expect((await sendEnveloped(`${url}?${query}`, 'tools/call', { name: 'secret' })).status).toBe(401)
  }
  expect((await sendEnveloped(`${url}?a=access_token`, 'tools/call', { name: 'secret' })).status).toBe(200)
  expect(reached()).toBe(1)
})
