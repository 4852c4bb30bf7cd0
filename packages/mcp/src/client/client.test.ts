import { afterEach, describe, expect, it } from 'vitest'
import type { Notification } from '../protocol/call.ts'
import { ENVELOPE_REVISIONS, REVISIONS } from '../revisions/index.ts'
import { createServer, type Server } from '../server/index.ts'
import { openHttpDoor } from '../transports/http/door.ts'
import { type Client, connect } from './client.ts'
import type { ConnectTarget } from './connect-target.ts'
import type { ConnectionOptions } from './connection.ts'

const cleanup: (() => unknown)[] = []
afterEach(async () => {
  for (const end of cleanup.splice(0).reverse()) await end()
})

function fixture(): Server {
  const server = createServer({ name: 'fixture', version: '1', instructions: 'Be kind', pageSize: 2 })
  server.tool('echo', { input: { type: 'object' } }, (args) => JSON.stringify(args))
  server.tool('steps', {}, (_, { progress, log }) => {
    progress(1, 2)
    log('debug', 'unheard')
    log('warning', { heard: true })
    progress(2, 2)
    return 'done'
  })
  server.tool('fail', {}, () => {
    throw new Error('on purpose')
  })
  server.tool('wait', {}, (_, { signal }) => {
    return new Promise((resolve) => signal.addEventListener('abort', () => resolve('cancelled')))
  })
  server.resource('memo:one', { name: 'one' }, () => 'first')
  server.template('memo:{id}', { name: 'any', complete: { id: (typed) => [`${typed}1`] } }, (_, { id }) =>
    id === 'none' ? undefined : `memo ${id}`,
  )
  server.prompt('greet', { arguments: { name: { required: true } } }, ({ name }) => `Hello ${name}`)
  cleanup.push(() => server.close())
  return server
}

const ways: Record<string, (server: Server) => Promise<ConnectTarget> | ConnectTarget> = {
  memory: (server) => server,
  async HTTP(server) {
    const door = await openHttpDoor({ endpoint: (path) => (path === '/mcp' ? server.endpoint : undefined) })
    cleanup.push(() => door.close({ drainMs: 0 }))
    return `${door.url}/mcp`
  },
  async 'HTTP+SSE'(server) {
    const door = await openHttpDoor({
      endpoint: () => undefined,
      sse: (path) => (path === '/sse' ? server.endpoint : undefined),
    })
    cleanup.push(() => door.close({ drainMs: 0 }))
    return `${door.url}/sse`
  },
}

/** HTTP+SSE has sessions, and no revision without. */
const revisionsOver = (way: string) =>
  REVISIONS.filter(({ traits }) => way !== 'HTTP+SSE' || traits.lifecycle === 'handshake')

async function open(target: ConnectTarget, options: Partial<ConnectionOptions> = {}): Promise<Client> {
  const client = await connect(target, { client: { name: 'test', version: '1' }, ...options })
  cleanup.push(() => client.close())
  return client
}

describe('without a revision pinned', () => {
  for (const [way, targetOf] of Object.entries(ways)) {
    it(`speaks the newest over ${way}`, async () => {
      const { connection } = await open(await targetOf(fixture()))
      expect(connection.verdict.revision).toBe(revisionsOver(way)[0]?.name)
    })
  }
})

