import { type Handle, McpError, NEWEST_HANDSHAKE, type Notification, TASKS } from '@crosspoint/mcp'
import { type Connection, type ConnectionOptions, connect, type Handlers } from '@crosspoint/mcp/client'
import { createServer, type Server } from '@crosspoint/mcp/server'
import { connectDirectly, createFakeClock, type DirectConnection, recordCall } from '@crosspoint/testkit'
import { expect, onTestFinished, test } from 'vitest'
import { configOf, type Dialers, openGateway } from '../fixtures/open-gateway.ts'
import type { GatewayConfig } from './config/model.ts'
import { parseConfig } from './config/parse.ts'
import type { Gateway, GatewayOptions } from './gateway.ts'
import { SILENT } from './log.ts'

/** A server with one tool, which says its name. */
function createNamed(name: string, features: Parameters<typeof createServer>[0]['features'] = ['tools']): Server {
  const server = createServer({ name, version: '1.0.0', features: features ?? [] })
  server.tool('who', { description: `Who is ${name}` }, () => name)
  return server
}

/** Connects to the server anew each time, and remembers the connections. */
function dialTo(server: Server): { dial: Dialers[string]; connections: DirectConnection[] } {
  const connections: DirectConnection[] = []
  const dial = async () => {
    const connection = await connectDirectly(server.endpoint)
    connections.push(connection)
    return connection
  }
  return { dial, connections }
}

const never = () => new Promise<Connection>(() => {})

async function start(config: GatewayConfig, dialers: Dialers, options: Partial<GatewayOptions> = {}) {
  const clock = createFakeClock()
  const gateway = openGateway(config, dialers, clock, options)
  const starting = gateway.start()
  await until(() => gateway.status().every(({ state }) => state !== 'stopped'))
  return { clock, gateway, starting }
}

async function ready(config: GatewayConfig, dialers: Dialers, options: Partial<GatewayOptions> = {}) {
  const opened = await start(config, dialers, options)
  await opened.starting
  return opened
}

/** Lets everything that needs no time happen, until the condition holds. */
async function until(holds: () => boolean): Promise<void> {
  for (let turn = 0; turn < 1000; turn++) {
    if (holds()) return
    await new Promise((resolve) => setImmediate(resolve))
  }
  throw new Error('It did not come about')
}

const ask = (gateway: Gateway, method: string, params: Record<string, unknown> = {}, view?: string) => {
  const endpoint = gateway.endpoint(view)
  if (endpoint === undefined) throw new Error(`No view "${view}"`)
  return endpoint.handle(recordCall(method, params).call)
}

async function toolsOf(gateway: Gateway, view?: string): Promise<string[]> {
  const { tools } = await ask(gateway, 'tools/list', {}, view)
  return (tools as { readonly name: string }[]).map(({ name }) => name)
}

function listenTo(gateway: Gateway, notifications: object, view?: string) {
  const recorded = recordCall('subscriptions/listen', { notifications })
  const ended = gateway.endpoint(view)?.handle(recorded.call)
  onTestFinished(recorded.abort)
  return { ...recorded, ended }
}

const methods = (heard: readonly Notification[]) => heard.map(({ method }) => method)

test('offers what several servers offer at one endpoint, and calls each under its own name', async () => {
  const one = dialTo(createNamed('one'))
  const two = dialTo(createNamed('two'))
  const { gateway } = await ready(configOf(['one', 'two']), { one: one.dial, two: two.dial })
  expect(await toolsOf(gateway)).toEqual(['one__who', 'two__who'])
  expect(await ask(gateway, 'tools/call', { name: 'two__who' })).toMatchObject({ content: [{ text: 'two' }] })
  expect(gateway.status()).toMatchObject([
    { name: 'one', state: 'ready', counts: { tools: 1 } },
    { name: 'two', state: 'ready', counts: { tools: 1 } },
  ])
})

test.each([
  ['for as long as the server says', { ttlMs: 20_000 }, 20_000],
  ['for no less than ten seconds', { ttlMs: 5 }, 10_000],
  ['for five minutes where the server says nothing', {}, 300_000],
])('a list of whose changes a server does not tell holds %s, and is read again', async (_, hints, holdsMs) => {
  const server = createNamed('quiet')
  const { handle } = server.endpoint
  const quiet: Handle = async (call) => {
    const result = await handle(call)
    if (call.method === 'server/discover') return { ...result, capabilities: { tools: {} } }
    return call.method === 'tools/list' ? { ...result, ...hints } : result
  }
  const dial = () => connectDirectly({ ...server.endpoint, handle: quiet })
  const { gateway, clock } = await ready(configOf(['quiet']), { quiet: dial })
  server.tool('later', {}, () => 'later')
  clock.advance(holdsMs - 1)
  expect(await toolsOf(gateway)).toEqual(['quiet__who'])
  clock.advance(1)
  await until(() => gateway.status()[0]?.counts?.tools === 2)
  expect(await toolsOf(gateway)).toEqual(['quiet__who', 'quiet__later'])
})

