import { setImmediate as turn } from 'node:timers/promises'
import {
  createDeferred,
  createDoors,
  createFakeClock,
  type HttpStream,
  type Message,
  openHttp,
  openWireSession,
  toEnveloped,
  type WireSession,
} from '@crosspoint/testkit'
import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import type { Id } from '../../../jsonrpc/frame.ts'
import type { Call, Handle, Result } from '../../../protocol/call.ts'
import type { EndpointEvent } from '../../endpoint.ts'
import type { EventStore } from './event-store.ts'
import { createMemoryEventStore } from './memory-store.ts'

const doors = createDoors()
afterEach(() => doors.closeAll())
const open = async (...given: Parameters<typeof doors.open>) => (await doors.open(...given)).url

const RESUMABLE = ['2025-11-25', '2025-06-18', '2025-03-26']
const PROGRESS = { name: 't', _meta: { progressToken: 'p' } }
const DONE: Result = { content: [{ type: 'text', text: 'done' }] }

/** A tool that the test drives: what it says, and when it is done. */
function createDriven() {
  const calls = new Map<unknown, { readonly say: (n: number) => void; readonly done: (result?: Result) => void }>()
  const waiting = new Set<() => void>()
  const handle: Handle = (call) => {
    if (call.method !== 'tools/call') return Promise.resolve({ capabilities: { tools: {} } })
    const ended = createDeferred<Result>()
    calls.set(call.params.name, {
      say: (n) => call.interim.notify({ method: 'notifications/progress', params: { progress: n } }),
      done: (result = DONE) => ended.resolve(result),
    })
    for (const wake of [...waiting]) wake()
    return ended.promise
  }
  const started = async (name: unknown = 't') => {
    for (;;) {
      const found = calls.get(name)
      if (found !== undefined) return found
      await new Promise<void>((resolve) => waiting.add(resolve))
    }
  }
  return { handle, started }
}

type Driven = ReturnType<typeof createDriven>

/** Begins a call whose answer is a stream, since it has said something. */
async function begin(session: WireSession, { started }: Driven, { name = 't', id = 1 as Id } = {}) {
  const opened = session.open('tools/call', { ...PROGRESS, name }, { id })
  const { say, done } = await started(name)
  say(1)
  return { stream: await opened, say, done }
}

/** The same, and its client has heard the first event and hung up. */
async function beginCut(session: WireSession, driven: Driven, options: { name?: string; id?: Id } = {}) {
  const begun = await begin(session, driven, options)
  expect(progressOf(await begun.stream.next())).toBe(1)
  await hangUp(begun.stream, session)
  return begun
}

const progressOf = ({ params }: Message) => params?.progress
/** Hangs up, and waits until the server has learnt it. */
async function hangUp(stream: HttpStream, session: WireSession) {
  stream.destroy()
  await stream.closed
  for (let i = 0; i < 3; i++) await session.request('ping')
}

async function readAll(stream: HttpStream): Promise<Message[]> {
  const all: Message[] = []
  try {
    for (;;) all.push(await stream.next())
  } catch (error) {
    expect(String(error)).toContain('The stream ended')
  }
  return all
}

