import { mkdtemp, rm } from 'node:fs/promises'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { REVISIONS, systemClock } from '@crosspoint/mcp'
import { type Client, connect, openConnection } from '@crosspoint/mcp/client'
import { createServer, type Server } from '@crosspoint/mcp/server'
import { openHttpDoor } from '@crosspoint/mcp/transports'
import { expect, onTestFinished, test } from 'vitest'
import { configOf } from '../../fixtures/open-gateway.ts'
import { createGateway, type Gateway, type GatewayOptions } from '../gateway.ts'
import { type FrontDoorOptions, openFrontDoor } from './door.ts'

const info = { name: 'crosspoint', version: '0.0.0' }
const over = (http: 'streamable' | 'sse') =>
  REVISIONS.filter(({ traits }) => traits.http === http).map(({ name }) => name)
const spoken = over('streamable')

function createDemo(): Server {
  const server = createServer({ name: 'demo', version: '1.2.3', instructions: 'Be kind' })
  server.tool('echo', { input: { type: 'object', properties: { text: { type: 'string' } } } }, (args) => {
    return String((args as { readonly text?: unknown }).text)
  })
  server.tool('count', {}, async (_, { progress }) => {
    for (const step of [1, 2, 3]) progress(step, 3)
    return 'counted'
  })
  server.resource('demo://one', { name: 'one' }, () => 'first')
  server.template('demo://t/{id}', { name: 't', complete: { id: () => ['7', '8'] } }, (_, { id }) => `item ${id}`)
  server.prompt('greet', { arguments: { name: { required: true } } }, ({ name }) => `Hello ${name}`)
  return server
}

/** A gateway with a door, over servers of our own behind HTTP. */
async function open(
  servers: Readonly<Record<string, Server>>,
  options: {
    readonly more?: object
    readonly door?: FrontDoorOptions
    readonly gateway?: Partial<GatewayOptions>
  } = {},
) {
  const urls: Record<string, { readonly url: string }> = {}
  for (const [name, { endpoint }] of Object.entries(servers)) {
    const door = await openHttpDoor({ endpoint: (path) => (path === '/mcp' ? endpoint : undefined) })
    onTestFinished(() => door.close({ drainMs: 0 }))
    urls[name] = { url: `${door.url}/mcp` }
  }
  const config = configOf([], { servers: urls, ...options.more })
  const gateway = createGateway({ config, info, clock: systemClock, ...options.gateway })
  onTestFinished(() => gateway.close({ graceMs: 0 }))
  const door = await openFrontDoor(gateway, options.door)
  onTestFinished(() => door.close({ drainMs: 0 }))
  return { gateway, door, start: () => gateway.start() }
}

async function clientOf(url: string, revision?: string): Promise<Client> {
  const client = await connect(url, {
    client: { name: 'test', version: '1.0.0' },
    ...(revision === undefined ? {} : { revision }),
  })
  onTestFinished(() => client.close())
  return client
}

function get(url: string, headers: Record<string, string> = {}, method = 'GET') {
  return new Promise<{ readonly status: number | undefined; readonly text: string }>((resolve, reject) => {
    const sent = request(url, { method, headers }, (response) => {
      let text = ''
      response.on('data', (chunk: Buffer) => {
        text += chunk.toString()
      })
      response.on('end', () => resolve({ status: response.statusCode, text }))
    })
    sent.on('error', reject)
    sent.end()
  })
}

test.each(spoken)('a client of %s lists and uses everything through the gateway', async (revision) => {
  const { door, start } = await open({ demo: createDemo() })
  await start()
  const client = await clientOf(door.url, revision)
  expect(client.connection.verdict.revision).toBe(revision)
  expect(client.connection.serverInfo).toEqual(info)
  expect(client.connection.instructions).toContain('Be kind')
  expect((await client.listTools().all()).map(({ name }) => name)).toEqual(['demo__echo', 'demo__count'])
  expect((await client.callTool('demo__echo', { text: 'grüße' })).content).toEqual([{ type: 'text', text: 'grüße' }])
  const steps: number[] = []
  await client.callTool('demo__count', {}, { onProgress: ({ progress }) => void steps.push(progress) })
  expect(steps).toEqual([1, 2, 3])
  expect((await client.listResources().all()).map(({ uri }) => uri)).toEqual(['demo://one'])
  expect((await client.listResourceTemplates().all()).map((template) => template.uriTemplate)).toEqual([
    'demo://t/{id}',
  ])
  expect((await client.readResource('demo://t/7')).contents).toMatchObject([{ uri: 'demo://t/7', text: 'item 7' }])
  expect((await client.listPrompts().all()).map(({ name }) => name)).toEqual(['demo__greet'])
  expect((await client.getPrompt('demo__greet', { name: 'you' })).messages).toMatchObject([
    { content: { text: 'Hello you' } },
  ])
  const completed = await client.complete({
    ref: { type: 'ref/resource', uri: 'demo://t/{id}' },
    argument: { name: 'id', value: '' },
  })
  expect(completed.completion.values).toEqual(['7', '8'])
})

