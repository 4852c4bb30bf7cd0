import type { JsonObject } from '@crosspoint/mcp'
import { createDeferred, type Message, openHttp, openWireSession, toEnveloped } from '@crosspoint/testkit'
import { describe, expect, test } from 'vitest'
import type { Taken } from '../../fixtures/hostile-server.ts'
import { MODERN, openHostile, openHouse } from '../../fixtures/open-house.ts'

/** What belongs to one call stays with it: in all four pairings of the two eras. */

const OLDER = '2025-11-25'
const PAIRINGS = [OLDER, MODERN].flatMap((client) => [OLDER, MODERN].map((server) => ({ client, server })))
const GO = { name: 's__go', arguments: {} }
const isCall = ({ method }: Message) => method === 'tools/call'

/** A call that is read as it comes, and how its client gives it up. */
async function begin(revision: string, url: string, id: number, token: string) {
  if (revision === MODERN) {
    const stream = openHttp(url, toEnveloped('tools/call', GO, { id, meta: { progressToken: token } }))
    return { stream, cancel: async () => (await stream).destroy() }
  }
  const session = await openWireSession(url)
  const stream = session.open('tools/call', { ...GO, _meta: { progressToken: token } }, { id })
  return {
    stream,
    cancel: async () => void (await session.notify('notifications/cancelled', { requestId: id, reason: 'enough' })),
  }
}

const toProgress = ({ message }: Taken, progress: number): JsonObject => ({
  method: 'notifications/progress',
  params: { progressToken: message.params._meta.progressToken, progress },
})

describe.each(PAIRINGS)('a client of $client, a server of $server', ({ client, server }) => {
  test('abuse-41: a call that is given up is given up there at once, and nothing of it comes any more', async () => {
    const calls: Taken[] = []
    const upstream = await openHostile(server, (taken) => {
      calls.push(taken)
      if (calls.length === 1) taken.say(toProgress(taken, 1))
      else taken.result({ content: [{ type: 'text', text: 'the second' }] })
    })
    const { url, gateway } = await openHouse({ s: { url: upstream.url } }, { limits: { maxConcurrent: 1 } })
    const { stream, cancel } = await begin(client, url, 7, 'mine')
    const opened = await stream
    expect(await opened.next()).toMatchObject({ params: { progressToken: 'mine', progress: 1 } })
    await cancel()
    const [first] = calls
    if (first === undefined) throw new Error('It was not called')
    if (server === MODERN) await first.closed
    else {
      const told = await upstream.until(({ method }) => method === 'notifications/cancelled')
      expect(told.params.requestId).toBe(first.message.id)
    }
    first.result({ content: [{ type: 'text', text: 'too late' }] })
    const rest = client === MODERN ? '' : await opened.rest()
    expect(rest).not.toContain('"id"')
    const second = await begin(client, url, 8, 'mine')
    expect(await (await second.stream).rest()).toContain('the second')
    expect(upstream.got.filter(isCall)).toHaveLength(2)
    expect(gateway.status()).toMatchObject([{ state: 'ready', restarts: 0 }])
  })

  test('abuse-42: clients that choose the same id and the same progress token hear their own', async () => {
    const both = createDeferred<void>()
    const calls: Taken[] = []
    const upstream = await openHostile(server, (taken) => {
      if (calls.push(taken) === 2) both.resolve()
    })
    const { url } = await openHouse({ s: { url: upstream.url, sessions: 'shared' } })
    const clients = [await begin(client, url, 1, 'same'), await begin(client, url, 1, 'same')]
    await both.promise
    const [one, two] = calls
    if (one === undefined || two === undefined) throw new Error('Two calls were made')
    expect(one.message.id).not.toBe(two.message.id)
    expect(one.message.params._meta.progressToken).not.toBe(two.message.params._meta.progressToken)
    two.say(toProgress(two, 22))
    one.say(toProgress(one, 11))
    one.result({ content: [{ type: 'text', text: 'for one' }] })
    two.result({ content: [{ type: 'text', text: 'for two' }] })
    const texts = await Promise.all(clients.map(async ({ stream }) => (await stream).rest()))
    const [first = '', second = ''] = texts.sort(
      (a, b) => Number(a.includes('for two')) - Number(b.includes('for two')),
    )
    expect(first).toMatch(/"progress":11.*for one/s)
    expect(second).toMatch(/"progress":22.*for two/s)
    for (const text of texts) {
      expect(text.match(/"progressToken":"same"/g)).toHaveLength(1)
      expect(text.match(/"id":1\b/g)).toHaveLength(1)
    }
  })

  test('abuse-28: nothing a client says about itself over HTTP goes on to a server', async () => {
    const upstream = await openHostile(server, ({ result }) => result({ content: [] }))
    const { url } = await openHouse({ s: { url: upstream.url, headers: { 'x-key': 'configured' } } })
    const secret = {
      authorization: 'Bearer secret-1',
      cookie: 'session=secret-2',
      'proxy-authorization': 'Basic secret-3',
      'x-forwarded-for': 'secret-4',
      forwarded: 'for=secret-5',
      'x-api-key': 'secret-6',
      'last-event-id': 'secret-7',
      'user-agent': 'secret-8',
      'x-key': 'secret-9',
      baggage: 'a=secret-10',
    }
    if (client === MODERN) {
      const asked = openHttp(
        url,
        toEnveloped('tools/call', GO, { headers: { ...secret, 'mcp-session-id': 'secret-11' } }),
      )
      await (await asked).rest()
    } else await (await openWireSession(url, { headers: secret })).request('tools/call', GO)
    expect(upstream.got.filter(isCall)).toHaveLength(1)
    expect(JSON.stringify([upstream.headers, upstream.got])).not.toContain('secret-')
    for (const headers of upstream.headers) expect(headers['x-key']).toBe('configured')
  })
})
