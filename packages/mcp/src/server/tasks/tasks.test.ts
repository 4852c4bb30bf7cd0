import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { createDeferred, createFakeClock, recordCall } from '@crosspoint/testkit'
import { describe, expect, test } from 'vitest'
import { McpError } from '../../errors.ts'
import type { JsonObject } from '../../jsonrpc/frame.ts'
import type { Call, Principal } from '../../protocol/call.ts'
import { TASKS } from '../../protocol/extensions.ts'
import type { DetailedTask } from '../../protocol/features/tasks.ts'
import { createServer, type Server } from '../server.ts'
import { createMemoryTaskStore } from './memory-store.ts'
import type { TaskOptions } from './settings.ts'

const ALICE: Principal = { id: 'alice', tenant: 't' }
const BOB: Principal = { id: 'bob', tenant: 't' }
const DECLARED = { elicitation: { form: {} }, extensions: { [TASKS]: {} } }

function open(tasks: TaskOptions = {}) {
  const clock = createFakeClock()
  const errors: unknown[] = []
  const server = createServer({ name: 's', version: '1', clock, tasks, log: (event) => errors.push(event) })
  return { clock, errors, server, ask: asking(server) }
}

interface Asking {
  readonly as?: Principal
  readonly capabilities?: JsonObject
}

function asking(server: Server) {
  return async (method: string, params: JsonObject, { as = ALICE, capabilities = DECLARED }: Asking = {}) => {
    const { call } = recordCall(method, params)
    const of: Call = { ...call, principal: as, downstream: { ...call.downstream, capabilities } }
    return (await server.endpoint.handle(of)) as unknown as DetailedTask & JsonObject
  }
}

/** A tool whose work ends when the test says so. */
function withJob(opened: ReturnType<typeof open>) {
  const done = createDeferred<object | string>()
  const signals: AbortSignal[] = []
  opened.server.tool('job', { task: true }, ({ ..._ }, { signal }) => {
    signals.push(signal)
    return done.promise
  })
  return { done, signals, start: (of?: Asking) => opened.ask('tools/call', { name: 'job' }, of) }
}

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

const turn = () => new Promise((resolve) => setImmediate(resolve))