describe('the stream of an answer', () => {
  it('begins with an id and no message where the revision has that', async () => {
    const driven = createDriven()
    const session = await openWireSession(await open(driven.handle))
    const { stream, done } = await begin(session, driven)
    done()
    const text = await stream.rest()
    const [primer, first, last] = text.split('\n\n')
    expect(primer).toMatch(/^id: [\x21-\x7e]+\nretry: 1000\ndata:$/)
    expect(first).toMatch(/^id: [\x21-\x7e]+\nevent: message\ndata: \{.*"progress":1/)
    expect(last).toMatch(/^id: [\x21-\x7e]+\nevent: message\ndata: \{.*"result"/)
    expect(new Set(text.match(/^id: .*$/gm)).size).toBe(3)
  })

  it.each(['2025-06-18', '2025-03-26'])('of %s has ids and no event without a message', async (revision) => {
    const driven = createDriven()
    const session = await openWireSession(await open(driven.handle), { revision })
    const { stream, done } = await begin(session, driven)
    done()
    const text = await stream.rest()
    expect(text).not.toMatch(/^data:$/m)
    expect(text.match(/^id: /gm)).toHaveLength(2)
  })

  it('trap-24: of the newest revision has no ids, and Last-Event-ID is ignored', async () => {
    const { handle, started } = createDriven()
    const request = toEnveloped('tools/call', { name: 't' }, { meta: { progressToken: 'p' } })
    const url = await open(handle)
    const opened = openHttp(url, { ...request, headers: { ...request.headers, 'last-event-id': 'x' } })
    const { say, done } = await started()
    say(1)
    done()
    expect(await (await opened).rest()).not.toMatch(/^(id|retry):/m)
  })

  it('has no ids in a revision that cannot resume, nor where the endpoint says so', async () => {
    const driven = createDriven()
    const old = await openWireSession(await open(driven.handle), { revision: '2024-11-05' })
    const off = await openWireSession(await open(driven.handle, { resume: false }))
    for (const session of [old, off]) {
      const { stream, done } = await begin(session, driven, { name: session === old ? 'old' : 'off' })
      done()
      expect(await stream.rest()).not.toMatch(/^id:/m)
    }
    const stream = await old.listen('whatever')
    expect(stream.status).toBe(200)
  })

  it('an answer that never becomes a stream leaves nothing in the store', async () => {
    const store = createMemoryEventStore()
    const session = await openWireSession(
      await open(async () => ({ capabilities: {}, ...DONE }), { resume: { store } }),
    )
    const answer = await session.request('tools/call', { name: 't' })
    expect(answer.headers['content-type']).toBe('application/json')
    expect(store.figures()).toMatchObject({ events: 0, sessions: 0 })
  })

  it('is one from the beginning for a client that names streams first, where they are primed', async () => {
    const url = await open(async () => ({ capabilities: {}, ...DONE }))
    const streams = { accept: 'text/event-stream, application/json' }
    for (const revision of RESUMABLE) {
      const session = await openWireSession(url, { revision })
      const rather = await session.request('tools/call', { name: 't' }, { headers: streams })
      const primed = revision === RESUMABLE[0]
      expect(rather.headers['content-type']).toBe(primed ? 'text/event-stream' : 'application/json')
      expect(rather.messages.at(-1).result).toMatchObject(DONE)
      const either = await session.request('tools/call', { name: 't' })
      expect(either.headers['content-type']).toBe('application/json')
    }
  })
})

describe('taking up the stream of an answer', () => {
  it.each(RESUMABLE)('%s: in the middle of the call, replays what was missed and goes on', async (revision) => {
    const driven = createDriven()
    const session = await openWireSession(await open(driven.handle), { revision })
    const { stream, say, done } = await beginCut(session, driven)
    say(2)
    say(3)
    const resumed = await session.listen(stream.lastEventId)
    expect([resumed.status, resumed.headers['content-type']]).toEqual([200, 'text/event-stream'])
    expect(progressOf(await resumed.next())).toBe(2)
    expect(progressOf(await resumed.next())).toBe(3)
    say(4)
    expect(progressOf(await resumed.next())).toBe(4)
    done()
    expect((await resumed.next()).result).toMatchObject(DONE)
    expect(await resumed.rest()).toBe('')
  })

  it('after the end, as often as wanted, and from any event', async () => {
    const driven = createDriven()
    const session = await openWireSession(await open(driven.handle))
    const { stream, say, done } = await begin(session, driven)
    say(2)
    const ids: (string | undefined)[] = []
    for (let i = 0; i < 2; i++) {
      await stream.next()
      ids.push(stream.lastEventId)
    }
    await hangUp(stream, session)
    done()
    for (let i = 0; i < 2; i++) {
      const fromFirst = await readAll(await session.listen(ids[0]))
      expect(fromFirst.map((message) => progressOf(message) ?? message.result)).toMatchObject([2, DONE])
      const fromSecond = await readAll(await session.listen(ids[1]))
      expect(fromSecond).toMatchObject([{ result: DONE }])
    }
  })

  it('with nothing missed, waits for what comes', async () => {
    const driven = createDriven()
    const session = await openWireSession(await open(driven.handle))
    const { stream, done } = await beginCut(session, driven)
    const resumed = await session.listen(stream.lastEventId)
    done()
    expect((await resumed.next()).result).toMatchObject(DONE)
    const again = await session.listen(resumed.lastEventId)
    expect([again.status, await again.rest()]).toEqual([200, ''])
  })

  it('while the old connection seems alive, hangs up on that one', async () => {
    const driven = createDriven()
    const session = await openWireSession(await open(driven.handle))
    const { stream, say, done } = await begin(session, driven)
    await stream.next()
    const second = await session.listen(stream.lastEventId)
    await stream.closed
    const third = await session.listen(stream.lastEventId)
    await second.closed
    say(2)
    done()
    expect((await readAll(third)).map((message) => progressOf(message) ?? 'result')).toEqual([2, 'result'])
  })

  it('of a call that was taken back meanwhile, ends without an answer', async () => {
    const driven = createDriven()
    const session = await openWireSession(await open(driven.handle))
    const { stream, say } = await beginCut(session, driven)
    say(2)
    await session.notify('notifications/cancelled', { requestId: 1 })
    expect((await readAll(await session.listen(stream.lastEventId))).map(progressOf)).toEqual([2])
  })

  it('brings a question that was asked meanwhile, and the answer to it reaches the call', async () => {
    const handle: Handle = async (call) => {
      if (call.method !== 'tools/call') return { capabilities: { tools: {} } }
      call.interim.notify({ method: 'notifications/progress', params: { progress: 1 } })
      await release.promise
      const { roots } = await call.interim.ask({ method: 'roots/list', params: {} })
      return { content: [], structuredContent: { roots } }
    }
    const release = createDeferred()
    const session = await openWireSession(await open(handle), { capabilities: { roots: {} } })
    const stream = await session.open('tools/call', PROGRESS)
    await stream.next()
    await hangUp(stream, session)
    release.resolve()
    const resumed = await session.listen(stream.lastEventId)
    const { id, method } = await resumed.next()
    expect(method).toBe('roots/list')
    await session.post(JSON.stringify({ jsonrpc: '2.0', id, result: { roots: [{ uri: 'file:///a' }] } }))
    expect((await resumed.next()).result.structuredContent).toEqual({ roots: [{ uri: 'file:///a' }] })
  })

  it('trap-30: replays that stream only, of several at once', async () => {
    const driven = createDriven()
    const session = await openWireSession(await open(driven.handle))
    const names = ['a', 'b', 'c']
    const streams = await Promise.all(
      names.map(async (name) => ({ name, ...(await beginCut(session, driven, { name, id: name })) })),
    )
    for (const n of [2, 3]) for (const { say } of streams) say(n)
    for (const { done, name } of streams) done({ content: [], name })
    for (const { name, stream } of [...streams].reverse()) {
      const rest = await readAll(await session.listen(stream.lastEventId))
      expect(rest.map((message) => progressOf(message) ?? message.id)).toEqual([2, 3, name])
    }
  })

  it('works for the stream of a batch', async () => {
    const { handle, started } = createDriven()
    const url = await open(handle)
    const session = await openWireSession(url, { revision: '2025-03-26' })
    const batch = ['a', 'b'].map((name) => ({
      jsonrpc: '2.0',
      id: name,
      method: 'tools/call',
      params: { name, _meta: { progressToken: name } },
    }))
    const opened = openHttp(url, { headers: session.headers, body: JSON.stringify(batch) })
    const [a, b] = [await started('a'), await started('b')]
    a.say(1)
    const stream = await opened
    await stream.next()
    await hangUp(stream, session)
    b.say(2)
    a.done()
    b.done()
    const [missed, answers] = await readAll(await session.listen(stream.lastEventId))
    expect(missed).toMatchObject({ params: { progressToken: 'b', progress: 2 } })
    expect(answers).toMatchObject([
      { id: 'a', result: DONE },
      { id: 'b', result: DONE },
    ])
  })

  const stores: [string, () => EventStore][] = [
    ['in memory', () => createMemoryEventStore()],
    ['that takes its time', createSlowStore],
  ]
  it.each(stores)(
    'from a store %s, however often it is cut and wherever, brings every message once and in order',
    async (_what, createStore) => {
      const url = await open(talking, { resume: { store: createStore() } })
      const session = await openWireSession(url)
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 1, maxLength: 6 }),
          fc.array(fc.nat(80), { maxLength: 8 }),
          async (bursts, cuts) => {
            const all = bursts.reduce((sum, burst) => sum + burst, 0)
            const params = { ...PROGRESS, bursts }
            let stream = await session.open('tools/call', params, { id: `call-${++asked}` })
            const seen: unknown[] = []
            for (const reads of cuts) {
              for (let i = 0; i < reads && seen.length <= all; i++)
                seen.push(progressOf(await stream.next()) ?? 'result')
              if (stream.lastEventId === undefined) continue // nothing has come yet to go on from
              stream.destroy()
              stream = await session.listen(stream.lastEventId)
              expect(stream.status).toBe(200)
            }
            for (const message of await readAll(stream)) seen.push(progressOf(message) ?? 'result')
            expect(seen).toEqual([...Array.from({ length: all }, (_, i) => i + 1), 'result'])
          },
        ),
        { numRuns: 40 },
      )
    },
    30_000,
  )
  let asked = 0

  it('from a store that fails, loses the call and nothing else', async () => {
    const events: EndpointEvent[] = []
    const store: EventStore = {
      append: () => Promise.reject(new Error('No')),
      read: () => Promise.reject(new Error('No')),
      drop: () => Promise.reject(new Error('No')),
    }
    const driven = createDriven()
    const url = await open(driven.handle, { resume: { store }, log: (event) => void events.push(event) })
    const session = await openWireSession(url)
    const { stream, say, done } = await begin(session, driven)
    await stream.next()
    say(2)
    const resumed = await session.listen(stream.lastEventId)
    expect(resumed.status).toBe(500)
    done()
    expect((await readAll(stream)).map((message) => progressOf(message) ?? 'result')).toEqual([2, 'result'])
    await session.end()
    expect(events.filter(({ event }) => event === 'event_store.failed').length).toBeGreaterThan(2)
  })
})