test('a server of a handshake revision is started once for the only caller there is, and told what that one declares', async () => {
  const server = createNamed('one')
  const declared: unknown[] = []
  const told: unknown[] = []
  const dial = async ({ capabilities }: ConnectionOptions) => {
    declared.push(capabilities)
    const connection = await connectDirectly(server.endpoint)
    const tell = async ({ method }: Notification) => void told.push(method, capabilities)
    return { ...connection, tell, verdict: { ...connection.verdict, revision: NEWEST_HANDSHAKE.name } }
  }
  const clock = createFakeClock()
  const gateway = openGateway(configOf(['one']), { one: dial }, clock)
  onTestFinished(() => gateway.close({ graceMs: 0 }))
  await gateway.start({ soleCaller: { elicitation: {}, roots: { listChanged: true } } })
  const capabilities = { elicitation: { form: {} }, roots: {} }
  const call = (more: object) =>
    gateway
      .endpoint()
      ?.handle(recordCall('tools/call', { name: 'one__who' }, { capabilities: { ...capabilities, ...more } }).call)
  expect(await call({})).toMatchObject({ content: [{ text: 'one' }] })
  // A handshake has no word for the extension, and whether a call may become a task it says itself.
  expect(declared).toEqual([{ ...capabilities, roots: { listChanged: true }, extensions: { [TASKS]: {} } }])
  await call({ sampling: {} })
  expect(declared[1]).toEqual({ ...capabilities, sampling: {} })
  const { principal, downstream } = recordCall('', {}, { capabilities }).call
  gateway.endpoint()?.rootsChanged?.({ principal, downstream })
  expect(told).toEqual(['notifications/roots/list_changed', declared[0]])
})

test.each([
  ['sessions of their own, each', undefined, [3, [1, 0], [1, 1]]],
  ['one session, nobody', 'shared', [1, [0, 0], [0, 0]]],
])('abuse-42: of callers sent to a page of one name over %s hears of its visit', async (_, sessions, expected) => {
  const page = { mode: 'url', message: 'Sign in', url: 'https://example.com/', elicitationId: 'e-1' }
  const complete = { method: 'notifications/elicitation/complete', params: { elicitationId: 'e-1' } }
  const server = createNamed('one')
  const opened: ConnectionOptions[] = []
  const dial = async (options: ConnectionOptions) => {
    const connection = await connectDirectly(server.endpoint)
    opened.push(options)
    const handle: Handle = async (call) => {
      if (call.method !== 'tools/call') return connection.handle(call)
      return { content: [], action: (await call.interim.ask({ method: 'elicitation/create', params: page })).action }
    }
    return { ...connection, handle, verdict: { ...connection.verdict, revision: NEWEST_HANDSHAKE.name } }
  }
  const config = parseConfig(JSON.stringify({ servers: { one: { command: 'one', sessions } } }), {
    path: 'c.json',
  }).config
  const { gateway } = await ready(config, { one: dial })
  onTestFinished(() => gateway.close({ graceMs: 0 }))
  const callers = ['s-1', 's-2'].map((session) => {
    const options = { capabilities: { elicitation: { url: {} } }, ask: async () => ({ action: 'accept' }) }
    const { call, heard } = recordCall('tools/call', { name: 'one__who' }, options)
    const downstream = { ...call.downstream, session, revision: NEWEST_HANDSHAKE.name }
    return { call: { ...call, downstream }, heard }
  })
  for (const { call } of callers) await gateway.endpoint()?.handle(call)
  const heard = []
  for (const at of [1, 2]) {
    const { stray } = opened[at] ?? opened[0] ?? {}
    stray?.(complete)
    heard.push(callers.map(({ heard }) => heard.length))
  }
  opened[0]?.stray?.(complete)
  expect([opened.length, ...heard]).toEqual(expected)
})

