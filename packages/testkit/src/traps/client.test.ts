import type { JsonObject } from '@crosspoint/mcp'
import { type Client, connect, type Handlers, openConnection } from '@crosspoint/mcp/client'
import { createMemoryPipe } from '@crosspoint/mcp/transports'
import { afterEach, describe, expect, test } from 'vitest'
import type { Message } from '../http.ts'
import { HINTS, type RawServer, type Script, startRawHttp, startRawStdio } from './raw-server.ts'

/** What our client does on the wire of the newest revision, where implementations most often go wrong. */

const P = 'io.modelcontextprotocol/'
const client = { name: 'c', version: '1' }

const closing: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

/** Answers everything as it should be answered. */
const right: Script = ({ id, method, params }, say, result) => {
  if (method === 'subscriptions/listen') {
    const _meta = { [`${P}subscriptionId`]: id }
    const { notifications } = params
    say({ method: 'notifications/subscriptions/acknowledged', params: { notifications, _meta } })
    say({ method: 'notifications/tools/list_changed', params: { _meta } })
  } else result({ resultType: 'complete', ...RESULTS[method], ...HINTS })
}

const RESULTS: Readonly<Record<string, JsonObject>> = {
  'tools/list': { tools: [{ name: 't', inputSchema: { type: 'object' } }] },
  'tools/call': { content: [] },
  'resources/list': { resources: [] },
  'resources/read': { contents: [] },
  'prompts/list': { prompts: [] },
  'prompts/get': { messages: [] },
  'completion/complete': { completion: { values: [] } },
}

describe.each([
  { transport: 'HTTP', start: startRawHttp },
  { transport: 'stdio', start: startRawStdio },
])('over $transport', ({ transport, start }) => {
  const open = async (script: Script, handlers: Handlers = {}): Promise<{ server: RawServer; client: Client }> => {
    const server = await start(script)
    closing.push(() => server.close())
    const connected = await connect(server.target, { client, revision: '2026-07-28', handlers })
    closing.push(() => connected.close())
    return { server, client: connected }
  }
  const calls = ({ got }: RawServer): readonly Message[] => got.filter(({ method }) => method === 'tools/call')

  test('trap-1: every request says its version and what can be done for the server', async () => {
    const { server, client: c } = await open(right, { roots: [] })
    await c.listTools().all()
    await c.callTool('t')
    await c.listResources().all()
    await c.readResource('a:b')
    await c.listPrompts().all()
    await c.getPrompt('p')
    await c.complete({ ref: { type: 'ref/prompt', name: 'p' }, argument: { name: 'a', value: '' } })
    const subscription = await c.listen({ toolsListChanged: true })
    for await (const _change of subscription) break
    const requests = server.got.filter(({ id }) => id !== undefined)
    expect(new Set(requests.map(({ method }) => method))).toEqual(
      new Set(['server/discover', 'subscriptions/listen', ...Object.keys(RESULTS)]),
    )
    for (const { params } of requests) {
      expect(params._meta).toMatchObject({
        [`${P}protocolVersion`]: '2026-07-28',
        [`${P}clientCapabilities`]: { roots: {} },
        [`${P}clientInfo`]: client,
      })
    }
  })

  test('trap-11: a request of the server is answered by nothing, and the call goes on', async () => {
    const asked: unknown[] = []
    const script: Script = (_message, say, result) => {
      say({ id: 'q', method: 'sampling/createMessage', params: { messages: [], maxTokens: 1 } })
      say({ id: 'r', method: 'roots/list' })
      say({ id: 'p', method: 'ping' })
      result({ resultType: 'complete', content: [{ type: 'text', text: 'done' }] })
    }
    const { server, client: c } = await open(script, { roots: [], sample: (params) => asked.push(params) as never })
    expect(await c.callTool('t')).toMatchObject({ content: [{ text: 'done' }] })
    await c.callTool('t') // an answer that was under way would have come before this
    expect(server.got.filter(({ method }) => method === undefined)).toEqual([])
    expect(asked).toEqual([])
  })

  test('trap-13: a state goes back byte for byte and a retry has an id of its own', async () => {
    const state = ' {"a":  1, "ü": "\\u00e9"}\n\u0000😀'
    const script: Script = (_message, _say, result) => {
      const round = calls(server).length
      const inputRequests = { where: { method: 'roots/list', params: {} } }
      if (round === 1) result({ resultType: 'input_required', inputRequests, requestState: state })
      else if (round === 2) result({ resultType: 'input_required', inputRequests })
      else result({ resultType: 'complete', content: [] })
    }
    const { server, client: c } = await open(script, { roots: [{ uri: 'file:///home' }] })
    await c.callTool('t', { n: 1 })
    const sent = calls(server)
    expect(new Set(sent.map(({ id }) => id)).size).toBe(3)
    expect(sent.map(({ params: { _meta, ...params } }) => params)).toEqual([
      { name: 't', arguments: { n: 1 } },
      {
        name: 't',
        arguments: { n: 1 },
        inputResponses: { where: { roots: [{ uri: 'file:///home' }] } },
        requestState: state,
      },
      { name: 't', arguments: { n: 1 }, inputResponses: { where: { roots: [{ uri: 'file:///home' }] } } },
    ])
  })

  test('trap-24: no session is begun, whatever the server offers', async () => {
    const { server, client: c } = await open(right)
    await c.callTool('t')
    await c.close()
    expect(server.requests.map(({ method }) => method)).toEqual(transport === 'HTTP' ? ['POST', 'POST'] : [])
    for (const { headers } of server.requests) {
      expect(headers).not.toHaveProperty('mcp-session-id')
      expect(headers).not.toHaveProperty('last-event-id')
    }
    expect(server.got.map(({ method }) => method)).toEqual(['server/discover', 'tools/call'])
  })

  test('trap-25: a result without a type is complete, one of an unknown type is no result', async () => {
    const script: Script = ({ params }, _say, result) =>
      result({ ...(params.name === 'odd' && { resultType: 'surprise' }), content: [{ type: 'text', text: 'x' }] })
    const { client: c } = await open(script)
    expect(await c.callTool('bare')).toMatchObject({ content: [{ text: 'x' }] })
    await expect(c.callTool('odd')).rejects.toMatchObject({ code: 'upstream.protocol' })
  })

  test.each([[null], [0], [''], [[]], [false]])('trap-26: %j is structured content that is there', async (value) => {
    const tools = [
      {
        name: 'whole',
        inputSchema: { type: 'object' },
        outputSchema: { type: ['null', 'number', 'string', 'array', 'boolean'] },
      },
      { name: 'narrow', inputSchema: { type: 'object' }, outputSchema: { type: 'object' } },
    ]
    const script: Script = ({ method }, _say, result) =>
      method === 'tools/list'
        ? result({ resultType: 'complete', tools, ...HINTS })
        : result({ resultType: 'complete', content: [], structuredContent: value })
    const { client: c } = await open(script)
    await c.listTools().all()
    const result = await c.callTool('whole')
    expect(Object.hasOwn(result, 'structuredContent')).toBe(true)
    expect(result.structuredContent).toEqual(value)
    await expect(c.callTool('narrow')).rejects.toMatchObject({ code: 'upstream.protocol' })
  })
})