test.each(spoken)('a client of %s hears of a tool that appears behind the gateway', async (revision) => {
  const server = createDemo()
  const { door, start } = await open({ demo: server })
  await start()
  const client = await clientOf(door.url, revision)
  const changes = client.listen({ toolsListChanged: true })
  expect(await changes.acknowledged).toEqual({ toolsListChanged: true })
  server.tool('new', {}, () => 'new')
  for await (const { method } of changes) {
    expect(method).toBe('notifications/tools/list_changed')
    break
  }
  expect((await client.listTools().all()).map(({ name }) => name)).toContain('demo__new')
})

test.each(spoken)('a client of %s hears of a resource it watches behind the gateway', async (revision) => {
  const server = createDemo()
  const { door, start } = await open({ demo: server })
  await start()
  const client = await clientOf(door.url, revision)
  const changes = client.listen({ resourceSubscriptions: ['demo://one'] })
  expect(await changes.acknowledged).toEqual({ resourceSubscriptions: ['demo://one'] })
  server.resourceUpdated('demo://one')
  for await (const { method, params } of changes) {
    expect([method, params]).toEqual(['notifications/resources/updated', { uri: 'demo://one' }])
    break
  }
})

test.each(spoken)('an unknown tool is -32602 for a client of %s and names the nearest', async (revision) => {
  const { door, start } = await open({ demo: createDemo() })
  await start()
  const client = await clientOf(door.url, revision)
  await expect(client.callTool('demo__ecko')).rejects.toMatchObject({
    rpc: { code: -32602, message: 'There is no tool "demo__ecko" here; did you mean "demo__echo"?' },
  })
})

test.each(spoken)('a cursor that is none of ours is -32602 for a client of %s', async (revision) => {
  const { door, start } = await open({ demo: createDemo() })
  await start()
  const connection = await openConnection({ kind: 'http', url: door.url }, { client: info, revision })
  onTestFinished(() => connection.close())
  const client = await clientOf(door.url, revision)
  expect(await client.listTools().all()).toHaveLength(2)
  const { recordCall } = await import('@crosspoint/testkit')
  await expect(connection.handle(recordCall('tools/list', { cursor: 'x' }).call)).rejects.toMatchObject({
    rpc: { code: -32602 },
  })
})

test.each(spoken)('a client of %s finds empty lists at first, and what a reload brings', async (revision) => {
  const { door, start, gateway } = await open({})
  await start()
  const client = await clientOf(door.url, revision)
  expect(await client.listTools().all()).toEqual([])
  expect(await client.listResources().all()).toEqual([])
  expect(await client.listResourceTemplates().all()).toEqual([])
  expect(await client.listPrompts().all()).toEqual([])
  const changes = client.listen({ toolsListChanged: true, promptsListChanged: true, resourcesListChanged: true })
  expect(await changes.acknowledged).toEqual({
    toolsListChanged: true,
    promptsListChanged: true,
    resourcesListChanged: true,
  })
  const { endpoint } = createDemo()
  const demo = await openHttpDoor({ endpoint: () => endpoint })
  onTestFinished(() => demo.close({ drainMs: 0 }))
  await gateway.apply(configOf([], { servers: { demo: { url: `${demo.url}/mcp` } } }))
  const heard = new Set<string>()
  for await (const { method } of changes) if (heard.add(method).size === 3) break
  expect((await client.listTools().all()).map(({ name }) => name)).toEqual(['demo__echo', 'demo__count'])
  expect((await client.listPrompts().all()).map(({ name }) => name)).toEqual(['demo__greet'])
  expect((await client.readResource('demo://one')).contents).toMatchObject([{ text: 'first' }])
})

test('lists go over several pages where they are long, and every client sees all of them', async () => {
  const server = createServer({ name: 'many', version: '1.0.0' })
  for (let n = 0; n < 25; n++) server.tool(`t${n}`, {}, () => String(n))
  const { door, start } = await open({ many: server }, { more: { limits: { pageSize: 10 } } })
  await start()
  for (const revision of spoken) {
    const client = await clientOf(door.url, revision)
    expect(await client.listTools().all()).toHaveLength(25)
  }
})