test('that a client has other roots is told to the servers that have a session of it, and to no other session', async () => {
  const server = createNamed('one')
  const opened: { readonly declared: unknown; readonly told: string[] }[] = []
  const dial = async ({ capabilities }: ConnectionOptions) => {
    const connection = await connectDirectly(server.endpoint)
    const told: string[] = []
    opened.push({ declared: capabilities?.roots, told })
    const tell = async ({ method }: Notification) => void told.push(method)
    return { ...connection, tell, verdict: { ...connection.verdict, revision: NEWEST_HANDSHAKE.name } }
  }
  const { gateway } = await ready(configOf(['one']), { one: dial })
  onTestFinished(() => gateway.close({ graceMs: 0 }))
  const endpoint = gateway.endpoint()
  if (endpoint === undefined) throw new Error('There is always an endpoint of everything')
  const open = async (handlers: Handlers, session: string) => {
    // Over a channel there is one client; sessions keep several apart.
    const handle: Handle = (call) => endpoint.handle({ ...call, downstream: { ...call.downstream, session } })
    const rootsChanged: typeof endpoint.rootsChanged = (caller) =>
      endpoint.rootsChanged?.({ ...caller, downstream: { ...caller.downstream, session } })
    const options = { client: { name: 't', version: '1' }, revision: NEWEST_HANDSHAKE.name, handlers }
    const client = await connect({ endpoint: { ...endpoint, handle, rootsChanged } }, options)
    onTestFinished(() => client.close())
    return client
  }
  const [anna, bert] = [await open({ roots: [] }, 's-1'), await open({ roots: [] }, 's-2')]
  await anna.rootsChanged() // nobody knows of the old ones yet
  for (const client of [anna, bert]) await client.callTool('one__who', {})
  for (let i = 0; i < 3; i++) await anna.rootsChanged()
  await until(() => opened[1]?.told.length === 3)
  const roots = { declared: { listChanged: true } }
  const method = 'notifications/roots/list_changed'
  expect(opened).toEqual([
    { declared: {}, told: [] },
    { ...roots, told: [method, method, method] },
    { ...roots, told: [] },
  ])
})

test('a server that does not answer holds up neither the start nor the others', async () => {
  const one = dialTo(createNamed('one'))
  const { gateway, clock, starting } = await start(configOf(['slow', 'one']), { slow: never, one: one.dial })
  await until(() => gateway.status()[1]?.state === 'ready')
  expect(await toolsOf(gateway)).toEqual(['one__who'])
  expect(gateway.settled).toBe(false)
  clock.advance(5000)
  await starting
  expect(gateway.status()[0]).toMatchObject({ name: 'slow', state: 'starting' })
})

test('a server that cannot be started says why and what to do, and is tried again', async () => {
  const server = createNamed('late')
  let works = false
  const dial = () => (works ? connectDirectly(server.endpoint) : Promise.reject(new Error('No such file')))
  const { gateway, clock } = await ready(configOf(['late']), { late: dial })
  expect(gateway.status()).toMatchObject([
    { state: 'backing-off', reason: 'No such file', remedy: expect.stringContaining('Check that "late" runs') },
  ])
  works = true
  clock.advance(60_000)
  await until(() => gateway.status()[0]?.state === 'ready')
  expect(await toolsOf(gateway)).toEqual(['late__who'])
})

test('a call to a server that went away gets words a model can act on: which, since when, what now', async () => {
  const one = dialTo(createNamed('one'))
  const two = dialTo(createNamed('two'))
  const { gateway, clock } = await ready(configOf(['one', 'two']), { one: one.dial, two: two.dial })
  clock.advance(3_600_000)
  one.connections[0]?.break('It exited with code 1')
  await until(() => gateway.status()[0]?.state === 'backing-off')
  expect(await toolsOf(gateway)).toEqual(['one__who', 'two__who'])
  expect(await ask(gateway, 'tools/call', { name: 'one__who' })).toEqual({
    isError: true,
    content: [
      {
        type: 'text',
        text: 'The server "one" is not available (backing-off) since 1970-01-01T01:00:00.000Z. Check that "one" runs by itself; it is started again by itself. The log of the gateway says why.',
      },
    ],
  })
  expect(await ask(gateway, 'tools/call', { name: 'two__who' })).toMatchObject({ content: [{ text: 'two' }] })
  clock.advance(500)
  await until(() => gateway.status()[0]?.state === 'ready')
  expect(gateway.status()[0]).toMatchObject({ restarts: 1 })
  expect(await ask(gateway, 'tools/call', { name: 'one__who' })).toMatchObject({ content: [{ text: 'one' }] })
})

test('other methods of a server that went away get an error that says the same', async () => {
  const server = createNamed('one', ['prompts', 'tools'])
  server.prompt('greet', {}, () => 'hello')
  const one = dialTo(server)
  const { gateway } = await ready(configOf(['one']), { one: one.dial })
  one.connections[0]?.break('gone')
  await until(() => gateway.status()[0]?.state === 'backing-off')
  await expect(ask(gateway, 'prompts/get', { name: 'one__greet' })).rejects.toMatchObject({
    code: 'upstream.unavailable',
    data: { upstream: 'one', state: 'backing-off' },
  })
})

