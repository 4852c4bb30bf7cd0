import { afterEach, describe, expect, it } from 'vitest'
import { McpError } from '../errors.ts'
import { NO_INTERIM, type Notification, type Principal } from '../protocol/call.ts'
import { toCall } from '../protocol/fixtures/calls.ts'
import { REVISIONS } from '../revisions/index.ts'
import { type TestClient, testClient } from '../testing/index.ts'
import { openHttpDoor } from '../transports/http/door.ts'
import { createServer, type Server, type ServerOptions } from './index.ts'

const ada = { id: 'ada', tenant: 'default' }
const bob = { id: 'bob', tenant: 'default' }
const isAda = ({ id }: Principal) => id === 'ada'

const ending: (() => unknown)[] = []
afterEach(async () => {
  for (const end of ending.splice(0).reverse()) await end()
})

async function as(principal: Principal, server: Server, revision?: string): Promise<TestClient> {
  const client = await testClient(server, { principal, ...(revision === undefined ? {} : { revision }) })
  ending.push(() => client.close())
  return client
}

function fixture(options: Partial<ServerOptions> = {}): Server {
  const server = createServer({ name: 's', version: '1', pageSize: 2, ...options })
  for (const name of ['a', 'secret_b', 'c', 'secret_d', 'e']) {
    const rule = name.startsWith('secret') ? { access: isAda } : {}
    server.tool(name, { ...rule, input: { type: 'object', properties: { x: { type: 'string' } } } }, () => name)
    server.prompt(name, { ...rule, arguments: { x: { complete: () => ['x1'] } } }, () => name)
    server.resource(`r:${name}`, { ...rule, name }, () => name)
    server.template(`t:${name}/{x}`, { ...rule, name, complete: { x: () => ['x1'] } }, () => name)
  }
  return server
}

async function listed(client: TestClient): Promise<object> {
  return {
    tools: (await client.listTools().all()).map(({ name }) => name),
    prompts: (await client.listPrompts().all()).map(({ name }) => name),
    resources: (await client.listResources().all()).map(({ uri }) => uri),
    templates: (await client.listResourceTemplates().all()).map(({ uriTemplate }) => uriTemplate),
  }
}

async function refusal(asked: Promise<unknown>): Promise<object> {
  const error = await asked.then(
    () => expect.unreachable(),
    (thrown: unknown) => thrown,
  )
  if (!(error instanceof McpError)) throw error
  return { code: error.code, rpc: error.rpc?.code, data: error.data ?? error.rpc?.data, message: error.message }
}

describe.each(REVISIONS.map(({ name }) => name))('to callers of %s', (revision) => {
  it('trap-18: lists vary by who asks, and by nothing else', async () => {
    const server = fixture()
    const all = ['a', 'secret_b', 'c', 'secret_d', 'e']
    const some = ['a', 'c', 'e']
    const shown = (names: readonly string[]) => ({
      tools: names,
      prompts: names,
      resources: names.map((name) => `r:${name}`),
      templates: names.map((name) => `t:${name}/{x}`),
    })
    const first = await as(bob, server, revision)
    expect(await listed(first)).toEqual(shown(some))
    expect(await listed(await as(ada, server, revision))).toEqual(shown(all))
    await first.callTool('a')
    expect(await listed(first)).toEqual(shown(some))
    expect(await listed(await as(bob, server, revision))).toEqual(shown(some))
  })

  it('lets those who may use what is guarded', async () => {
    const client = await as(ada, fixture(), revision)
    expect(await client.callTool('secret_b')).toMatchObject({ content: [{ text: 'secret_b' }] })
    expect(await client.readResource('t:secret_b/1')).toMatchObject({ contents: [{ text: 'secret_b' }] })
  })
})

