import { type JsonObject, REVISIONS } from '@crosspoint/mcp'
import { type Client, connect, connectTo } from '@crosspoint/mcp/client'
import { createServer } from '@crosspoint/mcp/server'
import { afterEach, describe, expect, it } from 'vitest'
import { createDoors } from '../doors.ts'
import { type PlainAnswer, type SeenRequest, startPlainServer } from '../oauth/http-server.ts'
import { openWireSession, sendEnveloped } from '../wire-client.ts'

// Our client, and servers written by hand, over HTTP.

const doors = createDoors()
const cleanup: (() => Promise<unknown>)[] = [() => doors.closeAll()]
afterEach(async () => {
  for (const end of cleanup.splice(1).reverse()) await end()
  await doors.closeAll()
})

const NAMES = REVISIONS.filter(({ traits }) => traits.http === 'streamable').map(({ name }) => name)

type Answer = (message: JsonObject, request: SeenRequest) => JsonObject | PlainAnswer | undefined

/** A server of this revision that leaves everything but its opening to the test: a `result`, or a whole answer. */
async function start(revision: string, answer: Answer) {
  const server = await startPlainServer((request) => {
    if (request.method !== 'POST') return { status: 405 }
    const message = JSON.parse(request.text) as JsonObject
    if (message.id === undefined) return { status: 202 }
    const said = answer(message, request) ?? toOpening(message, revision)
    return 'status' in said ? said : { body: { jsonrpc: '2.0', id: message.id, ...said } }
  })
  cleanup.push(() => server.stop())
  return server
}

function toOpening({ method }: JsonObject, revision: string): JsonObject {
  const about = { capabilities: { tools: {} }, serverInfo: { name: 'raw', version: '1' } }
  if (method === 'initialize') return { result: { protocolVersion: revision, ...about } }
  const hints = { resultType: 'complete', ttlMs: 0, cacheScope: 'private' }
  if (method === 'server/discover') return { result: { supportedVersions: [revision], ...about, ...hints } }
  return { result: { tools: [], content: [], ...hints } }
}

async function open(url: string, revision: string, more = {}): Promise<Client> {
  const client = await connect(url, { client: { name: 'test', version: '1' }, revision, ...more })
  cleanup.push(() => client.close())
  return client
}

