import { afterEach, describe, expect, it } from 'vitest'
import { connectTo } from '../../client/connect-to.ts'
import { McpError } from '../../errors.ts'
import type { JsonObject } from '../../jsonrpc/frame.ts'
import type { Principal } from '../../protocol/call.ts'
import { toCall } from '../../protocol/fixtures/calls.ts'
import { REVISIONS } from '../../revisions/index.ts'
import {
  createFakeClock,
  scriptElicitation,
  type TestClient,
  type TestClientOptions,
  testClient,
} from '../../testing/index.ts'
import { openHttpDoor } from '../../transports/http/door.ts'
import { createServer, type Mountable, type Server, type ServerOptions } from '../index.ts'

const ending: (() => unknown)[] = []
afterEach(async () => {
  for (const end of ending.splice(0).reverse()) await end()
})

async function connected(server: Server, options?: TestClientOptions): Promise<TestClient> {
  const client = await testClient(server, options)
  ending.push(() => client.close())
  return client
}

function empty(name: string, options: Partial<ServerOptions> = {}): Server {
  const server = createServer({ name, version: '1', log: () => {}, ...options })
  ending.push(() => server.close())
  return server
}

function weather(): Server {
  const server = empty('weather', { pageSize: 1 })
  server.tool(
    'forecast',
    { description: 'Of tomorrow', input: { type: 'object' } },
    ({ city }) => `Sun in ${String(city)}`,
  )
  server.tool('slow', {}, async (_args, { progress, signal }) => {
    progress(1, 2)
    await new Promise((resolve) => signal.addEventListener('abort', resolve))
    return 'stopped'
  })
  server.tool('link', {}, () => [{ type: 'resource_link', uri: 'w:stations', name: 'Stations' }])
  server.prompt('brief', { arguments: { city: { complete: () => ['Rome', 'Oslo'] } } }, ({ city }) => `About ${city}`)
  server.resource('w:stations', { name: 'Stations' }, () => 'Rome')
  server.template('w:station/{id}', { name: 'Station', complete: { id: () => ['1', '2'] } }, (_uri, { id }) =>
    id === 'none' ? undefined : `Station ${id}`,
  )
  return server
}

/** The ways a server can be mounted: as it is, and over connections. */
const ways: Record<string, (server: Server) => Promise<Mountable> | Mountable> = {
  'in the same process': (server) => server,
  'over a pipe': (server) => remote(connectTo({ endpoint: server.endpoint })),
  'over a pipe, with a handshake': (server) =>
    remote(connectTo({ endpoint: server.endpoint }, { revision: '2025-11-25' })),
  async 'over HTTP'(server) {
    const door = await openHttpDoor({ endpoint: () => server.endpoint })
    ending.push(() => door.close({ drainMs: 0 }))
    return remote(connectTo(`${door.url}/mcp`))
  },
}

function remote<R extends { close(): Promise<void> }>(connection: R): R {
  ending.push(() => connection.close())
  return connection
}

