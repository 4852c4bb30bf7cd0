import { createDeferred, type Message, withEnvelope } from '@crosspoint/testkit'
import { describe, expect, it } from 'vitest'
import type { JsonObject } from '../../jsonrpc/frame.ts'
import type { Call, Handle } from '../../protocol/call.ts'
import { createMemoryPipe } from '../memory/pipe.ts'
import { serveChannel } from './serve.ts'

const HANDSHAKES = ['2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05']
const ROOTS = { method: 'roots/list', params: {} }

/** The other end of the pipe, message by message, without an engine. */
async function open(handle: Handle, revision = '2025-11-25', capabilities: JsonObject = { roots: {} }) {
  const pipe = createMemoryPipe()
  const served = serveChannel({ handle, serverInfo: { name: 's', version: '1' } }, pipe.server)
  const got: Message[] = []
  let wake = () => {}
  pipe.client.start({
    message: (text) => {
      got.push(JSON.parse(text))
      wake()
    },
    fault: (reason) => {
      throw new Error(reason)
    },
    closed: () => {},
  })
  const next = async (): Promise<Message> => {
    while (got.length === 0) {
      await new Promise<void>((resolve) => {
        wake = resolve
      })
    }
    return got.shift()
  }
  const send = (message: object | readonly object[]) => void pipe.client.send(JSON.stringify(message))
  const request = (method: string, params: JsonObject, id: string) => send({ jsonrpc: '2.0', id, method, params })
  request('initialize', { protocolVersion: revision, capabilities, clientInfo: { name: 'c', version: '1' } }, 'i')
  await next()
  send({ jsonrpc: '2.0', method: 'notifications/initialized' })
  return { served, next, send, request, channel: pipe.client }
}

const rootsOf: Handle = async (call) => {
  if (call.method !== 'tools/call') return { capabilities: { tools: {} } }
  return { content: [{ type: 'text', text: JSON.stringify(await call.interim.ask(ROOTS)) }] }
}

describe('a question over a channel', () => {
  it.each(HANDSHAKES)('%s: is a request of the server, answered by a response', async (revision) => {
    const { next, send, request } = await open(rootsOf, revision)
    request('tools/call', { name: 'x' }, 'c')
    const question = await next()
    expect(question).toMatchObject({ method: 'roots/list' })
    send({ jsonrpc: '2.0', id: question.id, result: { roots: [] } })
    expect(await next()).toMatchObject({ id: 'c', result: { content: [{ text: '{"roots":[]}' }] } })
  })

  it('answers count inside a batch too, where there are batches', async () => {
    const { next, send, request } = await open(rootsOf, '2025-03-26')
    request('tools/call', { name: 'x' }, 'c')
    const { id } = await next()
    send([{ jsonrpc: '2.0', id, result: { roots: [] } }])
    expect(await next()).toMatchObject({ id: 'c', result: {} })
  })

  it('of a call within a batch reaches the client before the answers do', async () => {
    const { next, send } = await open(rootsOf, '2025-03-26')
    send([
      { jsonrpc: '2.0', id: 'a', method: 'tools/call', params: { name: 'x' } },
      { jsonrpc: '2.0', id: 'b', method: 'ping' },
    ])
    const { id } = await next()
    send({ jsonrpc: '2.0', id, result: { roots: [] } })
    const batch = await next()
    expect(batch.map((answer: Message) => answer.id).sort()).toEqual(['a', 'b'])
  })

  it('fails when the client is gone', async () => {
    const caught = createDeferred<unknown>()
    const { next, request, channel } = await open(async (call) => {
      if (call.method === 'tools/call') await call.interim.ask(ROOTS).catch(caught.resolve)
      return { capabilities: { tools: {} }, content: [] }
    })
    request('tools/call', { name: 'x' }, 'c')
    await next()
    await channel.close()
    expect(await caught.promise).toMatchObject({ code: 'caller.cancelled' })
  })

  it('trap-11: is never put to a request with an envelope, on the same channel or not', async () => {
    let canAsk: boolean | undefined
    const { next, request } = await open(async (call: Call) => {
      if (call.method === 'tools/call') canAsk = call.interim.canAsk
      return rootsOf(call)
    })
    const meta = { 'io.modelcontextprotocol/clientCapabilities': { roots: {} } }
    request('tools/call', withEnvelope({ name: 'x' }, meta), 'c')
    expect(await next()).toMatchObject({ id: 'c', error: { code: -32021 } })
    expect(canAsk).toBe(false)
  })
})