describe('a call that becomes a task', () => {
  test('trap-41: is found as soon as it is answered, and carries its result once it is done', async () => {
    const opened = open()
    const { done, start } = withJob(opened)
    const task = await start()
    expect(task).toMatchObject({ resultType: 'task', status: 'working', ttlMs: 3_600_000, pollIntervalMs: 1_000 })
    expect(task.createdAt).toBe(new Date(opened.clock.wallNow()).toISOString())
    expect(task.taskId).toMatch(/^[\w-]{32}$/)
    const { taskId } = task
    expect(await opened.ask('tasks/get', { taskId })).toMatchObject({ taskId, status: 'working' })
    done.resolve('done')
    await turn()
    const completed = await opened.ask('tasks/get', { taskId })
    expect(completed).toMatchObject({ status: 'completed', result: { content: [{ type: 'text', text: 'done' }] } })
    expect(completed).not.toHaveProperty('resultType')
  })

  test('works on when the call it came from is given up', async () => {
    const opened = open()
    const { signals } = withJob(opened)
    const { call, abort } = recordCall('tools/call', { name: 'job' })
    await opened.server.endpoint.handle({ ...call, downstream: { ...call.downstream, capabilities: DECLARED } })
    abort()
    expect(signals.map((signal) => signal.aborted)).toEqual([false])
  })

  test('trap-41: is none for a caller that did not declare the extension with this request', async () => {
    const opened = open()
    const { done, start } = withJob(opened)
    done.resolve('done')
    expect(await start({ capabilities: {} })).toEqual({ content: [{ type: 'text', text: 'done' }] })
  })

  test('trap-41: is refused to such a caller where the tool works only as a task', async () => {
    const { server, ask } = open()
    server.tool('job', { task: 'required' }, () => 'done')
    await expect(ask('tools/call', { name: 'job' }, { capabilities: {} })).rejects.toMatchObject({
      code: 'caller.missing_capability',
      data: { requiredCapabilities: { extensions: { [TASKS]: {} } } },
    })
  })

  test('that begins by its handler may ask first, or answer at once', async () => {
    const { server, ask } = open()
    const definition = { input: { type: 'object' }, task: { start: 'by-handler', ttlMs: 5_000 } } as const
    server.tool('job', definition, ({ long }, { task }) => (long === true ? task(() => 'later') : 'now'))
    expect(await ask('tools/call', { name: 'job' })).toEqual({ content: [{ type: 'text', text: 'now' }] })
    const begun = await ask('tools/call', { name: 'job', arguments: { long: true } })
    expect(begun).toMatchObject({ resultType: 'task', ttlMs: 5_000 })
    await turn()
    expect(await ask('tasks/get', { taskId: begun.taskId })).toMatchObject({ result: { content: [{ text: 'later' }] } })
    const inline = await ask('tools/call', { name: 'job', arguments: { long: true } }, { capabilities: {} })
    expect(inline).toEqual({ content: [{ type: 'text', text: 'later' }] })
  })

  test('that began by its handler can ask again inside, and is not given the answers of before', async () => {
    const { server, ask } = open()
    const name = { type: 'object', properties: { name: { type: 'string' } } }
    server.tool('job', { task: { start: 'by-handler' } }, async (_, { elicit, task }) => {
      const first = await elicit('First?', name)
      return task(async (inside) => `${String(first.name)} and ${String((await inside.elicit('Second?', name)).name)}`)
    })
    const answer = (text: string) => ({ action: 'accept', content: { name: text } })
    const asked = await ask('tools/call', { name: 'job' })
    const [key = ''] = Object.keys(asked.inputRequests ?? {})
    const { requestState } = asked
    const begun = await ask('tools/call', { name: 'job', inputResponses: { [key]: answer('a') }, requestState })
    expect(begun).toMatchObject({ resultType: 'task' })
    await turn()
    const { taskId } = begun
    expect(await ask('tasks/get', { taskId })).toMatchObject({
      inputRequests: { 'question-1': { params: { message: 'Second?' } } },
    })
    await ask('tasks/update', { taskId, inputResponses: { 'question-1': answer('b') } })
    await turn()
    expect(await ask('tasks/get', { taskId })).toMatchObject({ result: { content: [{ text: 'a and b' }] } })
  })

  test('bad arguments are answered at once, as for any tool', async () => {
    const { server, ask } = open()
    server.tool('job', { input: { type: 'object', required: ['a'] }, task: true }, () => 'done')
    expect(await ask('tools/call', { name: 'job' })).toMatchObject({ isError: true })
  })
})

