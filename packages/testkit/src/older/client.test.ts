import { UPSTREAM_LIMITS } from '@crosspoint/mcp'
import { type Client, type ClientOptions, connect } from '@crosspoint/mcp/client'
import { afterEach, describe, expect, test } from 'vitest'
import type { OlderTransport } from './client.ts'
import { type OlderScript, type OlderServer, startOlderServer } from './raw-server.ts'

/** Our client with servers of revisions the official suite has no scenarios for, as such servers were written. */

const ROWS: readonly { readonly revision: string; readonly transport: OlderTransport }[] = [
  { revision: '2024-11-05', transport: 'stdio' },
  { revision: '2024-11-05', transport: 'HTTP+SSE' },
  { revision: '2025-03-26', transport: 'stdio' },
  { revision: '2025-03-26', transport: 'Streamable HTTP' },
  { revision: '2025-06-18', transport: 'stdio' },
  { revision: '2025-06-18', transport: 'Streamable HTTP' },
]

const closing: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

const text = (said: string) => ({ content: [{ type: 'text', text: said }] })
const notification = (method: string, params = {}) => ({ jsonrpc: '2.0', method, params })

/** What a server of any of these revisions answers. */
const plain: OlderScript = ({ id, method, params }, say) => {
  const results: Record<string, object> = {
    'tools/list':
      params?.cursor === ''
        ? { tools: [{ name: 'b', inputSchema: { type: 'object' } }] }
        : { tools: [{ name: 'a', inputSchema: { type: 'object' } }], nextCursor: '' },
    'tools/call': text(`called ${params?.name}`),
    'resources/list': { resources: [{ uri: 'app://r', name: 'r' }] },
    'resources/templates/list': { resourceTemplates: [{ uriTemplate: 'app://{x}', name: 't' }] },
    'resources/read': { contents: [{ uri: 'app://r', text: 'r' }] },
    'prompts/list': { prompts: [{ name: 'p' }] },
    'prompts/get': { messages: [{ role: 'user', content: { type: 'text', text: 'p' } }] },
    'completion/complete': { completion: { values: ['v'] } },
  }
  if (params?.uri === 'app://none')
    say({ jsonrpc: '2.0', id, error: { code: -32002, message: 'none', data: { uri: params.uri } } })
  else say({ jsonrpc: '2.0', id, result: results[method] ?? {} })
}

