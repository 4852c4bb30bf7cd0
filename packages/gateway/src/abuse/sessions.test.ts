import { setMaxListeners } from 'node:events'
import { type Message, openHttp, openWireSession, sendHttp, toEnveloped, type WireSession } from '@crosspoint/testkit'
import { describe, expect, test } from 'vitest'
import { byName, MODERN, openHostile, openHouse } from '../../fixtures/open-house.ts'

/** Sessions of handshake revisions at the door of the gateway, where callers are asked who they are. */

async function open(more: object = {}) {
  const upstream = await openHostile('2025-11-25', ({ message, say, result }) => {
    const { progressToken } = message.params._meta ?? {}
    if (progressToken !== undefined) say({ method: 'notifications/progress', params: { progressToken, progress: 1 } })
    result({ content: [{ type: 'text', text: 'ran' }] })
  })
  const house = await openHouse({ s: { url: upstream.url } }, more, { authenticate: byName })
  const as = (who: string) => openWireSession(house.url, { headers: { 'x-who': who } })
  return { ...house, upstream, as }
}

const LIST = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list', params: {} })

describe('sessions', () => {
  test('abuse-21: guessed, ended and of somebody else are one and the same', async () => {
    const { url, as } = await open()
    const [anna, ended] = [await as('anna'), await as('anna')]
    await ended.end()
    const id = String(anna.headers['mcp-session-id'])
    expect(id).toMatch(/^[\x21-\x7e]{22,}$/)
    const send = (session: string, who: string) =>
      sendHttp(url, { headers: { ...anna.headers, 'x-who': who, 'mcp-session-id': session }, body: LIST })
    const answers = [
      await send(`${id.slice(0, -1)}${id.endsWith('a') ? 'b' : 'a'}`, 'anna'),
      await send(String(ended.headers['mcp-session-id']), 'anna'),
      await send(id, 'bert'),
    ]
    expect(answers.map(({ status }) => status)).toEqual([404, 404, 404])
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1)
    const { 'mcp-session-id': _, ...headers } = anna.headers
    expect((await sendHttp(url, { headers, body: LIST })).status).toBe(400)
    expect((await anna.request('tools/list')).status).toBe(200)
  })

  test('abuse-21: nobody ends, listens to or cancels in the session of somebody else', async () => {
    const { url, as } = await open()
    const anna = await as('anna')
    const stolen = { ...anna.headers, 'x-who': 'bert' }
    expect((await sendHttp(url, { method: 'DELETE', headers: stolen })).status).toBe(404)
    const listening = await openHttp(url, { method: 'GET', headers: { ...stolen, accept: 'text/event-stream' } })
    expect(listening.status).toBe(404)
    listening.destroy()
    const cancel = { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 1 } }
    expect((await sendHttp(url, { headers: stolen, body: JSON.stringify(cancel) })).status).toBe(404)
    expect((await anna.request('tools/list')).status).toBe(200)
  })

  test('abuse-22: an id that a client brings to its handshake is not the one it gets', async () => {
    const { url } = await open()
    const session: WireSession = await openWireSession(url, { headers: { 'mcp-session-id': 'chosen-by-an-attacker' } })
    expect(session.initialized.status).toBe(200)
    expect(session.headers['mcp-session-id']).not.toBe('chosen-by-an-attacker')
    const fixed = { ...session.headers, 'mcp-session-id': 'chosen-by-an-attacker' }
    expect((await sendHttp(url, { headers: fixed, body: LIST })).status).toBe(404)
  })

  test('abuse-23: an event of somebody else brings nothing of theirs', async () => {
    const { url, as } = await open()
    const [anna, bert] = [await as('anna'), await as('bert')]
    const params = { name: 's__go', arguments: {}, _meta: { progressToken: 'p' } }
    const stream = await anna.open('tools/call', params)
    expect((await stream.next()).params.progress).toBe(1)
    expect((await stream.next()).result.content[0].text).toBe('ran')
    const position = String(stream.lastEventId)
    const statuses = []
    for (const forged of [position, `${position}0`, 'x', '../1', '0']) {
      const replay = await bert.listen(forged)
      statuses.push(replay.status)
      if (replay.status !== 200) expect(await replay.rest()).not.toContain('ran')
      replay.destroy()
    }
    expect(statuses).toEqual([400, 400, 400, 400, 400])
    const ignored = await sendHttp(url, {
      method: 'GET',
      headers: { accept: 'text/event-stream', 'last-event-id': position, 'mcp-protocol-version': MODERN },
    })
    expect(ignored.text).not.toContain('ran')
  })
})

describe('more than one caller should have', () => {
  test('abuse-14: who has all its calls at work with a server keeps nobody else out', async () => {
    const upstream = await openHostile(MODERN, ({ message, result }) => {
      if (message.params.arguments.hang !== true) result({ content: [{ type: 'text', text: 'ran' }] })
    })
    const { url } = await openHouse({ s: { url: upstream.url } }, {}, { authenticate: byName })
    const call = (who: string, args: object) =>
      openHttp(url, toEnveloped('tools/call', { name: 's__go', arguments: args }, { headers: { 'x-who': who } }))
    const aborting = new AbortController()
    setMaxListeners(100, aborting.signal)
    const hanging = Array.from({ length: 100 }, () => {
      const request = toEnveloped(
        'tools/call',
        { name: 's__go', arguments: { hang: true } },
        { headers: { 'x-who': 'a' } },
      )
      return openHttp(url, { ...request, signal: aborting.signal }).catch(() => {})
    })
    const isCall = ({ method }: Message) => method === 'tools/call'
    await upstream.until(() => upstream.got.filter(isCall).length === 48)
    expect(await (await call('b', {})).rest()).toContain('ran')
    expect(upstream.got.filter(isCall)).toHaveLength(49)
    aborting.abort()
    await Promise.all(hanging)
    expect(await (await call('a', {})).rest()).toContain('ran')
  })

  test('abuse-14: who opens all the sessions it can is refused, and nobody else is', async () => {
    const { as } = await open({ limits: { maxSessions: 100 } })
    const opened: WireSession[] = []
    for (let count = 0; count < 64; count++) {
      const session = await as('greedy')
      expect((await session.request('ping')).status).toBe(200)
      opened.push(session)
    }
    const refused = (await as('greedy')).initialized
    expect(refused.status).toBe(429)
    expect(refused.headers['retry-after']).toMatch(/^\d+$/)
    const bert = await as('bert')
    expect((await bert.request('tools/call', { name: 's__go', arguments: {} })).messages[0]?.result).toMatchObject({
      content: [{ text: 'ran' }],
    })
  })
})