describe.each(Object.keys(ways))('a server mounted %s', (way) => {
  async function aggregate(server: Server = weather()): Promise<Server> {
    const all = empty('all')
    all.tool('own', {}, () => 'mine')
    const target = await ways[way]?.(server)
    if (target === undefined) throw new Error('No such way')
    all.mount('weather', target)
    return all
  }

  it('appears with its tools, prompts, resources and templates', async () => {
    const client = await connected(await aggregate())
    expect((await client.listTools().all()).map(({ name }) => name)).toEqual([
      'own',
      'weather__forecast',
      'weather__slow',
      'weather__link',
    ])
    expect(await client.listPrompts().all()).toMatchObject([{ name: 'weather__brief' }])
    expect(await client.listResources().all()).toMatchObject([{ uri: 'w:stations', name: 'Stations' }])
    expect(await client.listResourceTemplates().all()).toMatchObject([{ uriTemplate: 'w:station/{id}' }])
    const { capabilities } = await client.discover()
    expect(capabilities).toMatchObject({ tools: {}, prompts: {}, resources: { subscribe: true }, completions: {} })
  })

  it('is called, read and completed', async () => {
    const client = await connected(await aggregate())
    expect(await client.callTool('own')).toMatchObject({ content: [{ text: 'mine' }] })
    expect(await client.callTool('weather__forecast', { city: 'Rome' })).toMatchObject({
      content: [{ text: 'Sun in Rome' }],
    })
    expect(await client.getPrompt('weather__brief', { city: 'Rome' })).toMatchObject({
      messages: [{ content: { text: 'About Rome' } }],
    })
    expect((await client.readResource('w:stations')).contents).toMatchObject([{ uri: 'w:stations', text: 'Rome' }])
    expect((await client.readResource('w:station/7')).contents).toMatchObject([{ text: 'Station 7' }])
    const values = async (ref: JsonObject, name: string) =>
      (await client.complete({ ref, argument: { name, value: '' } } as never)).completion.values
    expect(await values({ type: 'ref/prompt', name: 'weather__brief' }, 'city')).toEqual(['Rome', 'Oslo'])
    expect(await values({ type: 'ref/resource', uri: 'w:station/{id}' }, 'id')).toEqual(['1', '2'])
  })

  it('answers what is not there as any server does', async () => {
    const client = await connected(await aggregate())
    await expect(client.callTool('weather__forcast')).rejects.toThrow('did you mean "weather__forecast"?')
    await expect(client.callTool('nothing')).rejects.toThrow('No tool named "nothing"')
    await expect(client.getPrompt('weather__nothing')).rejects.toThrow('No prompt named "weather__nothing"')
    for (const uri of ['w:nothing', 'w:station/none', 'x:y']) {
      await expect(client.readResource(uri)).rejects.toMatchObject({ rpc: { code: -32602, data: { uri } } })
    }
    await expect(
      client.complete({ ref: { type: 'ref/prompt', name: 'nothing' }, argument: { name: 'a', value: '' } }),
    ).rejects.toThrow('No prompt named "nothing"')
  })

  it('passes progress on, and hears of it when its call is given up', async () => {
    const client = await connected(await aggregate())
    const givenUp = new AbortController()
    const seen: number[] = []
    const call = client.callTool(
      'weather__slow',
      {},
      {
        signal: givenUp.signal,
        onProgress({ progress }) {
          seen.push(progress)
          givenUp.abort()
        },
      },
    )
    await expect(call).rejects.toThrow()
    expect(seen).toEqual([1])
  })

  it('says when its lists change', async () => {
    const server = weather()
    const client = await connected(await aggregate(server))
    await client.listTools().all()
    const listening = client.listen({ toolsListChanged: true })
    expect(await listening.acknowledged).toEqual({ toolsListChanged: true })
    const heard = (async () => {
      for await (const { method } of listening) return method
    })()
    // The connection of the mount may still be on its way: what is registered until then is no news to it.
    await client.listTools().all()
    server.tool('later', {}, () => 'x')
    expect(await heard).toBe('notifications/tools/list_changed')
    expect((await client.listTools().all()).map(({ name }) => name)).toContain('weather__later')
  })

  it('tells who watches one of its resources', async () => {
    const server = weather()
    const client = await connected(await aggregate(server))
    const listening = client.listen({ resourceSubscriptions: ['w:stations', 'w:nothing'] })
    expect(await listening.acknowledged).toEqual({ resourceSubscriptions: ['w:stations'] })
    server.resourceUpdated('w:stations')
    for await (const { method, params } of listening) {
      expect([method, params.uri]).toEqual(['notifications/resources/updated', 'w:stations'])
      break
    }
  })
})

describe.each(REVISIONS.map(({ name }) => name))('to a caller of %s', (revision) => {
  it('a mounted server is like any other', async () => {
    const all = empty('all')
    all.mount('weather', weather())
    const client = await connected(all, { revision })
    expect(await client.listTools().all()).toHaveLength(3)
    expect(await client.callTool('weather__forecast', { city: 'Oslo' })).toMatchObject({
      content: [{ text: 'Sun in Oslo' }],
    })
  })
})