describe('what a caller may not see', () => {
  /** The same question about a hidden thing and about one that is not there; its name is all they may differ in. */
  const questions: Record<string, (client: TestClient, name: string) => Promise<unknown>> = {
    'a tool': (client, name) => client.callTool(name),
    'a prompt': (client, name) => client.getPrompt(name),
    'a resource': (client, name) => client.readResource(`r:${name}`),
    'a template': (client, name) => client.readResource(`t:${name}/1`),
    'completing for a prompt': (client, name) =>
      client.complete({ ref: { type: 'ref/prompt', name }, argument: { name: 'x', value: '' } }),
    'completing for a template': (client, name) =>
      client.complete({ ref: { type: 'ref/resource', uri: `t:${name}/{x}` }, argument: { name: 'x', value: '' } }),
  }

  it.each(Object.keys(questions))('answers as if it did not exist: %s', async (question) => {
    const client = await as(bob, fixture())
    const ask = questions[question]
    if (ask === undefined) throw new Error('No such question')
    const toHidden = await refusal(ask(client, 'secret_b'))
    const toMissing = await refusal(ask(client, 'missing_'))
    expect(JSON.parse(JSON.stringify(toHidden).replaceAll('secret_b', 'missing_'))).toEqual(toMissing)
  })

  it('is not suggested, either', async () => {
    const client = await as(bob, fixture())
    expect(await refusal(client.callTool('secret_x'))).toMatchObject({ message: 'No tool named "secret_x"' })
    expect(await refusal((await as(ada, fixture())).callTool('secret_x'))).toMatchObject({
      message: expect.stringContaining('did you mean "secret_b"?'),
    })
  })

  it('cannot be watched', async () => {
    const client = await as(bob, fixture())
    const uris = ['r:a', 'r:secret_b', 't:secret_b/1']
    expect(await client.listen({ resourceSubscriptions: uris }).acknowledged).toEqual({
      resourceSubscriptions: ['r:a'],
    })
  })

  it('shows no schema by the headers it would want', async () => {
    const server = createServer({
      name: 's',
      version: '1',
      authenticate: ({ who }) => ({ id: who ?? '', tenant: 't' }),
    })
    const properties = { region: { type: 'string', 'x-mcp-header': 'Region' } }
    server.tool('hidden', { access: isAda, input: { type: 'object', properties } }, () => 'reached')
    const door = await openHttpDoor({ endpoint: () => server.endpoint })
    ending.push(() => door.close({ drainMs: 0 }))
    const call = async (who: string, name: string) => {
      const body = {
        jsonrpc: '2.0',
        id: 1,
        method: 'tools/call',
        params: {
          name,
          arguments: { region: 'eu' },
          _meta: {
            'io.modelcontextprotocol/protocolVersion': '2026-07-28',
            'io.modelcontextprotocol/clientCapabilities': {},
          },
        },
      }
      const headers = {
        who,
        accept: 'application/json, text/event-stream',
        'content-type': 'application/json',
        'mcp-protocol-version': '2026-07-28',
        'mcp-method': 'tools/call',
        'mcp-name': name,
      }
      const answer = await fetch(`${door.url}/mcp`, { method: 'POST', headers, body: JSON.stringify(body) })
      return [answer.status, (await answer.text()).replaceAll('hidden', '…').replaceAll('absent', '…')]
    }
    expect(await call('bob', 'hidden')).toEqual(await call('bob', 'absent'))
    expect((await call('ada', 'hidden'))[0]).toBe(400) // the header is missing, and she may know
  })
})

