import { type Call, type JsonObject, McpError, type Principal, type Result, TASKS } from '@crosspoint/mcp'
import type { ConnectionOptions } from '@crosspoint/mcp/client'
import { createServer } from '@crosspoint/mcp/server'
import { connectDirectly, createFakeClock, recordCall } from '@crosspoint/testkit'
import { expect, onTestFinished, test } from 'vitest'
import { openGateway } from '../fixtures/open-gateway.ts'
import { parseConfig } from './config/parse.ts'

type Answer = (call: Call, at: number) => Promise<Result> | Result

const gone = (more: object = {}) => new McpError('upstream.unavailable', 'refused', { neverRan: true, ...more })
const saying = (text: string): Result => ({ content: [{ type: 'text', text }] })
const ANNA = { id: 'anna', tenant: 'default' }

/** A gateway over replicas of one server whose calls the test answers. */
async function open(
  answer: Answer,
  {
    names = ['a', 'b', 'c'],
    more = {},
    rest = {},
    tools = ['do'] as const,
  }: {
    names?: readonly string[]
    more?: object
    rest?: object
    tools?: readonly string[] | ((at: number) => readonly string[])
  } = {},
) {
  const clock = createFakeClock()
  const sent = names.map(() => 0)
  const connections = new Map<number, Awaited<ReturnType<typeof connectDirectly>>>()
  const down = new Set<number>()
  const dial = (at: number) => async (_: ConnectionOptions) => {
    if (down.has(at)) throw gone()
    const server = createServer({ name: 'one', version: '1.0.0' })
    for (const tool of typeof tools === 'function' ? tools(at) : tools) server.tool(tool, {}, () => '')
    const connection = await connectDirectly(server.endpoint)
    connections.set(at, connection)
    const handle = async (call: Call) => {
      if (down.has(at)) throw gone()
      if (call.method !== 'tools/call') return connection.handle(call)
      sent[at] = (sent[at] ?? 0) + 1
      return answer(call, at)
    }
    return { ...connection, handle }
  }
  const one = { urls: names.map((name) => `http://${name}/mcp`), ...more }
  const { config } = parseConfig(JSON.stringify({ servers: { one }, ...rest }), { path: 'crosspoint.json' })
  const dialers = Object.fromEntries(names.map((name, at) => [name, dial(at)]))
  let state = 7
  const random = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
  const gateway = openGateway(config, dialers, clock, { random })
  onTestFinished(() => gateway.close({ graceMs: 0 }))
  await gateway.start()
  const ask = (method: string, params: JsonObject, principal?: Principal, capabilities = {}) => {
    const { call } = recordCall(method, params, { capabilities, ...(principal === undefined ? {} : { principal }) })
    return gateway.endpoint()?.handle(call) ?? Promise.reject(new Error('No endpoint'))
  }
  const call = async (tool = 'do', principal?: Principal) => {
    const result = await ask('tools/call', { name: `one__${tool}` }, principal)
    return String((result.content as { text: string }[])[0]?.text)
  }
  const turns = async () => {
    for (let n = 0; n < 50; n++) await new Promise((resolve) => setImmediate(resolve))
  }
  return { clock, gateway, sent, down, connections, ask, call, turns, status: () => gateway.status()[0] }
}

test('replicas are one server: one name in the lists, and its calls are spread', async () => {
  const { call, sent, ask, status } = await open((_, at) => saying(`${at}`))
  expect(await ask('tools/list', {})).toMatchObject({ tools: [{ name: 'one__do' }] })
  for (let n = 0; n < 300; n++) await call()
  for (const count of sent) expect(count).toBeGreaterThan(50)
  expect(status()).toMatchObject({
    state: 'ready',
    replicas: [
      { name: 'a', state: 'ready', calls: sent[0], failures: 0, isLeftAlone: false },
      { name: 'b' },
      { name: 'c' },
    ],
  })
})