for (const [way, targetOf] of Object.entries(ways)) {
  for (const { name: revision } of revisionsOver(way)) {
    describe(`over ${way} in ${revision}`, () => {
      const connectTo = async (server: Server) => open(await targetOf(server), { revision })

      it('says what the server is', async () => {
        const client = await connectTo(fixture())
        const { verdict, serverInfo, instructions, capabilities } = client.connection
        expect(verdict.revision).toBe(revision)
        expect(serverInfo).toEqual({ name: 'fixture', version: '1' })
        expect(instructions).toBe('Be kind')
        expect(Object.keys(capabilities)).toEqual(expect.arrayContaining(['tools', 'resources', 'prompts', 'logging']))
        const discovered = await client.discover()
        expect(discovered.supportedVersions).toContain(revision)
        expect(discovered.instructions).toBe('Be kind')
      })

      it('lists page by page and all at once', async () => {
        const client = await connectTo(fixture())
        const pages: number[] = []
        for await (const { tools } of client.listTools()) pages.push(tools.length)
        expect(pages).toEqual([2, 2])
        expect((await client.listTools().all()).map(({ name }) => name).sort()).toEqual([
          'echo',
          'fail',
          'steps',
          'wait',
        ])
        expect((await client.listResources().all()).map(({ uri }) => uri)).toEqual(['memo:one'])
        expect((await client.listResourceTemplates().all()).map(({ uriTemplate }) => uriTemplate)).toEqual([
          'memo:{id}',
        ])
        expect((await client.listPrompts().all()).map(({ name }) => name)).toEqual(['greet'])
      })

      it('calls, reads, prompts and completes', async () => {
        const client = await connectTo(fixture())
        const [content] = (await client.callTool('echo', { a: [1, 'ü'] })).content
        expect(content).toMatchObject({ type: 'text', text: '{"a":[1,"ü"]}' })
        expect(await client.callTool('fail')).toMatchObject({ isError: true })
        expect((await client.readResource('memo:7')).contents).toMatchObject([{ uri: 'memo:7', text: 'memo 7' }])
        const { messages } = await client.getPrompt('greet', { name: 'Ada' })
        expect(messages).toMatchObject([{ role: 'user', content: { text: 'Hello Ada' } }])
        const ref = { type: 'ref/resource', uri: 'memo:{id}' } as const
        const { completion } = await client.complete({ ref, argument: { name: 'id', value: 'x' } })
        expect(completion.values).toEqual(['x1'])
      })

      it('hears of progress and of what is logged, as loud as it asked', async () => {
        const client = await connectTo(fixture())
        const heard: unknown[] = []
        await client.callTool(
          'steps',
          {},
          {
            logLevel: 'info',
            onProgress: ({ progress, total }) => heard.push([progress, total]),
            onLog: ({ level, data }) => heard.push([level, data]),
          },
        )
        expect(heard).toEqual([
          [1, 2],
          ['warning', { heard: true }],
          [2, 2],
        ])
      })

      it('passes errors on in the newest vocabulary', async () => {
        const client = await connectTo(fixture())
        expect(await client.readResource('memo:none').catch((e) => e)).toMatchObject({
          code: 'upstream.error',
          rpc: { code: -32602, data: { uri: 'memo:none' } },
        })
        expect(await client.callTool('nope').catch((e) => e)).toMatchObject({ rpc: { code: -32602 } })
      })

      it('cancels', async () => {
        const client = await connectTo(fixture())
        const cancel = new AbortController()
        const call = client.callTool('wait', {}, { signal: cancel.signal }).catch((e) => e)
        await client.callTool('echo', {})
        cancel.abort()
        expect(await call).toMatchObject({ code: 'caller.cancelled' })
      })

      it('hears of changes it asked for', async () => {
        const server = fixture()
        const client = await connectTo(server)
        const listening = client.listen({ toolsListChanged: true, resourceSubscriptions: ['memo:one'] })
        expect(await listening.acknowledged).toEqual({ toolsListChanged: true, resourceSubscriptions: ['memo:one'] })
        const heard: Notification[] = []
        server.resourceUpdated('memo:one')
        server.resourceUpdated('memo:other')
        server.tool('late', {}, () => 'late')
        for await (const notification of listening) {
          heard.push(notification)
          if (heard.length === 2) break
        }
        heard.sort((a, b) => a.method.localeCompare(b.method))
        expect(heard).toEqual([
          { method: 'notifications/resources/updated', params: { uri: 'memo:one' } },
          { method: 'notifications/tools/list_changed', params: {} },
        ])
        expect((await client.listTools().all()).map(({ name }) => name)).toContain('late')
      })
    })
  }
}

