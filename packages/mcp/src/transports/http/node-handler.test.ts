import { once } from 'node:events'
import {
  createServer as createHttpServer,
  type IncomingMessage,
  type RequestListener,
  type ServerResponse,
} from 'node:http'
import type { AddressInfo } from 'node:net'
import { createDeferred, sendEnveloped } from '@crosspoint/testkit'
import { expect, it, onTestFinished } from 'vitest'
import { connect } from '../../client/index.ts'
import { REVISIONS } from '../../revisions/index.ts'
import { createServer, toNodeHandler } from '../../server/index.ts'
import type { FetchOptions } from './brought.ts'
import { createNodeHandler } from './node-handler.ts'

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
