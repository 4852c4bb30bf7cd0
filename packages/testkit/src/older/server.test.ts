import { CALLER_LIMITS } from '@crosspoint/mcp'
import { createServer, type Server, type ServerOptions } from '@crosspoint/mcp/server'
import type { Endpoint } from '@crosspoint/mcp/transports'
import { afterEach, describe, expect, test } from 'vitest'
import { createDeferred } from '../deferred.ts'
import { type OlderClient, type OlderTransport, openOlderClient } from './client.ts'

/** Our server to clients of revisions the official suite has no scenarios for, as such clients were written. */

const ROWS: readonly { readonly revision: string; readonly transport: OlderTransport }[] = [
  { revision: '2024-11-05', transport: 'stdio' },
  { revision: '2024-11-05', transport: 'HTTP+SSE' },
  { revision: '2025-03-26', transport: 'stdio' },
  { revision: '2025-03-26', transport: 'Streamable HTTP' },
  { revision: '2025-06-18', transport: 'stdio' },
  { revision: '2025-06-18', transport: 'Streamable HTTP' },
]

const closing: OlderClient[] = []
afterEach(async () => {
  for (const client of closing.splice(0)) {
    await client.close()
    expect(client.faults).toEqual([])
  }
})

function createFixture(options: Partial<ServerOptions> = {}): Server & { readonly gone: Promise<unknown> } {
  const server = createServer({ name: 's', version: '1', instructions: 'Be kind', logging: true, ...options })
  const gone = createDeferred<unknown>()
  server.tool('echo', { input: { type: 'object', properties: { text: { type: 'string' } } } }, ({ text }) =>
    String(text),
  )
  server.tool('fails', {}, () => {
    throw new Error('It cannot be done')
  })
  server.tool('structured', { output: { type: 'object' } }, () => ({ a: 1 }))
  server.tool('audible', {}, () => [{ type: 'audio', data: 'AAAA', mimeType: 'audio/wav' }])
  server.tool('loud', {}, (_args, { progress, log }) => {
    progress(1, 2, 'half')
    progress(2, 2, 'whole')
    log('warning', { deep: true })
    return 'said'
  })
  server.tool('waits', {}, (_args, { signal, progress }) => {
    progress(1)
    return new Promise<string>((resolve) =>
      signal.addEventListener('abort', () => {
        gone.resolve(signal.reason)
        resolve('too late')
      }),
    )
  })
  server.tool('asks', {}, async (_args, { sample, roots }) => {
    const { content } = await sample({
      messages: [{ role: 'user', content: { type: 'text', text: '?' } }],
      maxTokens: 5,
    })
    return JSON.stringify([content, (await roots())[0]?.uri])
  })
  server.resource('app://r', { name: 'r', mimeType: 'text/plain' }, () => 'text')
  server.template('app://t/{id}', { name: 't', complete: { id: () => ['1', '2'] } }, (_uri, { id }) => `t${id}`)
  server.prompt('p', { arguments: { who: { required: true, complete: () => ['ada'] } } }, ({ who }) => `Hello ${who}`)
  return Object.assign(server, { gone: gone.promise })
}

