import { createDeferred, createDoors, createFakeClock, type Message, openWireSession } from '@crosspoint/testkit'
import { afterEach, describe, expect, it } from 'vitest'
import { createServer } from '../../../server/index.ts'
import type { EndpointEvent } from '../../endpoint.ts'
import { createMemoryEventStore } from './memory-store.ts'

const doors = createDoors()
afterEach(() => doors.closeAll())

const RESUMABLE = ['2025-11-25', '2025-06-18', '2025-03-26']

/** A server whose tools and resources change when the test says so, and a session that hears of it. */
async function openChanging(
  endpoint: Parameters<typeof doors.open>[1] = {},
  options: Parameters<typeof doors.open>[2] = {},
  revision = '2025-11-25',
) {
  const server = createServer({ name: 's', version: '1' })
  const tool = server.tool('t', {}, () => 'x')
  const names = ['a', 'b', 'c']
  for (const name of names) server.resource(`app://${name}`, { name }, () => 'x')
  const { url } = await doors.open(server.endpoint.handle, endpoint, options)
  const session = await openWireSession(url, { revision })
  for (const name of names) await session.request('resources/subscribe', { uri: `app://${name}` })
  let changes = 0
  return {
    url,
    session,
    changeTools: () => tool.update({ title: `T${++changes}` }),
    change: (name: string) => server.resourceUpdated(`app://${name}`),
  }
}

const nameOf = ({ method, params }: Message): string =>
  method === 'notifications/tools/list_changed' ? 'tools' : String(params.uri).slice(-1)

