import { type Call, type JsonObject, McpError, type Principal, type Result } from '@crosspoint/mcp'
import { createServer } from '@crosspoint/mcp/server'
import { connectDirectly, createFakeClock, recordCall } from '@crosspoint/testkit'
import { expect, onTestFinished, test } from 'vitest'
import { configOf, openGateway } from '../fixtures/open-gateway.ts'
import type { Log, LogDetails } from './log.ts'
import { Policy } from './policy/policy.ts'

type Answer = (call: Call, server: string) => Promise<Result> | Result

const ANNA = { id: 'anna', tenant: 'default' }
const QUERY = { type: 'object', properties: { query: { type: 'string', description: 'What to look for' } } } as const
const saying = (text: string): Result => ({ content: [{ type: 'text', text }] })
const gone = () => new McpError('upstream.unavailable', 'refused', { neverRan: true })

/** Three servers that offer `search`, which the test answers. */
async function open(
  route: object,
  {
    answer = (_, server) => saying(server),
    more = {},
    schemas = {},
    hints = {},
  }: {
    answer?: Answer
    more?: object
    schemas?: Readonly<Record<string, JsonObject>>
    hints?: { readonly readOnlyHint?: boolean }
  } = {},
) {
  const clock = createFakeClock()
  const sent: string[] = []
  const names: string[] = []
  const lines: { message: string; details: LogDetails }[] = []
  const write = (details: LogDetails, message: string) => lines.push({ details, message })
  const log: Log = { debug: () => {}, info: write, warn: write, error: write }
  const connections = new Map<string, Awaited<ReturnType<typeof connectDirectly>>>()
  const dial = (name: string) => async () => {
    const server = createServer({ name, version: '1.0.0' })
    server.tool('search', { input: schemas[name] ?? QUERY, annotations: hints }, () => '')
    const connection = await connectDirectly(server.endpoint)
    connections.set(name, connection)
    const handle = async (call: Call) => {
      if (call.method !== 'tools/call') return connection.handle(call)
      sent.push(name)
      names.push(String(call.params.name))
      return answer(call, name)
    }
    return { ...connection, handle }
  }
  const servers = ['a', 'b', 'c']
  const config = configOf(servers, { routes: { search: route }, ...more })
  let state = 7
  const random = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
  const dialers = Object.fromEntries(servers.map((name) => [name, dial(name)]))
  const gateway = openGateway(config, dialers, clock, { random, log })
  onTestFinished(() => gateway.close({ graceMs: 0 }))
  await gateway.start()
  const ask = (method: string, params: JsonObject, principal?: Principal, view?: string, capabilities = {}) => {
    const { call } = recordCall(method, params, {
      progress: false,
      capabilities,
      ...(principal === undefined ? {} : { principal }),
    })
    return gateway.endpoint(view)?.handle(call) ?? Promise.reject(new Error('No endpoint'))
  }
  const search = async (args: JsonObject = {}, principal?: Principal) => {
    const result = await ask('tools/call', { name: 'search', arguments: args }, principal)
    return String((result.content as { text: string }[])[0]?.text)
  }
  const tools = async (view?: string, principal?: Principal) => {
    const result = await ask('tools/list', {}, principal, view)
    return (result.tools as { name: string }[]).map(({ name }) => name)
  }
  return { clock, gateway, sent, names, lines, connections, ask, search, tools }
}

const ALL = ['a__search', 'b__search', 'c__search']

test('several tools are one, by their order, and the first that is well answers', async () => {
  const { tools, search, names, connections, clock } = await open({ tools: ALL })
  expect(await tools()).toEqual([...ALL, 'search'])
  expect(await search()).toBe('a')
  expect(names).toEqual(['search'])
  connections.get('a')?.break('gone')
  for (let n = 0; n < 20; n++) await new Promise((resolve) => setImmediate(resolve))
  expect(await search()).toBe('b')
  clock.advance(60_000)
  for (let n = 0; n < 50; n++) await new Promise((resolve) => setImmediate(resolve))
  expect(await search()).toBe('a')
})

test('what stands behind can be hidden, and is called by no name of its own then', async () => {
  const { tools, search, ask } = await open({ tools: ALL, hide: true })
  expect(await tools()).toEqual(['search'])
  expect(await search()).toBe('a')
  await expect(ask('tools/call', { name: 'a__search' })).rejects.toMatchObject({ code: 'caller.invalid_params' })
})

