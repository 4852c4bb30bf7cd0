import {
  ANONYMOUS,
  type Clock,
  type DetailedTask,
  type Handle,
  type JsonObject,
  type Principal,
  systemClock,
  TASKS,
  toTaskWish,
} from '@crosspoint/mcp'
import { type Client, type ClientOptions, connect, openConnection } from '@crosspoint/mcp/client'
import { createServer, type Server } from '@crosspoint/mcp/server'
import { openHttpDoor } from '@crosspoint/mcp/transports'
import { createDeferred, recordCall } from '@crosspoint/testkit'
import { describe, expect, onTestFinished, test } from 'vitest'
import { parseConfig } from './config/parse.ts'
import { openFrontDoor } from './front/door.ts'
import { createGateway, type Gateway } from './gateway.ts'

const CORE = '2025-11-25'
const NEWEST = '2026-07-28'
const BOTH = [CORE, NEWEST] as const

const TIMES = 20
/** So many times as fast as the clock on the wall. */
const HASTY: Clock = {
  now: () => systemClock.now() * TIMES,
  wallNow: () => systemClock.wallNow(),
  setTimer: (ms, fire, options) => systemClock.setTimer(ms / TIMES, fire, options),
}
/** As long as it takes on a machine that is busy. */
const LONG_MS = 1_200_000
const TIMEOUTS = { connectMs: LONG_MS, probeMs: LONG_MS / 4, requestMs: LONG_MS, maxRequestMs: LONG_MS }

interface Seen {
  readonly cancelled: Promise<void>
  readonly server: Server
}

/** Tools that may be tasks, must be, ask in one, wait for ever, fail, and cannot be any. */
function createWorker(revision: string): Seen {
  const server = createServer({ name: 'worker', version: '1', revisions: [revision], tasks: { pollIntervalMs: 50 } })
  const cancelled = createDeferred()
  server.tool('job', { task: true }, () => 'worked')
  server.tool('must', { task: 'required' }, (_args, { progress }) => {
    progress(1, 2, 'half way')
    return 'had to'
  })
  server.tool('broken', { task: 'required' }, () => ({ content: [{ type: 'text', text: 'broke' }], isError: true }))
  server.tool('asks', { task: 'required' }, async (_args, { elicit }) => {
    const { name } = await elicit('Who?', { type: 'object', properties: { name: { type: 'string' } } })
    return `Hello ${String(name)}`
  })
  server.tool('waits', { task: true }, (_args, { signal }) => {
    return new Promise((resolve) => {
      signal.addEventListener('abort', () => {
        cancelled.resolve()
        resolve('too late')
      })
    })
  })
  server.tool('plain', {}, () => 'plain')
  server.tool('linked', { task: true }, () => [{ type: 'resource_link', uri: 'crosspoint:x/y', name: 'linked' }])
  return { server, cancelled: cancelled.promise }
}

interface House {
  readonly gateway: Gateway
  readonly url: string
  readonly worker: Seen
}

async function openHouse(
  revision: string,
  more: JsonObject = {},
  worker = createWorker(revision),
  others: JsonObject = {},
  rest: JsonObject = {},
): Promise<House> {
  const { endpoint } = worker.server
  const behind = await openHttpDoor({ endpoint: () => endpoint })
  const { config } = parseConfig(
    JSON.stringify({ servers: { one: { url: `${behind.url}/mcp`, ...more }, ...others }, timeouts: TIMEOUTS, ...rest }),
    {
      path: 'crosspoint.json',
    },
  )
  const info = { name: 'gateway', version: '1' }
  const gateway = createGateway({ config, info, clock: HASTY, settleMs: LONG_MS })
  await gateway.start()
  const door = await openFrontDoor(gateway)
  onTestFinished(async () => {
    await door.close({ drainMs: 0 })
    await gateway.close({ graceMs: 0 })
    worker.server.close()
    await behind.close({ drainMs: 0 })
  })
  return { gateway, url: door.url, worker }
}

