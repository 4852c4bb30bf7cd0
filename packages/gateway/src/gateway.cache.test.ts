import { type Call, type JsonObject, McpError, type Principal, type Result } from '@crosspoint/mcp'
import { createServer } from '@crosspoint/mcp/server'
import { type CallOptions, connectDirectly, createFakeClock, recordCall } from '@crosspoint/testkit'
import { expect, onTestFinished, test } from 'vitest'
import { configOf, openGateway } from '../fixtures/open-gateway.ts'

const RULE = { ttlMs: 60_000 }

/** A gateway over one server that answers as the test says, and counts what reaches it. */
async function open(
  rules: readonly object[] = [RULE],
  answer?: (call: Call) => Promise<Result> | Result,
  more: object = {},
) {
  const clock = createFakeClock()
  const sent: Call[] = []
  const server = createServer({ name: 'one', version: '1.0.0' })
  server.tool('read', { annotations: { readOnlyHint: true } }, () => '')
  server.tool('write', {}, () => '')
  server.resource('x://doc', { name: 'doc' }, () => '')
  const dial = async () => {
    const connection = await connectDirectly(server.endpoint)
    const handle = async (call: Call): Promise<Result> => {
      if (call.method !== 'tools/call' && call.method !== 'resources/read') return connection.handle(call)
      sent.push(call)
      if (answer !== undefined) return answer(call)
      const { principal, params } = call
      return {
        content: [
          { type: 'text', text: JSON.stringify([principal.tenant, principal.id, params.arguments, sent.length]) },
        ],
      }
    }
    return { ...connection, handle }
  }
  const traffic = { cache: { rules, ...more } }
  const gateway = openGateway(configOf(['one'], { traffic }), { one: dial }, clock)
  onTestFinished(() => gateway.close({ graceMs: 0 }))
  await gateway.start()
  const record = (params: JsonObject, options: CallOptions = {}, method = 'tools/call') =>
    recordCall(method, params, options)
  const pass = ({ call }: ReturnType<typeof record>, more: Partial<Call> = {}): Promise<Result> => {
    const endpoint = gateway.endpoint()
    if (endpoint === undefined) throw new Error('There is always an endpoint of everything')
    return endpoint.handle({ ...call, ...more })
  }
  const read = (arguments_: JsonObject = {}, options: CallOptions = {}) =>
    pass(record({ name: 'one__read', arguments: arguments_ }, { progress: false, ...options }))
  return { clock, sent, server, gateway, record, pass, read }
}

const textOf = ({ content }: Result) => JSON.parse((content as readonly { readonly text: string }[])[0]?.text ?? 'null')

test('abuse-43: two tenants with 1,000 interleaved calls each over cached results get their own and nothing else', async () => {
  const { read, sent, gateway } = await open()
  const callers: readonly Principal[] = [
    { tenant: 'a', id: 'anna' },
    { tenant: 'b', id: 'anna' },
  ]
  let crossings = 0
  for (let n = 0; n < 1_000; n++) {
    const q = (n * 7) % 50
    // Keys in another order are the same call.
    const arguments_ = n % 2 === 0 ? { q, deep: { a: 1, b: [1, 2] } } : { deep: { b: [1, 2], a: 1 }, q }
    const results = await Promise.all(callers.map((principal) => read(arguments_, { principal })))
    for (const [at, result] of results.entries()) {
      const [tenant, id, got] = textOf(result)
      if (tenant !== callers[at]?.tenant || id !== 'anna' || got.q !== q) crossings++
    }
  }
  expect(crossings).toBe(0)
  expect(sent).toHaveLength(100)
  expect(gateway.traffic()).toContainEqual({ name: 'cache_hits', labels: {}, value: 1_900 })
})

