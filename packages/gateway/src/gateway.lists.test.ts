import { once } from 'node:events'
import { createServer as createHttpServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { type JsonObject, UI } from '@crosspoint/mcp'
import { type Client, connect } from '@crosspoint/mcp/client'
import { createServer, type Server, type ServerOptions } from '@crosspoint/mcp/server'
import { createNodeHandler } from '@crosspoint/mcp/transports'
import { connectDirectly, createFakeClock, recordCall, sendEnveloped, startPlainServer } from '@crosspoint/testkit'
import { describe, expect, onTestFinished, test } from 'vitest'
import { configOf, openGateway } from '../fixtures/open-gateway.ts'
import { openHouse } from '../fixtures/open-house.ts'
import type { Log } from './log.ts'

const NEWEST = '2026-07-28'
const CORE = '2025-11-25'

/** Serves a server over HTTP; remembers the headers of every request. */
async function serve(server: Server): Promise<{ readonly url: string; readonly calls: IncomingHttpHeaders[] }> {
  const calls: IncomingHttpHeaders[] = []
  const handler = createNodeHandler(server.endpoint)
  const http = createHttpServer((request, response) => {
    calls.push(request.headers)
    handler(request, response)
  })
  http.listen(0, '127.0.0.1')
  await once(http, 'listening')
  onTestFinished(async () => {
    await handler.close({ drainMs: 0 })
    http.closeAllConnections()
    http.close()
  })
  return { url: `http://127.0.0.1:${(http.address() as AddressInfo).port}/mcp`, calls } // it listens on a port
}

async function clientOf(url: string, revision: string): Promise<Client> {
  const client = await connect(url, { client: { name: 'test', version: '1.0.0' }, revision })
  onTestFinished(() => client.close())
  return client
}

const REGION = { type: 'string', 'x-mcp-header': 'Region' }
const INPUT = { type: 'object', properties: { region: REGION } }

function createAtlas(options: Partial<ServerOptions>): Server {
  const server = createServer({ name: 'atlas', version: '1', ...options })
  server.tool('where', { input: INPUT }, ({ region }) => `In ${String(region)}`)
  return server
}

/** What a modern client gets of a tool through the gateway, with its headers and with wrong ones. */
async function callThrough(url: string, name: string) {
  const client = await clientOf(url, NEWEST)
  await client.listTools().all()
  const { content } = await client.callTool(name, { region: 'Süd' })
  const wrong = { name, arguments: { region: 'Süd' } }
  const refused = await sendEnveloped(url, 'tools/call', wrong, { headers: { 'mcp-param-region': 'Nord' } })
  const bare = await sendEnveloped(url, 'tools/call', wrong)
  return { content, codes: [refused, bare].map(({ status, messages }) => [status, messages[0].error?.code]) }
}

const REFUSED = [
  [400, -32020],
  [400, -32020],
]

describe('trap-6: headers that mirror arguments', () => {
  test('are those of each hop: a modern server gets them under its own name of the tool', async () => {
    const { url: server, calls } = await serve(createAtlas({ revisions: [NEWEST] }))
    const { url } = await openHouse({ atlas: { url: server, prefix: 'up' } })
    expect(await callThrough(url, 'up__where')).toEqual({ content: [{ type: 'text', text: 'In Süd' }], codes: REFUSED })
    expect(calls.filter((headers) => headers['mcp-method'] === 'tools/call')).toMatchObject([
      { 'mcp-name': 'where', 'mcp-param-region': '=?base64?U8O8ZA==?=' },
    ])
  })

  test('abuse-20: that are not valid cost a modern server the tool, and nobody else anything, with a warning', async () => {
    const warnings: string[] = []
    const log: Log = { debug() {}, info() {}, warn: (_, text) => void warnings.push(text), error() {} }
    const atlas = createAtlas({ revisions: [NEWEST] })
    const input = { type: 'object', properties: { depth: { type: 'number', 'x-mcp-header': 'Depth' } } }
    atlas.tool('bad', { input }, () => '')
    const { url } = await openHouse({ atlas: { url: (await serve(atlas)).url } }, {}, { log })
    const tools = await (await clientOf(url, NEWEST)).listTools().all()
    expect(tools.map(({ name }) => name)).toEqual(['atlas__where'])
    expect(warnings).toEqual([
      'Left out the tool "bad": "x-mcp-header" is on a property that is not a string, an integer or a boolean',
    ])
  })

  test('are looked at here and not sent to an older server', async () => {
    const { url: server, calls } = await serve(createAtlas({ revisions: [CORE] }))
    const { url } = await openHouse({ atlas: { url: server, prefix: 'up' } })
    expect(await callThrough(url, 'up__where')).toEqual({ content: [{ type: 'text', text: 'In Süd' }], codes: REFUSED })
    expect(calls.length).toBeGreaterThan(1)
    const plain = calls.filter((headers) => headers['mcp-method'] !== 'server/discover') // asked which era it is of
    const names = plain.flatMap((headers) => Object.keys(headers))
    expect(names.filter((name) => /^mcp-(?:param-.*|name|method)$/.test(name))).toEqual([])
  })

  test('abuse-20: of a server over stdio, those that are valid are looked at, others are taken out with a warning', async () => {
    const warnings: string[] = []
    const log: Log = { debug() {}, info() {}, warn: (_, text) => void warnings.push(text), error() {} }
    const bad = { name: 'bad', inputSchema: { type: 'object', properties: { region: REGION, depth: { ...REGION } } } }
    const tools = [{ name: 'where', inputSchema: INPUT }, bad]
    const fixture = fileURLToPath(new URL('../fixtures/listing-server.mjs', import.meta.url))
    const args = [fixture, JSON.stringify(tools)]
    const { url } = await openHouse({ atlas: { command: process.execPath, args } }, {}, { log })
    const echoed = [{ type: 'text', text: '{"region":"Süd"}' }]
    expect(await callThrough(url, 'atlas__where')).toEqual({ content: echoed, codes: REFUSED })
    const client = await clientOf(url, NEWEST)
    expect(await client.listTools().all()).toEqual([
      { name: 'atlas__where', inputSchema: INPUT },
      {
        name: 'atlas__bad',
        inputSchema: { type: 'object', properties: { region: REGION, depth: { type: 'string' } } },
      },
    ])
    expect(await callThrough(url, 'atlas__bad')).toEqual({ content: echoed, codes: REFUSED })
    expect(warnings).toEqual(['Left an annotation out of the tool "bad": two parameters have the same header name'])
  })
})

const MIME = 'text/html;profile=mcp-app'
const PAGE = { csp: { connectDomains: ['https://api.example'] }, domain: 'weather.example', prefersBorder: true }

/** Has a tool with a page, named in both ways. */
function createApp(name: string, revision: string): Server {
  const server = createServer({
    name,
    version: '1',
    revisions: [revision],
    extensions: { [UI]: { mimeTypes: [MIME] } },
  })
  server.resource('ui://page', { name: 'page', mimeType: MIME, _meta: { ui: PAGE } }, (uri) => ({
    uri,
    mimeType: MIME,
    text: `<p>${name}`,
    _meta: { ui: PAGE },
  }))
  const ui = { resourceUri: 'ui://page', visibility: ['model', 'app'] } as const
  server.tool('show', { ui, _meta: { 'ui/resourceUri': 'ui://page' } }, () => name)
  return server
}

describe('pages that come with tools', () => {
  const pairs = [CORE, NEWEST].flatMap((client) => [CORE, NEWEST].map((server) => [client, server] as const))

  test.each(pairs)('reach a client of %s from servers of %s, each its own', async (mine, theirs) => {
    const [one, two] = [await serve(createApp('one', theirs)), await serve(createApp('two', theirs))]
    const { url } = await openHouse({ one: { url: one.url }, two: { url: two.url } })
    const client = await clientOf(url, mine)
    expect(client.connection.capabilities.extensions).toEqual({ [UI]: { mimeTypes: [MIME] } })
    const tools = await client.listTools().all()
    const uris = tools.map(({ _meta }) => {
      const meta = _meta as { readonly ui: JsonObject }
      return [meta.ui.resourceUri, (meta as JsonObject)['ui/resourceUri']]
    })
    expect(uris).toEqual([
      ['ui://page', 'ui://page'],
      ['crosspoint:two/ui://page', 'crosspoint:two/ui://page'],
    ])
    expect(tools).toMatchObject([{ _meta: { ui: { visibility: ['model', 'app'] } } }, {}])
    expect(await client.listResources().all()).toMatchObject(uris.map(([uri]) => ({ uri, _meta: { ui: PAGE } })))
    for (const [at, name] of ['one', 'two'].entries()) {
      const uri = String(uris[at]?.[0])
      expect((await client.readResource(uri)).contents).toEqual([
        { uri, mimeType: MIME, text: `<p>${name}`, _meta: { ui: PAGE } },
      ])
    }
  })

  test.each([CORE, NEWEST])('are not announced to a client of %s where no server has any', async (revision) => {
    const { url: server } = await serve(createAtlas({}))
    const { url } = await openHouse({ atlas: { url: server } })
    expect((await clientOf(url, revision)).connection.capabilities.extensions).toBeUndefined()
  })
})

test('icons of a server come into the lists beside them, and listeners hear of it once', async () => {
  const gif = { headers: { 'content-type': 'image/gif' }, body: 'GIF89a' }
  const pictures = await startPlainServer(() => gif)
  onTestFinished(() => pictures.stop())
  const server = createServer({ name: 'weather', version: '1' })
  const icons = [{ src: 'https://weather/a.gif' }]
  server.tool('forecast', { icons }, () => '')
  server.tool('past', { icons: [{ src: 'https://weather/b.gif' }] }, () => '')
  server.prompt('ask', { icons }, () => '')
  server.resource('w://now', { name: 'now', icons }, () => '')
  server.template('w://{day}', { name: 'day', icons }, () => '')
  let open: (() => void) | undefined
  const isOpen = new Promise<void>((resolve) => {
    open = resolve
  })
  const clock = createFakeClock()
  const config = configOf([], { servers: { weather: { url: 'https://weather/mcp', headers: { 'x-key': 'secret' } } } })
  const gateway = openGateway(config, { weather: () => connectDirectly(server.endpoint) }, clock, {
    fetch: async (url, init) => {
      await isOpen
      return fetch(String(url).replace('https://weather', pictures.origin), init)
    },
  })
  onTestFinished(() => gateway.close({ graceMs: 0 }))
  await gateway.start()
  const endpoint = gateway.endpoint()
  if (endpoint === undefined) throw new Error('There is always an endpoint of everything')
  const listed = async () => {
    const ask = async (method: string, key: string) =>
      ((await endpoint.handle(recordCall(method).call))[key] as readonly JsonObject[]).map((item) => item.icons)
    return Promise.all([
      ask('tools/list', 'tools'),
      ask('prompts/list', 'prompts'),
      ask('resources/list', 'resources'),
      ask('resources/templates/list', 'resourceTemplates'),
    ])
  }
  expect(await listed()).toEqual([[undefined, undefined], [undefined], [undefined], [undefined]])
  const notifications = { toolsListChanged: true, promptsListChanged: true }
  const { call, heard, untilHeard, abort } = recordCall('subscriptions/listen', { notifications })
  onTestFinished(abort)
  void endpoint.handle(call)
  await untilHeard(1)
  open?.()
  await untilHeard(3)
  const data = [{ src: `data:image/gif;base64,${btoa('GIF89a')}`, mimeType: 'image/gif' }]
  expect(await listed()).toEqual([[data, data], [data], [data], [data]])
  expect(heard.map(({ method }) => method).sort()).toEqual([
    'notifications/prompts/list_changed',
    'notifications/subscriptions/acknowledged',
    'notifications/tools/list_changed',
  ])
  expect(pictures.seen.map(({ path, headers }) => [path, headers['x-key']]).sort()).toEqual([
    ['/a.gif', undefined],
    ['/b.gif', undefined],
  ])
})