describe('a mounted server that asks back', () => {
  function asking(): Server {
    const server = empty('asking')
    server.tool('name', {}, async (_args, { elicit }) => {
      const answer = await elicit('Who?', { type: 'object', properties: { name: { type: 'string' } } } as never)
      return JSON.stringify(answer)
    })
    return server
  }

  it.each(['2026-07-28', '2025-11-25'])('is answered by the caller (%s)', async (revision) => {
    const all = empty('all')
    all.mount('a', asking())
    const person = scriptElicitation({ action: 'accept', content: { name: 'Ada' } })
    const client = await connected(all, { revision, handlers: { elicit: person } })
    expect(JSON.stringify(await client.callTool('a__name'))).toContain('Ada')
    expect(person.left).toBe(0)
  })

  it('gets its own state back, and never that of another', async () => {
    const all = empty('all')
    const states: unknown[] = []
    for (const name of ['a', 'b']) {
      const server = empty(name)
      server.tool('t', {}, (_args, { call }) => {
        states.push([name, call.params.requestState])
        return { resultType: 'input_required', requestState: `state of ${name}` }
      })
      all.mount(name, server)
    }
    const ask = (params: JsonObject) => all.endpoint.handle(toCall('tools/call', params))
    const { requestState } = await ask({ name: 'a__t' })
    expect(requestState).toBe('a:state of a')
    await ask({ name: 'a__t', requestState })
    expect(states).toEqual([
      ['a', undefined],
      ['a', 'state of a'],
    ])
    for (const wrong of [{ requestState }, { requestState: 'state of b' }, { requestState: 7 }]) {
      await expect(ask({ name: 'b__t', ...wrong })).rejects.toMatchObject({ code: 'caller.invalid_params' })
    }
    expect(states).toHaveLength(2)
  })
})

describe('names', () => {
  it('of tools that would be the same here differ by a digest, and what is registered here keeps its own', async () => {
    const inner = empty('inner')
    for (const name of ['x.y', 'x_y', 'own', 'a'.repeat(100)]) inner.tool(name, {}, () => name)
    const all = empty('all')
    all.tool('in__own', {}, () => 'of all')
    all.mount('in', inner)
    const client = await connected(all)
    const names = (await client.listTools().all()).map(({ name }) => name)
    expect(names).toEqual([
      'in__own',
      expect.stringMatching(/^in__x_y_[0-9a-f]{8}$/),
      'in__x_y',
      expect.stringMatching(/^in__own_[0-9a-f]{8}$/),
      expect.stringMatching(/^in__a{51}_[0-9a-f]{8}$/),
    ])
    const said = await Promise.all(names.map(async (name) => (await client.callTool(name)).content[0]?.text))
    expect(said).toEqual(['of all', 'x.y', 'x_y', 'own', 'a'.repeat(100)])
  })

  it.each(['', 'a__b', '_a', 'a_', 'a.b', 'a'.repeat(33)])('of mounts: %j is refused', (name) => {
    expect(() => empty('all').mount(name, weather())).toThrow(`Cannot mount a server as "${name}"`)
  })

  it('of mounts are given once', () => {
    const all = empty('all')
    all.mount('a', weather())
    expect(() => all.mount('a', weather())).toThrow('Cannot mount two servers as "a"')
    expect(() => all.mount('b', all)).toThrow('Cannot mount a server on itself')
  })
})