describe('the era of a server on a pipe', () => {
  const openWith = async (code: number, data?: JsonObject) => {
    const { client: ours, server } = createMemoryPipe()
    const methods: string[] = []
    const say = (message: JsonObject) => void server.send(JSON.stringify({ jsonrpc: '2.0', ...message }))
    server.start({
      message(text) {
        const { id, method, params }: Message = JSON.parse(text)
        methods.push(method)
        if (method === 'initialize') {
          const serverInfo = { name: 's', version: '1' }
          say({ id, result: { protocolVersion: params.protocolVersion, capabilities: {}, serverInfo } })
        } else if (id !== undefined) say({ id, error: { code, message: 'no', ...(data !== undefined && { data }) } })
      },
      fault() {},
      closed() {},
    })
    const opened = openConnection({ kind: 'channel', channel: ours }, { client })
    closing.push(() =>
      opened.then(
        (connection) => connection.close(),
        () => {},
      ),
    )
    return { opened, methods }
  }

  test.each([-32601, -32600, -32602, -32603, -32700, -32000, -32001, -32002, -1, 0, 1, 404])(
    'trap-23: is the handshake after an error of code %i',
    async (code) => {
      const { opened, methods } = await openWith(code)
      expect((await opened).verdict.revision).toBe('2025-11-25')
      expect(methods.slice(0, 2)).toEqual(['server/discover', 'initialize'])
    },
  )

  test.each([
    [-32022, { supported: ['2099-01-01'], requested: '2026-07-28' }],
    [-32020, undefined],
    [-32021, { requiredCapabilities: { sampling: {} } }],
  ])('trap-23: is not the handshake after an error that only the newest has: %i', async (code, data) => {
    const { opened, methods } = await openWith(code, data)
    await expect(opened).rejects.toMatchObject({ name: 'McpError' })
    expect(methods).not.toContain('initialize')
  })
})
