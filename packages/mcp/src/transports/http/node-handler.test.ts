import { once } from 'node:events'
import {
  createServer as createHttpServer,
  type IncomingMessage,
  type RequestListener,
  type ServerResponse,
} from 'node:http'
import type { AddressInfo } from 'node:net'
import { createDeferred, JSON_HEADERS, sendEnveloped, sendHttp } from '@crosspoint/testkit'
import { describe, expect, it, onTestFinished } from 'vitest'
import { connect } from '../../client/index.ts'
import { REVISIONS } from '../../revisions/index.ts'
import { createServer, toNodeHandler } from '../../server/index.ts'
import type { FetchOptions } from './brought.ts'
import { createNodeHandler } from './node-handler.ts'
import { toReplayed } from './read-request.ts'

const me = { client: { name: 'test', version: '1' } }

async function listen(listener: RequestListener): Promise<string> {
  const http = createHttpServer(listener).listen(0, '127.0.0.1')
  await once(http, 'listening')
  onTestFinished(async () => {
    http.closeAllConnections()
    http.close()
    await once(http, 'close')
  })
  return `http://127.0.0.1:${(http.address() as AddressInfo).port}`
}

function open(options: FetchOptions = {}) {
  const server = createServer({ name: 's', version: '1' })
  server.tool('echo', { input: { type: 'object' } }, async (args, { elicit }) => {
    if (args.ask !== true) return JSON.stringify(args)
    return JSON.stringify(await elicit('Sure?', { type: 'object', properties: { sure: { type: 'boolean' } } }))
  })
  const handler = toNodeHandler(server, options)
  onTestFinished(() => handler.close({ drainMs: 0 }))
  return { server, handler }
}

/** As `express.json()` leaves a request: read to its end, and what was in it in `body`. */
function parsed(handler: RequestListener, toBody: (bytes: Buffer) => unknown): RequestListener {
  return async (request: IncomingMessage, response: ServerResponse) => {
    const bytes = Buffer.concat(await request.toArray())
    if (bytes.length > 0) Object.assign(request, { body: toBody(bytes) })
    handler(request, response)
  }
}

const ways: Record<string, (handler: RequestListener) => RequestListener> = {
  'a plain server': (handler) => handler,
  'a parser of JSON before it': (handler) => parsed(handler, (bytes) => JSON.parse(bytes.toString())),
  'a parser of bytes before it': (handler) => parsed(handler, (bytes) => bytes),
  'a parser of text before it': (handler) => parsed(handler, (bytes) => bytes.toString()),
}

for (const [way, around] of Object.entries(ways)) {
  it.each(REVISIONS.filter(({ traits }) => traits.sessions || traits.lifecycle === 'envelope').map(({ name }) => name))(
    `serves ${way}: %s`,
    async (revision) => {
      const { handler } = open()
      const url = await listen(around(handler))
      const elicit = () => ({ action: 'accept' as const, content: { sure: true } })
      const client = await connect(url, { ...me, revision, handlers: { elicit } })
      expect((await client.callTool('echo', { a: 'ö' })).content).toEqual([{ type: 'text', text: '{"a":"ö"}' }])
      if (REVISIONS.find(({ name }) => name === revision)?.methods.has('elicitation/create') === true) {
        expect((await client.callTool('echo', { ask: true })).content).toMatchObject([{ text: '{"sure":true}' }])
      }
      await client.close()
    },
  )
}

it('answers a request whose body is gone, instead of leaving it open', async () => {
  const { handler } = open()
  const url = await listen(parsed(handler, () => undefined))
  const { status, messages } = await sendEnveloped(url, 'tools/list')
  expect([status, messages[0].error.code]).toEqual([400, -32700])
})

describe('abuse-09: a body that a parser before it read at any depth', () => {
  const nested = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`
  const DEEP = {
    'in arrays': nested(100_000),
    'in objects': `${'{"a":'.repeat(50_000)}{}${'}'.repeat(50_000)}`,
    'with an id before it': `{"jsonrpc":"2.0","id":7,"method":"ping","params":{"a":${nested(50_000)}}}`,
    'with an id behind it': `{"params":{"a":${nested(50_000)},"b":[1,"x",null,{},[]]},"jsonrpc":"2.0","method":"ping","id":"8"}`,
  }

  it.each(Object.entries(DEEP))('is refused as the same text is: %s', async (_what, body) => {
    const { handler } = open()
    const asText = await sendHttp(await listen(handler), { headers: JSON_HEADERS, body })
    const parser = parsed(handler, (bytes) => JSON.parse(bytes.toString()))
    const asValue = await sendHttp(await listen(parser), { headers: JSON_HEADERS, body })
    expect([asValue.status, asValue.text]).toEqual([400, asText.text])
    expect(asValue.messages[0].error).toMatchObject({ code: -32600, message: expect.stringContaining('nested deeper') })
  })

  it('is written as it came', async () => {
    const body = `{"a":[1.5,"\u00f6\\n",null,true,{"":{},"__proto__":[]},[],${nested(50_000)}]}`
    const request = toReplayed({ body: JSON.parse(body) } as IncomingMessage & { body: unknown }) // all that is looked at
    const heard = createDeferred<Buffer>()
    request.on('data', heard.resolve)
    request.on('end', () => {})
    expect((await heard.promise).toString() === body).toBe(true)
  })
})

it('answers 500 where a parser before it left what is no JSON', async () => {
  const { handler } = open({ log() {} })
  const round: { self?: unknown } = {}
  round.self = round
  for (const body of [round, { n: 1n }]) {
    const answer = await sendHttp(await listen(parsed(handler, () => body)), { headers: JSON_HEADERS, body: '{}' })
    expect([answer.status, answer.messages[0].error]).toEqual([500, { code: -32603, message: 'Internal error' }])
  }
})

it('serves one path where it is told to, and guards against other names', async () => {
  const { handler } = open({ path: '/mcp' })
  const origin = await listen(handler)
  expect((await sendEnveloped(`${origin}/mcp`, 'tools/list')).status).toBe(200)
  expect((await sendEnveloped(`${origin}/other`, 'tools/list')).status).toBe(404)
  const rebound = await sendEnveloped(`${origin}/mcp`, 'tools/list', {}, { headers: { host: 'evil.example' } })
  expect(rebound.status).toBe(403)
})

it('lets calls at work finish when it is closed, and takes no more', async () => {
  const [began, goOn] = [createDeferred<void>(), createDeferred<void>()]
  const handler = createNodeHandler({
    serverInfo: me.client,
    async handle() {
      began.resolve()
      await goOn.promise
      return { content: [] }
    },
  })
  const url = await listen(handler)
  const call = sendEnveloped(url, 'tools/call', { name: 'x' })
  await began.promise
  expect(handler.figures().replies).toBe(1)
  const closed = handler.close()
  expect((await sendEnveloped(url, 'tools/list')).status).toBe(503)
  goOn.resolve()
  expect((await call).status).toBe(200)
  await closed
})

it('refuses options that nobody reads', () => {
  expect(() => open({ paths: '/mcp' } as never)).toThrow('with the option "paths": there is none; did you mean "path"?')
})