describe('a URI that several have', () => {
  function fixture(): { all: Server; events: JsonObject[] } {
    const events: JsonObject[] = []
    const all = empty('all', { log: (event) => void events.push(event as never) })
    for (const name of ['a', 'b']) {
      const server = empty(name)
      server.resource('r:same', { name }, (uri) => ({ uri, text: name }))
      server.resource('ui://page', { name }, () => name)
      server.template('t:{x}', { name }, (_uri, { x }) => `${name} ${x}`)
      server.tool('old', { _meta: { 'ui/resourceUri': 'ui://page' } }, () => '')
      server.tool('link', { ui: { resourceUri: 'ui://page' } }, () => [
        { type: 'resource_link', uri: 'r:same', name: 'x' },
        { type: 'resource', resource: { uri: 'r:same', text: 'x' } },
      ])
      server.tool('touch', {}, () => void server.resourceUpdated('r:same'))
      all.mount(name, server)
    }
    return { all, events }
  }

  it('stays that of the first, and leads to the other in another form; the log says so once', async () => {
    const { all, events } = fixture()
    const client = await connected(all)
    for (let i = 0; i < 2; i++) {
      expect((await client.listResources().all()).map(({ uri }) => uri)).toEqual([
        'r:same',
        'ui://page',
        'crosspoint:b/r:same',
        'crosspoint:b/ui://page',
      ])
    }
    expect((await client.listResourceTemplates().all()).map(({ uriTemplate }) => uriTemplate)).toEqual([
      't:{x}',
      'crosspoint:b/t:{x}',
    ])
    expect((await client.readResource('r:same')).contents).toMatchObject([{ uri: 'r:same', text: 'a' }])
    expect((await client.readResource('crosspoint:b/r:same')).contents).toMatchObject([
      { uri: 'crosspoint:b/r:same', text: 'b' },
    ])
    expect((await client.readResource('crosspoint:b/t:1')).contents).toMatchObject([{ text: 'b 1' }])
    expect(events.filter(({ event }) => event === 'mount_clash')).toHaveLength(3)
  })

  it('leads back to where it came from, in links, embedded resources and pages of tools', async () => {
    const client = await connected(fixture().all)
    const tools = await client.listTools().all()
    expect(tools.flatMap(({ _meta }) => (_meta === undefined ? [] : [_meta]))).toEqual([
      { 'ui/resourceUri': 'ui://page' },
      { ui: { resourceUri: 'ui://page' } },
      { 'ui/resourceUri': 'crosspoint:b/ui://page' },
      { ui: { resourceUri: 'crosspoint:b/ui://page' } },
    ])
    expect((await client.callTool('b__link')).content).toMatchObject([
      { uri: 'crosspoint:b/r:same' },
      { resource: { uri: 'crosspoint:b/r:same' } },
    ])
    expect((await client.callTool('a__link')).content).toMatchObject([{ uri: 'r:same' }, {}])
  })

  it('is watched where it leads to', async () => {
    const client = await connected(fixture().all)
    const listening = client.listen({ resourceSubscriptions: ['crosspoint:b/r:same'] })
    expect(await listening.acknowledged).toEqual({ resourceSubscriptions: ['crosspoint:b/r:same'] })
    await client.callTool('a__touch')
    await client.callTool('b__touch')
    for await (const { params } of listening) {
      expect(params.uri).toBe('crosspoint:b/r:same')
      break
    }
  })
})

describe('access', () => {
  const ada = { id: 'ada', tenant: 't' }
  const bob = { id: 'bob', tenant: 't' }
  const isAda = ({ id }: Principal) => id === 'ada'

  it('rules of both servers hold, and what is hidden answers like what is not there', async () => {
    const inner = empty('inner')
    for (const name of ['open', 'secret']) inner.tool(name, name === 'secret' ? { access: isAda } : {}, () => name)
    const all = empty('all')
    all.mount('in', inner)
    const names = async (principal: Principal) =>
      (await (await connected(all, { principal })).listTools().all()).map(({ name }) => name)
    expect([await names(ada), await names(bob)]).toEqual([['in__open', 'in__secret'], ['in__open']])
    const client = await connected(all, { principal: bob })
    const refusal = async (name: string) =>
      client.callTool(name).catch((error: McpError) => error.message.replace(name, '…'))
    expect(await refusal('in__secret')).toBe(await refusal('in__missng'))
    expect(await (await connected(all, { principal: ada })).callTool('in__secret')).toMatchObject({
      content: [{ text: 'secret' }],
    })
    all.access((_, { key }) => key !== 'in__open')
    expect([await names(ada), await names(bob)]).toEqual([['in__secret'], []])
    expect(await refusal('in__open')).toBe('No tool named "…"')
  })

  it('hold for a resource in whichever form it is asked for, beside a template of its mount that fits it too', async () => {
    const inner = empty('inner')
    inner.resource('app://secret', { name: 'secret' }, () => 'secret')
    inner.template('app://{+x}', { name: 'x' }, () => 'made')
    const all = empty('all')
    all.mount('in', inner)
    all.access((_, { kind, key }) => kind !== 'resource' || key !== 'app://secret')
    const read = (uri: string) => all.endpoint.handle(toCall('resources/read', { uri }))
    expect(await read('app://other')).toMatchObject({ contents: [{ text: 'made' }] })
    for (const uri of ['app://secret', 'crosspoint:in/app://secret']) {
      await expect(read(uri)).rejects.toMatchObject({ code: 'caller.resource_not_found' })
    }
    const client = await connected(all)
    const listening = client.listen({ resourceSubscriptions: ['crosspoint:in/app://secret', 'app://other'] })
    expect((await listening.acknowledged).resourceSubscriptions).toEqual(['app://other'])
    listening.close()
  })

  it('a link leads where it should, whoever else listed what in between', async () => {
    const all = empty('all')
    for (const name of ['a', 'b']) {
      const inner = empty(name)
      inner.resource('r:x', { name, ...(name === 'a' ? { access: isAda } : {}) }, () => name)
      inner.tool('link', {}, () => [{ type: 'resource_link', uri: 'r:x', name: 'x' }])
      all.mount(name, inner)
    }
    const [one, other] = [await connected(all, { principal: ada }), await connected(all, { principal: bob })]
    await one.listResources().all()
    await other.listResources().all()
    for (const client of [one, other]) {
      const { content } = await client.callTool('b__link')
      const [{ uri }] = content as unknown as [{ uri: string }]
      expect((await client.readResource(uri)).contents).toMatchObject([{ text: 'b' }])
    }
  })

  it('middleware of both servers stands around, the outer one first', async () => {
    const seen: string[] = []
    const inner = weather()
    const all = empty('all')
    all.mount('weather', inner)
    all.use('tools/call', (call, next) => {
      seen.push(`all ${call.params.name}`)
      return next(call)
    })
    inner.use('tools/call', (call, next) => {
      seen.push(`weather ${call.params.name}`)
      return next(call)
    })
    await (await connected(all)).callTool('weather__forecast')
    expect(seen).toEqual(['all weather__forecast', 'weather forecast'])
  })
})