test('a call that was open when its server died is an error of the tool with an unknown outcome', async () => {
  const server = createNamed('one')
  server.tool(
    'hang',
    {},
    (_, { signal }) => new Promise((_resolve, reject) => signal.addEventListener('abort', reject)),
  )
  const one = dialTo(server)
  const { gateway } = await ready(configOf(['one']), { one: one.dial })
  const call = ask(gateway, 'tools/call', { name: 'one__hang' })
  await until(() => one.connections[0]?.inFlight === 2) // the call, and our subscription
  one.connections[0]?.break('killed')
  expect(await call).toMatchObject({
    isError: true,
    content: [{ text: expect.stringMatching(/^The server "one" was lost during the call, whose outcome is unknown/) }],
  })
})

test('the silence of a server becomes an error that names it and the setting', async () => {
  const server = createNamed('one')
  server.tool('hang', {}, () => {
    throw new McpError('upstream.timeout', 'No answer for 60 s')
  })
  const { gateway } = await ready(configOf(['one']), { one: dialTo(server).dial })
  await expect(ask(gateway, 'tools/call', { name: 'one__hang' })).rejects.toMatchObject({
    code: 'upstream.timeout',
    message: expect.stringMatching(/"one" did not answer.*requestTimeoutMs/),
    data: { kind: 'upstream_timeout', upstream: 'one' },
  })
})

test('a server that keeps crashing is given up after a bound, and started again by a reload', async () => {
  let starts = 0
  const dial = () => {
    starts++
    return Promise.reject(new Error('Exited with code 1'))
  }
  const config = configOf(['crashing'])
  const { gateway, clock } = await ready(config, { crashing: dial })
  for (let n = 0; n < 50; n++) {
    clock.advance(60_000)
    await until(() => gateway.status()[0]?.state !== 'starting')
  }
  expect(gateway.status()).toMatchObject([
    { state: 'failed', remedy: expect.stringContaining('reload the configuration') },
  ])
  expect(starts).toBe(13)
  await gateway.apply(config)
  expect(starts).toBe(14)
})

test('a server that refuses our credentials needs a sign-in, and is not pestered', async () => {
  let starts = 0
  const dial = () => {
    starts++
    return Promise.reject(new McpError('upstream.unauthorized', 'The server answered 401'))
  }
  const config = configOf([], { servers: { remote: { url: 'http://remote/mcp' } } })
  const { gateway, clock } = await ready(config, { remote: dial })
  expect(gateway.status()).toMatchObject([
    { state: 'needs-sign-in', reason: 'The server answered 401', remedy: expect.stringContaining('"Authorization"') },
  ])
  clock.advance(299_000)
  expect(starts).toBe(1)
})

test('an HTTP server that is found gone is connected anew, without dropping what it still works on', async () => {
  const server = createNamed('remote')
  const finish = deferred()
  server.tool('slow', {}, () => finish.promise)
  let gone = false
  const connections: Connection[] = []
  const dial = async () => {
    const connection = await connectDirectly(server.endpoint)
    const handle: Connection['handle'] = (call) =>
      gone && call.params.name !== 'slow'
        ? Promise.reject(new McpError('upstream.unavailable', 'Connection refused'))
        : connection.handle(call)
    connections.push(connection)
    return { ...connection, handle, close: () => connection.close() }
  }
  const config = configOf([], { servers: { remote: { url: 'http://remote/mcp' } } })
  const { gateway, clock } = await ready(config, { remote: dial })
  const slow = ask(gateway, 'tools/call', { name: 'remote__slow' })
  gone = true
  expect(await ask(gateway, 'tools/call', { name: 'remote__who' })).toMatchObject({ isError: true })
  await until(() => gateway.status()[0]?.state === 'backing-off')
  gone = false
  clock.advance(500)
  await until(() => gateway.status()[0]?.state === 'ready')
  expect(connections).toHaveLength(2)
  finish.resolve('done at last')
  expect(await slow).toMatchObject({ content: [{ text: 'done at last' }] })
})

function deferred() {
  let resolve: (value: string) => void = () => {}
  const promise = new Promise<string>((done) => {
    resolve = done
  })
  return { promise, resolve }
}

