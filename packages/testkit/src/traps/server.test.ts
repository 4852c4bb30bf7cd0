import { type Call, type JsonObject, McpError, type Result } from '@crosspoint/mcp'
import { createServer, type Server } from '@crosspoint/mcp/server'
import type { Endpoint } from '@crosspoint/mcp/transports'
import { afterEach, describe, expect, test } from 'vitest'
import { createDeferred } from '../deferred.ts'
import { type Caller, openHttpCaller, openStdioCaller } from './caller.ts'

/** What our server does on the wire of the newest revision, where implementations most often go wrong. */

const closing: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

const P = 'io.modelcontextprotocol/'
const declaring = (capabilities: JsonObject) => ({ meta: { [`${P}clientCapabilities`]: capabilities } })

const transports = [
  { transport: 'HTTP', open: openHttpCaller },
  { transport: 'stdio', open: openStdioCaller },
]

function createFixture(): Server {
  const server = createServer({ name: 's', version: '1', logging: true })
  server.tool('plain', {}, () => 'plain')
  server.tool('loud', {}, (_args, { log, progress }) => {
    progress(1, 2)
    log('error', 'something')
    return 'loud'
  })
  server.tool('rooted', {}, async (_args, { roots }) => (await roots({ key: 'where' }))[0]?.uri ?? 'none')
  server.tool('whole', { output: {} }, () => null)
  server.resource('app://r', { name: 'r' }, () => 'r')
  return server
}