describe('a stream for news', () => {
  it.each(RESUMABLE)('%s: is taken up where it broke: what was sent and not heard comes again', async (revision) => {
    const { session, change, changeTools } = await openChanging({}, {}, revision)
    const stream = await session.listen()
    change('a')
    expect(nameOf(await stream.next())).toBe('a')
    const from = stream.lastEventId
    change('c')
    change('b')
    expect([nameOf(await stream.next()), nameOf(await stream.next())]).toEqual(['c', 'b'])
    stream.destroy()
    await stream.closed
    const resumed = await session.listen(from)
    expect([nameOf(await resumed.next()), nameOf(await resumed.next())]).toEqual(['c', 'b'])
    changeTools()
    expect(nameOf(await resumed.next())).toBe('tools')
  })

  it('can be taken up before it has said anything, since it began with an id', async () => {
    const { session, change } = await openChanging()
    const stream = await session.listen()
    change('a')
    await stream.next()
    const primer = stream.lastEventId?.replace(/\d+$/, '0')
    stream.destroy()
    await stream.closed
    expect(nameOf(await (await session.listen(primer)).next())).toBe('a')
  })

  it('tells what happened while nobody listened, the latest of each, to whoever comes first', async () => {
    const { session, change, changeTools } = await openChanging()
    const stream = await session.listen()
    change('a')
    await stream.next()
    stream.destroy()
    await stream.closed
    for (let i = 0; i < 3; i++) await session.request('ping')
    for (let i = 0; i < 50; i++) {
      change('b')
      changeTools()
    }
    const resumed = await session.listen(stream.lastEventId)
    expect([nameOf(await resumed.next()), nameOf(await resumed.next())].sort()).toEqual(['b', 'tools'])
    change('c')
    expect(nameOf(await resumed.next())).toBe('c')
    const fresh = await session.listen()
    change('a')
    expect(nameOf(await fresh.next())).toBe('a')
  })

  it('trap-30: each message is on one stream only, the newest that is read, and is replayed on that one', async () => {
    const { session, change } = await openChanging()
    const older = await session.listen()
    change('a')
    expect(nameOf(await older.next())).toBe('a')
    const newer = await session.listen()
    change('b')
    expect(nameOf(await newer.next())).toBe('b')
    newer.destroy()
    await newer.closed
    for (let i = 0; i < 3; i++) await session.request('ping')
    change('c')
    expect(nameOf(await older.next())).toBe('c')
    const start = (id: string | undefined) => id?.replace(/\d+$/, '0')
    const again = await session.listen(start(newer.lastEventId))
    expect(nameOf(await again.next())).toBe('b')
    change('a')
    expect(nameOf(await again.next())).toBe('a')
    const olderAgain = await session.listen(start(older.lastEventId))
    await older.closed
    // Its own two; what the other one said is not among them.
    expect([nameOf(await olderAgain.next()), nameOf(await olderAgain.next())]).toEqual(['a', 'c'])
  })

  it('abuse-16: a storm keeps one of each topic in the store', async () => {
    const store = createMemoryEventStore()
    const { session, change } = await openChanging({ resume: { store } })
    const stream = await session.listen()
    for (let i = 0; i < 500; i++) for (const name of ['a', 'b', 'c']) change(name)
    expect(store.figures()).toMatchObject({ sessions: 1, streams: 1, events: 3 })
    stream.destroy()
    await stream.closed
    const resumed = await session.listen(stream.lastEventId ?? undefined)
    expect(resumed.status).toBe(200)
  })

  it('of which nothing is held any more begins anew, with the latest of everything it ever told', async () => {
    const clock = createFakeClock()
    const events: EndpointEvent[] = []
    const store = createMemoryEventStore({ clock, ttlMs: 1_000 })
    const log = (event: EndpointEvent) => void events.push(event)
    const { session, change, changeTools } = await openChanging({ resume: { store }, log })
    const stream = await session.listen()
    change('a')
    expect(nameOf(await stream.next())).toBe('a')
    const from = stream.lastEventId
    changeTools()
    change('b')
    await stream.next()
    stream.destroy()
    await stream.closed
    clock.advance(2_000)
    const resumed = await session.listen(from)
    expect(resumed.status).toBe(200)
    const told = [await resumed.next(), await resumed.next(), await resumed.next()].map(nameOf)
    expect(told.sort()).toEqual(['a', 'b', 'tools'])
    expect(resumed.lastEventId?.split('.')[1]).not.toBe(from?.split('.')[1])
    expect(events.filter(({ event }) => event === 'stream.gap')).toHaveLength(1)
    // What was heard whole has no gap, however old it is.
    resumed.destroy()
    await resumed.closed
    clock.advance(2_000)
    const again = await session.listen(resumed.lastEventId)
    change('c')
    expect(nameOf(await again.next())).toBe('c')
    expect(events.filter(({ event }) => event === 'stream.gap')).toHaveLength(1)
  })

  it('that was left behind by many later ones is given up, and begins anew', async () => {
    const { session, change } = await openChanging({ maxStreams: 2 })
    const first = await session.listen()
    change('a')
    await first.next()
    first.destroy()
    await first.closed
    for (let i = 0; i < 5; i++) {
      const stream = await session.listen()
      change('b')
      await stream.next()
      stream.destroy()
      await stream.closed
      for (let i = 0; i < 3; i++) await session.request('ping')
    }
    const resumed = await session.listen(first.lastEventId)
    expect([nameOf(await resumed.next()), nameOf(await resumed.next())].sort()).toEqual(['a', 'b'])
    expect(resumed.lastEventId?.split('.')[1]).not.toBe(first.lastEventId?.split('.')[1])
  })

  it('abuse-14: no more at once than the endpoint allows, however they were opened', async () => {
    const { session, change } = await openChanging({ maxStreams: 2 })
    const first = await session.listen()
    change('a')
    await first.next()
    const second = await session.listen()
    expect((await session.listen()).status).toBe(429)
    const resumed = await session.listen(first.lastEventId)
    expect(resumed.status).toBe(200) // in place of its own
    await first.closed
    expect((await session.listen()).status).toBe(429)
    second.destroy()
    await second.closed
    for (let i = 0; i < 3; i++) await session.request('ping')
    expect((await session.listen()).status).toBe(200)
  })

  it('heartbeats carry no id, also on a stream that was taken up', async () => {
    const clock = createFakeClock()
    const { session, change } = await openChanging({}, { clock, beatMs: 1_000 })
    const stream = await session.listen()
    change('a')
    await stream.next()
    const resumed = await session.listen(stream.lastEventId)
    clock.advance(1_000)
    change('b')
    await resumed.next()
    expect(resumed.comments).toBe(1)
    await session.end()
    expect(await resumed.rest()).toBe('')
  })

  it('ends when its door drains, and a slow one does not hold that up', async () => {
    const server = createServer({ name: 's', version: '1' })
    const tool = server.tool('t', {}, () => 'x')
    const { url, door } = await doors.open(server.endpoint.handle)
    const session = await openWireSession(url)
    const stream = await session.listen()
    tool.update({ title: 'T' })
    await stream.next()
    const resumed = await session.listen(stream.lastEventId)
    const closed = createDeferred()
    void door.close().then(closed.resolve)
    expect(await resumed.rest()).toBe('')
    await closed.promise
  })
})