describe('a mount that fails', () => {
  it('is left out, says why in the log once, and nobody else is held up', async () => {
    const events: JsonObject[] = []
    const all = empty('all', { log: (event) => void events.push(event as never) })
    let isBroken = true
    const inner = weather()
    all.mount('broken', {
      endpoint: {
        async handle(call) {
          if (isBroken) throw new McpError('upstream.unavailable', 'nobody there')
          return inner.endpoint.handle(call)
        },
      },
    })
    all.mount('weather', weather())
    const client = await connected(all)
    for (let i = 0; i < 2; i++) expect(await client.listTools().all()).toHaveLength(3)
    expect(await client.callTool('weather__forecast', { city: 'x' })).toMatchObject({ content: [{}] })
    await expect(client.callTool('broken__forecast')).rejects.toThrow(
      'Cannot reach "broken__forecast": "broken" is away (nobody there)',
    )
    expect(events.filter(({ event, of }) => event === 'mount_left_out' && of === 'tools')).toMatchObject([
      { level: 'warn', mount: 'broken', reason: 'nobody there' },
    ])
    isBroken = false
    expect(await client.listTools().all()).toHaveLength(6)
    expect(events.filter(({ event, of }) => event === 'mount_back' && of === 'tools')).toHaveLength(1)
  })

  it('counts as offering anything while it is away', async () => {
    const all = empty('all')
    all.mount('away', { endpoint: { handle: () => Promise.reject(new McpError('upstream.unavailable', 'away')) } })
    expect((await (await connected(all)).discover()).capabilities).toMatchObject({
      tools: {},
      prompts: {},
      resources: {},
    })
  })

  it('holds a list up for ten seconds and no longer', async () => {
    const clock = createFakeClock()
    const all = empty('all', { clock })
    let asked: () => void = () => {}
    const isAsked = new Promise<void>((resolve) => {
      asked = resolve
    })
    all.tool('own', {}, () => 'x')
    all.mount('silent', {
      endpoint: {
        handle() {
          asked()
          return new Promise(() => {})
        },
      },
    })
    const listed = all.endpoint.handle(toCall('tools/list'))
    await isAsked
    clock.advance(10_000)
    expect(await listed).toMatchObject({ tools: [{ name: 'own' }] })
  })

  it('abuse-16: that is slow is waited for once a minute, by each caller, unless it answers meanwhile', async () => {
    const clock = createFakeClock()
    const all = empty('all', { clock })
    const asked: { readonly who: string; readonly answer: (result: JsonObject) => void }[] = []
    let wake = () => {}
    all.mount('slow', {
      endpoint: {
        handle: ({ method, principal }) =>
          method !== 'tools/list'
            ? Promise.resolve({})
            : new Promise((answer) => {
                asked.push({ who: principal.id, answer })
                wake()
              }),
      },
    })
    const list = (id: string) => all.endpoint.handle(toCall('tools/list', {}, { principal: { id, tenant: 't' } }))
    const listLate = async (id: string) => {
      const count = asked.length
      const listed = list(id)
      while (asked.length === count) await new Promise<void>((resolve) => (wake = resolve))
      clock.advance(10_000)
      return listed
    }
    expect(await listLate('ada')).toEqual({ tools: [] })
    expect(await list('ada')).toEqual({ tools: [] })
    expect(await listLate('bob')).toEqual({ tools: [] })
    clock.advance(60_000)
    expect(await listLate('ada')).toEqual({ tools: [] })
    expect(asked.map(({ who }) => who)).toEqual(['ada', 'bob', 'ada'])
    asked[2]?.answer({ tools: [{ name: 'x', inputSchema: {} }] })
    await new Promise(setImmediate)
    const listed = list('ada')
    await new Promise(setImmediate)
    asked[3]?.answer({ tools: [{ name: 'x', inputSchema: {} }] })
    expect(await listed).toMatchObject({ tools: [{ name: 'slow__x' }] })
  })

  it('abuse-16: cannot hold everybody up with templates that are hard to read', async () => {
    const all = empty('all')
    const hard = Array.from({ length: 10_000 }, (_, i) => ({ uriTemplate: `${'{+a}a'.repeat(60)}${i}`, name: 'x' }))
    const lists: Record<string, JsonObject> = { 'resources/templates/list': { resourceTemplates: hard } }
    all.mount('hostile', { endpoint: { handle: async ({ method }) => lists[method] ?? {} } })
    const good = empty('good')
    good.template('w:{+id}', { name: 'x' }, () => 'found')
    all.mount('good', good)
    const started = performance.now()
    const read = all.endpoint.handle(toCall('resources/read', { uri: `w:${'a'.repeat(8_000)}` }))
    expect(await read).toMatchObject({ contents: [{ text: 'found' }] })
    expect(performance.now() - started).toBeLessThan(5_000)
  })

  it('abuse-14: is asked for its lists once, however many of its resources somebody watches', async () => {
    const all = empty('all')
    let lists = 0
    const inner = empty('inner')
    inner.template('w:{id}', { name: 'x' }, () => 'x')
    all.mount('m', {
      endpoint: {
        handle(call) {
          if (call.method.endsWith('/list')) lists++
          return inner.endpoint.handle(call)
        },
      },
    })
    const client = await connected(all)
    lists = 0
    const uris = Array.from({ length: 500 }, (_, i) => `w:${i}`)
    const listening = client.listen({ resourceSubscriptions: uris })
    expect((await listening.acknowledged).resourceSubscriptions).toEqual(uris)
    expect(lists).toBeLessThan(5)
    listening.close()
  })
})