describe.each(ROWS)('a server of $revision over $transport', ({ revision, transport }) => {
  const open = async (
    script: OlderScript,
    options: Partial<ClientOptions> = {},
  ): Promise<{ server: OlderServer; client: Client }> => {
    const server = await startOlderServer(revision, transport, script)
    closing.push(async () => {
      await server.close()
      expect(server.faults.filter((fault) => fault !== PROBED)).toEqual([])
    })
    const client = await connect(server.target, { client: { name: 'c', version: '1' }, revision, ...options })
    closing.push(() => client.close())
    return { server, client }
  }
  const PROBED = 'the method "server/discover" is newer'

  test('is spoken with in its own words', async () => {
    const { server, client } = await open(plain)
    expect(server.got[0]).toMatchObject({ method: 'initialize', params: { protocolVersion: revision } })
    expect(await client.listTools().all()).toMatchObject([{ name: 'a' }, { name: 'b' }]) // "" is a cursor
    expect(await client.callTool('a')).toMatchObject(text('called a'))
    expect(await client.listResources().all()).toHaveLength(1)
    expect(await client.listResourceTemplates().all()).toHaveLength(1)
    expect(await client.readResource('app://r')).toMatchObject({ contents: [{ text: 'r' }] })
    expect(await client.listPrompts().all()).toHaveLength(1)
    expect(await client.getPrompt('p')).toMatchObject({ messages: [{ role: 'user' }] })
    const ref = { type: 'ref/prompt', name: 'p' } as const
    expect(await client.complete({ ref, argument: { name: 'x', value: '' } })).toMatchObject({
      completion: { values: ['v'] },
    })
    await expect(client.readResource('app://none')).rejects.toMatchObject({ rpc: { code: -32602 } })
    expect(server.got.map(({ method }) => method)).toContain('notifications/initialized')
  })

  test('is heard before it answers: pings, progress, questions', async () => {
    const script: OlderScript = ({ id, method, params }, say) => {
      if (method !== 'tools/call') return plain({ id, method, params }, say)
      const { progressToken } = params._meta
      say(notification('notifications/progress', { progressToken, progress: 1, total: 2 }))
      say({ jsonrpc: '2.0', id: 'p1', method: 'ping' })
      say({ jsonrpc: '2.0', id: 'q1', method: 'roots/list' })
      const message = { role: 'user', content: { type: 'text', text: '?' } }
      say({ jsonrpc: '2.0', id: 'q2', method: 'sampling/createMessage', params: { messages: [message], maxTokens: 5 } })
      const answers = ['p1', 'q1', 'q2'].map((of) =>
        server.until((heard) => heard.id === of && heard.method === undefined),
      )
      void Promise.all(answers).then(([ping, roots, sample]) => {
        const heard = [ping?.result, roots?.result.roots[0].uri, sample?.result.content.text]
        say({ jsonrpc: '2.0', id, result: text(JSON.stringify(heard)) })
      })
    }
    const handlers: NonNullable<ClientOptions['handlers']> = {
      roots: [{ uri: 'file:///home' }],
      sample: () => ({ role: 'assistant', model: 'm', content: { type: 'text', text: 'sampled' } }),
    }
    const { server, client } = await open(script, { handlers })
    const progress: number[] = []
    const result = await client.callTool('t', {}, { onProgress: ({ progress: at }) => progress.push(at) })
    expect(result).toMatchObject(text('[{},"file:///home","sampled"]'))
    expect(progress).toEqual([1])
  })

  test('is told when a call is given up, and may answer late', async () => {
    const script: OlderScript = (message, say) => {
      if (message.params?.name !== 'slow') plain(message, say)
    }
    const { server, client } = await open(script)
    const cancel = new AbortController()
    const call = client.callTool('slow', {}, { signal: cancel.signal })
    const { id } = await server.until(({ params }) => params?.name === 'slow')
    cancel.abort()
    await expect(call).rejects.toMatchObject({ code: 'caller.cancelled' })
    const notice = await server.until(({ method }) => method === 'notifications/cancelled')
    expect(notice.params.requestId).toBe(id)
    server.tell({ jsonrpc: '2.0', id, result: text('late') })
    expect(await client.callTool('a')).toMatchObject(text('called a'))
  })

  test('is subscribed to, and what changes is heard', async () => {
    const { server, client } = await open(plain)
    const subscription = await client.listen({ toolsListChanged: true, resourceSubscriptions: ['app://r'] })
    expect((await server.until(({ method }) => method === 'resources/subscribe')).params).toMatchObject({
      uri: 'app://r',
    })
    server.tell(notification('notifications/resources/updated', { uri: 'app://r' }))
    for await (const change of subscription) {
      expect(change.method).toBe('notifications/resources/updated')
      break
    }
    await server.until(({ method }) => method === 'resources/unsubscribe')
  })

  // How long a line of a child may be is proved with a child: client/open-stdio.test.ts.
  if (transport !== 'stdio')
    test('that answers with more than the limit is not read to the end', async () => {
      const script: OlderScript = (message, say) =>
        message.params?.name === 'large'
          ? say({ jsonrpc: '2.0', id: message.id, result: text('x'.repeat(50_000)) })
          : plain(message, say)
      const { client } = await open(script, {
        limits: { ...UPSTREAM_LIMITS, maxBytes: 10_000 },
        requestTimeoutMs: 2_000,
      })
      await expect(client.callTool('large')).rejects.toMatchObject({ code: expect.stringMatching(/^upstream\./) })
    })

  if (revision === '2025-03-26')
    test('may answer in a batch with what it says before', async () => {
      const script: OlderScript = (message, say) =>
        message.method === 'tools/call'
          ? say([
              notification('notifications/progress', {
                progressToken: message.params._meta.progressToken,
                progress: 1,
              }),
              { jsonrpc: '2.0', id: message.id, result: text('batched') },
            ])
          : plain(message, say)
      const { client } = await open(script)
      const progress: number[] = []
      const result = await client.callTool('t', {}, { onProgress: ({ progress: at }) => progress.push(at) })
      expect([result.content, progress]).toEqual([text('batched').content, [1]])
    })

  if (transport === 'Streamable HTTP')
    test('is asked for the rest of a stream that broke', async () => {
      const script: OlderScript = (message, say) => {
        if (message.method !== 'tools/call') return plain(message, say)
        say(notification('notifications/progress', { progressToken: message.params._meta.progressToken, progress: 1 }))
        setImmediate(() => {
          say(undefined)
          say({ jsonrpc: '2.0', id: message.id, result: text('after all') })
        })
      }
      const { client, server } = await open(script)
      expect(await client.callTool('t', {}, { onProgress: () => {} })).toMatchObject(text('after all'))
      expect(server.got.filter(({ method }) => method === 'tools/call')).toHaveLength(1)
    })

  test('is found by a client that was not told what it speaks', async () => {
    const server = await startOlderServer(revision, transport, plain)
    closing.push(() => server.close())
    const client = await connect(server.target, { client: { name: 'c', version: '1' } })
    closing.push(() => client.close())
    expect(client.connection.verdict.revision).toBe(revision)
  })
})