describe('what a server asks back', () => {
  const { name: revision = '' } = ENVELOPE_REVISIONS[0] ?? {}

  it('is answered and carried on with, round after round, the state as it came', async () => {
    const seen: unknown[] = []
    const server = createServer({ name: 'asking', version: '1' })
    const endpoint = {
      ...server.endpoint,
      handle: (call: Parameters<typeof server.endpoint.handle>[0]) => {
        if (call.method !== 'prompts/get') return server.endpoint.handle(call)
        const { inputResponses, requestState } = call.params
        seen.push({ inputResponses, requestState })
        if (requestState === undefined) {
          const ask = { method: 'elicitation/create', params: { message: 'Who?', requestedSchema: {} } }
          return Promise.resolve({ resultType: 'input_required', inputRequests: { who: ask }, requestState: 's=1' })
        }
        if (requestState === 's=1') return Promise.resolve({ resultType: 'input_required', requestState: 's=2' })
        return Promise.resolve({ messages: [] })
      },
    }
    const client = await open(
      { endpoint },
      {
        revision,
        capabilities: { elicitation: {} },
        ask: async ({ method, params }) => ({ action: 'accept', content: { method, message: params.message } }),
      },
    )
    expect(await client.getPrompt('any')).toMatchObject({ messages: [] })
    const who = { action: 'accept', content: { method: 'elicitation/create', message: 'Who?' } }
    expect(seen).toEqual([
      { inputResponses: undefined, requestState: undefined },
      { inputResponses: { who }, requestState: 's=1' },
      { inputResponses: undefined, requestState: 's=2' },
    ])
  })
})

it('needs no more than a target to be connected: text, or a URL', async () => {
  const seen: unknown[] = []
  const server = createServer({ name: 'any', version: '1.0.0' })
  server.tool('who', {}, (_, { call }) => {
    seen.push(call.downstream.client)
    return 'seen'
  })
  const door = await openHttpDoor({ endpoint: (path) => (path === '/mcp' ? server.endpoint : undefined) })
  cleanup.push(() => door.close({ drainMs: 0 }))
  for (const target of [server, `${door.url}/mcp`, new URL('/mcp', door.url)]) {
    const client = await connect(target)
    cleanup.push(() => client.close())
    await client.callTool('who')
  }
  expect(seen).toEqual(Array(3).fill({ name: 'crosspoint', version: '1' }))
})

it('is told that the revision has no such question, where a handler is there that could answer it', async () => {
  const server = createServer({ name: 'any', version: '1.0.0' })
  server.tool('ask', {}, async (_, context) => {
    return (await context.elicit('Who?', { type: 'object', properties: { name: { type: 'string' } } })).name as string
  })
  server.tool('visit', {}, async (_, context) => {
    await context.elicitUrl('https://example.com/', 'Look')
    return 'seen'
  })
  const handlers = {
    elicit: () => ({ action: 'accept', content: { name: 'Ada' } }) as const,
    elicitUrl: () => ({ action: 'accept' }) as const,
  }
  const said: Record<string, unknown[]> = {}
  for (const { name: revision } of REVISIONS) {
    const client = await connect(server, { revision, handlers })
    cleanup.push(() => client.close())
    const textOf = async (tool: string) => {
      const result = await client.callTool(tool).catch(({ message }: Error) => message)
      return typeof result === 'string' ? result : (result.content[0] as { text: string }).text
    }
    said[revision] = [await textOf('ask'), await textOf('visit')]
  }
  const lacks = (revision: string) => expect.stringContaining(`its revision, ${revision}, does not have that`)
  expect(said).toEqual({
    '2026-07-28': ['Ada', 'seen'],
    '2025-11-25': ['Ada', 'seen'],
    '2025-06-18': ['Ada', expect.stringContaining('its revision has only forms')],
    '2025-03-26': [lacks('2025-03-26'), lacks('2025-03-26')],
    '2024-11-05': [lacks('2024-11-05'), lacks('2024-11-05')],
  })
})

it.each([[{ client: {} }], [{ client: { name: 'example' } }]])(
  'is not connected with %j, and told how',
  async (options) => {
    const server = createServer({ name: 'any', version: '1.0.0' })
    await expect(connect(server, options as never)).rejects.toThrow(/give \{ client: \{ name: 'example'/)
  },
)

it('is told that the path of the URL is wrong, when nothing is served there', async () => {
  const door = await openHttpDoor({ endpoint: () => undefined })
  const options = { client: { name: 'example', version: '1.0.0' } }
  await expect(connect(`${door.url}/mpc`, options)).rejects.toThrow(
    'the server answers HTTP 404 (Nothing is served at this path); check the path of the URL',
  )
  await door.close()
})