describe('abuse-45: servers that mount each other', () => {
  it('in one process: the circle is cut, the rest works, and the log says so', async () => {
    const events: JsonObject[] = []
    const one = empty('one', { log: (event) => void events.push(event as never) })
    const two = empty('two', { log: (event) => void events.push(event as never) })
    one.tool('a', {}, () => 'a')
    two.tool('b', {}, () => 'b')
    one.mount('two', two)
    two.mount('one', one)
    const client = await connected(one)
    expect((await client.listTools().all()).map(({ name }) => name)).toEqual(['a', 'two__b'])
    expect(await client.callTool('two__b')).toMatchObject({ content: [{ text: 'b' }] })
    expect(events.find(({ event }) => event === 'mount_left_out')).toMatchObject({
      mount: 'one',
      reason: expect.stringContaining('servers lead to each other in a circle'),
    })
  })

  it('over connections: the trail goes with the call', async () => {
    const servers = ['a', 'b', 'c'].map((name) => {
      const server = empty(name)
      server.tool('own', {}, () => name)
      return server
    })
    for (const [at, server] of servers.entries()) {
      const next = servers[(at + 1) % servers.length]
      if (next !== undefined) server.mount('next', remote(connectTo({ endpoint: next.endpoint })))
    }
    const [first] = servers
    if (first === undefined) throw new Error('No server')
    const client = await connected(first)
    expect((await client.listTools().all()).map(({ name }) => name)).toEqual(['own', 'next__own', 'next__next__own'])
    expect(await client.callTool('next__next__own')).toMatchObject({ content: [{ text: 'c' }] })
  })

  it('over connections: a change is told once, and does not go round for ever', async () => {
    const [one, two] = [empty('one'), empty('two')]
    one.mount('two', remote(connectTo({ endpoint: two.endpoint })))
    two.mount('one', remote(connectTo({ endpoint: one.endpoint })))
    const client = await connected(one)
    await client.listTools().all()
    const listening = client.listen({ toolsListChanged: true })
    await listening.acknowledged
    let count = 0
    const heard = (async () => {
      for await (const _ of listening) count++
    })()
    const handled: string[] = []
    two.use('tools/list', (call, next) => {
      handled.push(call.method)
      return next(call)
    })
    one.tool('new', {}, () => 'x')
    // Whatever goes round comes by here within a few turns of the pipes.
    for (let turn = 0; turn < 200; turn++) await new Promise((resolve) => setImmediate(resolve))
    listening.close()
    await heard
    expect(count).toBe(1)
    expect(handled.length).toBeLessThan(5)
  })

  it('a chain ends after eight', async () => {
    const events: JsonObject[] = []
    let inner = empty('innermost')
    inner.tool('t', {}, () => 'deep')
    for (let depth = 0; depth < 10; depth++) {
      const outer = empty('outer', { log: (event) => void events.push(event as never) })
      outer.mount('x', inner)
      inner = outer
    }
    expect(await (await connected(inner)).listTools().all()).toEqual([])
    expect(events.find(({ event }) => event === 'mount_left_out')).toMatchObject({
      reason: expect.stringContaining('went through 8 servers with others behind them'),
    })
  })

  it('a trail made up by a caller is no more than that', async () => {
    const all = empty('all')
    all.mount('weather', weather())
    for (const trail of [7, 'x', {}, [1, 2], ['x'.repeat(1000)]]) {
      const meta = { 'crosspoint/trail': trail }
      expect(await all.endpoint.handle(toCall('tools/list', {}, { meta }))).toMatchObject({ tools: expect.anything() })
    }
  })
})