describe('how a task ends', () => {
  test.each([
    [
      'trap-41: completed, where the tool reports an error',
      new Error('no luck'),
      { status: 'completed', result: { isError: true } },
    ],
    [
      'failed, where the protocol was broken',
      new McpError('caller.invalid_params', 'bad'),
      { status: 'failed', error: { code: -32602, message: 'bad' }, statusMessage: 'bad' },
    ],
  ])('%s', async (_, error, expected) => {
    const opened = open()
    const { done, start } = withJob(opened)
    const { taskId } = await start()
    done.reject(error)
    await turn()
    expect(await opened.ask('tasks/get', { taskId })).toMatchObject(expected)
  })

  test('failed, where its result is not JSON', async () => {
    const opened = open()
    const { done, start } = withJob(opened)
    const { taskId } = await start()
    const loop: Record<string, unknown> = { content: [] }
    loop._meta = loop
    done.resolve(loop)
    await turn()
    expect(await opened.ask('tasks/get', { taskId })).toMatchObject({ status: 'failed', error: { code: -32603 } })
    expect(opened.errors).toMatchObject([{ event: 'task_failed', taskId }])
  })

  test('cancelled at once, however late its handler stops; cancelling again is acknowledged again', async () => {
    const opened = open()
    const { done, signals, start } = withJob(opened)
    const { taskId } = await start()
    expect(await opened.ask('tasks/cancel', { taskId })).toEqual({})
    expect(signals.map((signal) => signal.aborted)).toEqual([true])
    done.resolve('too late')
    await turn()
    expect(await opened.ask('tasks/cancel', { taskId })).toEqual({})
    const task = await opened.ask('tasks/get', { taskId })
    expect(task.status).toBe('cancelled')
    expect(task).not.toHaveProperty('result')
  })

  test('is kept for its time and then unknown, like one that never was', async () => {
    const opened = open({ ttlMs: 1_000 })
    const { done, start } = withJob(opened)
    const { taskId } = await start()
    opened.clock.advance(100_000)
    done.resolve('done')
    await turn()
    opened.clock.advance(999)
    expect(await opened.ask('tasks/get', { taskId })).toMatchObject({ status: 'completed', ttlMs: 101_000 })
    opened.clock.advance(1)
    const refusal = await opened.ask('tasks/get', { taskId }).catch((error: McpError) => error.message)
    const unknown = await opened.ask('tasks/get', { taskId: 'x' }).catch((error: McpError) => error.message)
    expect(refusal).toBe(String(unknown).replace('"x"', `"${taskId}"`))
    opened.clock.advance(10_000)
    await turn()
    expect(opened.clock.pending).toBe(0) // nothing is at work and nothing left to forget
  })

  test('what was done when its process ended is told as failed by the next, once the lease is over', async () => {
    const store = createMemoryTaskStore()
    const before = open({ store, leaseMs: 100 })
    const { taskId } = await withJob(before).start()
    const after = open({ store, leaseMs: 100 })
    after.server.tool('job', { task: true }, () => 'done')
    expect(await after.ask('tasks/get', { taskId })).toMatchObject({ status: 'working' })
    await expect(after.ask('tasks/cancel', { taskId })).rejects.toMatchObject({ code: 'policy.busy' })
    after.clock.advance(1_000)
    expect(await after.ask('tasks/get', { taskId })).toMatchObject({
      status: 'failed',
      statusMessage: 'The process that worked on this task ended before it was done; its outcome is unknown',
    })
  })

  test('a process that lives renews the lease of what it works on', async () => {
    const store = createMemoryTaskStore()
    const opened = open({ store, leaseMs: 90 })
    const { taskId } = await withJob(opened).start()
    const lease = async () => (await store.find(taskId))?.leaseUntilMs ?? 0
    const first = await lease()
    opened.clock.advance(30)
    await turn()
    expect(await lease()).toBe(first + 30)
  })
})