test('a list that fails leaves the rest usable, says so, and is tried again', async () => {
  const server = createNamed('half', ['tools', 'prompts'])
  let broken = true
  const dial = async () => {
    const connection = await connectDirectly(server.endpoint)
    const handle: Connection['handle'] = (call) =>
      broken && call.method === 'prompts/list'
        ? Promise.reject(new McpError('upstream.error', 'fetch failed'))
        : connection.handle(call)
    return { ...connection, handle }
  }
  const { gateway, clock } = await ready(configOf(['half']), { half: dial })
  expect(gateway.status()).toMatchObject([{ state: 'degraded', reason: 'prompts/list failed: fetch failed' }])
  expect(await toolsOf(gateway)).toEqual(['half__who'])
  broken = false
  clock.advance(1000)
  await until(() => gateway.status()[0]?.state === 'ready')
})

test('a tool that appears is told to those who listen, and to nobody else', async () => {
  const server = createNamed('one', ['tools', 'prompts'])
  const one = dialTo(server)
  const { gateway } = await ready(configOf(['one']), { one: one.dial })
  const tools = listenTo(gateway, { toolsListChanged: true })
  const prompts = listenTo(gateway, { promptsListChanged: true })
  await tools.untilHeard(1)
  server.tool('new', {}, () => 'new')
  await tools.untilHeard(2)
  expect(methods(tools.heard)).toEqual(['notifications/subscriptions/acknowledged', 'notifications/tools/list_changed'])
  expect(methods(prompts.heard)).toEqual(['notifications/subscriptions/acknowledged'])
  expect(await toolsOf(gateway)).toEqual(['one__who', 'one__new'])
})

test('abuse-16: a storm of changes costs one list a second, and tells listeners once a second', async () => {
  const server = createNamed('one')
  let lists = 0
  const dial = async () => {
    const connection = await connectDirectly(server.endpoint)
    const handle: Connection['handle'] = (call) => {
      if (call.method === 'tools/list') lists++
      return connection.handle(call)
    }
    return { ...connection, handle }
  }
  const { gateway, clock } = await ready(configOf(['one']), { one: dial })
  const { heard, untilHeard } = listenTo(gateway, { toolsListChanged: true })
  await untilHeard(1)
  lists = 0
  for (let n = 0; n < 500; n++) {
    server.tool(`t${n}`, {}, () => 'x')
    await Promise.resolve()
  }
  await untilHeard(2)
  expect(lists).toBe(1)
  clock.advance(1000)
  await until(() => lists === 2)
  clock.advance(1000)
  await untilHeard(3)
  expect(lists).toBe(2)
  expect(await toolsOf(gateway)).toHaveLength(501)
  expect(heard).toHaveLength(3)
})

test('a change that changes nothing is told to nobody', async () => {
  const server = createNamed('one')
  let notify: (notification: Notification) => void = () => {}
  const dial = async () => {
    const connection = await connectDirectly(server.endpoint)
    const handle: Connection['handle'] = (call) => {
      if (call.method === 'subscriptions/listen') notify = call.interim.notify
      return connection.handle(call)
    }
    return { ...connection, handle }
  }
  const { gateway, clock } = await ready(configOf(['one']), { one: dial })
  const { heard, untilHeard } = listenTo(gateway, { toolsListChanged: true })
  await untilHeard(1)
  const before = await ask(gateway, 'tools/list')
  notify({ method: 'notifications/tools/list_changed', params: {} })
  clock.advance(1000)
  server.tool('real', {}, () => 'x')
  await untilHeard(2)
  expect(heard).toHaveLength(2)
  expect(await ask(gateway, 'tools/list')).not.toBe(before)
})

test('each view has an endpoint of its own, the same object across reloads', async () => {
  const one = dialTo(createNamed('one'))
  const two = dialTo(createNamed('two'))
  const dialers = { one: one.dial, two: two.dial }
  const config = configOf(['one', 'two'], { views: { small: { servers: ['two'] } } })
  const { gateway } = await ready(config, dialers)
  const endpoint = gateway.endpoint('small')
  expect(await toolsOf(gateway, 'small')).toEqual(['two__who'])
  expect(gateway.endpoint('nothing')).toBeUndefined()
  await gateway.apply(configOf(['one', 'two'], { views: { small: { servers: ['one'] } } }))
  expect(gateway.endpoint('small')).toBe(endpoint)
  expect(await toolsOf(gateway, 'small')).toEqual(['one__who'])
})

test('a view that is removed ends its listeners and answers no more; when it comes back it is the same', async () => {
  const one = dialTo(createNamed('one'))
  const config = configOf(['one'], { views: { v: {} } })
  const { gateway } = await ready(config, { one: one.dial })
  const endpoint = gateway.endpoint('v')
  const listening = listenTo(gateway, { toolsListChanged: true }, 'v')
  await listening.untilHeard(1)
  await gateway.apply(configOf(['one']))
  await listening.ended
  expect(gateway.endpoint('v')).toBeUndefined()
  await expect(endpoint?.handle(recordCall('tools/list').call)).rejects.toMatchObject({ code: 'upstream.unavailable' })
  await gateway.apply(config)
  expect(gateway.endpoint('v')).toBe(endpoint)
})