describe.each(ROWS)('a client of $revision over $transport', ({ revision, transport }) => {
  const reach = async (endpoint: Endpoint): Promise<OlderClient> => {
    const client = await openOlderClient(revision, transport, endpoint)
    closing.push(client)
    return client
  }
  const open = async (server: Server = createFixture()): Promise<OlderClient> => {
    const client = await reach(server.endpoint)
    expect((await client.initialize()).result.protocolVersion).toBe(revision)
    return client
  }
  const resultOf = async (client: OlderClient, method: string, params = {}) =>
    (await client.request(method, params)).result

  test('is welcomed in its own revision, and its pings are answered', async () => {
    const client = await reach(createFixture().endpoint)
    expect((await client.initialize()).result).toMatchObject({
      protocolVersion: revision,
      serverInfo: { name: 's', version: '1' },
      instructions: 'Be kind',
      capabilities: { tools: { listChanged: true }, resources: { subscribe: true }, prompts: {}, logging: {} },
    })
    expect(await resultOf(client, 'ping')).toEqual({})
  })

  test.each([
    ['1999-01-01', '2025-11-25'],
    ['2024-10-07', '2024-10-07'],
  ])('that asks for "%s" is offered %s', async (asked, offered) => {
    const client = await reach(createFixture().endpoint)
    expect((await client.initialize(asked)).result.protocolVersion).toBe(offered)
  })

  test('lists, calls, reads, prompts and completes', async () => {
    const client = await open()
    const { tools } = await resultOf(client, 'tools/list')
    expect(tools).toHaveLength(7)
    for (const tool of tools) {
      expect(Object.hasOwn(tool, 'outputSchema')).toBe(revision === '2025-06-18' && tool.name === 'structured')
    }
    const call = (name: string, args = {}) => resultOf(client, 'tools/call', { name, arguments: args })
    expect(await call('echo', { text: 'hi' })).toEqual({ content: [{ type: 'text', text: 'hi' }] })
    expect(await call('fails')).toEqual({ content: [{ type: 'text', text: 'It cannot be done' }], isError: true })
    const structured = await call('structured')
    expect(structured.content).toEqual([{ type: 'text', text: '{"a":1}' }])
    expect(structured.structuredContent).toEqual(revision === '2025-06-18' ? { a: 1 } : undefined)
    expect((await call('audible')).content[0].type).toBe(revision === '2024-11-05' ? 'resource' : 'audio')
    expect((await resultOf(client, 'resources/list')).resources).toHaveLength(1)
    expect((await resultOf(client, 'resources/templates/list')).resourceTemplates).toHaveLength(1)
    expect(await resultOf(client, 'resources/read', { uri: 'app://t/7' })).toMatchObject({ contents: [{ text: 't7' }] })
    expect((await resultOf(client, 'prompts/list')).prompts).toHaveLength(1)
    expect(await resultOf(client, 'prompts/get', { name: 'p', arguments: { who: 'Ada' } })).toMatchObject({
      messages: [{ role: 'user', content: { type: 'text', text: 'Hello Ada' } }],
    })
    const ref = { type: 'ref/prompt', name: 'p' }
    const argument = { name: 'who', value: 'a' }
    expect(await resultOf(client, 'completion/complete', { ref, argument })).toMatchObject({
      completion: { values: ['ada'] },
    })
  })

  test('pages by cursors, and is told of one that is none', async () => {
    const client = await open(createFixture({ pageSize: 3 }))
    const names: string[] = []
    let cursor: unknown
    do {
      const page = await resultOf(client, 'tools/list', cursor === undefined ? {} : { cursor })
      names.push(...page.tools.map(({ name }: { name: string }) => name))
      cursor = page.nextCursor
    } while (cursor !== undefined)
    expect(names).toHaveLength(7)
    expect((await client.request('tools/list', { cursor: 'nonsense' })).error.code).toBe(-32602)
  })

  test('reads errors of its own time', async () => {
    const client = await open()
    const codeOf = async (method: string, params = {}) => (await client.request(method, params)).error.code
    expect(await codeOf('resources/read', { uri: 'app://none' })).toBe(-32002)
    expect(await codeOf('tools/call', { name: 'none' })).toBe(-32602)
    expect(await codeOf('logging/setLevel', { level: 'loud' })).toBe(-32602)
    for (const newer of ['server/discover', 'subscriptions/listen', 'tasks/list', 'no/such']) {
      expect(await codeOf(newer)).toBe(-32601)
    }
  })

  test('hears progress by its token, and what is logged at its level', async () => {
    const client = await open()
    await resultOf(client, 'logging/setLevel', { level: 'warning' })
    await resultOf(client, 'tools/call', { name: 'loud', _meta: { progressToken: 7 } })
    await resultOf(client, 'logging/setLevel', { level: 'error' })
    await resultOf(client, 'tools/call', { name: 'loud', _meta: { progressToken: 'p' } })
    const told = client.got.filter(({ method }) => method?.startsWith('notifications/'))
    const words = (message: string) => (revision === '2024-11-05' ? {} : { message })
    expect(told.map(({ params }) => params)).toEqual([
      { progressToken: 7, progress: 1, total: 2, ...words('half') },
      { progressToken: 7, progress: 2, total: 2, ...words('whole') },
      { level: 'warning', data: { deep: true } },
      { progressToken: 'p', progress: 1, total: 2, ...words('half') },
      { progressToken: 'p', progress: 2, total: 2, ...words('whole') },
    ])
  })

  test('hears of lists and of resources it watches, until it does not want to', async () => {
    const server = createFixture()
    const client = await open(server)
    await resultOf(client, 'resources/subscribe', { uri: 'app://r' })
    server.resourceUpdated('app://r')
    await client.until(({ method }) => method === 'notifications/resources/updated')
    await resultOf(client, 'resources/unsubscribe', { uri: 'app://r' })
    server.resourceUpdated('app://r')
    server.tool('later', {}, () => '')
    await client.until(({ method }) => method === 'notifications/tools/list_changed')
    expect(client.got.filter(({ method }) => method === 'notifications/resources/updated')).toHaveLength(1)
  })

  test('takes a call back, which is not answered then', async () => {
    const server = createFixture()
    const client = await open(server)
    const params = { name: 'waits', _meta: { progressToken: 1 } }
    void client.request('tools/call', params, 'slow')
    await client.until(({ method }) => method === 'notifications/progress')
    await client.notify('notifications/cancelled', { requestId: 'slow', reason: 'enough' })
    expect(await server.gone).toMatchObject({ code: 'caller.cancelled' })
    await resultOf(client, 'ping')
    expect(client.got.filter(({ id }) => id === 'slow')).toEqual([])
  })

  test('is asked for a sample and for its roots while its call is open', async () => {
    const client = await open()
    const { content } = await resultOf(client, 'tools/call', { name: 'asks' })
    expect(JSON.parse(content[0].text)).toEqual([{ type: 'text', text: 'sampled' }, 'file:///home'])
    const asked = client.got.filter(({ id, method }) => id !== undefined && method !== undefined)
    expect(asked.map(({ method }) => method)).toEqual(['sampling/createMessage', 'roots/list'])
  })

  test('may batch where its revision can, and is refused elsewhere', async () => {
    const client = await open()
    const batch = JSON.stringify([
      { jsonrpc: '2.0', id: 'b1', method: 'ping' },
      { jsonrpc: '2.0', method: 'notifications/roots/list_changed' },
      { jsonrpc: '2.0', id: 'b2', method: 'tools/call', params: { name: 'echo', arguments: { text: 'x' } } },
    ])
    const answer = await client.write(batch)
    if (revision === '2025-03-26') {
      await client.until(({ id }) => id === 'b1')
      expect((await client.until(({ id }) => id === 'b2')).result.content[0].text).toBe('x')
    } else {
      if (answer !== undefined) expect(answer.status).toBe(400)
      await resultOf(client, 'ping')
      expect(client.got.filter(({ id }) => id === 'b1' || id === 'b2')).toEqual([])
    }
  })

  test('that sends too much or no JSON is refused, and the session lives on', async () => {
    const { endpoint } = createFixture()
    const client = await reach({ ...endpoint, limits: { ...CALLER_LIMITS, maxBytes: 10_000 } })
    await client.initialize()
    const before = client.got.length
    const large = {
      jsonrpc: '2.0',
      id: 'large',
      method: 'tools/call',
      params: { name: 'echo', arguments: { text: 'x'.repeat(10_000) } },
    }
    const statuses = [(await client.write(JSON.stringify(large)))?.status, (await client.write('{"jsonrpc":'))?.status]
    expect(statuses).toEqual(transport === 'stdio' ? [undefined, undefined] : [413, 400])
    expect(await resultOf(client, 'ping')).toEqual({})
    // These revisions have no error without an id: over a pipe nothing can be said of what has none.
    if (transport === 'stdio') expect(client.got.slice(before).map(({ id }) => id)).toHaveLength(1)
  })
})
