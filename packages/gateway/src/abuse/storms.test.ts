import type { ServerResponse } from 'node:http'
import { fileURLToPath } from 'node:url'
import { type Message, openHttp, openWireSession, toEnveloped } from '@crosspoint/testkit'
import { describe, expect, test } from 'vitest'
import type { Taken } from '../../fixtures/hostile-server.ts'
import { askAs, MODERN, openHostile, openHouse } from '../../fixtures/open-house.ts'
import { type LogDetails, SILENT } from '../log.ts'

/** Servers that say too much: what of it reaches anybody, and what stays behind. */

const OLDER = '2025-11-25'
const GO = { name: 's__go', arguments: {} }
const LIMITS = { maxResponseBytes: 262_144 }

/** Writes until the other side lets go; resolves to how many bytes were taken. */
async function pour(response: ServerResponse, chunk: string): Promise<number> {
  let bytes = 0
  let wake = () => {}
  response.on('drain', () => wake()).once('close', () => wake())
  while (!response.closed) {
    bytes += chunk.length
    const goOn = new Promise<void>((resolve) => {
      wake = resolve
    })
    if (response.write(chunk)) setImmediate(wake)
    await goOn
  }
  return bytes
}

describe.each([OLDER, MODERN])('a server of %s', (server) => {
  test.each([
    ['a result that does not end', 'application/json', '{"jsonrpc":"2.0","id":1,"result":{"content":[{"text":"', 'x'],
    ['an event that does not end', 'text/event-stream', 'data: {"jsonrpc":"2.0","id":1,"result":{"a":"', 'x'],
    ['an event of endless lines', 'text/event-stream', '', 'data: x\n'],
  ])('abuse-16: %s is cut at the limit and told', async (_, type, head, filler) => {
    let poured: Promise<number> | undefined
    const upstream = await openHostile(server, ({ response }) => {
      response.writeHead(200, { 'content-type': type }).write(head)
      poured = pour(response, filler.repeat(Math.ceil(16_384 / filler.length)))
    })
    const { url, gateway } = await openHouse({ s: { url: upstream.url } }, { limits: LIMITS })
    for (const client of [OLDER, MODERN]) {
      const { status, answer } = await askAs(client, url, 'tools/call', GO)
      expect({ status, error: answer.error }).toMatchObject({
        status: 200,
        error: { code: -32603, message: expect.stringMatching(/262144/) },
      })
      // What is in the buffers of two sockets was written too.
      expect(await poured).toBeLessThan(16 * LIMITS.maxResponseBytes)
    }
    expect(gateway.status()).toMatchObject([{ state: 'ready' }])
  })

  test('abuse-16: a stream of comments without end is no answer', async () => {
    const upstream = await openHostile(server, ({ response }) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      void pour(response, ': there\n\n'.repeat(100))
    })
    const { url } = await openHouse({ s: { url: upstream.url, requestTimeoutMs: 200 } }, { limits: LIMITS })
    const { answer } = await askAs(MODERN, url, 'tools/call', GO)
    expect(answer.error).toMatchObject({ code: -32603, data: { kind: 'upstream_timeout' } })
  })

  test('abuse-16: progress without end ends with the time a call may take', async () => {
    const upstream = await openHostile(server, async (taken) => {
      const { progressToken } = taken.message.params._meta
      let isOpen = true
      void taken.closed.then(() => {
        isOpen = false
      })
      for (let progress = 1; isOpen; progress++) {
        taken.say({ method: 'notifications/progress', params: { progressToken, progress } })
        await new Promise((resolve) => setImmediate(resolve))
      }
    })
    const { url } = await openHouse({ s: { url: upstream.url, requestTimeoutMs: 200, maxRequestMs: 400 } })
    const { answer } = await askAs(MODERN, url, 'tools/call', GO)
    expect(answer.error).toMatchObject({ code: -32603, data: { kind: 'upstream_timeout' } })
  })

  test('abuse-16: of a storm of progress little reaches a client, the newest before the answer', async () => {
    const upstream = await openHostile(server, (taken) => {
      const { progressToken } = taken.message.params._meta
      for (let progress = 1; progress <= 5_000; progress++) {
        taken.say({ method: 'notifications/progress', params: { progressToken, progress } })
      }
      taken.result({ content: [{ type: 'text', text: 'done' }] })
    })
    const { url } = await openHouse({ s: { url: upstream.url } })
    const session = await openWireSession(url)
    const asked = [
      await session.request('tools/call', { ...GO, _meta: { progressToken: 'p' } }),
      await openHttp(url, toEnveloped('tools/call', GO, { meta: { progressToken: 'p' } })).then(async (stream) => {
        const text = await stream.rest()
        const events = text.split('\n').filter((line) => line.startsWith('data:') && line.length > 6)
        return { messages: events.map((line) => JSON.parse(line.slice(5))) }
      }),
    ]
    for (const { messages } of asked) {
      const steps = messages.filter(({ method }: Message) => method === 'notifications/progress')
      expect(steps.length).toBeGreaterThan(1)
      // A second may pass in the middle of it.
      expect(steps.length).toBeLessThan(400)
      expect(steps.at(-1)?.params).toMatchObject({ progressToken: 'p', progress: 5_000 })
      expect(messages.at(-1)?.result.content[0].text).toBe('done')
    }
  })

  test('abuse-16: for a storm of changes the list is read once at once, and once a second later', async () => {
    const upstream = await openHostile(server, ({ result }) => result({ content: [] }))
    const { gateway } = await openHouse({ s: { url: upstream.url } })
    const reads = () => upstream.got.filter(({ method }) => method === 'tools/list').length
    const before = reads()
    for (let count = 0; count < 2_000; count++) upstream.tell('notifications/tools/list_changed')
    await upstream.until(() => reads() >= before + 2)
    expect(reads()).toBe(before + 2)
    expect(gateway.status()).toMatchObject([{ state: 'ready', counts: { tools: 1 } }])
  })
})