describe('what a caller may see no more', () => {
  /** Ada and Bob watch these; the function tells what they hear of one update of each. */
  async function watching(server: Server, uris: readonly string[]) {
    const heard: string[] = []
    for (const principal of [ada, bob]) {
      const notify = ({ method, params }: Notification) =>
        void (method === 'notifications/resources/updated' && heard.push(`${principal.id} ${String(params.uri)}`))
      const params = { notifications: { resourceSubscriptions: uris } }
      const interim = { ...NO_INTERIM, notify }
      void server.endpoint.handle(toCall('subscriptions/listen', params, { principal, interim }))
    }
    // A mount is asked what it has before anything is watched there.
    await new Promise(setImmediate)
    return (source: Server, ...updated: readonly string[]) => {
      heard.length = 0
      for (const uri of updated) source.resourceUpdated(uri)
      return [...heard]
    }
  }

  it('trap-18: is not told of, by a rule of the thing, of its template or of all', async () => {
    const server = createServer({ name: 's', version: '1' })
    const known = new Set(['ada', 'bob'])
    const isKnown = ({ id }: Principal) => known.has(id)
    server.resource('r:open', { name: 'open' }, () => 'x')
    server.resource('r:a', { name: 'a', access: isKnown }, () => 'x')
    server.template('t:{x}', { name: 't', access: isKnown }, () => 'x')
    server.skill('s', {
      access: isKnown,
      files: { 'SKILL.md': '---\nname: s\ndescription: d\n---\n', 'x.md': 'x' },
    })
    const uris = ['r:open', 'r:a', 't:1', 'skill://s/x.md']
    const update = await watching(server, uris)
    expect(update(server, ...uris)).toEqual(uris.flatMap((uri) => [`ada ${uri}`, `bob ${uri}`]))
    known.delete('bob')
    expect(update(server, ...uris)).toEqual(['ada r:open', 'bob r:open', 'ada r:a', 'ada t:1', 'ada skill://s/x.md'])
    server.access(({ id }) => id === 'bob')
    expect(update(server, ...uris)).toEqual(['bob r:open'])
  })

  it('is not told of again, until it is asked for anew', async () => {
    const server = createServer({ name: 's', version: '1' })
    let isOpen = true
    let asked = 0
    const access = () => {
      asked++
      return isOpen
    }
    server.resource('r:a', { name: 'a', access }, () => 'x')
    const update = await watching(server, ['r:a'])
    isOpen = false
    expect(update(server, 'r:a')).toEqual([])
    isOpen = true
    asked = 0
    expect(update(server, 'r:a')).toEqual([])
    expect(asked).toBe(0)
    const again = await watching(server, ['r:a'])
    expect(again(server, 'r:a')).toEqual(['ada r:a', 'bob r:a'])
    expect(asked).toBe(4) // each as they asked for it, and once for what was told
  })

  it('is told of when it was taken out, where the rules for all do not hide it', async () => {
    const server = createServer({ name: 's', version: '1' })
    const resources = ['r:a', 'r:b'].map((uri) => server.resource(uri, { name: 'x' }, () => 'x'))
    const update = await watching(server, ['r:a', 'r:b'])
    for (const resource of resources) resource.remove()
    expect(update(server, 'r:a')).toEqual(['ada r:a', 'bob r:a'])
    server.access(({ id }, { key }) => key !== 'r:b' || id === 'ada')
    expect(update(server, 'r:b')).toEqual(['ada r:b'])
  })

  it.each([
    ['the server it is mounted on', (all: Server) => all],
    ['its own server', (_: Server, inner: Server) => inner],
  ])('is not told of by the rules of %s', async (_, whose) => {
    const [all, inner] = [createServer({ name: 'all', version: '1' }), createServer({ name: 'in', version: '1' })]
    inner.resource('r:a', { name: 'a' }, () => 'x')
    inner.template('t:{x}', { name: 't' }, () => 'x')
    all.mount('in', inner)
    const update = await watching(all, ['r:a', 't:1'])
    expect(update(inner, 'r:a', 't:1')).toEqual(['ada r:a', 'bob r:a', 'ada t:1', 'bob t:1'])
    whose(all, inner).access(({ id }, { kind }) => id === 'ada' || kind === 'resource template')
    expect(update(inner, 'r:a', 't:1')).toEqual(['ada r:a', 'ada t:1', 'bob t:1'])
    whose(all, inner).access(isAda)
    expect(update(inner, 'r:a', 't:1')).toEqual(['ada r:a', 'ada t:1'])
  })
})

describe('how much is hidden', () => {
  it('abuse-24: is told by no cursor, neither by those that are given nor by those that are made up', async () => {
    const page = async (hidden: number, cursor?: unknown) => {
      const server = createServer({ name: 's', version: '1', pageSize: 1 })
      for (let i = 0; i < hidden; i++) server.tool(`hidden${i}`, { access: () => false }, () => 'x')
      for (const name of ['a', 'b', 'c']) server.tool(name, { access: () => true }, () => 'x')
      const call = toCall('tools/list', cursor === undefined ? {} : { cursor }, { principal: bob })
      return server.endpoint.handle(call).catch(({ message }: McpError) => message)
    }
    const made = Array.from({ length: 12 }, (_, serial) => btoa(`tool:${serial}`))
    const { nextCursor } = (await page(0)) as { nextCursor: unknown }
    for (const cursor of [undefined, nextCursor, ...made]) expect(await page(9, cursor)).toEqual(await page(0, cursor))
    expect(await page(9, nextCursor)).toMatchObject({ tools: [{ name: 'b' }] })
  })

  it('a page goes on behind what was seen last, or at its place', async () => {
    const server = fixture()
    const list = async (principal: Principal, cursor?: unknown) => {
      const call = toCall('tools/list', cursor === undefined ? {} : { cursor }, { principal })
      const { tools, nextCursor } = await server.endpoint.handle(call)
      return { names: (tools as { name: string }[]).map(({ name }) => name), nextCursor }
    }
    const first = await list(bob)
    expect(first.names).toEqual(['a', 'c'])
    expect(await list(bob, first.nextCursor)).toEqual({ names: ['e'], nextCursor: undefined })
    // What another sees by the same cursor is still only what is theirs.
    expect((await list(ada, first.nextCursor)).names).toEqual(['secret_d', 'e'])
  })

  it('trap-18: a change is told to those who can see what changed, and to nobody else', async () => {
    const server = fixture()
    const heard: string[] = []
    for (const principal of [ada, bob]) {
      const notify = ({ method }: Notification) => void heard.push(`${principal.id} ${method}`)
      const params = { notifications: { toolsListChanged: true, promptsListChanged: true } }
      const interim = { ...NO_INTERIM, notify }
      void server.endpoint.handle(toCall('subscriptions/listen', params, { principal, interim }))
    }
    const changes = async (change: () => void) => {
      heard.length = 0
      change()
      await Promise.resolve()
      return heard.map((line) => line.replace('notifications/', ''))
    }
    const both = ['ada tools/list_changed', 'bob tools/list_changed']
    let tool: { update(changes: { access?: typeof isAda }): void; disable(): void; remove(): void } | undefined
    expect(await changes(() => (tool = server.tool('x', { access: isAda }, () => 'x')))).toEqual([both[0]])
    expect(await changes(() => tool?.update({ access: () => true }))).toEqual(both)
    expect(await changes(() => tool?.update({ access: isAda }))).toEqual(both)
    expect(await changes(() => tool?.disable())).toEqual([both[0]])
    expect(await changes(() => tool?.remove())).toEqual([])
    expect(await changes(() => void server.tool('open', {}, () => 'x'))).toEqual(both)
    expect(await changes(() => void server.prompt('p', { access: isAda }, () => 'x'))).toEqual([
      'ada prompts/list_changed',
    ])
    server.access(({ id }, { key }) => id === 'bob' || !key.startsWith('bobs'))
    await Promise.resolve()
    expect(await changes(() => void server.tool('bobs', {}, () => 'x'))).toEqual([both[1]])
  })
})