async function connectAs(revision: string, url: string, more: ClientOptions = {}): Promise<Client> {
  const client = await connect(url, {
    client: { name: 'test', version: '1' },
    revision: revision as typeof CORE,
    clock: HASTY,
    connectTimeoutMs: LONG_MS,
    probeTimeoutMs: LONG_MS / 4,
    requestTimeoutMs: LONG_MS,
    ...more,
  })
  onTestFinished(() => client.close())
  return client
}

const ADA: ClientOptions = { handlers: { elicit: async () => ({ action: 'accept', content: { name: 'Ada' } }) } }

test('a server that refuses by a result what works only as a task is not taken by its word', async () => {
  const worker = createWorker(CORE)
  const { endpoint } = worker.server
  // As servers do that make a result of every error in a tool.
  const handle: Handle = (call) =>
    call.params.name === 'must' && toTaskWish(call.downstream.capabilities)?.insists !== true
      ? Promise.resolve({ content: [{ type: 'text', text: 'Needs task augmentation' }], isError: true })
      : endpoint.handle(call)
  const { url } = await openHouse(
    CORE,
    {},
    { ...worker, server: { ...worker.server, endpoint: { ...endpoint, handle } } },
  )
  for (const revision of BOTH) {
    const client = await connectAs(revision, url)
    expect(await client.callTool('one__must')).toMatchObject({ content: [{ text: 'had to' }] })
  }
})

describe.each(BOTH.flatMap((client) => BOTH.map((server) => ({ client, server }))))(
  'a $client client, a $server server',
  (pair) => {
    test('is given a task, and fetches its outcome', async () => {
      const { url } = await openHouse(pair.server)
      const client = await connectAs(pair.client, url)
      const task = await client.startTask('one__job')
      expect(task.id).toMatch(/^[A-Za-z0-9_.-]{32,400}$/)
      expect(await task.result()).toMatchObject({ content: [{ text: 'worked' }] })
    })

    test('answers what a task asks', async () => {
      const { url } = await openHouse(pair.server)
      const client = await connectAs(pair.client, url, ADA)
      const task = await client.startTask('one__asks')
      const seen: string[] = []
      for await (const { status } of task.updates) seen.push(status)
      expect(seen).toContain('input_required')
      expect(await task.result()).toMatchObject({ content: [{ text: 'Hello Ada' }] })
    })

    test('trap-41: is told that a task whose tool failed has completed', async () => {
      const { url } = await openHouse(pair.server)
      const client = await connectAs(pair.client, url)
      const task = await client.startTask('one__broken')
      expect(await task.result()).toMatchObject({ content: [{ text: 'broke' }], isError: true })
      expect(await task.status()).toMatchObject({ status: 'completed' })
    })

    test('cancels a task, and the server stops', async () => {
      const { url, worker } = await openHouse(pair.server)
      const client = await connectAs(pair.client, url)
      const task = await client.startTask('one__waits')
      expect(await task.status()).toMatchObject({ status: 'working', taskId: task.id })
      await task.cancel()
      await worker.cancelled
      expect(await task.status()).toMatchObject({ status: 'cancelled' })
    })

    test('finds a task again from another connection', async () => {
      const { url } = await openHouse(pair.server)
      const first = await connectAs(pair.client, url)
      const { id = '' } = await first.startTask('one__job')
      await first.close()
      const second = await connectAs(pair.client, url)
      expect(await second.task(id).result()).toMatchObject({ content: [{ text: 'worked' }] })
    })

    test('is not given by a task what a rule about results keeps back', async () => {
      const rules = [{ name: 'none', effect: 'deny', tools: ['one__job'], when: 'result.text.contains("worked")' }]
      const { url } = await openHouse(pair.server, {}, undefined, {}, { policy: { rules } })
      const client = await connectAs(pair.client, url)
      const task = await client.startTask('one__job')
      const seen: unknown[] = []
      for await (const update of task.updates) seen.push(update)
      expect(await task.result()).toMatchObject({
        isError: true,
        content: [{ text: expect.stringContaining('its answer is kept back') as string }],
      })
      expect(JSON.stringify(seen)).not.toContain('worked')
      expect(await (await client.startTask('one__must')).result()).toMatchObject({ content: [{ text: 'had to' }] })
    })

    test('a link in the outcome of a task leads back to its server', async () => {
      const { url } = await openHouse(pair.server)
      const client = await connectAs(pair.client, url)
      const task = await client.startTask('one__linked')
      expect(await task.result()).toMatchObject({ content: [{ uri: 'crosspoint:one/crosspoint:x/y' }] })
    })
  },
)