test('a reload leaves servers it does not touch alone, with their calls', async () => {
  const kept = createNamed('kept')
  const finish = deferred()
  kept.tool('slow', {}, () => finish.promise)
  const one = dialTo(kept)
  const other = dialTo(createNamed('other'))
  const dialers = { kept: one.dial, other: other.dial, added: dialTo(createNamed('added')).dial }
  const { gateway } = await ready(configOf(['kept', 'other']), dialers)
  const slow = ask(gateway, 'tools/call', { name: 'kept__slow' })
  const listening = listenTo(gateway, { toolsListChanged: true })
  await listening.untilHeard(1)
  const diff = await gateway.apply(configOf(['kept', 'added']))
  expect(diff).toMatchObject({ added: ['added'], removed: ['other'], changed: [] })
  expect(one.connections).toHaveLength(1)
  expect(one.connections[0]?.isClosed).toBe(false)
  await until(() => other.connections[0]?.isClosed === true)
  expect(await toolsOf(gateway)).toEqual(['kept__who', 'kept__slow', 'added__who'])
  await listening.untilHeard(2)
  finish.resolve('unharmed')
  expect(await slow).toMatchObject({ content: [{ text: 'unharmed' }] })
})

test('a server that is removed or changed finishes its calls before it is closed', async () => {
  const server = createNamed('one')
  const finish = deferred()
  server.tool('slow', {}, () => finish.promise)
  const one = dialTo(server)
  const { gateway } = await ready(configOf(['one']), { one: one.dial })
  const slow = ask(gateway, 'tools/call', { name: 'one__slow' })
  const changed = configOf([], { servers: { one: { command: 'one', args: ['--new'] } } })
  await gateway.apply(changed)
  expect(one.connections).toHaveLength(2)
  expect(one.connections[0]?.isClosed).toBe(false)
  finish.resolve('done')
  expect(await slow).toMatchObject({ content: [{ text: 'done' }] })
  await until(() => one.connections[0]?.isClosed === true)
  expect(one.connections[1]?.isClosed).toBe(false)
})

test.each([
  ['another command', { command: 'one', args: ['--new'] }],
  ['another transport', { url: 'http://one/mcp' }],
])('a server replaced by a reload (%s) stays listed until it says what it offers now', async (_, replacement) => {
  const server = createNamed('one')
  const successor = createServer({ name: 'one', version: '2.0.0' })
  successor.tool('new', {}, () => 'new')
  const arrived = deferred()
  const dialled: Dialers[string][] = [
    () => connectDirectly(server.endpoint),
    () => arrived.promise.then(() => connectDirectly(successor.endpoint)),
  ]
  const one: Dialers[string] = (options) => dialled.shift()?.(options) ?? never()
  const { gateway, clock } = await ready(configOf(['one']), { one })
  const listening = listenTo(gateway, { toolsListChanged: true })
  await listening.untilHeard(1)
  const applying = gateway.apply(configOf([], { servers: { one: replacement } }))
  await until(() => gateway.status()[0]?.state === 'starting')
  expect(await toolsOf(gateway)).toEqual(['one__who'])
  expect(gateway.status()).toMatchObject([{ state: 'starting', counts: { tools: 1 } }])
  expect(await ask(gateway, 'tools/call', { name: 'one__who' })).toEqual({
    isError: true,
    content: [
      { type: 'text', text: expect.stringMatching(/^The server "one" is starting since .*Try again shortly\.$/) },
    ],
  })
  clock.advance(2_000)
  expect(listening.heard).toHaveLength(1)
  arrived.resolve('')
  await applying
  expect(await toolsOf(gateway)).toEqual(['one__new'])
  await listening.untilHeard(2)
})

test('a server that is started again after a crash stays listed until it says what it offers now', async () => {
  const server = createNamed('one')
  const connections: DirectConnection[] = []
  const one: Dialers[string] = async () => {
    if (connections.length > 0) return never()
    const connection = await connectDirectly(server.endpoint)
    connections.push(connection)
    return connection
  }
  const { gateway, clock } = await ready(configOf(['one']), { one })
  connections[0]?.break('It exited with code 1')
  await until(() => gateway.status()[0]?.state === 'backing-off')
  clock.advance(60_000)
  await until(() => gateway.status()[0]?.state === 'starting')
  expect(await toolsOf(gateway)).toEqual(['one__who'])
  expect(await ask(gateway, 'tools/call', { name: 'one__who' })).toMatchObject({
    isError: true,
    content: [{ text: expect.stringMatching(/"one" is starting since .*Z\. Try again shortly/) }],
  })
})