test.each(over('sse'))('a client of %s finds everything at /sse, and each view under it', async (revision) => {
  const server = createDemo()
  const { door, start } = await open(
    { demo: server },
    { more: { views: { small: { tools: { include: ['demo__echo'] } } } } },
  )
  await start()
  const client = await clientOf(door.url.replace('/mcp', '/sse'), revision)
  expect(client.connection.verdict).toMatchObject({ revision, transport: 'sse' })
  expect((await client.callTool('demo__echo', { text: 'hi' })).content).toEqual([{ type: 'text', text: 'hi' }])
  const changes = client.listen({ toolsListChanged: true })
  await changes.acknowledged
  server.tool('new', {}, () => 'new')
  for await (const { method } of changes) {
    expect(method).toBe('notifications/tools/list_changed')
    break
  }
  const small = await clientOf(door.url.replace('/mcp', '/sse/small'), revision)
  expect((await small.listTools().all()).map(({ name }) => name)).toEqual(['demo__echo'])
  await expect(clientOf(door.url.replace('/mcp', '/sse/none'))).rejects.toThrow()
})

test.each([{}, { type: 'sse' }])('a server behind HTTP+SSE is one like any other, with %j', async (how) => {
  const { endpoint } = createDemo()
  const old = await openHttpDoor({ endpoint: () => undefined, sse: (path) => (path === '/sse' ? endpoint : undefined) })
  onTestFinished(() => old.close({ drainMs: 0 }))
  const { door, start, gateway } = await open({}, { more: { servers: { old: { url: `${old.url}/sse`, ...how } } } })
  await start()
  expect(gateway.status()).toMatchObject([{ name: 'old', state: 'ready' }])
  const client = await clientOf(door.url)
  expect((await client.callTool('old__echo', { text: 'hi' })).content).toEqual([{ type: 'text', text: 'hi' }])
})

test('a server behind a Unix socket is one like any other', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'crosspoint-door-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  const { endpoint } = createDemo()
  const near = await openHttpDoor({ socket: join(folder, 's'), endpoint: () => endpoint })
  onTestFinished(() => near.close({ drainMs: 0 }))
  const { door, start } = await open({}, { more: { servers: { near: { url: near.url } } } })
  await start()
  const client = await clientOf(door.url)
  expect((await client.callTool('near__echo', { text: 'hi' })).content).toEqual([{ type: 'text', text: 'hi' }])
})

test('each view is served at a path of its own', async () => {
  const more = { views: { small: { tools: { include: ['demo__echo'] }, rename: { demo__echo: 'say' } } } }
  const { door, start } = await open({ demo: createDemo() }, { more })
  await start()
  const client = await clientOf(`${door.url}/small`)
  expect((await client.listTools().all()).map(({ name }) => name)).toEqual(['say'])
  expect((await client.callTool('say', { text: 'hi' })).content).toEqual([{ type: 'text', text: 'hi' }])
})

test.each(spoken)('tells a client of %s the title of the view it looks at, also after a reload', async (revision) => {
  const toMore = (title: string) => ({ views: { plain: {}, named: { title } } })
  const { door, start, gateway } = await open({}, { more: toMore('Code review') })
  await start()
  const infoOf = async (path: string) => {
    const client = await clientOf(`${door.url}${path}`, revision)
    await client.listTools().all()
    return client.connection.serverInfo
  }
  expect(await infoOf('')).toEqual(info)
  expect(await infoOf('/named')).toEqual({ ...info, title: 'Code review' })
  expect(await infoOf('/plain')).toEqual({ ...info, title: 'plain' })
  await gateway.apply(configOf([], toMore('Reading')))
  expect(await infoOf('/named')).toEqual({ ...info, title: 'Reading' })
})

test('says that it lives at once, and that it is ready when every server settled', async () => {
  const { door, start } = await open({ demo: createDemo() }, { door: { readyDetail: true } })
  const base = door.url.replace('/mcp', '')
  expect(await get(`${base}/healthz`)).toEqual({ status: 200, text: '{"status":"ok"}\n' })
  expect(await get(`${base}/readyz`)).toMatchObject({ status: 503, text: expect.stringContaining('"starting"') })
  await start()
  const { status, text } = await get(`${base}/readyz`)
  expect(status).toBe(200)
  expect(JSON.parse(text)).toMatchObject({ status: 'ready', upstreams: { demo: { state: 'ready' } } })
})