const OLDER = ['2024-11-05', '2025-03-26', '2025-06-18']

describe.each(BOTH)('a tool of a %s server that works only as a task', (server) => {
  const clients = server === NEWEST ? [...OLDER, CORE] : [...OLDER, ...BOTH]
  test.each(clients)('a %s client who knows no tasks waits for it', async (revision) => {
    const { url } = await openHouse(server)
    const client = await connectAs(revision, url)
    expect(await client.callTool('one__must')).toMatchObject({ content: [{ text: 'had to' }] })
  })

  test.each(clients.slice(2))('a %s client is asked what the task asks', async (revision) => {
    const { url } = await openHouse(server)
    const client = await connectAs(revision, url, ADA)
    expect(await client.callTool('one__asks')).toMatchObject({ content: [{ text: 'Hello Ada' }] })
  })

  test('is given up with its caller', async () => {
    const { url, worker } = await openHouse(server, {}, withRequired(createWorker(server)))
    const client = await connectAs(CORE, url)
    const giving = new AbortController()
    const call = client.callTool('one__endless', {}, { signal: giving.signal, onProgress: () => giving.abort() })
    await expect(call).rejects.toThrow()
    await worker.cancelled
  })
})

test('a client that says with each request what it knows is told by a server of its own kind that it must know tasks', async () => {
  const { url } = await openHouse(NEWEST)
  const client = await connectAs(NEWEST, url)
  const call = client.callTool('one__must')
  await expect(call).rejects.toMatchObject({
    code: 'caller.missing_capability',
    data: { requiredCapabilities: { extensions: { [TASKS]: {} } } },
  })
})

/** With a tool that is a task for ever. */
function withRequired({ server }: Seen): Seen {
  const cancelled = createDeferred()
  server.tool('endless', { task: 'required' }, (_args, { signal, progress }) => {
    progress(1, 2, 'on and on')
    return new Promise(() => signal.addEventListener('abort', () => cancelled.resolve()))
  })
  return { server, cancelled: cancelled.promise }
}

const DECLARED = { capabilities: { extensions: { [TASKS]: {} } } }

function ask(gateway: Gateway, method: string, params: JsonObject, principal: Principal = ANONYMOUS, of = DECLARED) {
  const { call } = recordCall(method, params, { ...of, principal })
  return gateway.endpoint()?.handle(call)
}