describe('a mount that is hard to hear', () => {
  /** Answers lists, and listens as told. */
  function mounted(listen: (uris: unknown, notify: (method: string, params: JsonObject) => void) => void) {
    const clock = createFakeClock()
    const all = empty('all', { clock })
    let listening = 0
    all.mount('m', {
      endpoint: {
        async handle({ method, params, interim, cancellation }) {
          if (method === 'resources/list') return { resources: [{ uri: 'r:a', name: 'a' }] }
          if (method !== 'subscriptions/listen') return {}
          const filter = params.notifications as JsonObject
          if (filter.resourceSubscriptions === undefined) return new Promise(() => {})
          listening++
          listen(filter.resourceSubscriptions, (name, given) => interim.notify({ method: name, params: given }))
          return new Promise((resolve) => cancellation.watch({ cancelled: () => resolve({ ended: listening-- }) }))
        },
      },
    })
    return { all, clock, listening: () => listening }
  }
  const ACK = 'notifications/subscriptions/acknowledged'
  const UPDATED = 'notifications/resources/updated'

  it('tells of nothing it did not agree to, and nothing stays open', async () => {
    const { all, listening } = mounted((_, notify) => {
      notify(ACK, { notifications: {} })
      notify(UPDATED, { uri: 'r:a' })
    })
    const client = await connected(all)
    const subscription = client.listen({ resourceSubscriptions: ['r:a'] })
    expect(await subscription.acknowledged).toEqual({})
    expect(listening()).toBe(0)
  })

  it('trap-19: comes after the acknowledgement, whatever it says before', async () => {
    const { all, listening } = mounted((uris, notify) => {
      notify(ACK, { notifications: { resourceSubscriptions: uris } })
      notify(UPDATED, { uri: 'r:a' })
    })
    const client = await connected(all, { revision: '2026-07-28' })
    const subscription = client.listen({ resourceSubscriptions: ['r:a'] })
    for await (const { params } of subscription) {
      expect(params.uri).toBe('r:a')
      break
    }
    const notifications = client.transcript.text().match(/^< notifications.*$/gm)
    expect(notifications).toEqual([`< ${ACK}`, `< ${UPDATED}`])
    await subscription.ended
    for (let turn = 0; turn < 20 && listening() > 0; turn++) await new Promise((resolve) => setImmediate(resolve))
    expect(listening()).toBe(0)
  })

  it('is not waited for longer than five seconds', async () => {
    let asked: () => void = () => {}
    const isAsked = new Promise<void>((resolve) => {
      asked = resolve
    })
    const { all, clock } = mounted(() => asked())
    const client = await connected(all)
    const subscription = client.listen({ resourceSubscriptions: ['r:a'] })
    await isAsked
    clock.advance(5_000)
    expect(await subscription.acknowledged).toEqual({})
  })
})