test('a server that a reload takes out is forgotten, and unknown when it comes back', async () => {
  const server = createNamed('one')
  const dialled: Dialers[string][] = [() => connectDirectly(server.endpoint)]
  const one: Dialers[string] = (options) => dialled.shift()?.(options) ?? never()
  const { gateway, clock } = await ready(configOf(['one']), { one })
  await gateway.apply(configOf([]))
  const applying = gateway.apply(configOf(['one']))
  await until(() => gateway.status()[0]?.state === 'starting')
  expect(await toolsOf(gateway)).toEqual([])
  expect(gateway.status()[0]?.counts).toBeUndefined()
  clock.advance(5_000)
  await applying
})

test('fifty reloads under calls lose none of them', async () => {
  const kept = dialTo(createNamed('kept'))
  const other = dialTo(createNamed('other'))
  const dialers = { kept: kept.dial, other: other.dial }
  const { gateway } = await ready(configOf(['kept', 'other']), dialers)
  for (let n = 0; n < 50; n++) {
    const calls = Array.from({ length: 20 }, () => ask(gateway, 'tools/call', { name: 'kept__who' }))
    await gateway.apply(n % 2 === 0 ? configOf(['kept']) : configOf(['kept', 'other']))
    for (const call of calls) expect(await call).toMatchObject({ content: [{ text: 'kept' }] })
  }
  expect(kept.connections).toHaveLength(1)
  expect(other.connections).toHaveLength(26)
  await until(() => other.connections.filter(({ isClosed }) => !isClosed).length === 1)
})

test('how long a server may take to answer can be changed while it runs, calls at work included', async () => {
  const server = createNamed('one')
  const finish = deferred()
  server.tool('slow', {}, () => finish.promise)
  const timeouts: ConnectionOptions['requestTimeoutMs'][] = []
  const connections: Connection[] = []
  const dial: Dialers[string] = async ({ requestTimeoutMs, maxRequestMs }) => {
    timeouts.push(requestTimeoutMs, maxRequestMs)
    const connection = await connectDirectly(server.endpoint)
    connections.push(connection)
    return connection
  }
  const { gateway } = await ready(configOf(['one'], { timeouts: { requestMs: 1_000 } }), { one: dial })
  const slow = ask(gateway, 'tools/call', { name: 'one__slow' })
  const [timeoutMs, maxMs] = timeouts
  if (typeof timeoutMs !== 'function' || typeof maxMs !== 'function') throw new Error('It is fixed')
  expect([timeoutMs(), maxMs(), gateway.endpoint()?.callTimeoutMs]).toEqual([1_000, 900_000, 901_000])
  const longer = { requestMs: 2_000, maxRequestMs: 7_200_000 }
  const diff = await gateway.apply(configOf(['one'], { timeouts: longer }))
  expect(diff).toMatchObject({ changed: [], retuned: ['one'] })
  expect([timeoutMs(), maxMs(), gateway.endpoint()?.callTimeoutMs]).toEqual([2_000, 7_200_000, 7_201_000])
  expect(connections).toHaveLength(1)
  finish.resolve('unharmed')
  expect(await slow).toMatchObject({ content: [{ text: 'unharmed' }] })
})

test('which tools a server offers can be changed while it runs', async () => {
  const one = dialTo(createNamed('one'))
  const { gateway } = await ready(configOf(['one']), { one: one.dial })
  await gateway.apply(configOf([], { servers: { one: { command: 'one', tools: { exclude: ['who'] } } } }))
  expect(await toolsOf(gateway)).toEqual([])
  expect(one.connections).toHaveLength(1)
})

test('what a server’s tools are called can be changed while it runs', async () => {
  const one = dialTo(createNamed('one'))
  const { gateway } = await ready(configOf(['one']), { one: one.dial })
  await gateway.apply(configOf([], { servers: { one: { command: 'one', prefix: '' } } }))
  expect(await toolsOf(gateway)).toEqual(['who'])
  expect(await ask(gateway, 'tools/call', { name: 'who' })).toMatchObject({ content: [{ text: 'one' }] })
  expect(one.connections).toHaveLength(1)
})