describe.each(transports)('over $transport', ({ transport, open }) => {
  const start = async (endpoint: Endpoint = createFixture().endpoint): Promise<Caller> => {
    const caller = await open(endpoint)
    closing.push(() => caller.close())
    return caller
  }
  const isHttp = transport === 'HTTP'
  const status = (over: number) => (isHttp ? over : undefined)

  test.each([
    ['protocolVersion', 'tools/list'],
    ['clientCapabilities', 'tools/list'],
    ['clientCapabilities', 'server/discover'],
    ['clientCapabilities', 'subscriptions/listen'],
  ])('trap-1: a request without %s is refused, and no older revision is tried: %s', async (key, method) => {
    const { ask } = await start()
    const heard = await ask(method, {}, { meta: { [`${P}${key}`]: undefined } })
    expect([heard.status, heard.answer.error.code]).toEqual([status(400), -32602])
    expect(heard.answer.error.message).toContain(key)
  })

  test('trap-2: what one request declared, another does not have', async () => {
    const { ask } = await start()
    const call = { name: 'rooted' }
    const declared = await ask('tools/call', call, declaring({ roots: {} }))
    expect(declared.answer.result.resultType).toBe('input_required')
    const bare = await ask('tools/call', call)
    expect([bare.status, bare.answer.error]).toMatchObject([
      status(400),
      { code: -32021, data: { requiredCapabilities: { roots: {} } } },
    ])
  })

  test('trap-2: neither the log level, nor who asks, nor the version stays', async () => {
    const calls: Call[] = []
    const handle = async (call: Call): Promise<Result> => {
      calls.push(call)
      return { content: [] }
    }
    const { ask } = await start({ handle, serverInfo: { name: 's', version: '1' } })
    await ask(
      'tools/call',
      { name: 't' },
      { meta: { [`${P}logLevel`]: 'debug', [`${P}clientInfo`]: { name: 'a', version: '1' } } },
    )
    await ask('tools/call', { name: 't' }, { meta: { [`${P}clientInfo`]: undefined } })
    expect(calls.map(({ interim, downstream }) => [interim.logLevel, downstream.client?.name])).toEqual([
      ['debug', 'a'],
      [undefined, undefined],
    ])
    const unversioned = await ask('tools/call', { name: 't' }, { meta: { [`${P}protocolVersion`]: undefined } })
    expect(unversioned.answer.error.code).toBe(-32602)
  })

  test('trap-3: server/discover is answered with hints, by a server with nothing too, and need not be asked', async () => {
    const { ask } = await start()
    expect((await ask('tools/list')).answer.result.tools).toHaveLength(4)
    for (const { endpoint } of [createFixture(), createServer({ name: 'bare', version: '1' })]) {
      const { answer } = await (await start(endpoint)).ask('server/discover')
      expect(answer.result).toMatchObject({
        resultType: 'complete',
        ttlMs: expect.any(Number),
        cacheScope: expect.stringMatching(/^(public|private)$/),
        supportedVersions: expect.arrayContaining(['2026-07-28']),
        capabilities: expect.any(Object),
      })
    }
  })

  test('trap-7: a method nobody knows is answered with -32601, and with 404 over HTTP; other failures with 200', async () => {
    const { ask } = await start()
    const codes = async (method: string, params: JsonObject = {}) => {
      const heard = await ask(method, params)
      return [heard.status, heard.answer.error?.code ?? heard.answer.result.isError]
    }
    expect(await codes('no/such')).toEqual([status(404), -32601])
    expect(await codes('tools/call', { name: 'missing' })).toEqual([status(200), -32602])
    expect(await codes('tools/list', { cursor: 'nonsense' })).toEqual([status(200), -32602])
    expect(await codes('resources/read', { uri: 'app://missing' })).toEqual([status(200), -32602])
    const failing = await start({
      handle: () => Promise.reject(new Error('inner')),
      serverInfo: { name: 's', version: '1' },
    })
    const broken = await failing.ask('tools/call', { name: 'x' })
    expect([broken.status, broken.answer.error]).toEqual([status(200), { code: -32603, message: 'Internal error' }])
  })

  test('trap-11: what a handler wants to know is asked by a result, and no request is ever written', async () => {
    const { ask } = await start()
    const heard = await ask('tools/call', { name: 'rooted' }, declaring({ roots: {} }))
    expect(heard.before).toEqual([])
    expect(heard.answer.result).toMatchObject({
      resultType: 'input_required',
      inputRequests: { where: { method: 'roots/list' } },
    })
    expect(Object.keys(heard.answer.result.inputRequests.where).sort()).toEqual(['method', 'params'])
  })

  test('trap-16: a retry that does not answer is asked again', async () => {
    const { ask } = await start()
    const declared = declaring({ roots: {} })
    const first = (await ask('tools/call', { name: 'rooted' }, declared)).answer.result
    const params = { name: 'rooted', inputResponses: {}, requestState: first.requestState }
    const again = (await ask('tools/call', params, declared)).answer.result
    expect(again).toMatchObject({ resultType: 'input_required', inputRequests: first.inputRequests })
    const inputResponses = { where: { roots: [{ uri: 'file:///home' }] } }
    const done = await ask('tools/call', { name: 'rooted', inputResponses, requestState: again.requestState }, declared)
    expect(done.answer.result).toMatchObject({ resultType: 'complete', content: [{ text: 'file:///home' }] })
  })

  test('trap-14: a state that was changed is refused with -32602', async () => {
    const { ask } = await start()
    const declared = declaring({ roots: {} })
    const { requestState } = (await ask('tools/call', { name: 'rooted' }, declared)).answer.result
    const bad = { name: 'rooted', inputResponses: {}, requestState: `${requestState}A` }
    expect((await ask('tools/call', bad, declared)).answer.error.code).toBe(-32602)
  })

  test('trap-17: all pages of a list have one scope', async () => {
    const server = createServer({ name: 's', version: '1', pageSize: 2 })
    for (let index = 0; index < 5; index++) server.tool(`t${index}`, {}, () => '')
    const { ask } = await start(server.endpoint)
    const scopes: unknown[] = []
    let cursor: unknown
    do {
      const { result } = (await ask('tools/list', cursor === undefined ? {} : { cursor })).answer
      scopes.push(result.cacheScope)
      cursor = result.nextCursor
    } while (cursor !== undefined)
    expect(scopes).toHaveLength(3)
    expect(new Set(scopes).size).toBe(1)
  })

  test('trap-18: a list is the same on another connection, after calls, and whatever the client declares', async () => {
    const { endpoint } = createFixture()
    const [one, other] = [await start(endpoint), await start(endpoint)]
    const list = async ({ ask }: Caller, options = {}) => (await ask('tools/list', {}, options)).answer.result.tools
    const first = await list(one)
    await one.ask('tools/call', { name: 'plain' })
    await one.ask('tools/call', { name: 'rooted' }, declaring({ roots: {} }))
    expect(await list(one)).toEqual(first)
    expect(await list(other)).toEqual(first)
    expect(await list(other, declaring({ sampling: {}, roots: {}, elicitation: {} }))).toEqual(first)
  })

  test.each([7, '7'])(
    'trap-19: a subscription is acknowledged first, with its id %j, and hears only what it asked for',
    async (id) => {
      const server = createFixture()
      const { begin } = await start(server.endpoint)
      const { untilHeard } = await begin(
        'subscriptions/listen',
        { notifications: { resourceSubscriptions: ['app://r', 'app://none'] } },
        { id },
      )
      await untilHeard(1)
      server.tool('later', {}, () => '')
      server.resourceUpdated('app://none')
      server.resourceUpdated('app://r')
      const heard = await untilHeard(2)
      expect(heard).toMatchObject([
        {
          method: 'notifications/subscriptions/acknowledged',
          params: { notifications: { resourceSubscriptions: ['app://r'] } },
        },
        { method: 'notifications/resources/updated', params: { uri: 'app://r' } },
      ])
      for (const { params } of heard) expect(params._meta[`${P}subscriptionId`]).toBe(id)
    },
  )

  test('trap-20: progress and log messages are not said to a subscription, whatever its request says', async () => {
    const said = createDeferred()
    const handle = (call: Call): Promise<Result> => {
      if (call.method !== 'subscriptions/listen') return Promise.resolve({ content: [] })
      const { notify } = call.interim
      notify({
        method: 'notifications/subscriptions/acknowledged',
        params: { notifications: { toolsListChanged: true } },
      })
      notify({ method: 'notifications/progress', params: { progress: 1 } })
      notify({ method: 'notifications/message', params: { level: 'emergency', data: 'x' } })
      notify({ method: 'notifications/tools/list_changed', params: {} })
      said.resolve()
      return new Promise(() => {})
    }
    const { begin } = await start({ handle, serverInfo: { name: 's', version: '1' } })
    const meta = { progressToken: 'p', [`${P}logLevel`]: 'debug' }
    const { untilHeard } = await begin('subscriptions/listen', { notifications: { toolsListChanged: true } }, { meta })
    await said.promise
    expect((await untilHeard(2)).map(({ method }) => method)).toEqual([
      'notifications/subscriptions/acknowledged',
      'notifications/tools/list_changed',
    ])
  })

  test('trap-20: log messages are for the request that asked for them', async () => {
    const { ask } = await start()
    const silent = await ask('tools/call', { name: 'loud' })
    expect(silent.before).toEqual([])
    const wanting = await ask('tools/call', { name: 'loud' }, { meta: { [`${P}logLevel`]: 'info' } })
    expect(wanting.before.map(({ method }) => method)).toEqual(['notifications/message'])
    expect((await ask('tools/call', { name: 'loud' })).before).toEqual([])
  })

  test.each([-32002, -32042, -32023, -32050, -32099])(
    'trap-21: the code %i of a handler or of another server is not sent',
    async (code) => {
      const handle = () => Promise.reject(new McpError('upstream.error', 'no', { rpc: { code, message: 'no' } }))
      const { ask } = await start({ handle, serverInfo: { name: 's', version: '1' } })
      for (const [method, params] of [
        ['tools/call', { name: 'x' }],
        ['resources/read', { uri: 'a:b' }],
      ] as const) {
        const { error } = (await ask(method, params)).answer
        expect([-32602, -32603]).toContain(error.code)
      }
    },
  )

  test('trap-22: a resource that does not exist is an error that names it', async () => {
    const { ask } = await start()
    expect((await ask('resources/read', { uri: 'app://none' })).answer).toMatchObject({
      error: { code: -32602, data: { uri: 'app://none' } },
    })
  })

  test('trap-26: null is structured content', async () => {
    const { ask } = await start()
    const { result } = (await ask('tools/call', { name: 'whole' })).answer
    expect(Object.hasOwn(result, 'structuredContent')).toBe(true)
    expect(result).toMatchObject({ structuredContent: null, content: [{ text: 'null' }] })
  })
})