test('abuse-16: questions beyond what a client may be asked at once are refused to the server', async () => {
  const calls: Taken[] = []
  const upstream = await openHostile(OLDER, (taken) => {
    calls.push(taken)
    for (let id = 1; id <= 500; id++) {
      const params = { message: 'Who?', requestedSchema: { type: 'object', properties: {} } }
      taken.say({ id: `q${id}`, method: 'elicitation/create', params })
    }
  })
  const { url } = await openHouse({ s: { url: upstream.url } })
  const { answer } = await askAs(MODERN, url, 'tools/call', GO, { elicitation: { form: {} } })
  expect(answer.result.resultType).toBe('input_required')
  expect(Object.keys(answer.result.inputRequests).length).toBeLessThanOrEqual(64)
  // The server hears so many refusals at once, and nothing of the rest.
  await upstream.until(() => upstream.got.filter(({ error }) => error?.code === 1001).length >= 64)
  expect(calls).toHaveLength(1)
})

test('abuse-16: a line without end on stdio costs the server its process, which is started again', async () => {
  const endless = {
    command: process.execPath,
    args: [fileURLToPath(new URL('../../fixtures/endless-line.mjs', import.meta.url))],
  }
  const reasons: unknown[] = []
  const log = { ...SILENT, warn: ({ method, reason }: LogDetails) => void (method && reasons.push(reason)) }
  const { url, gateway } = await openHouse({ s: endless }, { limits: LIMITS }, { log })
  for (const restarts of [0, 1]) {
    const { answer } = await askAs(MODERN, url, 'tools/call', GO)
    expect(answer.result).toMatchObject({
      isError: true,
      content: [{ text: expect.stringContaining('"s" was lost during the call') }],
    })
    expect(reasons).toHaveLength(restarts + 1)
    expect(reasons.at(-1)).toContain('a line of more than 262144 bytes')
    expect(gateway.status()).toMatchObject([{ state: 'ready', restarts }])
  }
})