describe('a rule for everything', () => {
  it('hides whatever it does not allow, beside the rules of single things', async () => {
    const server = fixture()
    const kinds = new Set<string>()
    server.access((_, { kind, key }) => {
      kinds.add(kind)
      return !key.includes('e')
    })
    expect(await listed(await as(bob, server))).toEqual({
      tools: ['a', 'c'],
      prompts: ['a', 'c'],
      resources: ['r:a', 'r:c'],
      templates: ['t:a/{x}', 't:c/{x}'],
    })
    expect([...kinds].sort()).toEqual(['prompt', 'resource', 'resource template', 'tool'])
  })

  it('is told to those who listen', async () => {
    const server = fixture()
    const client = await as(bob, server)
    const listening = client.listen({ toolsListChanged: true })
    await listening.acknowledged
    server.access(() => false)
    for await (const { method } of listening) {
      expect(method).toBe('notifications/tools/list_changed')
      break
    }
    expect(await client.listTools().all()).toEqual([])
  })

  it('says no when it throws, and the error is logged', async () => {
    const events: object[] = []
    const server = fixture({ log: (event) => void events.push(event) })
    const error = new Error('no directory')
    server.access(() => {
      throw error
    })
    const client = await as(ada, server)
    expect(await refusal(client.callTool('a'))).toMatchObject({ message: 'No tool named "a"' })
    expect(events[0]).toMatchObject({ level: 'error', event: 'access_rule_failed', kind: 'tool', key: 'a', error })
  })

  it('must say true: what a rule in plain JavaScript returns by mistake is no permission', async () => {
    const server = fixture()
    server.access((() => 'yes') as never)
    expect(await (await as(ada, server)).listTools().all()).toEqual([])
  })
})

describe('a guarded thing', () => {
  it('can be opened and closed to callers later, and its rule is not listed', async () => {
    const server = createServer({ name: 's', version: '1' })
    const tool = server.tool('t', { access: isAda }, () => 'done')
    const client = await as(bob, server)
    expect(await client.listTools().all()).toEqual([])
    tool.update({ access: () => true })
    expect(await client.listTools().all()).toEqual([{ name: 't', inputSchema: expect.anything() }])
    tool.update({ access: isAda })
    expect(await client.listTools().all()).toEqual([])
  })

  it('is disabled for everybody', async () => {
    const server = createServer({ name: 's', version: '1' })
    server.tool('t', { access: () => true }, () => 'done').disable()
    expect(await (await as(ada, server)).listTools().all()).toEqual([])
  })
})

it('shares the list among all callers where nothing is guarded', async () => {
  const server = createServer({ name: 's', version: '1' })
  server.tool('t', {}, () => 'done')
  const client = await as(ada, server)
  const { call } = { call: { params: {}, downstream: { capabilities: {} } } }
  const ask = async (principal: Principal) =>
    server.endpoint.handle({ ...call, method: 'tools/list', principal } as never)
  expect((await ask(ada)).tools).toBe((await ask(bob)).tools)
  expect(await client.listTools().all()).toHaveLength(1)
})