describe.each(NAMES)('at %s', (revision) => {
  it('trap-51: what a tool says of itself is not believed: a call is not sent twice because it calls itself harmless', async () => {
    const annotations = { readOnlyHint: true, idempotentHint: true, destructiveHint: false }
    const tool = { name: 't', inputSchema: { type: 'object' }, annotations }
    let calls = 0
    const server = await start(revision, ({ method }) => {
      if (method === 'tools/list')
        return { result: { resultType: 'complete', ttlMs: 0, cacheScope: 'private', tools: [tool] } }
      if (method !== 'tools/call') return undefined
      calls++
      return { status: 502 }
    })
    const client = await open(`${server.origin}/mcp`, revision)
    expect((await client.listTools().all())[0]).toMatchObject({ name: 't' })
    await expect(client.callTool('t')).rejects.toThrow()
    expect(calls).toBe(1)
  })

  it('trap-51: icons are never fetched, and those that nobody may show are not handed on', async () => {
    const site = await startPlainServer(() => ({}))
    cleanup.push(() => site.stop())
    const safe = [
      { src: site.origin.replace('http:', 'https:'), mimeType: 'image/png' },
      { src: 'data:image/png;base64,AA==' },
    ]
    const unsafe = [{ src: `${site.origin}/icon.png` }, { src: 'javascript:alert(1)' }]
    const tool = { name: 't', inputSchema: { type: 'object' }, icons: [...unsafe, ...safe] }
    const server = await start(revision, ({ method }) =>
      method === 'tools/list'
        ? { result: { resultType: 'complete', ttlMs: 0, cacheScope: 'private', tools: [tool] } }
        : undefined,
    )
    const client = await open(`${server.origin}/mcp`, revision)
    expect(await client.listTools().all()).toEqual([{ ...tool, icons: safe }])
    await client.callTool('t')
    expect(site.seen).toEqual([])
  })

  it('trap-51: our server has no icon that nobody may show, and hands none on', async () => {
    const icons = [{ src: 'javascript:alert(1)' }]
    const identity = { name: 's', version: '1' }
    const server = createServer(identity)
    const refused = 'with these icons'
    expect(() => createServer({ ...identity, icons })).toThrow(refused)
    expect(() => server.tool('t', { icons }, () => '')).toThrow(refused)
    expect(() => server.prompt('p', { template: 'x', icons })).toThrow(refused)
    expect(() => server.resource('r:a', { name: 'a', icons }, () => '')).toThrow(refused)
    expect(() => server.template('r:{id}', { name: 'a', icons }, () => '')).toThrow(refused)
    const tool = server.tool('t', {}, () => '')
    expect(() => tool.update({ icons })).toThrow(refused)
    const listed = { uri: 'r:1', name: 'One', icons }
    server.template('r:{id}', { name: 'r', list: () => [listed] }, () => '')
    const raw = await start(revision, ({ method }) =>
      method === 'tools/list'
        ? {
            result: {
              resultType: 'complete',
              ttlMs: 0,
              cacheScope: 'private',
              tools: [{ name: 'u', inputSchema: { type: 'object' }, icons }],
            },
          }
        : undefined,
    )
    const mounted = connectTo(`${raw.origin}/mcp`, { revision })
    cleanup.push(async () => mounted.close())
    server.mount('raw', mounted)
    const { url } = await doors.open(server.endpoint.handle)
    const isEnveloped = REVISIONS.some(({ name, traits }) => name === revision && traits.lifecycle === 'envelope')
    const ask = async (method: string) =>
      isEnveloped
        ? sendEnveloped(url, method, {})
        : openWireSession(url, { revision }).then(({ request }) => request(method, {}))
    const [resources] = (await ask('resources/list')).messages
    expect(resources.result.resources).toEqual([{ uri: 'r:1', name: 'One' }])
    const [tools] = (await ask('tools/list')).messages
    expect(tools.result.tools).toMatchObject([{ name: 't' }, { name: 'raw__u' }])
    for (const listed of tools.result.tools) expect(listed).not.toHaveProperty('icons')
  })

  it('trap-31: an event with empty data is a primer, not a message', async () => {
    const server = await start(revision, ({ id, method }) => {
      if (method !== 'tools/call') return undefined
      const result = { resultType: 'complete', content: [{ type: 'text', text: 'done' }] }
      const body = `id: 1\ndata:\n\nid: 2\ndata: \n\nid: 3\ndata: ${JSON.stringify({ jsonrpc: '2.0', id, result })}\n\n`
      return { status: 200, headers: { 'content-type': 'text/event-stream' }, body }
    })
    const client = await open(`${server.origin}/mcp`, revision)
    expect((await client.callTool('t')).content).toEqual([{ type: 'text', text: 'done' }])
  })

  it('trap-28: our server refuses a cursor it never gave, "" among them', async () => {
    const server = createServer({ name: 's', version: '1', pageSize: 1 })
    server.tool('a', {}, () => '')
    server.tool('b', {}, () => '')
    const { url } = await doors.open(server.endpoint.handle)
    const isEnveloped = REVISIONS.some(({ name, traits }) => name === revision && traits.lifecycle === 'envelope')
    const ask = isEnveloped
      ? (params: JsonObject) => sendEnveloped(url, 'tools/list', params)
      : await openWireSession(url, { revision }).then(
          ({ request }) =>
            (params: JsonObject) =>
              request('tools/list', params),
        )
    const [first] = (await ask({})).messages
    expect((await ask({ cursor: '' })).messages[0].error.code).toBe(-32602)
    const [second] = (await ask({ cursor: first.result.nextCursor })).messages
    expect([first, second].map(({ result }) => result.tools[0].name)).toEqual(['a', 'b'])
    expect(second.result).not.toHaveProperty('nextCursor')
  })

  it('trap-42: a cursor of somebody else shows no more than its reader may see', async () => {
    const authenticate = (headers: Readonly<Record<string, string | undefined>>) => ({
      id: String(headers['x-user']),
      tenant: 't',
    })
    const server = createServer({ name: 's', version: '1', pageSize: 1, authenticate })
    for (const name of ['a', 'b', 'c']) {
      server.tool(name, { access: ({ id }) => name !== 'b' || id === 'ann' }, () => '')
    }
    const { url } = await doors.open(server.endpoint.handle, { authenticate })
    const isEnveloped = REVISIONS.some(({ name, traits }) => name === revision && traits.lifecycle === 'envelope')
    const as = async (user: string) => {
      const headers = { 'x-user': user }
      if (isEnveloped) return (params: JsonObject) => sendEnveloped(url, 'tools/list', params, { headers })
      const session = await openWireSession(url, { revision, headers })
      return (params: JsonObject) => session.request('tools/list', params)
    }
    const [ann, ben] = [await as('ann'), await as('ben')]
    const { nextCursor } = (await ann({})).messages[0].result
    const toNames = (answer: { messages: readonly { result: { tools: { name: string }[] } }[] }) =>
      answer.messages[0]?.result.tools.map(({ name }) => name)
    expect(toNames(await ann({ cursor: nextCursor }))).toEqual(['b'])
    expect(toNames(await ben({ cursor: nextCursor }))).toEqual(['c'])
  })
})