describe.each(BOTH)('tasks of a %s server', (revision) => {
  test('abuse-24, trap-42: one of somebody else, one nobody has and one that was changed are refused alike', async () => {
    const { gateway } = await openHouse(revision)
    const anna = { id: 'anna', tenant: 'default' }
    const created = await ask(gateway, 'tools/call', { name: 'one__job', arguments: {} }, anna)
    const taskId = String(created?.taskId)
    expect(await ask(gateway, 'tasks/get', { taskId }, anna)).toMatchObject({ taskId })
    const last = taskId.at(-2) === 'A' ? 'B' : 'A'
    const ids = [taskId, `${taskId.slice(0, -2)}${last}${taskId.at(-1)}`, 'none', 'x.y', `${taskId.split('.')[0]}.z`, 7]
    const bert = { id: 'bert', tenant: 'default' }
    for (const method of ['tasks/get', 'tasks/cancel', 'tasks/update']) {
      for (const [at, id] of ids.entries()) {
        const asking = ask(gateway, method, { taskId: id, inputResponses: {} }, at === 0 ? bert : anna)
        await expect(asking, `${method} ${String(id)}`).rejects.toMatchObject({ code: 'caller.invalid_params' })
      }
    }
  })

  test('trap-41: whoever declared no tasks with a request is told that it must', async () => {
    const { gateway } = await openHouse(revision)
    const created = await ask(gateway, 'tools/call', { name: 'one__job', arguments: {} })
    const asking = ask(gateway, 'tasks/get', { taskId: created?.taskId }, ANONYMOUS, {
      capabilities: { extensions: {} },
    } as never)
    await expect(asking).rejects.toMatchObject({
      code: 'caller.missing_capability',
      data: { requiredCapabilities: { extensions: { [TASKS]: {} } } },
    })
  })

  test('are heard of by who listens, and only by those whose they are', async () => {
    const { gateway, worker } = await openHouse(revision)
    const created = await ask(gateway, 'tools/call', { name: 'one__waits', arguments: {} })
    const taskIds = [created?.taskId, 'none']
    const listening = recordCall('subscriptions/listen', { notifications: { taskIds } }, DECLARED)
    onTestFinished(() => listening.abort())
    void gateway.endpoint()?.handle(listening.call)
    await listening.untilHeard(2)
    expect(listening.heard[0]?.params).toEqual({ notifications: { taskIds: [created?.taskId] } })
    expect(listening.heard[1]).toMatchObject({
      method: 'notifications/tasks',
      params: { taskId: created?.taskId, status: 'working' },
    })
    await ask(gateway, 'tasks/cancel', { taskId: created?.taskId })
    await worker.cancelled
    await listening.untilHeard(3)
    expect(listening.heard[2]?.params).toMatchObject({ status: 'cancelled' })
  })

  test('stay reachable when another configuration is put in force', async () => {
    const { gateway } = await openHouse(revision)
    const { taskId } = (await ask(gateway, 'tools/call', { name: 'one__job', arguments: {} })) as DetailedTask
    const [one] = gateway.config.servers.values()
    const servers = new Map([...gateway.config.servers, ['two', { ...one, name: 'two', enabled: false }]])
    await gateway.apply({ ...gateway.config, servers } as typeof gateway.config)
    expect(await ask(gateway, 'tasks/get', { taskId })).toMatchObject({ taskId })
  })

  test('are reachable where each request has a session of its own', async () => {
    const { url } = await openHouse(revision, { sessions: 'per-request' })
    const client = await connectAs(NEWEST, url, ADA)
    const task = await client.startTask('one__asks')
    expect(await task.result()).toMatchObject({ content: [{ text: 'Hello Ada' }] })
  })
})

test('a client who decides what becomes a task is told which tools can, and no other client is', async () => {
  const supports = async (server: string, client: string) => {
    const { url } = await openHouse(server)
    const connection = await openConnection({ kind: 'http', url }, { revision: client as typeof CORE })
    onTestFinished(() => connection.close())
    const { call } = recordCall('tools/list', {}, { capabilities: { extensions: { [TASKS]: { core: true } } } })
    const { tools } = await connection.handle(call)
    return Object.fromEntries(
      (tools as readonly JsonObject[]).map(({ name, execution }) => [
        String(name).slice(5),
        (execution as JsonObject | undefined)?.taskSupport,
      ]),
    )
  }
  expect(await supports(CORE, CORE)).toMatchObject({ job: 'optional', must: 'required', plain: undefined })
  // There the server decides, call by call: what it makes no task of becomes one here.
  expect(await supports(NEWEST, CORE)).toMatchObject({ job: 'optional', must: 'optional', plain: 'optional' })
  expect(await supports(CORE, NEWEST)).toMatchObject({ job: undefined, must: undefined, plain: undefined })
})

