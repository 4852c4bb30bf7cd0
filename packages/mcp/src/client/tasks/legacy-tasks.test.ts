import { afterEach, describe, expect, it } from 'vitest'
import type { McpError } from '../../errors.ts'
import type { JsonObject } from '../../jsonrpc/frame.ts'
import { connect } from '../client.ts'
import { createRawServer, type RawServer, toInitialized } from '../fixtures/raw-server.ts'
import type { Handlers } from '../handlers.ts'

const cleanup: (() => unknown)[] = []
afterEach(async () => {
  for (const end of cleanup.splice(0).reverse()) await end()
})

const RELATED = 'io.modelcontextprotocol/related-task'
const TASK = { taskId: 't', status: 'working', createdAt: '', lastUpdatedAt: '', ttl: null, pollInterval: 50 }
const TASKS = { tools: {}, tasks: { cancel: {}, requests: { tools: { call: {} } } } }

type Answer = JsonObject | ((frame: JsonObject, server: RawServer) => JsonObject | undefined)

/** A server by hand with core tasks and one tool, `job`. */
async function open(answers: Record<string, Answer>, handlers: Handlers = {}, support: string | null = 'optional') {
  const tools = [
    { name: 'job', inputSchema: { type: 'object' }, ...(support && { execution: { taskSupport: support } }) },
  ]
  const raw = createRawServer((frame, server) => {
    if (frame.method === 'initialize') return toInitialized('2025-11-25', TASKS)
    const answer = answers[String(frame.method)]
    if (answer === undefined) return frame.method === 'tools/list' ? { result: { tools } } : { result: {} }
    return typeof answer === 'function' ? answer(frame, server) : answer
  })
  const client = await connect(raw.target, { client: { name: 'c', version: '1' }, revision: '2025-11-25', handlers })
  cleanup.push(() => client.close())
  const sent = (method: string) => raw.received.filter((frame) => frame.method === method)
  return { client, raw, sent }
}

const failureOf = (promise: Promise<unknown>): Promise<McpError> =>
  promise.then(
    () => expect.fail('no error'),
    (e) => e,
  )

describe('a call that may be a task', () => {
  it.each([
    ['optional', { task: { ttl: 7 } }],
    ['required', { task: { ttl: 7 } }],
    ['forbidden', {}],
    [null, {}],
  ])('of a tool whose task support is %s is sent with %j', async (support, expected) => {
    const { client, sent } = await open({ 'tools/call': { result: { content: [] } } }, {}, support)
    await client.startTask('job', {}, { ttlMs: 7 })
    await client.startTask('job', {}, { ttlMs: 7 })
    const { name, arguments: args, _meta, ...more } = (sent('tools/call')[0]?.params ?? {}) as JsonObject
    expect([name, args, more]).toEqual(['job', {}, expected])
    expect(sent('tools/list').length).toBe(1) // what was learned once is known
  })

  it('says nothing of tasks where its caller does, and declares none', async () => {
    const { client, sent } = await open({ 'tools/call': { result: { content: [] } } })
    await client.request('tools/call', { name: 'job', arguments: {}, task: { ttl: 7 } })
    expect(sent('tools/call').map(({ params }) => Object.keys(params as JsonObject))).toEqual([
      ['name', 'arguments', '_meta'],
    ])
  })

  it('is answered by a server that thought better of it', async () => {
    const { client } = await open({ 'tools/call': { result: { content: [{ type: 'text', text: 'now' }] } } })
    const task = await client.startTask('job')
    expect([task.id, (await task.result()).content]).toEqual([undefined, [{ type: 'text', text: 'now' }]])
  })

  it.each([[{ status: 'working' }], [{ ...TASK, status: 'paused' }], [{ ...TASK, taskId: 7 }]])(
    'is not a task because the server says %j',
    async (task) => {
      const { client } = await open({ 'tools/call': { result: { task } } })
      expect(await failureOf(client.startTask('job'))).toMatchObject({ code: 'upstream.protocol' })
    },
  )

  it('without a wish no task is believed', async () => {
    const { client } = await open({ 'tools/call': { result: { resultType: 'task', task: TASK, taskId: 't' } } })
    expect(await client.callTool('job')).toMatchObject({ content: [] })
  })
})

describe('the outcome', () => {
  it('of a tool that reported an error is completed, whatever the server calls it', async () => {
    const { client } = await open({
      'tasks/get': { result: { ...TASK, status: 'failed' } },
      'tasks/result': { result: { content: [], isError: true, _meta: { [RELATED]: { taskId: 't' }, own: 1 } } },
    })
    expect(await client.task('t').status()).toMatchObject({
      status: 'completed',
      ttlMs: null,
      pollIntervalMs: 50,
      result: { content: [], isError: true, _meta: { own: 1 } },
    })
  })

  it('of one that broke the protocol is that error', async () => {
    const { client } = await open({
      'tasks/get': { result: { ...TASK, status: 'failed' } },
      'tasks/result': { error: { code: -32000, message: 'broken' } },
    })
    const task = client.task('t')
    expect(await task.status()).toMatchObject({ status: 'failed', error: { message: 'broken' } })
    expect((await failureOf(task.result())).message).toBe('broken')
  })

  it('of a task that is final is taken for granted when it is cancelled', async () => {
    const refusal = { error: { code: -32602, message: 'final' } }
    const { client } = await open({
      'tasks/cancel': refusal,
      'tasks/get': { result: { ...TASK, status: 'completed' } },
    })
    await client.task('t').cancel()
    const other = await open({ 'tasks/cancel': refusal, 'tasks/get': { result: TASK } })
    expect((await failureOf(other.client.task('t').cancel())).rpc?.code).toBe(-32602)
  })
})

describe('a question of a task', () => {
  it('trap-40: finds its task although other requests are open, and is answered with the task named', async () => {
    let status = 'input_required'
    const question = { message: 'Sure?', requestedSchema: { type: 'object', properties: {} } }
    const { client, raw } = await open(
      {
        'tools/call': () => undefined, // never answered: another request of ours stays open
        'tasks/get': () => ({ result: { ...TASK, status } }),
        'tasks/result': (frame, server) => {
          if (status === 'completed') return { result: { content: [] } }
          const params = { ...question, _meta: { [RELATED]: { taskId: 't' } } }
          server.send({ id: 99, method: 'elicitation/create', params })
          void (async () => {
            while (!raw.received.some(({ id }) => id === 99)) await new Promise((resolve) => setImmediate(resolve))
            status = 'completed'
            server.send({ id: frame.id, result: { content: [{ type: 'text', text: 'done' }] } })
          })()
          return undefined
        },
      },
      { elicit: () => ({ action: 'decline' }) },
    )
    const stop = new AbortController()
    const open_ = client.callTool('job', {}, { signal: stop.signal }).catch(() => {})
    expect((await client.task('t').result()).content).toEqual([{ type: 'text', text: 'done' }])
    expect(raw.received.find(({ id }) => id === 99)?.result).toEqual({
      action: 'decline',
      _meta: { [RELATED]: { taskId: 't' } },
    })
    stop.abort()
    await open_
  })

  it('a server that asks for input and asks nothing is working on', async () => {
    const { client, sent } = await open({
      'tasks/get': { result: { ...TASK, status: 'input_required' } },
      'tasks/result': () => undefined,
    })
    const task = await client.task('t').status()
    expect([task.status, 'inputRequests' in task]).toEqual(['working', false])
    await client.task('t').status()
    expect(sent('tasks/result').length).toBe(1) // one waits, however often it is asked
  })
})