describe('lists of all', () => {
  it('trap-28: follow every cursor of a mount, "" too, and page as one', async () => {
    const all = empty('all', { pageSize: 2 })
    all.tool('own', {}, () => 'x')
    const pages: Record<string, object> = {
      first: { tools: [{ name: 'a', inputSchema: {} }], nextCursor: '' },
      '': {
        tools: [{ name: 'b', inputSchema: {} }, { name: 'a', inputSchema: {} }, { noName: 1 }],
        nextCursor: 'last',
      },
      last: { tools: [{ name: 'c', inputSchema: {} }], nextCursor: 'last' },
    }
    all.mount('m', {
      endpoint: {
        handle: async ({ method, params }) =>
          (method === 'tools/list'
            ? pages[params.cursor === undefined ? 'first' : String(params.cursor)]
            : {}) as never,
      },
    })
    const client = await connected(all)
    const seen: string[][] = []
    for await (const { tools } of client.listTools()) seen.push(tools.map(({ name }) => name))
    expect(seen).toEqual([
      ['own', 'm__a'],
      ['m__b', 'm__c'],
    ])
    for (const cursor of ['', 'x', btoa('[]'), 7]) {
      await expect(all.endpoint.handle(toCall('tools/list', { cursor }))).rejects.toMatchObject({
        code: 'caller.invalid_params',
      })
    }
  })

  it('go on behind the last thing seen when something before it is gone', async () => {
    const inner = empty('inner')
    const [first] = ['a', 'b', 'c', 'd'].map((name) => inner.tool(name, {}, () => name))
    const all = empty('all', { pageSize: 2 })
    all.mount('m', inner)
    const { nextCursor } = await all.endpoint.handle(toCall('tools/list'))
    first?.remove()
    expect(await all.endpoint.handle(toCall('tools/list', { cursor: nextCursor }))).toMatchObject({
      tools: [{ name: 'm__c' }, { name: 'm__d' }],
    })
  })
})

it('a mount is taken out again', async () => {
  const all = empty('all')
  all.tool('own', {}, () => 'x')
  const mounted = all.mount('weather', weather())
  const client = await connected(all)
  expect(await client.listTools().all()).toHaveLength(4)
  mounted.remove()
  expect(await client.listTools().all()).toHaveLength(1)
})

it('headers are held against the schema of a mounted tool that the caller may see', async () => {
  const inner = empty('inner')
  const input = { type: 'object', properties: { region: { type: 'string', 'x-mcp-header': 'Region' } } }
  inner.tool('t', { input, access: ({ id }) => id === 'ada' }, () => 'x')
  const all = empty('all')
  all.mount('in', inner)
  const ada = { id: 'ada', tenant: 't' }
  const { toolSchema, handle } = all.endpoint
  await handle(toCall('tools/list', {}, { principal: ada }))
  expect(toolSchema?.('in__t', ada)).toEqual(input)
  expect(toolSchema?.('in__t', { id: 'bob', tenant: 't' })).toBeUndefined()
})
