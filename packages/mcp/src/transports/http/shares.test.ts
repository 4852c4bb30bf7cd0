import {
  createDeferred,
  createDoors,
  openHttp,
  openSseSession,
  openWireSession,
  sendHttp,
  toEnveloped,
} from '@crosspoint/testkit'
import { afterEach, describe, expect, it } from 'vitest'
import { McpError } from '../../errors.ts'
import type { Call, Principal, Result } from '../../protocol/call.ts'
import { createServer } from '../../server/index.ts'
import type { Endpoint } from '../endpoint.ts'

/** What one caller may have of what all share. */

const doors = createDoors()
afterEach(() => doors.closeAll())

const STREAM = { accept: 'text/event-stream' }
const as = (name: string) => ({ authorization: `Bearer ${name}` })

function authenticate({ authorization }: Readonly<Record<string, string | undefined>>): Principal {
  const id = authorization?.slice('Bearer '.length)
  if (id === undefined) throw new McpError('caller.unauthenticated', 'Cannot take a request without a token')
  const [name = '', tenant = 't'] = id.split('@')
  return { id: name, tenant }
}

const answers = async (call: Call): Promise<Result> =>
  call.method === 'server/discover' ? { capabilities: { tools: {} } } : { content: [] }

const open = (endpoint: Partial<Endpoint> = {}, handle: Endpoint['handle'] = answers) =>
  doors.open(handle, { authenticate, ...endpoint })

const openSession = (url: string, who: string, confirm = true) =>
  openWireSession(url, { headers: as(who), confirm, revision: '2025-06-18' })

describe('abuse-14: sessions of one principal', () => {
  it('are refused beyond its share with 429 and when to come back; others open theirs', async () => {
    const { url } = await open({ maxSessionsPerPrincipal: 2 })
    const first = await openSession(url, 'a')
    await openSession(url, 'a')
    const refused = await openSession(url, 'a', false)
    expect([refused.initialized.status, refused.initialized.headers['retry-after']]).toEqual([429, '1'])
    expect(refused.initialized.messages[0]).toMatchObject({
      id: 0,
      error: { code: 1001, message: 'Cannot open another session: this caller has 2; end one of them first' },
    })
    for (const other of ['b', 'b', 'a@u', 'a@u']) expect((await openSession(url, other)).initialized.status).toBe(200)
    await first.end()
    expect((await openSession(url, 'a')).initialized.status).toBe(200)
  })

  it('make room for its own where they were never used, and for no others', async () => {
    const { url } = await open({ maxSessionsPerPrincipal: 2 })
    const bystander = await openSession(url, 'b', false)
    for (let i = 0; i < 10; i++) expect((await openSession(url, 'a', false)).initialized.status).toBe(200)
    expect((await bystander.request('ping')).status).toBe(200)
  })

  it('that never came to be are not counted', async () => {
    let fails = true
    const { url } = await open({ maxSessionsPerPrincipal: 1 }, async (call) => {
      if (fails) throw new McpError('upstream.unavailable', 'Not yet')
      return answers(call)
    })
    for (let i = 0; i < 3; i++) await openSession(url, 'a', false)
    fails = false
    expect((await openSession(url, 'a')).initialized.headers['mcp-session-id']).toBeDefined()
  })

  it('are at most a tenth of all unless told otherwise', async () => {
    const { url } = await open({ maxSessions: 700 })
    for (let i = 0; i < 70; i++) expect((await openSession(url, 'a')).initialized.status).toBe(200)
    expect((await openSession(url, 'a', false)).initialized.status).toBe(429)
    expect((await openSession(url, 'b')).initialized.status).toBe(200)
  })

  it('over HTTP+SSE are refused beyond its share, and their end makes room', async () => {
    const { sse } = await open({ maxSessionsPerPrincipal: 1 })
    const first = await openSseSession(sse, as('a'))
    const refused = await sendHttp(sse, { method: 'GET', headers: { ...STREAM, ...as('a') } })
    expect([refused.status, refused.headers['retry-after']]).toEqual([429, '1'])
    await openSseSession(sse, as('b'))
    first.stream.destroy()
    await first.stream.closed
    for (;;) {
      const again = await openHttp(sse, { method: 'GET', headers: { ...STREAM, ...as('a') } })
      again.destroy()
      if (again.status === 200) break
    }
  })

  it('are not told apart where nobody is asked for a name', async () => {
    const { url } = await doors.open(answers, { maxSessionsPerPrincipal: 1 })
    for (let i = 0; i < 3; i++) expect((await openWireSession(url)).initialized.status).toBe(200)
  })
})