describe('questions inside a task', () => {
  const requestedSchema = { type: 'object', properties: {} }
  const elicit = { method: 'elicitation/create', params: { message: 'Sure?', requestedSchema } }
  const definition = { task: true } as const

  test('wait in it under keys of their own, and each is answered once', async () => {
    const { server, ask } = open()
    server.tool('job', definition, async (_, { call }) => {
      const first = await Promise.all([call.interim.ask(elicit), call.interim.ask(elicit)])
      return [...first, await call.interim.ask(elicit)].map(({ n }) => n).join()
    })
    const { taskId } = await ask('tools/call', { name: 'job' })
    await turn()
    const asked = await ask('tasks/get', { taskId })
    expect(asked).toMatchObject({
      status: 'input_required',
      inputRequests: { 'question-1': elicit, 'question-2': elicit },
    })
    const update = (inputResponses: JsonObject) => ask('tasks/update', { taskId, inputResponses })
    expect(await update({ 'question-1': { n: 1 }, unknown: { n: 9 } })).toEqual({})
    const partly = await ask('tasks/get', { taskId })
    expect([partly.status, Object.keys(partly.inputRequests ?? {})]).toEqual(['input_required', ['question-2']])
    await update({ 'question-1': { n: 9 }, 'question-2': { n: 2 } })
    await turn()
    expect(Object.keys((await ask('tasks/get', { taskId })).inputRequests ?? {})).toEqual(['question-3'])
    await update({ 'question-3': { n: 3 } })
    await turn()
    expect(await ask('tasks/get', { taskId })).toMatchObject({ result: { content: [{ text: '1,2,3' }] } })
    expect(await update({ 'question-3': { n: 9 } })).toEqual({})
  })

  test('trap-15: go only to a caller who declared that it can be asked', async () => {
    const { server, ask } = open()
    server.tool('job', definition, async (_, { call }) => {
      await call.interim.ask({ method: 'sampling/createMessage', params: {} })
    })
    const { taskId } = await ask('tools/call', { name: 'job' })
    await turn()
    expect(await ask('tasks/get', { taskId })).toMatchObject({
      status: 'completed',
      result: { isError: true, content: [{ text: expect.stringContaining('it did not declare the capability') }] },
    })
  })

  test('that nobody answers fail after the time the task is kept', async () => {
    const { server, ask, clock } = open({ ttlMs: 1_000 })
    server.tool('job', definition, async (_, { call }) => {
      await call.interim.ask(elicit)
    })
    const { taskId } = await ask('tools/call', { name: 'job' })
    await turn()
    clock.advance(1_000)
    await turn()
    expect(await ask('tasks/get', { taskId })).toMatchObject({ status: 'completed', result: { isError: true } })
  })

  test('may be asked by the result of the handler, which works again with the answers', async () => {
    const { server, ask } = open()
    server.tool('job', definition, (_, { call }) => {
      const { inputResponses } = call.params
      return inputResponses === undefined
        ? { resultType: 'input_required', inputRequests: { sure: elicit } }
        : JSON.stringify(inputResponses)
    })
    const { taskId } = await ask('tools/call', { name: 'job' })
    await turn()
    await ask('tasks/update', { taskId, inputResponses: { 'question-1': { action: 'accept' } } })
    await turn()
    expect(await ask('tasks/get', { taskId })).toMatchObject({
      result: { content: [{ text: '{"sure":{"action":"accept"}}' }] },
    })
  })

  test('end with the task', async () => {
    const { server, ask } = open()
    const ended = createDeferred<unknown>()
    server.tool('job', definition, async (_, { call }) => {
      await call.interim.ask(elicit).catch(ended.resolve)
    })
    const { taskId } = await ask('tools/call', { name: 'job' })
    await turn()
    await ask('tasks/cancel', { taskId })
    expect(await ended.promise).toMatchObject({ code: 'caller.cancelled' })
  })

  test.each([[undefined], [7], [[]], [{ 'question-1': 7 }], [{ 'question-1': null }]])(
    'cannot be answered with %j',
    async (inputResponses) => {
      const opened = open()
      const { taskId } = await withJob(opened).start()
      await expect(opened.ask('tasks/update', { taskId, inputResponses })).rejects.toMatchObject({
        code: 'caller.invalid_params',
      })
    },
  )
})