test('a call that certainly never ran goes to the next; one that may have run only where it changes nothing', async () => {
  const refusing: Answer = (_, server) => (server === 'a' ? Promise.reject(gone()) : saying(server))
  expect(await (await open({ tools: ALL }, { answer: refusing })).search()).toBe('b')
  const losing: Answer = (_, server) =>
    server === 'a' ? Promise.reject(new McpError('upstream.closed', 'lost')) : saying(server)
  const unsafe = await open({ tools: ALL }, { answer: losing })
  expect(await unsafe.search()).toContain('outcome is unknown')
  expect(unsafe.sent).toEqual(['a'])
  expect(await (await open({ tools: ALL }, { answer: losing, hints: { readOnlyHint: true } })).search()).toBe('b')
  const all = await open({ tools: ALL }, { answer: () => Promise.reject(gone()) })
  expect(await all.search()).toContain('could not be reached')
  expect(all.sent).toEqual(['a', 'b', 'c'])
})

test('what a server answers is the answer, errors of its tool included', async () => {
  const { search, sent } = await open({ tools: ALL }, { answer: () => ({ ...saying('no'), isError: true }) })
  expect(await search()).toBe('no')
  expect(sent).toEqual(['a'])
})

test('the cheapest, by lot in proportion to weights, or the quickest of late', async () => {
  const cost = await open({
    by: 'cost',
    tools: [{ tool: 'a__search', cost: 5 }, { tool: 'b__search', cost: 2 }, 'c__search'],
  })
  expect(await cost.search()).toBe('c')
  const weight = await open({ by: 'weight', tools: [{ tool: 'a__search', weight: 3 }, 'b__search'] })
  for (let n = 0; n < 400; n++) await weight.search()
  const a = weight.sent.filter((server) => server === 'a').length
  expect(a).toBeGreaterThan(260)
  expect(a).toBeLessThan(340)
  const tookMs: Record<string, number> = { a: 300, b: 20, c: 100 }
  const quick = await open(
    { by: 'latency', tools: ALL },
    {
      answer: (_, server) => {
        quick.clock.advance(tookMs[server] ?? 0)
        return saying(server)
      },
    },
  )
  for (let n = 0; n < 100; n++) await quick.search()
  // Each is tried once, and those that are slow rarely after that.
  expect(quick.sent.slice(0, 3).sort()).toEqual(['a', 'b', 'c'])
  expect(quick.sent.filter((server) => server === 'b').length).toBeGreaterThan(85)
})

test('conditions over arguments and callers choose, and what nobody takes is told', async () => {
  const { search } = await open({
    tools: [
      { tool: 'a__search', when: 'arguments.query.startsWith("a")' },
      { tool: 'b__search', when: 'principal.id == "anna"' },
    ],
  })
  expect(await search({ query: 'abc' })).toBe('a')
  expect(await search({ query: 'xyz' }, ANNA)).toBe('b')
  expect(await search({ query: 'xyz' })).toContain('No server behind the tool "search" takes this call')
  // What cannot be told is not so.
  expect(await search({}, ANNA)).toBe('b')
})

test('tools that take other arguments are left out, which the log says, unless they are taken unchecked', async () => {
  const schemas = {
    b: { type: 'object', properties: { q: { type: 'string' } } },
    c: { properties: { query: { description: 'Anything', type: 'string' } }, type: 'object' },
  }
  const checked = await open({ by: 'weight', tools: ALL }, { schemas })
  for (let n = 0; n < 40; n++) await checked.search()
  expect(new Set(checked.sent)).toEqual(new Set(['a', 'c']))
  expect(checked.lines.map(({ message }) => message)).toContain(
    'The route "search" leaves out "b__search", which takes other arguments than its first tool',
  )
  const unchecked = await open({ by: 'weight', tools: ALL, unchecked: true }, { schemas })
  for (let n = 0; n < 60; n++) await unchecked.search()
  expect(new Set(unchecked.sent).size).toBe(3)
})

test('rules are those of the tool that is asked: nobody comes by a route to what is not theirs', async () => {
  const policy = {
    rules: [
      { name: 'b', effect: 'allow', tools: ['b__search'], when: 'principal.id == "anna"' },
      { name: 'not-xyz', effect: 'deny', tools: ['b__search'], when: 'arguments.query == "xyz"' },
    ],
    default: 'deny',
  }
  const { search, tools, sent, ask } = await open({ tools: ALL }, { more: { policy } })
  expect(await tools(undefined, ANNA)).toEqual(['b__search', 'search'])
  expect(await search({ query: 'abc' }, ANNA)).toBe('b')
  expect(await search({ query: 'xyz' }, ANNA)).toContain('Not permitted')
  expect(await tools()).toEqual([])
  await expect(ask('tools/call', { name: 'search' })).rejects.toThrow()
  expect(sent).toEqual(['b'])
})

test('the scopes one can ask for are those of the tools behind, listed or not', async () => {
  const scopes = { finds: { tools: ['a__*'] }, never: { tools: ['x__*'] } }
  const { gateway } = await open({ tools: ALL, hide: true }, { more: { scopes } })
  expect(new Policy(gateway.config.policy).scopesSupported(gateway.offered())).toEqual(['finds'])
})