test('a call that certainly never ran goes to another at once, whatever its tool does, and once to each', async () => {
  let broken = new Set([0])
  const { call, sent } = await open((_, at) => (broken.has(at) ? Promise.reject(gone()) : saying(`${at}`)), {
    more: { replicas: { balance: 'round-robin' } },
  })
  for (let n = 0; n < 9; n++) expect(await call()).not.toContain('reached')
  // It is left alone from its first failure on.
  expect(sent[0]).toBe(1)
  broken = new Set([0, 1, 2])
  expect(await call()).toContain('could not be reached')
  expect(sent.reduce((sum, count) => sum + count, 0)).toBeLessThanOrEqual(10 + 3)
})

test('a call that may have run is not sent to another', async () => {
  const { call, sent } = await open(() => {
    throw new McpError('upstream.closed', 'lost')
  })
  expect(await call()).toContain('whose outcome is unknown')
  expect(sent.reduce((sum, count) => sum + count, 0)).toBe(1)
})

test('nobody is asked for a caller who went away', async () => {
  const recorded = recordCall('tools/call', { name: 'one__do' }, { progress: false })
  const { gateway, sent } = await open(() => {
    recorded.abort()
    throw gone()
  })
  await gateway
    .endpoint()
    ?.handle(recorded.call)
    .catch(() => {})
  expect(sent.reduce((sum, count) => sum + count, 0)).toBe(1)
})

test('one that fails too often gets no calls for a while, for longer each time, unless all do', async () => {
  let isBroken = true
  const silent = () => Promise.reject(new McpError('upstream.timeout', 'silent'))
  const { call, sent, clock, status } = await open((_, at) => (isBroken && at === 1 ? silent() : saying(`${at}`)), {
    more: { replicas: { balance: 'round-robin', checkMs: 0 } },
  })
  const some = async () => {
    for (let n = 0; n < 30; n++) await call().catch(() => '')
  }
  await some()
  expect([sent[1], status()?.replicas?.[1]]).toMatchObject([3, { isLeftAlone: true, failures: 3, state: 'ready' }])
  clock.advance(5_000)
  await some()
  expect(sent[1]).toBe(6)
  clock.advance(5_000)
  await some()
  expect(sent[1]).toBe(6)
  isBroken = false
  clock.advance(5_000)
  await some()
  expect(sent[1]).toBeGreaterThan(12)
})

test('where all are left alone, calls go on', async () => {
  const { call, sent } = await open(() => Promise.reject(new McpError('upstream.timeout', 'silent')))
  for (let n = 0; n < 30; n++) await call().catch(() => '')
  expect(sent.reduce((sum, count) => sum + count, 0)).toBe(30)
})

test('a slow one gets less', async () => {
  const { gateway, sent, clock, turns } = await open(
    (_, at) => new Promise((resolve) => clock.setTimer(at === 0 ? 400 : 20, () => resolve(saying(`${at}`)))),
  )
  let left = 600
  const worker = async () => {
    while (left-- > 0) {
      await gateway.endpoint()?.handle(recordCall('tools/call', { name: 'one__do' }, { progress: false }).call)
    }
  }
  let isOver = false
  const workers = Promise.all(Array.from({ length: 6 }, worker)).finally(() => {
    isOver = true
  })
  await turns()
  while (!isOver) {
    clock.advance(10)
    await new Promise((resolve) => setImmediate(resolve))
  }
  await workers
  const [slow = 0, ...others] = sent
  for (const other of others) expect(slow).toBeLessThan(other / 4)
})

test('checks find one that is silent without calls, and that it is back', async () => {
  const { clock, down, turns, status, call, sent } = await open((_, at) => saying(`${at}`), {
    more: { replicas: { failures: 1 }, restart: { minDelayMs: 100, maxDelayMs: 100 } },
  })
  down.add(2)
  for (let n = 0; n < 4; n++) {
    clock.advance(12_500)
    await turns()
  }
  expect(status()).toMatchObject({ state: 'degraded', reason: expect.stringContaining('c is away') })
  const before = sent[2]
  for (let n = 0; n < 30; n++) await call()
  expect(sent[2]).toBe(before)
  down.clear()
  for (let n = 0; n < 4; n++) {
    clock.advance(12_500)
    await turns()
  }
  expect(status()).toMatchObject({ state: 'ready', replicas: [{}, {}, { state: 'ready', isLeftAlone: false }] })
})