test('a call that its server would make no task of is refused as one, or becomes one here', async () => {
  const of = { capabilities: { extensions: { [TASKS]: { core: true, insists: true } } } }
  const core = await openHouse(CORE)
  const refused = ask(core.gateway, 'tools/call', { name: 'one__plain', arguments: {} }, ANONYMOUS, of)
  await expect(refused).rejects.toMatchObject({ code: 'caller.unsupported_feature' })
  const { gateway } = await openHouse(NEWEST)
  const { taskId } = (await ask(gateway, 'tools/call', { name: 'one__plain', arguments: {} }, ANONYMOUS, of)) ?? {}
  await expect
    .poll(() => ask(gateway, 'tasks/get', { taskId }))
    .toMatchObject({
      status: 'completed',
      result: { content: [{ text: 'plain' }] },
    })
})

test('a task that a client wanted is a task of its server, too, where that makes one', async () => {
  const worker = createWorker(NEWEST)
  const { endpoint } = worker.server
  const methods: string[] = []
  const handle: typeof endpoint.handle = (call) => {
    methods.push(call.method)
    return endpoint.handle(call)
  }
  const door = await openHttpDoor({ endpoint: () => Object.create(endpoint, { handle: { value: handle } }) })
  onTestFinished(() => door.close({ drainMs: 0 }))
  const { url } = await openHouse(NEWEST, {}, createWorker(NEWEST), { two: { url: `${door.url}/mcp` } })
  const client = await connectAs(CORE, url, ADA)
  const task = await client.startTask('two__asks')
  expect(await task.result()).toMatchObject({ content: [{ text: 'Hello Ada' }] })
  expect(methods).toEqual(expect.arrayContaining(['tools/call', 'tasks/get', 'tasks/update']))
})

test.each(OLDER)(
  'a client who decides what becomes a task has tasks of a %s server, which has none',
  async (revision) => {
    const plain = createWorker(revision)
    const door = await openHttpDoor({
      endpoint: (path) => (path === '/mcp' ? plain.server.endpoint : undefined),
      sse: (path) => (path === '/sse' ? plain.server.endpoint : undefined),
    })
    onTestFinished(() => door.close({ drainMs: 0 }))
    const transport = revision === '2024-11-05' ? { url: `${door.url}/sse`, type: 'sse' } : { url: `${door.url}/mcp` }
    const { url } = await openHouse(NEWEST, {}, createWorker(NEWEST), { two: transport })
    const task = await (await connectAs(CORE, url, ADA)).startTask('two__job')
    expect(task.id).toBeDefined()
    expect(await task.result()).toMatchObject({ content: [{ text: 'worked' }] })
    // Nobody says there what becomes one.
    expect((await (await connectAs(NEWEST, url)).startTask('two__job')).id).toBeUndefined()
  },
)

test('tasks are offered where a server has them, and nowhere else', async () => {
  const server = createServer({ name: 'none', version: '1' })
  server.tool('plain', {}, () => 'plain')
  const none = await openHouse(NEWEST, {}, { server, cancelled: Promise.resolve() })
  const one = await openHouse(NEWEST)
  const offered = async ({ url }: House, revision: string) => (await connectAs(revision, url)).connection.capabilities
  expect((await offered(none, NEWEST)).extensions).toBeUndefined()
  expect((await offered(one, NEWEST)).extensions).toEqual({ [TASKS]: {} })
  // A connection says core tasks in the words of the extension.
  expect((await offered(none, CORE)).extensions).toBeUndefined()
  expect((await offered(one, CORE)).extensions).toEqual({ [TASKS]: {} })
  await expect(ask(none.gateway, 'tasks/get', { taskId: 'x' })).rejects.toMatchObject({ code: 'caller.unknown_method' })
  for (const method of ['tasks/result', 'tasks/list']) {
    await expect(ask(one.gateway, method, { taskId: 'x' })).rejects.toMatchObject({ code: 'caller.unknown_method' })
  }
})