test('limits are those of the tool that is asked: one that is over its limit is passed over', async () => {
  const limits = [
    { name: 'a-few', calls: 2, windowMs: 60_000, per: 'all', match: { tools: ['a__search'] } },
    { name: 'all', calls: 5, windowMs: 60_000, per: 'all' },
  ]
  const { search, sent } = await open({ tools: ALL }, { more: { traffic: { limits } } })
  for (let n = 0; n < 3; n++) await search()
  expect(sent).toEqual(['a', 'a', 'b'])
  await search()
  await search()
  expect(await search()).toContain('The limit "all"')
})

test('one whose breaker is open is passed over, and taken again when it is to be tried', async () => {
  const breakers = [{ failures: 1, windowMs: 60_000, openMs: 5_000 }]
  let isBroken = true
  const { search, sent, clock } = await open(
    { tools: ALL },
    {
      more: { traffic: { breakers } },
      answer: (_, server) =>
        isBroken && server === 'a' ? Promise.reject(new McpError('upstream.timeout', 'silent')) : saying(server),
    },
  )
  await search().catch(() => '')
  expect(await search()).toBe('b')
  isBroken = false
  clock.advance(5_000)
  expect(await search()).toBe('a')
  expect(sent).toEqual(['a', 'b', 'a'])
})

test('what a server asks is answered where it was asked', async () => {
  const { ask, sent } = await open(
    { by: 'weight', tools: ALL },
    {
      answer: (call, server) => {
        if (call.params.requestState !== undefined) return saying(`${server} ${String(call.params.requestState)}`)
        return {
          resultType: 'input_required',
          requestState: `of ${server}`,
          inputRequests: { who: { method: 'elicitation/create', params: { message: '?', requestedSchema: {} } } },
        }
      },
    },
  )
  const forms = { elicitation: { form: {} } }
  for (let n = 0; n < 12; n++) {
    const { requestState } = await ask('tools/call', { name: 'search' }, ANNA, undefined, forms)
    const inputResponses = { who: { action: 'accept', content: {} } }
    const answered = await ask('tools/call', { name: 'search', requestState, inputResponses }, ANNA, undefined, forms)
    expect((answered.content as { text: string }[])[0]?.text).toMatch(/^(\w) of \1$/)
  }
  expect(new Set(sent).size).toBe(3)
})

test('a state that was changed, or is of another server, opens nothing', async () => {
  const { ask, sent } = await open(
    { tools: ALL },
    {
      answer: () => ({
        resultType: 'input_required',
        requestState: 'secret',
        inputRequests: { who: { method: 'elicitation/create', params: { message: '?', requestedSchema: {} } } },
      }),
    },
  )
  const forms = { elicitation: { form: {} } }
  const { requestState } = await ask('tools/call', { name: 'search' }, ANNA, undefined, forms)
  const own = String(requestState)
  const stem = own.slice(0, own.lastIndexOf('~'))
  for (const forged of [stem, `${stem}~`, `${stem}~zzz`, '~', '', `${own}~${own}`]) {
    const inputResponses = { who: { action: 'accept', content: {} } }
    const params = { name: 'search', requestState: forged, inputResponses }
    const outcome = ask('tools/call', params, { id: 'bert', tenant: 'default' }, undefined, forms)
    await expect(outcome).rejects.toMatchObject({ code: 'caller.invalid_params' })
  }
  expect(sent).toEqual(['a'])
})

test('a view has of a route what its servers offer, under the name it gives', async () => {
  const views = {
    some: { servers: ['b', 'c'], tools: { include: ['search'] }, rename: { search: 'find' } },
    none: { servers: ['c'], tools: { exclude: ['search'] } },
  }
  const { tools, ask } = await open({ tools: ALL }, { more: { views } })
  expect(await tools('some')).toEqual(['find'])
  expect(await ask('tools/call', { name: 'find' }, undefined, 'some')).toMatchObject({ content: [{ text: 'b' }] })
  expect(await tools('none')).toEqual(['c__search'])
})

test('the log names the server that answered, figures count it, and a reload changes the route', async () => {
  const { gateway, search, lines, tools } = await open({ tools: ALL, hide: true })
  await search()
  expect(lines.find(({ message }) => message === 'call')?.details).toMatchObject({ target: 'search', upstream: 'a' })
  expect(gateway.traffic()).toContainEqual({
    name: 'route_calls',
    labels: { route: 'search', tool: 'a__search' },
    value: 1,
  })
  await gateway.apply(configOf(['a', 'b', 'c'], { routes: { search: { tools: ['b__search', 'c__search'] } } }))
  expect(await tools()).toEqual([...ALL, 'search'])
  expect(await search()).toBe('b')
  await gateway.apply(configOf(['a', 'b', 'c']))
  expect(await tools()).toEqual(ALL)
})