test('abuse-43: scopes, sessions, revisions and abilities keep results apart, whatever a server calls public', async () => {
  const { read, record, pass, sent } = await open([RULE], () => ({ content: [], ttlMs: 60_000, cacheScope: 'public' }))
  const principal = { id: 'anna', tenant: 't' }
  const variants: readonly CallOptions[] = [
    { principal },
    { principal: { ...principal, scopes: [] } },
    { principal: { ...principal, scopes: ['a', 'b'] } },
    { principal: { ...principal, scopes: ['a,b'] } },
    { principal, capabilities: { sampling: {} } },
    { principal: { id: 'bert', tenant: 't' } },
  ]
  for (const _ of [1, 2]) for (const variant of variants) await read({}, variant)
  expect(sent).toHaveLength(variants.length)
  await read({}, { principal: { ...principal, scopes: ['b', 'a'] } })
  expect(sent).toHaveLength(variants.length)
  const recorded = record({ name: 'one__read', arguments: {} }, { progress: false, principal })
  for (const session of ['s-1', 's-2', 's-1'])
    await pass(recorded, { downstream: { ...recorded.call.downstream, session } })
  expect(sent).toHaveLength(variants.length + 2)
})

test('a result given again says how old it is, and is asked for anew when its time is over', async () => {
  const { read, clock, sent } = await open()
  const first = await read()
  expect(first._meta?.['crosspoint/cached']).toBeUndefined()
  clock.advance(59_000)
  expect(await read()).toEqual({ ...first, _meta: { ...first._meta, 'crosspoint/cached': { ageMs: 59_000 } } })
  clock.advance(1_000)
  await read()
  expect(sent).toHaveLength(2)
})

test('only tools that say that they change nothing are kept, or are named', async () => {
  const plain = await open()
  const write = plain.record({ name: 'one__write' }, { progress: false })
  for (const _ of [1, 2]) await plain.pass(write)
  expect(plain.sent).toHaveLength(2)
  const named = await open([{ ...RULE, unsafe: true, match: { tools: ['one__write'] } }])
  for (const _ of [1, 2]) await named.pass(write)
  for (const _ of [1, 2]) await named.read()
  expect(named.sent).toHaveLength(3)
  expect(() => configOf(['one'], { traffic: { cache: { rules: [{ unsafe: true }] } } })).toThrow(/match\.tools/)
})

test.each<[string, (call: Call) => Promise<Result> | Result]>([
  ['error of a tool', () => ({ content: [], isError: true })],
  ['question', () => ({ resultType: 'input_required', inputRequests: {}, requestState: 'x' })],
  ['failure', () => Promise.reject(new McpError('upstream.timeout', 'Silence'))],
  ['too large a result', () => ({ content: [{ type: 'text', text: 'x'.repeat(2_000_000) }] })],
  [
    'answer that somebody was asked for',
    async ({ interim }) => ({
      content: [],
      said: (
        await interim.ask({
          method: 'elicitation/create',
          params: { message: '', requestedSchema: { type: 'object', properties: {} } },
        })
      ).action,
    }),
  ],
])('an %s is not given again', async (_, answer) => {
  const { read, sent } = await open([RULE], answer)
  const asked = { capabilities: { elicitation: { form: {} } }, ask: async () => ({ action: 'decline' }) }
  for (const _ of [1, 2]) await read({}, asked).catch(() => {})
  expect(sent).toHaveLength(2)
})

test('a call that says more in its _meta goes its own way', async () => {
  const { read, sent } = await open()
  await read()
  await read({}, { meta: { 'com.example/locale': 'de' } })
  await read({}, { meta: { traceparent: `00-${'1'.repeat(32)}-${'2'.repeat(16)}-01` } })
  expect(sent).toHaveLength(2)
})

test('abuse-41: what comes after its caller went is not kept', async () => {
  const waiting: ((result: Result) => void)[] = []
  const { record, pass, read, sent } = await open([RULE], () => new Promise((resolve) => void waiting.push(resolve)))
  const gone = record({ name: 'one__read', arguments: {} }, { progress: false })
  const answer = pass(gone).catch(() => {})
  await until(() => sent.length === 1)
  gone.abort()
  waiting[0]?.({ content: [] })
  await answer
  const again = read()
  await until(() => sent.length === 2)
  waiting[1]?.({ content: [] })
  await again
})