test('where they disagree, what most offer is listed, the status says who differs, and calls go where the tool is', async () => {
  const { ask, call, sent, status } = await open((_, at) => saying(`${at}`), {
    tools: (at) => (at === 1 ? ['do'] : ['do', 'new']),
  })
  expect(await ask('tools/list', {})).toMatchObject({ tools: [{ name: 'one__do' }, { name: 'one__new' }] })
  expect(status()).toMatchObject({
    state: 'degraded',
    reason: 'b offers something else: tools: new',
    replicas: [{}, { differs: ['tools: new'] }, {}],
  })
  for (let n = 0; n < 30; n++) await call('new')
  expect(sent[1]).toBe(0)
})

test('what a server asks by a result is answered where it was asked', async () => {
  const { ask, sent } = await open((call, at) => {
    if (call.params.requestState !== undefined) return saying(`${at} ${String(call.params.requestState)}`)
    return {
      resultType: 'input_required',
      requestState: `state of ${at}`,
      inputRequests: { who: { method: 'elicitation/create', params: { message: '?', requestedSchema: {} } } },
    }
  })
  const forms = { elicitation: { form: {} } }
  for (let n = 0; n < 12; n++) {
    const { requestState } = await ask('tools/call', { name: 'one__do' }, ANNA, forms)
    const inputResponses = { who: { action: 'accept', content: {} } }
    const { content } = await ask('tools/call', { name: 'one__do', requestState, inputResponses }, ANNA, forms)
    expect((content as { text: string }[])[0]?.text).toMatch(/^(\d) state of \1$/)
  }
  expect(Math.min(...sent)).toBeGreaterThan(0)
})

test('abuse: a state that was changed, or is of another replica, opens nothing', async () => {
  const { ask, sent } = await open(() => ({
    resultType: 'input_required',
    requestState: 'secret',
    inputRequests: { who: { method: 'elicitation/create', params: { message: '?', requestedSchema: {} } } },
  }))
  const forms = { elicitation: { form: {} } }
  const states: string[] = []
  for (let n = 0; n < 12; n++) {
    states.push(String((await ask('tools/call', { name: 'one__do' }, ANNA, forms)).requestState))
  }
  const marks = [...new Set(states.map((state) => state.slice(state.lastIndexOf('~') + 1)))]
  expect(marks).toHaveLength(3)
  const [own = ''] = states
  const stem = own.slice(0, own.lastIndexOf('~'))
  const others = marks.filter((mark) => !own.endsWith(mark)).map((mark) => `${stem}~${mark}`)
  for (const forged of [stem, `${stem}~`, `${stem}~zzz`, '~', '', `${own}~${own}`, ...others]) {
    const params = { name: 'one__do', requestState: forged, inputResponses: { who: { action: 'accept', content: {} } } }
    const outcome = await ask('tools/call', params, { id: 'bert', tenant: 'default' }, forms).catch(({ code }) => code)
    expect(outcome).toBe('caller.invalid_params')
  }
  expect(sent.reduce((sum, count) => sum + count, 0)).toBe(12)
})

test('a task is asked for where it was made', async () => {
  const clock = createFakeClock()
  const dialers = Object.fromEntries(
    ['a', 'b', 'c'].map((name) => {
      const server = createServer({ name: 'one', version: '1.0.0' })
      server.tool('job', { task: true }, () => name)
      return [name, () => connectDirectly(server.endpoint)]
    }),
  )
  const one = { urls: ['http://a/mcp', 'http://b/mcp', 'http://c/mcp'], replicas: { balance: 'round-robin' } }
  const { config } = parseConfig(JSON.stringify({ servers: { one } }), { path: 'crosspoint.json' })
  const gateway = openGateway(config, dialers, clock)
  onTestFinished(() => gateway.close({ graceMs: 0 }))
  await gateway.start()
  const inTasks = { extensions: { [TASKS]: {} } }
  const ask = (method: string, params: JsonObject) =>
    gateway.endpoint()?.handle(recordCall(method, params, { principal: ANNA, capabilities: inTasks }).call)
  for (let n = 0; n < 6; n++) {
    const made = await ask('tools/call', { name: 'one__job' })
    expect(made?.resultType).toBe('task')
    expect(await ask('tasks/get', { taskId: made?.taskId })).toMatchObject({ taskId: made?.taskId })
  }
})