describe('whose a task is', () => {
  test.each(['tasks/get', 'tasks/update', 'tasks/cancel'])(
    "trap-42, abuse-24: %s of somebody else's is like one that is not there",
    async (method) => {
      const opened = open()
      const { taskId } = await withJob(opened).start()
      const as = (principal: Principal, id: string) =>
        opened.ask(method, { taskId: id, inputResponses: {} }, { as: principal }).catch((error: McpError) => ({
          code: error.code,
          message: error.message.replace(id, '…'),
        }))
      expect(await as(BOB, taskId)).toEqual(await as(ALICE, 'x'.repeat(32)))
      expect(await as({ ...ALICE, tenant: 'other' }, taskId)).toMatchObject({ code: 'caller.invalid_params' })
      expect(await as(ALICE, taskId)).not.toHaveProperty('code')
    },
  )

  test.each(['tasks/get', 'tasks/update', 'tasks/cancel', 'tasks/list'])(
    'trap-41: %s is for those who declared the extension with this request',
    async (method) => {
      const opened = open()
      const { taskId } = await withJob(opened).start()
      await expect(
        opened.ask(method, { taskId, inputResponses: {} }, { capabilities: { extensions: {} } }),
      ).rejects.toMatchObject({ code: 'caller.missing_capability' })
    },
  )

  test('only their own are listed, page by page, and only where callers are told apart', async () => {
    const opened = open()
    const { start } = withJob(opened)
    const ids: string[] = []
    for (let count = 0; count < 101; count++) ids.push((await start()).taskId)
    await start({ as: BOB })
    const list = async (cursor?: unknown) =>
      (await opened.ask('tasks/list', cursor === undefined ? {} : { cursor })) as unknown as {
        tasks: DetailedTask[]
        nextCursor?: string
      }
    const first = await list()
    const second = await list(first.nextCursor)
    expect([...first.tasks, ...second.tasks].map(({ taskId }) => taskId).sort()).toEqual(ids.sort())
    expect([first.tasks.length, second.nextCursor]).toEqual([100, undefined])
    await expect(list('bogus')).rejects.toMatchObject({ code: 'caller.invalid_params' })
    const anonymous = { as: { id: 'anonymous', tenant: 'default' } }
    await expect(opened.ask('tasks/list', {}, anonymous)).rejects.toMatchObject({ code: 'caller.unknown_method' })
  })

  test('nobody may have more than their share', async () => {
    const opened = open({ maxTasksPerPrincipal: 2, maxTasks: 3 })
    const { start } = withJob(opened)
    await start()
    await start()
    await expect(start()).rejects.toMatchObject({ code: 'policy.limit' })
    await start({ as: BOB })
    await expect(start({ as: BOB })).rejects.toMatchObject({ code: 'policy.limit' })
  })
})