describe('what cannot be resumed', () => {
  async function openCut(endpoint: Parameters<typeof doors.open>[1] = {}, headers: Record<string, string> = {}) {
    const driven = createDriven()
    const url = await open(driven.handle, endpoint)
    const session = await openWireSession(url, { headers })
    const { stream, say, done } = await beginCut(session, driven)
    return { url, session, driven, id: stream.lastEventId ?? '', say, done }
  }

  it('abuse-23: a foreign or forged Last-Event-ID gets 400, and nothing is replayed', async () => {
    const { url, session, driven, id, say, done } = await openCut()
    say(2)
    done()
    const other = await openWireSession(url)
    const { stream: theirs } = await begin(other, driven, { name: 'u' })
    const [name, stream, seq] = id.split('.')
    const forged = [
      ...['1', 'x', '999999', '../../x', ' ', id.slice(1), `${id}0`, `${id}.1`, `${name}.${stream}.-1`],
      ...[
        `${name}.${stream}.999999`,
        `${name}.a2.0`,
        `${name}.a0.0`,
        `${name}.s9.0`,
        `${name}.b1.0`,
        `.${stream}.${seq}`,
      ],
      ...[
        session.headers['mcp-session-id'] ?? '',
        `${session.headers['mcp-session-id']}.${stream}.0`,
        id.toUpperCase(),
      ],
    ]
    for (const given of forged) {
      const answer = await session.listen(given)
      if (given === ' ') continue // no value at all
      const text = await answer.rest()
      expect([given, answer.status]).toEqual([given, 400])
      expect(text).not.toContain('progress"')
      expect(JSON.parse(text).error.message).toMatch(/^Cannot resume: /)
    }
    for (const given of [id, `${name}.${stream}.0`]) {
      const answer = await other.listen(given)
      expect([answer.status, await answer.rest()]).toEqual([400, expect.stringContaining('no event of this session')])
    }
    expect(await readAll(await session.listen(id))).toHaveLength(2)
    theirs.destroy()
  })

  it('abuse-23: an event of another principal is not found, nor is the session', async () => {
    const authenticate = (headers: Readonly<Record<string, string | undefined>>) => ({
      id: headers.authorization ?? '',
      tenant: 't',
    })
    const { url, session, id } = await openCut({ authenticate }, { authorization: 'ann' })
    const bob = await openWireSession(url, { headers: { authorization: 'bob' } })
    expect((await bob.listen(id)).status).toBe(400)
    const stolen = { ...session.headers, authorization: 'bob', accept: 'text/event-stream', 'last-event-id': id }
    expect((await openHttp(url, { method: 'GET', headers: stolen })).status).toBe(404)
    expect((await session.listen(id)).status).toBe(200)
  })

  it('trap-29: nothing, once the session has ended: 404, and the store has nothing of it', async () => {
    const store = createMemoryEventStore()
    const { session, id, say } = await openCut({ resume: { store } })
    say(2)
    expect(store.figures().events).toBe(2)
    await session.end()
    expect(store.figures()).toMatchObject({ events: 0, sessions: 0 })
    expect((await session.listen(id)).status).toBe(404)
  })

  it('an open resumed stream ends with its session', async () => {
    const { session, id } = await openCut()
    const resumed = await session.listen(id)
    await session.end()
    expect((await readAll(resumed)).map((message) => message.error !== undefined)).toEqual([true])
  })

  it('a session that expires leaves nothing in the store, nor does a door that closes', async () => {
    const clock = createFakeClock()
    const store = createMemoryEventStore({ clock, ttlMs: 1_000_000 })
    const { done } = await openCut({ resume: { store }, clock, sessionIdleMs: 1_000 })
    done()
    for (let i = 0; i < 5; i++) await turn()
    expect(store.figures().events).toBe(2)
    clock.advance(2_000)
    expect(store.figures().events).toBe(0)
    const other = await openCut({ resume: { store } })
    other.say(2)
    expect(store.figures().events).toBe(2)
    await doors.closeAll()
    expect(store.figures()).toMatchObject({ events: 0, sessions: 0 })
  })

  it.each([
    ['too many events', { maxEvents: 3 }, 8],
    ['too many bytes', { maxSessionBytes: 1_000 }, 8],
  ])('what was forgotten since there were %s: 400 says so, and what is held is given', async (_what, bounds, count) => {
    const store = createMemoryEventStore(bounds)
    const { session, id, say, done } = await openCut({ resume: { store } })
    for (let n = 2; n <= count; n++) say(n)
    done()
    const answer = await session.listen(id)
    expect([answer.status, await answer.rest()]).toEqual([400, expect.stringContaining('not held any more')])
    const later = `${id.slice(0, id.lastIndexOf('.'))}.${count}`
    expect(await readAll(await session.listen(later))).toMatchObject([{ result: DONE }])
  })

  it('what is too old', async () => {
    const clock = createFakeClock()
    const store = createMemoryEventStore({ clock, ttlMs: 1_000 })
    const { session, id, done } = await openCut({ resume: { store } })
    done()
    for (let i = 0; i < 5; i++) await turn()
    expect((await session.listen(id)).status).toBe(200)
    clock.advance(1_000)
    expect((await session.listen(id)).status).toBe(400)
  })

  it('abuse-15: a storm for a client that is gone stays within the bounds', async () => {
    const store = createMemoryEventStore({ maxBytes: 100_000, maxSessionBytes: 50_000 })
    const driven = createDriven()
    const url = await open(driven.handle, { resume: { store } })
    const gone = await Promise.all(
      Array.from({ length: 5 }, async (_, i) => {
        const session = await openWireSession(url)
        return beginCut(session, driven, { name: `t${i}` })
      }),
    )
    let most = 0
    for (let n = 1; n <= 3_000; n++) {
      for (const { say } of gone) say(n)
      most = Math.max(most, store.figures().bytes)
    }
    expect(most).toBeLessThanOrEqual(100_000)
    expect(most).toBeGreaterThan(50_000)
  })

  it('abuse-15: a client that was cut off for not reading hears the rest when it comes back', async () => {
    const cut = createDeferred()
    const log = ({ event }: EndpointEvent) => {
      if (event === 'stream.cut') cut.resolve()
    }
    const driven = createDriven()
    const store = createMemoryEventStore({ maxSessionBytes: 64 * 1024 * 1024, maxEvents: 100_000 })
    const url = await open(driven.handle, { resume: { store }, maxStreamBytes: 100_000 }, { log })
    const session = await openWireSession(url)
    const { stream, say, done } = await begin(session, driven)
    expect(progressOf(await stream.next())).toBe(1)
    stream.pause()
    let said = 1
    for (let isCut = false; !isCut; isCut = await Promise.race([cut.promise.then(() => true), turn(false)])) {
      for (let i = 0; i < 1_000; i++) say(++said)
    }
    done()
    const seen = (await readAll(await session.listen(stream.lastEventId))).map((message) => progressOf(message))
    expect(seen).toEqual([...Array.from({ length: said - 1 }, (_, i) => i + 2), undefined])
  }, 20_000)

  it('abuse-14: more answers at once than the endpoint allows', async () => {
    const driven = createDriven()
    const session = await openWireSession(await open(driven.handle, { resume: { maxResumed: 2 } }))
    const ids: (string | undefined)[] = []
    for (const name of ['a', 'b', 'c']) {
      const { stream } = await beginCut(session, driven, { name, id: name })
      ids.push(stream.lastEventId)
    }
    const [a, b, c] = ids
    expect((await session.listen(a)).status).toBe(200)
    const second = await session.listen(b)
    expect(second.status).toBe(200)
    expect((await session.listen(c)).status).toBe(429)
    expect((await session.listen(a)).status).toBe(200) // in place of its own
    await hangUp(second, session)
    expect((await session.listen(c)).status).toBe(200)
  })
})

/** Says as many things in a row as each burst has, with other things happening in between. */
async function talking(call: Call): Promise<Result> {
  if (call.method !== 'tools/call') return { capabilities: { tools: {} } }
  let said = 0
  for (const burst of call.params.bursts as readonly number[]) {
    for (let i = 0; i < burst; i++) {
      call.interim.notify({ method: 'notifications/progress', params: { progress: ++said } })
    }
    await turn()
  }
  return DONE
}

/** As a store elsewhere: whatever is asked of it is done in order, and later. */
function createSlowStore(): EventStore {
  const kept = createMemoryEventStore()
  let line: Promise<unknown> = Promise.resolve()
  const later = <T>(work: () => T): Promise<T> => {
    const done = line.then(() => turn()).then(work)
    line = done
    return done
  }
  return {
    append: (...given) => later(() => kept.append(...given)),
    read: (...given) => later(() => kept.read(...given)),
    drop: (...given) => later(() => kept.drop(...given)),
  }
}