test('tells nobody about single servers unless it is asked to', async () => {
  const { door, start } = await open({ demo: createDemo() })
  await start()
  expect((await get(`${door.url.replace('/mcp', '')}/readyz`)).text).toBe('{"status":"ready"}\n')
})

test('another path is 404 and names those there are', async () => {
  const { door } = await open({}, { more: { views: { small: {} } } })
  const { status, text } = await get(`${door.url}/nothing`)
  expect(status).toBe(404)
  expect(JSON.parse(text)).toEqual({
    error: 'Nothing is served at this path',
    paths: ['/mcp', '/mcp/small', '/sse', '/healthz', '/readyz'],
  })
})

test('abuse-02: a foreign Host is refused, one from the configuration is not, with its port where it has one', async () => {
  const { door } = await open({}, { door: { allowedHosts: ['gate.example:8443', 'any.example'] } })
  const url = `${door.url.replace('/mcp', '')}/healthz`
  const at = async (host: string) => (await get(url, { host })).status
  expect(await at('evil.example')).toBe(403)
  expect(await at('gate.example:8443')).toBe(200)
  expect(await at('gate.example:9443')).toBe(403)
  expect(await at('gate.example')).toBe(403)
  expect(await at('any.example:9443')).toBe(200)
  expect(await at('any.example')).toBe(200)
  expect(await at('localhost:1')).toBe(200)
  expect((await get(url)).status).toBe(200)
})

test.each([[], ['https://app.example']])(
  'abuse-01: a page of our own may call at a port that was free (allowed: %j)',
  async (...allowedOrigins) => {
    const { door } = await open({}, { door: { port: 0, allowedOrigins } })
    const url = `${door.url.replace('/mcp', '')}/healthz`
    for (const host of ['localhost', '127.0.0.1', '[::1]']) {
      expect((await get(url, { origin: `http://${host}:${door.port}` })).status).toBe(200)
      expect((await get(url, { origin: `http://${host}:${door.port + 1}` })).status).toBe(403)
    }
  },
)

test('abuse-01: a foreign Origin is refused, one from the configuration is not', async () => {
  const { door } = await open({}, { door: { allowedOrigins: ['https://app.example'] } })
  const url = `${door.url.replace('/mcp', '')}/healthz`
  expect((await get(url, { origin: 'https://evil.example' })).status).toBe(403)
  expect((await get(url, { origin: 'https://app.example' })).status).toBe(200)
})

test('abuse-03: binding every interface without authentication is refused', async () => {
  const gateway: Gateway = createGateway({ config: configOf([]), info })
  await expect(openFrontDoor(gateway, { host: '0.0.0.0' })).rejects.toThrow(/without authentication/)
})

test('serves one view at the root, and nothing beside it, when asked to', async () => {
  const more = { views: { small: { tools: { include: ['demo__echo'] } }, large: {} } }
  const { door, start } = await open({ demo: createDemo() }, { more, door: { view: 'small' } })
  await start()
  const client = await clientOf(door.url)
  expect((await client.listTools().all()).map(({ name }) => name)).toEqual(['demo__echo'])
  const { status, text } = await get(`${door.url}/large`)
  expect(status).toBe(404)
  expect(JSON.parse(text)).toMatchObject({ paths: ['/mcp', '/sse', '/healthz', '/readyz'] })
})

test('trap-43, trap-54, abuse-28: what a caller authenticates with never reaches a server behind the gateway', async () => {
  const seen: Readonly<Record<string, string | undefined>>[] = []
  const inner = createServer({
    name: 'inner',
    version: '1.0.0',
    authenticate(headers) {
      seen.push(headers)
      return { id: 'gateway', tenant: 't' }
    },
  })
  inner.tool('who', {}, (_, { call }) => JSON.stringify([call.meta, call.params]))
  const { door, start } = await open({ inner })
  await start()
  const secrets = { authorization: 'Bearer inbound-secret', cookie: 'session=inbound-secret', dpop: 'inbound-secret' }
  for (const revision of [...spoken, undefined]) {
    const target = { kind: 'http', url: door.url, headers: secrets } as const
    const client = await connect(target, {
      client: { name: 'test', version: '1.0.0' },
      ...(revision === undefined ? {} : { revision }),
    })
    const { content } = await client.callTool('inner__who')
    expect(JSON.stringify(content)).not.toContain('inbound-secret')
    await client.close()
  }
  expect(seen.length).toBeGreaterThan(spoken.length)
  expect(JSON.stringify(seen)).not.toContain('inbound-secret')
  expect(seen.every(({ authorization }) => authorization === undefined)).toBe(true)
})