describe('what is kept of tasks', () => {
  const SHARE = { maxBytesPerPrincipal: 50_000, maxBytes: 80_000 }
  const large = 'x'.repeat(20_000)

  test('abuse-14: an outcome beyond the share of its caller is a failure that says so, and is told as one', async () => {
    const opened = open(SHARE)
    const { done, start } = withJob(opened)
    const { taskId } = await start()
    const listening = recordCall('subscriptions/listen', { notifications: { taskIds: [taskId] } })
    const downstream = { ...listening.call.downstream, capabilities: DECLARED }
    void opened.server.endpoint.handle({ ...listening.call, principal: ALICE, downstream })
    await listening.untilHeard(2)
    done.resolve('x'.repeat(60_000))
    await listening.untilHeard(3)
    const failed = await opened.ask('tasks/get', { taskId })
    expect(failed).toMatchObject({
      status: 'failed',
      error: {
        message: expect.stringMatching(/^Cannot keep the outcome of the task, 6\d{4} bytes: no more than 50000 /),
      },
    })
    expect(failed).not.toHaveProperty('result')
    expect(listening.heard[2]?.params).toMatchObject({ taskId, status: 'failed', error: failed.error })
    expect(await start()).toMatchObject({ status: 'working' })
  })

  test("abuse-14: outcomes of one caller leave room for another's, and are forgotten with their tasks", async () => {
    const opened = open({ ...SHARE, maxBytesPerPrincipal: 55_000, ttlMs: 1_000 })
    opened.server.tool('job', { task: true }, () => large)
    const outcome = async (of?: Asking) => {
      const { taskId } = await opened.ask('tools/call', { name: 'job' }, of)
      await turn()
      return (await opened.ask('tasks/get', { taskId }, of)).status
    }
    expect([await outcome(), await outcome(), await outcome()]).toEqual(['completed', 'completed', 'failed'])
    await expect(Promise.all(Array.from({ length: 9 }, () => outcome()))).rejects.toMatchObject({
      code: 'policy.limit',
      message: 'Cannot begin another task: no more than 55000 bytes of this caller are kept',
    })
    expect(await outcome({ as: BOB })).toBe('completed')
    opened.clock.advance(1_001)
    expect(await outcome()).toBe('completed')
  })

  test('abuse-14: parameters count while their handler works, also when its task was cancelled', async () => {
    const opened = open(SHARE)
    const done = createDeferred<string>()
    opened.server.tool('deaf', { input: { type: 'object', properties: { text: {} } }, task: true }, () => done.promise)
    const start = (of?: Asking) => opened.ask('tools/call', { name: 'deaf', arguments: { text: large } }, of)
    await start()
    const { taskId } = await start()
    const refused = {
      code: 'policy.limit',
      message: expect.stringContaining('50000 bytes of this caller may be at work'),
    }
    await expect(start()).rejects.toMatchObject(refused)
    await opened.ask('tasks/cancel', { taskId })
    await expect(start()).rejects.toMatchObject(refused)
    await start({ as: BOB })
    done.resolve('done')
    await turn()
    expect(await start()).toMatchObject({ status: 'working' })
  })

  test('abuse-14: a task that cannot be stored leaves nothing behind', async () => {
    const store = createMemoryTaskStore()
    let isBroken = true
    const create: typeof store.create = (...of) => (isBroken ? Promise.reject(new Error('down')) : store.create(...of))
    const opened = open({ maxTasks: 1, store: { ...bound(store), create } })
    const { start } = withJob(opened)
    for (let tries = 0; tries < 3; tries++) await expect(start()).rejects.toThrow('down')
    isBroken = false
    expect(await start()).toMatchObject({ status: 'working' })
  })

  test('a question beyond the share is refused to the handler, which may go on', async () => {
    const opened = open(SHARE)
    opened.server.tool('job', { task: true }, async (_, { elicit }) => {
      const form = { type: 'object', properties: { name: { type: 'string' } } }
      const error = await elicit('x'.repeat(60_000), form).catch((refused: unknown) => refused)
      const { name } = await elicit('Who?', form)
      return `${String(name)}: ${(error as Error).message}`
    })
    const { taskId } = await opened.ask('tools/call', { name: 'job' })
    await turn()
    const { inputRequests = {} } = await opened.ask('tasks/get', { taskId })
    expect(Object.values(inputRequests)).toMatchObject([{ params: { message: 'Who?' } }])
    const inputResponses = { [Object.keys(inputRequests)[0] ?? '']: { action: 'accept', content: { name: 'Ada' } } }
    await opened.ask('tasks/update', { taskId, inputResponses })
    await turn()
    expect(await opened.ask('tasks/get', { taskId })).toMatchObject({
      result: {
        content: [
          { text: 'Ada: Cannot ask "elicitation/create": the question is too large for what may be kept of tasks' },
        ],
      },
    })
  })

  test('a message of its progress is cut, and never in the middle of a character', async () => {
    const opened = open()
    opened.server.tool('job', { task: true }, async (_, { progress, signal }) => {
      progress(1, 2, `${'x'.repeat(999)}👍 and more`)
      await new Promise((_resolve, reject) => signal.addEventListener('abort', reject))
    })
    const { taskId } = await opened.ask('tools/call', { name: 'job' })
    expect((await opened.ask('tasks/get', { taskId })).statusMessage).toBe('x'.repeat(999))
  })

  test('parameters are let go once the handler is done', async () => {
    const opened = open()
    const done = createDeferred()
    opened.server.tool('job', { input: { type: 'object' }, task: true }, async ({ text }) => {
      await done.promise
      return String(text).slice(0, 1)
    })
    const begin = (args: JsonObject) => ({
      args: new WeakRef(args),
      begun: opened.ask('tools/call', { name: 'job', arguments: args }),
    })
    const { args, begun } = begin({ text: large })
    const { taskId } = await begun
    await turn()
    collectGarbage()
    expect(args.deref()).toEqual({ text: large })
    done.resolve()
    await turn()
    expect(await opened.ask('tasks/get', { taskId })).toMatchObject({ status: 'completed' })
    await turn()
    collectGarbage()
    expect(args.deref()).toBeUndefined()
  })
})

/** A store whose methods can be taken off it. */
function bound(store: ReturnType<typeof createMemoryTaskStore>): typeof store {
  return {
    create: (...of) => store.create(...of),
    find: (...of) => store.find(...of),
    save: (...of) => store.save(...of),
    renew: (...of) => store.renew(...of),
    list: (...of) => store.list(...of),
    sweep: (...of) => store.sweep(...of),
  }
}

