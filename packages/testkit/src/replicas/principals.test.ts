import type { JsonObject } from '@crosspoint/mcp'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { findRedis, type RedisServer, startRedis } from '../databases/redis.ts'
import { type HttpStream, type Message, openHttp, sendHttp } from '../http.ts'
import { openUpstreams, type Upstreams } from '../matrix/house.ts'
import { SPOKEN } from '../matrix/speaks.ts'
import { openWireSession, sendEnveloped, toEnveloped, type WireSession } from '../wire-client.ts'
import { openReplicas, type Replicas } from './houses.ts'

/** What is one caller's at one gateway is nobody else's at any other. */

const program = findRedis()
const SERVER = '2025-11-25'
const as = (who: string) => ({ authorization: `Bearer ${who}` })
const ABLE = { roots: {}, sampling: {}, elicitation: { form: {} } }
const PING = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'ping' })
const CAPABILITIES = {
  'io.modelcontextprotocol/clientCapabilities': { ...ABLE, extensions: { 'io.modelcontextprotocol/tasks': {} } },
}

describe.skipIf(program === undefined)('two callers of three gateways', () => {
  let redis: RedisServer
  let upstreams: Upstreams
  let replicas: Replicas
  let urls: readonly string[]
  beforeAll(async () => {
    redis = await startRedis(program ?? '')
    upstreams = await openUpstreams(SPOKEN.filter(({ name }) => name === SERVER))
    replicas = await openReplicas(upstreams.urls, redis.url, {
      authenticate: ({ authorization = '' }) => ({ id: authorization.slice('Bearer '.length), tenant: 't' }),
    })
    urls = replicas.houses.map(({ url }) => url)
    // A directory that has just begun is sure of nothing.
    const isSure = async () => expect((await post(urls[0] ?? '', 'anna', 'A'.repeat(32))).status).toBe(404)
    await vi.waitFor(isSure, { timeout: 10_000 })
  })
  afterAll(async () => {
    await replicas.close()
    await upstreams.close()
    await redis.close()
  })

  const post = (url: string, who: string, session: string, body = PING) =>
    sendHttp(url, { headers: { ...JSON_BOTH, ...as(who), 'mcp-session-id': session }, body })
  const idOf = (session: WireSession) => String(session.headers['mcp-session-id'])
  const openAnna = (options: { readonly capabilities?: JsonObject } = {}) =>
    openWireSession(urls[0] ?? '', { headers: as('anna'), ...options })

  test('abuse-21, abuse-22: the session of one is to others what was never there, wherever they ask and whatever they do', async () => {
    const session = await openAnna()
    const unknown = await post(urls[0] ?? '', 'bert', 'A'.repeat(32))
    expect(unknown.status).toBe(404)
    for (const url of urls) {
      const answers = [
        await post(url, 'bert', idOf(session)),
        await post(url, 'bert', idOf(session), JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list' })),
        await post(url, 'bert', 'B'.repeat(32)),
      ]
      expect(answers.map(({ status, text }) => [status, text.replace(/"id":[^,}]*,?/, '')])).toEqual(
        answers.map(() => [404, unknown.text.replace(/"id":[^,}]*,?/, '')]),
      )
      const headers = { ...as('bert'), 'mcp-session-id': idOf(session), accept: 'text/event-stream' }
      expect((await sendHttp(url, { method: 'GET', headers })).status).toBe(404)
      expect((await sendHttp(url, { method: 'DELETE', headers })).status).toBe(404)
      expect((await post(url, 'anna', idOf(session))).status).toBe(200)
      // Nor is it to be had by asking for it.
      const asked = await openWireSession(url, { headers: { ...as('bert'), 'mcp-session-id': idOf(session) } })
      expect(idOf(asked)).not.toBe(idOf(session))
    }
  })

  test('abuse-23: what one is asked nobody else answers, and what one was told nobody else hears again', async () => {
    const anna = await openAnna({ capabilities: ABLE })
    const bert = await openWireSession(urls[1] ?? '', { headers: as('bert'), capabilities: ABLE })
    const call = { jsonrpc: '2.0', id: 5, method: 'tools/call', params: { name: `${SERVER}__roots`, arguments: {} } }
    const stream = await openHttp(urls[2] ?? '', { headers: anna.headers, body: JSON.stringify(call) })
    const question = await until(stream, ({ method }) => method === 'roots/list')
    const answer = (uri: string) => JSON.stringify({ jsonrpc: '2.0', id: question.id, result: { roots: [{ uri }] } })
    for (const url of urls) {
      expect((await post(url, 'bert', idOf(bert), answer('file:///bert'))).status).toBe(202)
      expect((await post(url, 'bert', idOf(anna), answer('file:///bert'))).status).toBe(404)
      const again = { ...bert.headers, accept: 'text/event-stream', 'last-event-id': String(stream.lastEventId) }
      expect((await sendHttp(url, { method: 'GET', headers: again })).status).toBe(400)
    }
    expect((await post(urls[1] ?? '', 'anna', idOf(anna), answer('file:///anna'))).status).toBe(202)
    const { result } = await until(stream, ({ id, method }) => id === 5 && method === undefined)
    expect(result.content[0].text).toBe('file:///anna')
  })

  test('abuse-24: what one carries opens for nobody else at any gateway, and its call goes on waiting', async () => {
    const tool = { name: `${SERVER}__sample`, arguments: {} }
    const ask = (url: string, who: string, params: JsonObject) =>
      sendEnveloped(url, 'tools/call', { ...tool, ...params }, { headers: as(who), meta: CAPABILITIES })
    const [asked] = (await ask(urls[0] ?? '', 'anna', {})).messages
    const { inputRequests, requestState } = asked?.result ?? {}
    const answers = (text: string) => ({
      requestState,
      inputResponses: Object.fromEntries(
        Object.keys(inputRequests).map((key) => [
          key,
          { role: 'assistant', model: 'm', content: { type: 'text', text } },
        ]),
      ),
    })
    for (const url of urls) {
      const [refused] = (await ask(url, 'bert', answers('bert'))).messages
      expect(refused?.error.code).toBe(-32602)
    }
    const [answered] = (await ask(urls[1] ?? '', 'anna', answers('anna'))).messages
    expect(answered?.result.content[0].text).toBe('anna')
  })

  test('abuse-24: a task is its caller’s, at whichever gateway it is asked for', async () => {
    const send = (url: string, who: string, method: string, params: JsonObject) =>
      sendHttp(url, toEnveloped(method, params, { headers: as(who), meta: CAPABILITIES }))
    const begun = await send(urls[0] ?? '', 'anna', 'tools/call', { name: `${SERVER}__job`, arguments: {} })
    const { taskId } = begun.messages[0]?.result ?? {}
    expect(taskId).toEqual(expect.any(String))
    for (const url of urls) {
      const [refused] = (await send(url, 'bert', 'tasks/get', { taskId })).messages
      expect(refused?.error.code).toBe(-32602)
      const [found] = (await send(url, 'anna', 'tasks/get', { taskId })).messages
      expect(found?.result).toMatchObject({ taskId })
    }
  })
})

const JSON_BOTH = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' }

async function until(stream: HttpStream, fits: (message: Message) => boolean): Promise<Message> {
  for (;;) {
    const message = await stream.next()
    if (fits(message)) return message
  }
}
