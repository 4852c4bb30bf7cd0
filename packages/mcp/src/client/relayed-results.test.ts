import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createDoors, openWireSession, recordCall, sendEnveloped } from '@crosspoint/testkit'
import { afterEach, describe, expect, onTestFinished, test } from 'vitest'
import type { JsonObject } from '../jsonrpc/frame.ts'
import { Relayed } from '../jsonrpc/relayed.ts'
import { NEWEST, NEWEST_HANDSHAKE } from '../revisions/index.ts'
import { openConnection } from './open.ts'

/** Results that pass from a server over HTTP to a client over HTTP. */

const doors = createDoors()
afterEach(() => doors.closeAll())

const LONG = 'Příliš žluťoučký kůň "úpěl"\n'.repeat(2_000)
const INFO = { name: 'far', version: '1' }

/** What the server answers to a request with this id, as text or bytes. */
type Answer = (id: number, method: string) => string | Buffer

/** A server written by hand, and a client of it whose results are served on. */
async function openThrough(answer: Answer, options: { readonly legacy?: boolean; readonly relay?: boolean } = {}) {
  const { legacy = false, relay = true } = options
  const server = createServer((request, response) => {
    if (request.method !== 'POST') return response.writeHead(405).end()
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('end', () => {
      const { id, method } = JSON.parse(Buffer.concat(parts).toString()) as { id?: number; method: string }
      if (id === undefined) return response.writeHead(202).end()
      response.setHeader('content-type', 'application/json')
      const known = toHello(legacy)[method]
      response.end(known === undefined ? answer(id, method) : JSON.stringify({ jsonrpc: '2.0', id, result: known }))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close().closeAllConnections())
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`
  const connection = await openConnection(
    { kind: 'http', url },
    { ...(relay ? { relayFromBytes: 1_000 } : {}), ...(legacy ? { revision: NEWEST_HANDSHAKE.name } : {}) },
  )
  onTestFinished(() => connection.close())
  return { connection, ...(await doors.open(connection.handle)) }
}

function toHello(legacy: boolean): Readonly<Record<string, JsonObject>> {
  const capabilities = { tools: {}, resources: {}, prompts: {} }
  return legacy
    ? { initialize: { protocolVersion: NEWEST_HANDSHAKE.name, capabilities, serverInfo: INFO } }
    : { 'server/discover': { supportedVersions: [NEWEST.name], capabilities } }
}

function toMessage(id: number, result: string): string {
  return `{"jsonrpc":"2.0","id":${id},"result":${result}}`
}

const CALL = { name: 'echo', arguments: {} }
const BIG = `{"content":[{"type":"text","text":${JSON.stringify(LONG)}}],"structuredContent":{"id":90071992547409931}}`

describe('a large result', () => {
  test.each([
    ['of the newest revision', false],
    ['of a handshake revision', true],
  ])('%s reaches the client as its server wrote it', async (_, legacy) => {
    const { url, connection } = await openThrough((id) => toMessage(id, BIG), { legacy })
    expect(await connection.handle(recordCall('tools/call', CALL).call)).toBeInstanceOf(Relayed)
    const { text, messages } = await sendEnveloped(url, 'tools/call', CALL, { id: 'mine' })
    expect(text).toContain(BIG.slice(1, -1))
    expect(messages).toEqual([
      {
        jsonrpc: '2.0',
        id: 'mine',
        result: { ...JSON.parse(BIG), resultType: 'complete', _meta: expect.anything() },
      },
    ])
  })

  test.each([true, false])('says the same to every client, relayed or parsed (relayed: %s)', async (relay) => {
    const result = `{"resultType":"complete","_meta":{"a":1,"io.modelcontextprotocol/serverInfo":{"name":"far","version":"1"}},"content":[{"type":"text","text":${JSON.stringify(LONG)}}],"isError":true}`
    const { url } = await openThrough((id) => toMessage(id, result), { relay })
    const { messages } = await sendEnveloped(url, 'tools/call', CALL)
    expect(messages[0].result).toEqual({
      resultType: 'complete',
      _meta: { a: 1, 'io.modelcontextprotocol/serverInfo': { name: 's', version: '1' } },
      content: [{ type: 'text', text: LONG }],
      isError: true,
    })
    for (const revision of ['2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05']) {
      const session = await openWireSession(url, { revision })
      const answer = await session.request('tools/call', CALL)
      expect(answer.messages.at(-1)).toEqual({
        jsonrpc: '2.0',
        id: 1,
        result: { _meta: { a: 1 }, content: [{ type: 'text', text: LONG }], isError: true },
      })
    }
  })

  test('is read where a revision has to say it in other words', async () => {
    const link = { type: 'resource_link', uri: 'a:b', name: 'one' }
    const result = JSON.stringify({ content: [{ type: 'text', text: LONG }, link], structuredContent: [LONG] })
    const { url } = await openThrough((id) => toMessage(id, result))
    const session = await openWireSession(url, { revision: '2025-03-26' })
    const answer = await session.request('tools/call', CALL)
    expect(answer.messages.at(-1).result).toEqual({
      content: [
        { type: 'text', text: LONG },
        { type: 'text', text: 'one: a:b' },
      ],
    })
  })

  test('without contents is given an empty list, and with contents that are none it is refused', async () => {
    let result = `{"structuredContent":{"text":${JSON.stringify(LONG)}}}`
    const { url } = await openThrough((id) => toMessage(id, result))
    const bare = await sendEnveloped(url, 'tools/call', CALL)
    expect(bare.messages[0].result).toMatchObject({ content: [], structuredContent: { text: LONG } })
    result = `{"content":{"text":${JSON.stringify(LONG)}}}`
    const odd = await sendEnveloped(url, 'tools/call', CALL)
    expect(odd.messages[0].error.message).toContain('its content is not a list')
  })

  test.each([
    ['another message behind it', (id: number) => `${toMessage(id, BIG)}${toMessage(id, '{}')}`],
    ['a brace too many', (id: number) => `{"jsonrpc":"2.0","id":${id},"result":${BIG}},"id":9}}`],
    ['a key named twice', (id: number) => toMessage(id, `${BIG.slice(0, -1)},"content":[]}`)],
    ['no end', (id: number) => toMessage(id, BIG).slice(0, -40)],
    ['bytes that are no UTF-8', (id: number) => Buffer.from(toMessage(id, BIG), 'latin1')],
    ['half a surrogate pair', (id: number) => toMessage(id, BIG.replace('úpěl', '\\ud83d'))],
  ])('abuse: with %s is the error it always was', async (_, answer) => {
    const { url } = await openThrough(answer)
    const { messages } = await sendEnveloped(url, 'tools/call', CALL)
    expect(messages).toHaveLength(1)
    expect(messages[0]).toEqual({ jsonrpc: '2.0', id: 1, error: expect.anything() })
  })

  test('abuse: that answers something else than was asked is nobody’s', async () => {
    const { url, connection } = await openThrough((id) => toMessage(id + 1, BIG))
    const { messages } = await sendEnveloped(url, 'tools/call', CALL)
    expect(messages[0].error).toBeDefined()
    await expect(connection.handle(recordCall('tools/call', CALL).call)).rejects.toThrow()
  })

  test('of a resource or a prompt goes the same way; of a list it is read', async () => {
    const { connection } = await openThrough((id, method) =>
      toMessage(
        id,
        method === 'tools/list'
          ? `{"tools":[{"name":${JSON.stringify(LONG)}}]}`
          : `{"contents":[${JSON.stringify(LONG)}]}`,
      ),
    )
    expect(await connection.handle(recordCall('resources/read', { uri: 'a:b' }).call)).toBeInstanceOf(Relayed)
    expect(await connection.handle(recordCall('prompts/get', { name: 'a' }).call)).toBeInstanceOf(Relayed)
    expect(await connection.handle(recordCall('tools/list').call)).not.toBeInstanceOf(Relayed)
  })

  test('below the bound, and where nobody asked for it, is read', async () => {
    const small = await openThrough((id) => toMessage(id, '{"content":[]}'))
    expect(await small.connection.handle(recordCall('tools/call', CALL).call)).not.toBeInstanceOf(Relayed)
    const plain = await openThrough((id) => toMessage(id, BIG), { relay: false })
    expect(await plain.connection.handle(recordCall('tools/call', CALL).call)).not.toBeInstanceOf(Relayed)
  })
})