test('identical calls of one caller at once are sent once, those of two callers twice', async () => {
  const waiting: ((result: Result) => void)[] = []
  const { read, sent } = await open([RULE], () => new Promise((resolve) => void waiting.push(resolve)))
  const bert = { principal: { id: 'bert', tenant: 't' } }
  const all = [read(), read(), read({}, bert), read({}, bert)]
  await until(() => sent.length === 2)
  for (const [at, finish] of waiting.entries()) finish({ content: [{ type: 'text', text: String(at) }] })
  expect((await Promise.all(all)).map(textOf)).toEqual([0, 0, 1, 1])
  expect(sent).toHaveLength(2)
})

test('who waits for a call of another that comes to nothing goes its own way', async () => {
  let calls = 0
  const { read } = await open([RULE], async () => {
    if (++calls === 1) throw new McpError('upstream.timeout', 'Silence')
    return { content: [{ type: 'text', text: '"ok"' }] }
  })
  const [first, second] = await Promise.allSettled([read(), read()])
  expect(first).toMatchObject({ status: 'rejected' })
  expect(second).toMatchObject({ status: 'fulfilled' })
})

test('a read holds as long as its server says, within the rule', async () => {
  let ttlMs = 5_000
  const { record, pass, sent, clock, gateway } = await open([RULE], () => ({
    contents: [{ uri: 'x://doc', text: 'a' }],
    ttlMs,
    cacheScope: 'private',
  }))
  const read = () => pass(record({ uri: 'x://doc' }, { progress: false }, 'resources/read'))
  await read()
  clock.advance(4_000)
  expect(await read()).toMatchObject({ ttlMs: 1_000 })
  clock.advance(1_000)
  ttlMs = 3_600_000
  await read()
  clock.advance(59_999)
  await read()
  expect(sent).toHaveLength(2)
  clock.advance(1)
  ttlMs = 0
  for (const _ of [1, 2]) await read()
  expect(sent).toHaveLength(4)
  expect(gateway.traffic()).toContainEqual({ name: 'cache_entries', labels: {}, value: 1 })
})

test('a resource is read anew once its server told a subscriber that it changed', async () => {
  const { record, pass, sent, server, gateway } = await open()
  const read = () => pass(record({ uri: 'x://doc' }, { progress: false }, 'resources/read'))
  const listening = recordCall('subscriptions/listen', { notifications: { resourceSubscriptions: ['x://doc'] } })
  onTestFinished(listening.abort)
  void gateway.endpoint()?.handle(listening.call)
  await listening.untilHeard(1)
  for (const _ of [1, 2]) await read()
  expect(sent).toHaveLength(1)
  server.resourceUpdated('x://doc')
  await listening.untilHeard(2)
  await read()
  expect(sent).toHaveLength(2)
})

test('abuse-14: what is kept is bounded in number and bytes', async () => {
  const { read, gateway } = await open([RULE], undefined, { maxEntries: 10, maxBytes: 2_048 })
  const figure = (name: string) => gateway.traffic().find((one) => one.name === name)?.value
  for (let n = 0; n < 100; n++) await read({ n })
  expect(figure('cache_entries')).toBeLessThanOrEqual(10)
  expect(figure('cache_bytes')).toBeLessThanOrEqual(2_048)
})

/** Lets everything that needs no time happen, until the condition holds. */
async function until(holds: () => boolean): Promise<void> {
  for (let turn = 0; turn < 1_000; turn++) {
    if (holds()) return
    await new Promise((resolve) => setImmediate(resolve))
  }
  throw new Error('It did not come about')
}

test('figures tell of each tool what was kept of it, and of refused calls that they were', async () => {
  const { read, record, pass, gateway } = await open()
  for (let n = 0; n < 3; n++) await read()
  await expect(pass(record({ name: 'one__none' }))).rejects.toMatchObject({ code: 'caller.invalid_params' })
  const { tools, methods } = gateway.figures()
  expect(tools).toMatchObject([
    { upstream: 'one', tool: 'read', name: 'one__read', calls: 3, errors: {}, cacheHits: 2 },
    { upstream: '', tool: '_other', calls: 1, errors: { 'caller.invalid_params': 1 } },
  ])
  expect(methods).toMatchObject([{ method: 'tools/call', calls: 4, cacheHits: 2 }])
})