test('a resource watched by many is watched once upstream, and everyone hears, at most once a second', async () => {
  const server = createServer({ name: 'one', version: '1.0.0' })
  server.resource('app://r', { name: 'r' }, () => 'x')
  let listens = 0
  const dial = async () => {
    const connection = await connectDirectly(server.endpoint)
    const handle: Connection['handle'] = (call) => {
      const { notifications } = call.params as { notifications?: { resourceSubscriptions?: unknown } }
      if (notifications?.resourceSubscriptions !== undefined) listens++
      return connection.handle(call)
    }
    return { ...connection, handle }
  }
  const { gateway, clock } = await ready(configOf(['one']), { one: dial })
  const uris = { resourceSubscriptions: ['app://r', 'nowhere:1'] }
  const a = listenTo(gateway, uris)
  const b = listenTo(gateway, uris)
  await a.untilHeard(1)
  await b.untilHeard(1)
  expect(a.heard[0]?.params).toEqual({ notifications: { resourceSubscriptions: ['app://r'] } })
  expect(listens).toBe(1)
  for (let n = 0; n < 100; n++) server.resourceUpdated('app://r')
  await a.untilHeard(2)
  await b.untilHeard(2)
  expect(a.heard[1]).toEqual({ method: 'notifications/resources/updated', params: { uri: 'app://r' } })
  clock.advance(1000)
  expect(a.heard).toHaveLength(3)
  clock.advance(10_000)
  expect(a.heard).toHaveLength(3)
})

test('a watch is taken up again when its server is back, and tells that something may have been missed', async () => {
  const server = createServer({ name: 'one', version: '1.0.0' })
  server.resource('app://r', { name: 'r' }, () => 'x')
  const one = dialTo(server)
  const { gateway, clock } = await ready(configOf(['one']), { one: one.dial })
  const { heard, untilHeard } = listenTo(gateway, { resourceSubscriptions: ['app://r'] })
  await untilHeard(1)
  one.connections[0]?.break('gone')
  await until(() => gateway.status()[0]?.state === 'backing-off')
  clock.advance(500)
  await untilHeard(2)
  expect(heard[1]).toEqual({ method: 'notifications/resources/updated', params: { uri: 'app://r' } })
  clock.advance(1000)
  server.resourceUpdated('app://r')
  await untilHeard(3)
})

test('closing ends listeners in order, lets calls finish, and leaves no timer', async () => {
  const server = createNamed('one')
  const finish = deferred()
  server.tool('slow', {}, () => finish.promise)
  const one = dialTo(server)
  const { gateway, clock } = await ready(configOf(['one', 'broken']), { one: one.dial })
  const listening = listenTo(gateway, { toolsListChanged: true })
  await listening.untilHeard(1)
  const slow = ask(gateway, 'tools/call', { name: 'one__slow' })
  await until(() => one.connections[0]?.inFlight === 2)
  const closing = gateway.close({ graceMs: 10_000 })
  await listening.ended
  expect(one.connections[0]?.isClosed).toBe(false)
  finish.resolve('done')
  expect(await slow).toMatchObject({ content: [{ text: 'done' }] })
  await closing
  expect(one.connections[0]?.isClosed).toBe(true)
  expect(clock.pending).toBe(0)
})

test('closing waits neither for the start nor for a server that is still being connected to', async () => {
  const dial: Dialers[string] = ({ signal }) =>
    new Promise((_, reject) => signal?.addEventListener('abort', () => reject(new Error('Given up'))))
  const { gateway, clock, starting } = await start(configOf(['slow']), { slow: dial })
  await gateway.close({ graceMs: 0 })
  await starting
  expect(clock.pending).toBe(0)
  await expect(gateway.apply(configOf(['slow']))).rejects.toThrow('the gateway is closed')
  expect(gateway.status()).toMatchObject([{ state: 'stopped' }])
})

test('a switched-off server is listed with what to do', async () => {
  const config = configOf([], {
    servers: { off: { command: 'off', enabled: false } },
  })
  const { gateway } = await ready(config, {})
  expect(gateway.settled).toBe(true)
  expect(gateway.status()).toMatchObject([
    { name: 'off', state: 'disabled', remedy: expect.stringContaining('enabled: true') },
  ])
})

test('a rename that takes the name of another tool is said in the log, once', async () => {
  const warnings: object[] = []
  const log = { ...SILENT, warn: (details: object) => void warnings.push(details) }
  const one = dialTo(createNamed('one'))
  const two = dialTo(createNamed('two'))
  const config = configOf(['one', 'two'], { views: { v: { rename: { one__who: 'two__who' } } } })
  const { gateway } = await ready(config, { one: one.dial, two: two.dial }, { log })
  expect(await toolsOf(gateway, 'v')).toEqual(['two__who', 'two__who_2'])
  expect(warnings).toEqual([{ view: 'v', tools: ['two__who'] }])
})
