import { type Call, REVISIONS, type Result } from '@crosspoint/mcp'
import { afterEach, describe, expect, it } from 'vitest'
import { createDoors } from '../doors.ts'
import { openHttp, sendHttp } from '../http.ts'
import { openSseSession } from '../sse-session.ts'
import { JSON_HEADERS, openWireSession, sendEnveloped } from '../wire-client.ts'

// Our server, and clients that write what they like.

const doors = createDoors()
afterEach(() => doors.closeAll())

const overHttp = REVISIONS.filter(({ traits }) => traits.lifecycle === 'handshake' && traits.sessions)
const NAMES = overHttp.map(({ name }) => name)
const BATCHING = overHttp.filter(({ traits }) => traits.batching).map(({ name }) => name)

const handle = async ({ method, interim }: Call): Promise<Result> => {
  if (method === 'server/discover') return { capabilities: { tools: { listChanged: true } } }
  interim.notify({ method: 'notifications/progress', params: { progress: 1 } })
  interim.notify({ method: 'notifications/progress', params: { progress: 2 } })
  return { content: [] }
}

describe.each(NAMES)('at %s', (revision) => {
  it('trap-29: every request of a session needs its id, of whatever method', async () => {
    const { url } = await doors.open(handle)
    const session = await openWireSession(url, { revision })
    const without = { 'mcp-session-id': undefined }
    expect((await session.request('tools/list', {}, { headers: without })).status).toBe(400)
    for (const method of ['GET', 'DELETE']) {
      const headers = { accept: 'text/event-stream' }
      expect((await sendHttp(url, { method, headers })).status).toBe(400)
    }
    await session.end()
    expect((await session.request('tools/list')).status).toBe(404)
    expect((await session.listen()).status).toBe(404)
  })

  it('trap-30: ids of events are unique in their session, over all of its streams', async () => {
    const { url } = await doors.open(handle)
    const session = await openWireSession(url, { revision })
    const ids: string[] = []
    for (const id of [1, 2, 3]) {
      const stream = await session.open('tools/call', { name: 't', _meta: { progressToken: id } }, { id })
      ids.push(...[...(await stream.rest()).matchAll(/^id: ?(.*)$/gm)].map(([, found = '']) => found))
    }
    expect(ids.length).toBeGreaterThanOrEqual(9)
    expect(new Set(ids).size).toBe(ids.length)
  })

  it('trap-33: a request without the version header is taken, for its session knows', async () => {
    const { url } = await doors.open(handle)
    const session = await openWireSession(url, { revision })
    expect((await session.request('tools/list', {}, { headers: { 'mcp-protocol-version': undefined } })).status).toBe(
      200,
    )
  })

  it('trap-32: initialize is alone: in a batch it opens nothing', async () => {
    const { url, door } = await doors.open(handle)
    const params = { protocolVersion: revision, capabilities: {}, clientInfo: { name: 'x', version: '1' } }
    for (const more of [[], [{ jsonrpc: '2.0', id: 2, method: 'ping' }]]) {
      const body = JSON.stringify([{ jsonrpc: '2.0', id: 1, method: 'initialize', params }, ...more])
      const answer = await sendHttp(url, { headers: JSON_HEADERS, body })
      expect([answer.status, answer.headers['mcp-session-id']]).toEqual([400, undefined])
    }
    expect(door.figures().sessions).toBe(0)
  })

  it('trap-32: a batch is taken where the revision has them and refused elsewhere', async () => {
    const { url } = await doors.open(handle)
    const session = await openWireSession(url, { revision })
    const answer = await session.post(JSON.stringify([{ jsonrpc: '2.0', id: 1, method: 'ping' }]))
    expect(answer.status).toBe(BATCHING.includes(revision) ? 200 : 400)
  })

  it('trap-35: a foreign page is refused before anything is opened, and in a session', async () => {
    const { url, door } = await doors.open(handle)
    const origin = { origin: 'https://evil.example' }
    expect((await openWireSession(url, { revision, confirm: false, headers: origin })).initialized.status).toBe(403)
    expect(door.figures().sessions).toBe(0)
    const session = await openWireSession(url, { revision })
    expect((await session.request('tools/list', {}, { headers: origin })).status).toBe(403)
    const get = { method: 'GET', headers: { ...session.headers, accept: 'text/event-stream', ...origin } }
    expect((await openHttp(url, get)).status).toBe(403)
    expect((await sendHttp(url, { method: 'DELETE', headers: { ...session.headers, ...origin } })).status).toBe(403)
  })

  it('trap-50: a message that takes back initialize, or what is not open, does nothing', async () => {
    const { url } = await doors.open(handle)
    const session = await openWireSession(url, { revision })
    for (const requestId of [0, 'no-such', null, {}]) {
      expect((await session.notify('notifications/cancelled', { requestId })).status).toBe(202)
    }
    expect((await session.request('tools/list')).status).toBe(200)
  })
})

it('trap-35: a foreign page is refused in the newest revision and over HTTP+SSE', async () => {
  const { url, sse } = await doors.open(handle)
  const headers = { origin: 'null' }
  expect((await sendEnveloped(url, 'tools/list', {}, { headers })).status).toBe(403)
  await expect(openSseSession(sse, headers)).rejects.toThrow('HTTP 403')
})

it('trap-34: over HTTP+SSE a version nobody knows is answered with one that we speak', async () => {
  const { sse } = await doors.open(handle)
  const session = await openSseSession(sse)
  const { result } = await session.initialize('1999-12-31')
  expect(REVISIONS.map(({ name }) => name)).toContain(result.protocolVersion)
  session.stream.destroy()
})