describe('listening to tasks', () => {
  test("tells how they are and what becomes of them, of those that are the caller's", async () => {
    const opened = open()
    const { done, start } = withJob(opened)
    const mine = (await start()).taskId
    const hers = (await start({ as: BOB })).taskId
    const { call, heard, untilHeard, abort } = recordCall('subscriptions/listen', {
      notifications: { taskIds: [mine, hers, 'unknown'] },
    })
    const listening = opened.server.endpoint.handle({
      ...call,
      principal: ALICE,
      downstream: { ...call.downstream, capabilities: DECLARED },
    })
    await untilHeard(2)
    done.resolve('done')
    await untilHeard(3)
    abort()
    await listening
    expect(heard[0]?.params).toEqual({ notifications: { taskIds: [mine] } })
    expect(heard.slice(1)).toMatchObject([
      { method: 'notifications/tasks', params: { taskId: mine, status: 'working' } },
      { method: 'notifications/tasks', params: { taskId: mine, status: 'completed', result: {} } },
    ])
  })

  test.each<[JsonObject, JsonObject, string]>([
    [{ taskIds: ['a'] }, {}, 'caller.missing_capability'],
    [{ taskIds: 'a' }, DECLARED, 'caller.invalid_params'],
    [{ taskIds: [1] }, DECLARED, 'caller.invalid_params'],
    [{ taskIds: Array(1_001).fill('a') }, DECLARED, 'policy.limit'],
  ])('with %j by %j is refused', async (notifications, capabilities, code) => {
    const opened = open()
    withJob(opened)
    await expect(opened.ask('subscriptions/listen', { notifications }, { capabilities })).rejects.toMatchObject({
      code,
    })
  })
})

describe('what a server says of it', () => {
  test('the extension and its methods are there once a tool is long work, and stay', async () => {
    const { server, ask } = open()
    await expect(ask('tasks/get', { taskId: 'x' })).rejects.toMatchObject({ code: 'caller.unknown_method' })
    const tool = server.tool('job', { task: true }, () => 'done')
    const extensions = async () => ((await ask('server/discover', {})).capabilities as JsonObject).extensions
    expect(await extensions()).toEqual({ [TASKS]: {} })
    const { taskId } = await ask('tools/call', { name: 'job' })
    tool.remove()
    expect(await extensions()).toEqual({ [TASKS]: {} })
    expect(await ask('tasks/get', { taskId })).toMatchObject({ taskId })
  })

  test('which tools can be tasks is listed only for those who decide it', async () => {
    const { server, ask } = open()
    server.tool('a', { task: true }, () => 'done')
    server.tool('b', { task: 'required' }, () => 'done')
    server.tool('c', {}, () => 'done')
    const list = async (wish: JsonObject) =>
      ((await ask('tools/list', {}, { capabilities: { extensions: { [TASKS]: wish } } })).tools as JsonObject[]).map(
        ({ execution }) => execution,
      )
    expect(await list({})).toEqual([undefined, undefined, undefined])
    expect(await list({ core: true })).toEqual([{ taskSupport: 'optional' }, { taskSupport: 'required' }, undefined])
  })

  test('what its handler says of its progress is the message of the task, until it is over', async () => {
    const { server, ask } = open()
    const done = createDeferred()
    server.tool('job', { task: true }, async (_, { progress }) => {
      progress(1, 2, 'half way')
      await done.promise
    })
    const { taskId } = await ask('tools/call', { name: 'job' })
    expect(await ask('tasks/get', { taskId })).toMatchObject({ statusMessage: 'half way' })
    done.resolve()
    await turn()
    expect(await ask('tasks/get', { taskId })).not.toHaveProperty('statusMessage')
  })

  test.each([{ ttlMs: 0 }, { maxTasks: 1.5 }, { leaseMs: -1 }])('it is not made with tasks %j', (tasks) => {
    expect(() => open(tasks)).toThrow('must be a positive integer')
  })

  test('a tool is not registered with times that are none', () => {
    const { server } = open()
    expect(() => server.tool('job', { task: { ttlMs: 0 } }, () => 'x')).toThrow('must be a positive integer')
  })
})
