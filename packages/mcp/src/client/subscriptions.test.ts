import { fileURLToPath } from 'node:url'
import { createFakeClock } from '@crosspoint/testkit'
import { afterEach, describe, expect, it } from 'vitest'
import type { McpError } from '../errors.ts'
import type { JsonObject } from '../jsonrpc/frame.ts'
import type { Notification } from '../protocol/call.ts'
import { ENVELOPE_REVISIONS, HANDSHAKE_REVISIONS } from '../revisions/index.ts'
import { type Exchanged, type Stream, startHttpServer } from '../transports/http/fixtures/server.ts'
import { type Client, type ClientOptions, connect } from './client.ts'
import { createRawServer } from './fixtures/raw-server.ts'

const cleanup: (() => unknown)[] = []
afterEach(async () => {
  for (const end of cleanup.splice(0).reverse()) await end()
})

const MODERN = String(ENVELOPE_REVISIONS[0]?.name)
const CHILD = fileURLToPath(new URL('./fixtures/mortal.mjs', import.meta.url))
const discovered = { supportedVersions: [MODERN], capabilities: { tools: {} }, ttlMs: 0, cacheScope: 'private' }
const acknowledged = (id: unknown, notifications: JsonObject) => ({
  jsonrpc: '2.0',
  method: 'notifications/subscriptions/acknowledged',
  params: { notifications, _meta: { 'io.modelcontextprotocol/subscriptionId': id } },
})
const changed = (id: unknown) => ({
  jsonrpc: '2.0',
  method: 'notifications/tools/list_changed',
  params: { _meta: { 'io.modelcontextprotocol/subscriptionId': id } },
})
const TOOLS: Notification = { method: 'notifications/tools/list_changed', params: {} }
const settled = () => new Promise((resolve) => setImmediate(resolve))

async function open(target: Parameters<typeof connect>[0], options: Partial<ClientOptions> = {}): Promise<Client> {
  const client = await connect(target, { client: { name: 'test', version: '1' }, ...options })
  cleanup.push(() => client.close())
  return client
}

const failureOf = (promise: Promise<unknown>): Promise<McpError> =>
  promise.then(
    () => expect.fail('no error'),
    (e) => e,
  )