describe('abuse-14: listeners of one principal', () => {
  const listen = (url: string, who: string) => {
    const { headers, body = '' } = toEnveloped('subscriptions/listen', { notifications: { toolsListChanged: true } })
    return openHttp(url, { headers: { ...headers, ...as(who) }, body })
  }

  function createListened(options: Partial<Endpoint> = {}) {
    const server = createServer({ name: 's', version: '1', authenticate, ...options })
    server.tool('t', {}, () => 'x')
    return server
  }

  it('are refused beyond its share with 429 and when to come back; others listen', async () => {
    const { url } = await doors.open(createListened().endpoint.handle, { authenticate, maxListenersPerPrincipal: 2 })
    const [first] = [await listen(url, 'a'), await listen(url, 'a')]
    const refused = await listen(url, 'a')
    expect([refused.status, refused.headers['retry-after']]).toEqual([429, '1'])
    expect(JSON.parse(await refused.rest()).error).toEqual({
      code: 1001,
      message: 'Cannot listen: this caller does so 2 times already',
    })
    expect((await listen(url, 'b')).status).toBe(200)
    first?.destroy()
    await first?.closed
    for (;;) {
      const again = await listen(url, 'a')
      if (again.status === 200) break
      again.destroy()
    }
  })

  it('by GET share with those by request, however many sessions there are', async () => {
    const { url } = await open({ maxListenersPerPrincipal: 2 })
    const sessions = [await openSession(url, 'a'), await openSession(url, 'a'), await openSession(url, 'a')]
    const [one, two, three] = [await sessions[0]?.listen(), await sessions[1]?.listen(), await sessions[2]?.listen()]
    expect([one?.status, two?.status, three?.status]).toEqual([200, 200, 429])
    expect((await (await openSession(url, 'b')).listen()).status).toBe(200)
    expect((await listen(url, 'a')).status).toBe(429)
    one?.destroy()
    await one?.closed
    for (;;) {
      const again = await sessions[2]?.listen()
      if (again?.status === 200) break
      again?.destroy()
    }
  })

  it('are bounded by a server whose door has room for more', async () => {
    const server = createListened({ maxListenersPerPrincipal: 1 })
    const { url } = await doors.open(server.endpoint.handle, { authenticate })
    await listen(url, 'a')
    expect((await listen(url, 'a')).status).toBe(429)
    expect((await listen(url, 'b')).status).toBe(200)
  })

  it('are not told apart where nobody is asked for a name', async () => {
    const server = createServer({ name: 's', version: '1', maxListenersPerPrincipal: 1 })
    server.tool('t', {}, () => 'x')
    const { url } = await doors.open(server.endpoint.handle, { maxListenersPerPrincipal: 1 })
    for (let i = 0; i < 3; i++) expect((await listen(url, 'a')).status).toBe(200)
  })
})

describe('abuse-14: streams that can be resumed', () => {
  it('of one principal push out none of another', async () => {
    const kept = new Map<string | undefined, number>()
    const done = createDeferred()
    const { url } = await open(
      {
        resume: {
          store: {
            append: (_session, _stream, _event, owner) => {
              kept.set(owner, (kept.get(owner) ?? 0) + 1)
            },
            read: () => undefined,
            drop: () => {},
          },
        },
      },
      async (call) => {
        if (call.method !== 'tools/call') return answers(call)
        call.interim.notify({ method: 'notifications/progress', params: { progress: 1 } })
        await done.promise
        return { content: [] }
      },
    )
    done.resolve()
    for (const who of ['a', 'b', 'a']) {
      const session = await openSession(url, who)
      await session.request('tools/call', { name: 't', _meta: { progressToken: 1 } })
    }
    const owners = [...kept.keys()]
    expect(owners).toHaveLength(2)
    expect(owners).not.toContain(undefined)
    expect(kept.get(owners[0])).toBe(2 * (kept.get(owners[1]) ?? 0))
  })
})