/** A server over HTTP; each listen is handed to the test. */
async function serveListens(answer: (exchanged: Exchanged) => void = (exchanged) => exchanged.result({})) {
  const listens: { readonly id: unknown; readonly exchanged: Exchanged; stream(): Stream }[] = []
  let wake = () => {}
  const server = await startHttpServer((exchanged) => {
    const { method, id } = exchanged.message
    if (method === 'server/discover') return exchanged.result(discovered)
    if (method !== 'subscriptions/listen') return answer(exchanged)
    listens.push({ id, exchanged, stream: () => exchanged.stream() })
    wake()
  })
  cleanup.push(() => server.stop())
  return {
    url: server.url,
    listens,
    async next(count: number) {
      while (listens.length < count) {
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
      return listens[count - 1] as (typeof listens)[number] // there, as the loop has seen
    },
  }
}

/** Moves the clock on until something that needs it and sockets has happened. */
async function until(clock: ReturnType<typeof createFakeClock>, ms: number, happened: () => boolean) {
  while (!happened()) {
    clock.advance(ms)
    await settled()
  }
}

describe('a subscription over HTTP that breaks', () => {
  it('is opened again, and what may have been missed is told once of each kind', async () => {
    const clock = createFakeClock()
    const server = await serveListens()
    const client = await open(server.url, { clock, revision: MODERN })
    const filter = { toolsListChanged: true, promptsListChanged: true, resourceSubscriptions: ['a:1'] }
    const subscription = client.listen(filter)
    const first = await server.next(1)
    const stream = first.stream()
    stream.event(acknowledged(first.id, filter))
    stream.event(changed(first.id))
    const heard = subscription[Symbol.asyncIterator]()
    expect((await heard.next()).value).toEqual(TOOLS)
    stream.cut()
    await until(clock, 100, () => server.listens.length === 2)
    const second = await server.next(2)
    expect(second.id).not.toBe(first.id)
    expect(second.exchanged.message.params).toMatchObject({ notifications: filter })
    second.stream().event(acknowledged(second.id, { toolsListChanged: true, resourceSubscriptions: ['a:1'] }))
    expect([(await heard.next()).value, (await heard.next()).value]).toEqual([
      TOOLS,
      { method: 'notifications/resources/updated', params: { uri: 'a:1' } },
    ])
    subscription.close()
    expect(await heard.next()).toEqual({ done: true, value: undefined })
    expect(await subscription.acknowledged).toEqual(filter)
  })

  it('is opened again when the server ended it in order, later each time', async () => {
    const clock = createFakeClock()
    const server = await serveListens()
    const client = await open(server.url, { clock, revision: MODERN })
    const subscription = client.listen({ toolsListChanged: true })
    const waits: number[] = []
    for (let count = 1; count <= 7; count++) {
      const began = clock.now()
      await until(clock, 250, () => server.listens.length === count)
      if (count > 1) waits.push(clock.now() - began)
      const { id, stream } = await server.next(count)
      const open = stream()
      open.event(acknowledged(id, { toolsListChanged: true }))
      open.event({ jsonrpc: '2.0', id: id as number, result: { resultType: 'complete' } })
      open.end()
    }
    for (const [at, least] of [1_000, 2_000, 4_000, 8_000, 16_000, 30_000].entries()) {
      expect(waits[at]).toBeGreaterThanOrEqual(least)
      expect(waits[at]).toBeLessThan(least + 3_000)
    }
    subscription.close()
    await subscription.ended
  })

  it('is over when the server says that it will not have it any more', async () => {
    const clock = createFakeClock()
    const server = await serveListens()
    const client = await open(server.url, { clock, revision: MODERN })
    const subscription = client.listen({ toolsListChanged: true })
    const first = await server.next(1)
    const stream = first.stream()
    stream.event(acknowledged(first.id, { toolsListChanged: true }))
    await subscription.acknowledged
    stream.cut()
    await until(clock, 100, () => server.listens.length === 2)
    ;(await server.next(2)).exchanged.error(-32601, 'No listening here', { status: 404 })
    expect(await failureOf(subscription[Symbol.asyncIterator]().next())).toMatchObject({ rpc: { code: -32601 } })
  })

  it('is not opened at all when it was refused at first', async () => {
    const server = await serveListens()
    const client = await open(server.url, { revision: MODERN })
    const subscription = client.listen({ toolsListChanged: true })
    ;(await server.next(1)).exchanged.error(-32601, 'No listening here', { status: 404 })
    expect(await failureOf(subscription.acknowledged)).toMatchObject({ rpc: { code: -32601 } })
    await subscription.ended
    expect(server.listens).toHaveLength(1)
  })

  it('is not opened again once it is closed, and leaves no timer behind', async () => {
    const clock = createFakeClock()
    const server = await serveListens()
    const client = await open(server.url, { clock, revision: MODERN })
    const subscription = client.listen({ toolsListChanged: true })
    const first = await server.next(1)
    const stream = first.stream()
    stream.event(acknowledged(first.id, { toolsListChanged: true }))
    await subscription.acknowledged
    const before = clock.pending
    stream.cut()
    while (clock.pending === before) await settled()
    subscription.close()
    await subscription.ended
    expect(clock.pending).toBe(before)
    expect(server.listens).toHaveLength(1)
  })
})

describe('a change that is heard', () => {
  it('makes the cache forget, whoever reads the subscription', async () => {
    let count = 0
    const server = await serveListens((exchanged) =>
      exchanged.result({ resultType: 'complete', tools: [{ name: `t${++count}` }], ttlMs: 1e6, cacheScope: 'private' }),
    )
    const client = await open(server.url, { revision: MODERN })
    const nameOf = async () => (await client.listTools().all())[0]?.name
    expect([await nameOf(), await nameOf()]).toEqual(['t1', 't1'])
    const subscription = client.listen({ toolsListChanged: true })
    const { id, stream } = await server.next(1)
    const listening = stream()
    listening.event(acknowledged(id, { toolsListChanged: true }))
    await subscription.acknowledged
    expect(await nameOf()).toBe('t1')
    listening.event(changed(id))
    await subscription[Symbol.asyncIterator]().next()
    expect(await nameOf()).toBe('t2')
    expect((await client.listTools({ fresh: true }).all())[0]?.name).toBe('t3')
  })

  it('is asked for every time without a cache, and of servers that do not say how long anything holds', async () => {
    for (const options of [
      { cache: false as const, revision: MODERN },
      { revision: HANDSHAKE_REVISIONS[0]?.name ?? '' },
    ]) {
      let lists = 0
      const raw = createRawServer(({ method }) => {
        if (method === 'server/discover') return { result: discovered }
        if (method === 'initialize') {
          const result = { protocolVersion: options.revision, capabilities: { tools: {} } }
          return { result: { ...result, serverInfo: { name: 's', version: '1' } } }
        }
        lists++
        return { result: { tools: [], ttlMs: 1e6, cacheScope: 'public' } }
      })
      const client = await open(raw.target, options)
      await client.listTools().all()
      await client.listTools().all()
      expect(lists).toBe(2)
    }
  })
})

describe('trap-53: a child that dies', () => {
  const start = (
    clock: ReturnType<typeof createFakeClock>,
    options: Partial<ClientOptions> = {},
    ...habits: string[]
  ) => open({ command: process.execPath, args: [CHILD, ...habits] }, { clock, restart: true, ...options })
  const pidOf = async (client: Client) => Number((await client.callTool<{ pid: number }>('pid')).structuredContent?.pid)

  it('is started again by the next call, after a pause that grows', async () => {
    const clock = createFakeClock()
    const client = await start(clock)
    const pids = new Set([await pidOf(client)])
    for (const least of [500, 1_000]) {
      expect((await failureOf(client.callTool('die'))).code).toBe('upstream.closed')
      const began = clock.now()
      let pid: number | undefined
      void pidOf(client).then((found) => {
        pid = found
      })
      while (pid === undefined) {
        await settled()
        if (clock.now() - began < least) clock.advance(50)
      }
      expect(clock.now() - began).toBeGreaterThanOrEqual(least - 50)
      pids.add(pid)
    }
    expect(pids.size).toBe(3)
  })

  it('has its subscriptions sent again, and what may have been missed told', async () => {
    const clock = createFakeClock()
    const client = await start(clock)
    const subscription = client.listen({ toolsListChanged: true })
    expect(await subscription.acknowledged).toEqual({ toolsListChanged: true })
    const change = subscription[Symbol.asyncIterator]().next()
    await failureOf(client.callTool('die'))
    // Enough for both pauses, and far from enough for anything to give up on a process that really starts.
    const end = clock.now() + 3_000
    await until(clock, 50, () => clock.now() >= end)
    expect((await change).value).toEqual(TOOLS)
  })

  it('is given up after so many deaths in a row, and everything ends', async () => {
    const clock = createFakeClock()
    const client = await start(clock, { restart: { maxFailures: 2 } })
    const subscription = client.listen({ toolsListChanged: true })
    await subscription.acknowledged
    let isClosed = false
    void client.connection.closed.then(() => {
      isClosed = true
    })
    const dying = async () => {
      while (!isClosed) await client.callTool('die').catch(() => {})
    }
    void dying()
    await until(clock, 50, () => isClosed)
    expect((await client.connection.closed).reason).toContain('Given up after 2 starts')
    expect(await failureOf(pidOf(client))).toMatchObject({ code: 'upstream.unavailable' })
    await until(clock, 1_000, () => true)
    let isOver = false
    void subscription.ended.then(() => {
      isOver = true
    })
    await until(clock, 1_000, () => isOver)
  })

  it('stays dead without the option, and its subscriptions say so', async () => {
    const clock = createFakeClock()
    const client = await start(clock, { restart: false })
    const subscription = client.listen({ toolsListChanged: true })
    await subscription.acknowledged
    await failureOf(client.callTool('die'))
    await client.connection.closed
    expect((await failureOf(client.callTool('pid'))).code).toBe('upstream.unavailable')
    expect((await failureOf(subscription[Symbol.asyncIterator]().next())).message).toContain('Lost the server')
  })

  it('is not started again once the client is closed', async () => {
    const clock = createFakeClock()
    const client = await start(clock)
    await client.close()
    expect(await failureOf(pidOf(client))).toMatchObject({ message: expect.stringContaining('Closed by us') })
    expect(await client.connection.closed).toEqual({ reason: 'Closed by us', asked: true })
  })

  it('fails to open like any other', async () => {
    const missing = connect({ command: 'no-such-command' }, { client: { name: 'c', version: '1' }, restart: true })
    expect((await failureOf(missing)).code).toBe('upstream.unavailable')
  })
})
