import {
  createDeferred,
  createDoors,
  createFakeClock,
  createFixtureServer,
  type Message,
  openWireSession,
} from '@crosspoint/testkit'
import { afterEach, describe, expect, it } from 'vitest'
import { McpError } from '../errors.ts'
import type { JsonObject } from '../jsonrpc/frame.ts'
import type { Handle, Principal } from '../protocol/call.ts'
import { TASKS } from '../protocol/extensions.ts'
import { createServer } from '../server/index.ts'
import type { Endpoint } from '../transports/endpoint.ts'

const doors = createDoors()
afterEach(() => doors.closeAll())

const RELATED = 'io.modelcontextprotocol/related-task'
const ALICE: Principal = { id: 'alice', tenant: 't' }
const capabilities = { elicitation: {} }

/** A session of the revision with core tasks, on the fixture server. */
async function open({ as, ...endpoint }: { as?: Principal } & Partial<Endpoint> = {}, revision = '2025-11-25') {
  const clock = createFakeClock()
  const { handle } = createFixtureServer({ clock }).endpoint
  const authenticate = as === undefined ? {} : { authenticate: () => as }
  const { url } = await doors.open(handle, { clock, ...authenticate, ...endpoint })
  const session = await openWireSession(url, { revision, capabilities })
  const ask = async (method: string, params: JsonObject = {}): Promise<Message> =>
    (await session.request(method, params)).messages.at(-1)
  const start = async (name: string, args: JsonObject = {}, task: unknown = {}): Promise<Message> =>
    (await ask('tools/call', { name, arguments: args, task })).result.task
  return { clock, session, ask, start }
}

const turn = () => new Promise((resolve) => setImmediate(resolve))

describe('what a session is told of tasks', () => {
  it('the capability, with a list only where callers are told apart', async () => {
    const core = { cancel: {}, requests: { tools: { call: {} } } }
    const capabilitiesOf = async (as?: Principal) =>
      (await open(as === undefined ? {} : { as })).session.initialized.messages[0].result.capabilities
    expect((await capabilitiesOf()).tasks).toEqual(core)
    expect(await capabilitiesOf(ALICE)).toMatchObject({ tasks: { list: {}, ...core } })
  })

  it('which tools can be tasks, and nothing of that where the core has none', async () => {
    const supports = async (revision: string) =>
      (await (await open({}, revision)).ask('tools/list')).result.tools.flatMap(({ name, execution }: Message) =>
        execution === undefined ? [] : [`${name} ${execution.taskSupport}`],
      )
    expect(await supports('2025-11-25')).toContain('failing_job required')
    expect(await supports('2025-11-25')).toContain('slow_compute optional')
    expect(await supports('2025-06-18')).toEqual([])
  })

  it.each(['tasks/get', 'tasks/result', 'tasks/list', 'tasks/cancel'])(
    '%s is no method of a revision before, nor of a server without tasks',
    async (method) => {
      expect((await (await open({}, '2025-06-18')).ask(method, { taskId: 'x' })).error.code).toBe(-32601)
      const handle: Handle = async (call) => {
        if (call.method === 'server/discover') return { capabilities: { tools: {} } }
        throw new McpError('caller.unknown_method', 'No such method')
      }
      const session = await openWireSession((await doors.open(handle)).url)
      expect((await session.request(method, { taskId: 'x' })).messages[0].error.code).toBe(-32601)
    },
  )
})

describe('a call that is to be a task', () => {
  it('is answered with the task in the words of its revision', async () => {
    const { start, ask } = await open()
    const task = await start('slow_compute', { seconds: 1 }, { ttl: 60_000 })
    expect(task).toEqual({
      taskId: expect.any(String),
      status: 'working',
      createdAt: expect.any(String),
      lastUpdatedAt: expect.any(String),
      ttl: 60_000,
      pollInterval: 1_000,
    })
    const { result } = await ask('tasks/get', { taskId: task.taskId })
    expect(result).toMatchObject({ taskId: task.taskId, status: 'working', statusMessage: 'Computing unnamed' })
    expect(result).not.toHaveProperty('ttlMs')
  })

  it('is a task although its handler would begin it later', async () => {
    const { start } = await open()
    expect(await start('test_tool_with_task')).toMatchObject({ status: 'working' })
  })

  it('is refused for a tool that is none, and so is the plain call of one that is always', async () => {
    const { ask } = await open()
    expect(await ask('tools/call', { name: 'greet', arguments: { name: 'x' }, task: {} })).toMatchObject({
      error: { code: -32601, message: 'Cannot call the tool "greet" as a task: it is none' },
    })
    expect(await ask('tools/call', { name: 'failing_job' })).toMatchObject({
      error: { code: -32601, message: 'Cannot call the tool "failing_job" like this: it works only as a task' },
    })
  })

  it.each([[7], ['x'], [{ ttl: -1 }], [{ ttl: 'soon' }]])('cannot be wished for with %j', async (task) => {
    const { ask } = await open()
    expect(await ask('tools/call', { name: 'slow_compute', task })).toMatchObject({ error: { code: -32602 } })
  })

  it('waits for its result without the wish', async () => {
    const { ask } = await open()
    expect(await ask('tools/call', { name: 'slow_compute', arguments: { seconds: 0 } })).toMatchObject({
      result: { content: [{ text: 'Computed unnamed in 0 s' }] },
    })
  })
})

describe('tasks/result', () => {
  it('trap-40: waits until the task is final, and is the result of the call with the task named', async () => {
    const { clock, start, session, ask } = await open()
    const { taskId } = await start('slow_compute', { seconds: 5 })
    let isAnswered = false
    const answer = session.request('tasks/result', { taskId }).finally(() => {
      isAnswered = true
    })
    await ask('ping')
    expect(isAnswered).toBe(false)
    clock.advance(5_000)
    expect((await answer).messages[0].result).toEqual({
      content: [{ type: 'text', text: 'Computed unnamed in 5 s' }],
      _meta: { [RELATED]: { taskId } },
    })
    expect((await ask('tasks/get', { taskId })).result).toMatchObject({ status: 'completed' })
    expect((await ask('tasks/result', { taskId })).result.content).toHaveLength(1)
  })

  it('trap-41: a tool that reports an error has failed, and its result is that report', async () => {
    const { clock, start, ask } = await open()
    const { taskId } = await start('failing_job')
    clock.advance(100)
    expect((await ask('tasks/result', { taskId })).result).toMatchObject({ isError: true })
    expect((await ask('tasks/get', { taskId })).result).toMatchObject({ status: 'failed' })
  })

  it('an error of the protocol is that error again', async () => {
    const { clock, start, ask } = await open()
    const { taskId } = await start('protocol_error_job')
    clock.advance(100)
    expect((await ask('tasks/result', { taskId })).error).toEqual({
      code: -32603,
      message: 'This job breaks the protocol',
    })
    expect((await ask('tasks/get', { taskId })).result).toMatchObject({
      status: 'failed',
      statusMessage: 'This job breaks the protocol',
    })
  })

  it('trap-40: asks the client what the task asks, on its own stream, with the task named', async () => {
    const { start, session, ask } = await open()
    const { taskId } = await start('multi_input')
    const stream = await session.open('tasks/result', { taskId }, { id: 11 })
    const questions = [await stream.next(), await stream.next()]
    for (const { method, params } of questions) {
      expect(method).toBe('elicitation/create')
      expect(params._meta).toEqual({ [RELATED]: { taskId } })
    }
    expect((await ask('tasks/get', { taskId })).result.status).toBe('input_required')
    for (const [index, { id }] of questions.entries()) {
      const result = { action: 'accept', content: { name: `n${index}` }, _meta: { [RELATED]: { taskId } } }
      await session.post(JSON.stringify({ jsonrpc: '2.0', id, result }))
    }
    expect((await stream.next()).result.content[0].text).toBe('Answered: n0 and n1')
  })

  it('asks each question once, however often the client waits, and again when it came back', async () => {
    const { start, session, ask } = await open()
    const { taskId } = await start('confirm_delete', { filename: 'a' })
    const first = await session.open('tasks/result', { taskId }, { id: 11 })
    const question = await first.next()
    const opening = session.open('tasks/result', { taskId }, { id: 12 }) // has nothing to say yet
    await ask('ping')
    await session.notify('notifications/cancelled', { requestId: 11 })
    const second = await opening
    const again = await second.next()
    expect(again.params.message).toBe(question.params.message)
    const result = { action: 'accept', content: { confirm: true } }
    await session.post(JSON.stringify({ jsonrpc: '2.0', id: again.id, result }))
    expect((await second.next()).result.content[0].text).toBe('Deleted a')
  })

  it('a client that will not fill in a form is taken at its word', async () => {
    const { start, session } = await open()
    const { taskId } = await start('confirm_delete', { filename: 'a' })
    const stream = await session.open('tasks/result', { taskId })
    const { id } = await stream.next()
    await session.post(JSON.stringify({ jsonrpc: '2.0', id, error: { code: -1, message: 'No' } }))
    expect((await stream.next()).result.content[0].text).toBe('Kept a')
  })

  it.each([[undefined], [7], ['no-such-task']])('of %j is an error in the parameters', async (taskId) => {
    const { ask } = await open()
    for (const method of ['tasks/get', 'tasks/result', 'tasks/cancel']) {
      expect((await ask(method, { taskId })).error.code).toBe(-32602)
    }
  })

  it('is told by a server that tells nothing of its tasks and is only asked', async () => {
    const clock = createFakeClock()
    let asked = 0
    const handle: Handle = async ({ method }) => {
      if (method === 'server/discover') return { capabilities: { tools: {}, extensions: { [TASKS]: {} } } }
      if (method !== 'tasks/get') throw new McpError('caller.unknown_method', 'No such method')
      const base = { taskId: 'x', createdAt: '', lastUpdatedAt: '', ttlMs: null, pollIntervalMs: 500 }
      if (++asked < 3) return { ...base, status: 'working' }
      return { ...base, status: 'completed', result: { content: [] } }
    }
    const session = await openWireSession((await doors.open(handle, { clock })).url)
    const answer = session.request('tasks/result', { taskId: 'x' })
    while (asked < 3) {
      clock.advance(500)
      await turn()
    }
    expect((await answer).messages[0].result).toMatchObject({ content: [] })
  })
})

describe('tasks/cancel', () => {
  it('trap-40: answers with the cancelled task, and refuses one that is final', async () => {
    const { start, ask } = await open()
    const { taskId } = await start('slow_compute', { seconds: 60 })
    expect((await ask('tasks/cancel', { taskId })).result).toMatchObject({ taskId, status: 'cancelled' })
    expect((await ask('tasks/cancel', { taskId })).error).toEqual({
      code: -32602,
      message: 'Cannot cancel the task: it is "cancelled" already',
    })
    expect((await ask('tasks/result', { taskId })).error).toMatchObject({ code: -32603 })
  })
})

describe('tasks/list', () => {
  it('has the own tasks, as tasks/get has them', async () => {
    const { start, ask } = await open({ as: ALICE })
    const first = await start('slow_compute', { seconds: 60 })
    const second = await start('confirm_delete', { filename: 'a' })
    await turn()
    const { tasks } = (await ask('tasks/list')).result
    expect(tasks.map(({ taskId }: Message) => taskId).sort()).toEqual([first.taskId, second.taskId].sort())
    for (const task of tasks) expect(task).toEqual((await ask('tasks/get', { taskId: task.taskId })).result)
    expect((await ask('tasks/list', { cursor: 'bogus' })).error.code).toBe(-32602)
  })

  it('is not there for callers nobody tells apart', async () => {
    expect((await (await open()).ask('tasks/list')).error.code).toBe(-32601)
  })
})

describe('abuse-14: what is kept of tasks of the core', () => {
  /** A session on a server whose tool answers with as many letters as it is asked for, when the test says so. */
  async function openBounded() {
    const server = createServer({
      name: 's',
      version: '1',
      log: () => {},
      tasks: { maxBytesPerPrincipal: 50_000, ttlMs: 60_000 },
    })
    const done = createDeferred()
    server.tool('letters', { input: { type: 'object' }, task: true }, async ({ count }) => {
      await done.promise
      return 'x'.repeat(Number(count))
    })
    const { url } = await doors.open(server.endpoint.handle)
    const session = await openWireSession(url, { revision: '2025-11-25', capabilities })
    const ask = async (method: string, params: JsonObject): Promise<Message> =>
      (await session.request(method, params)).messages.at(-1)
    const start = (args: JsonObject) => ask('tools/call', { name: 'letters', arguments: args, task: {} })
    return { done, ask, start }
  }

  it('an outcome that is too large is a failure that says so', async () => {
    const { done, ask, start } = await openBounded()
    const { taskId } = (await start({ count: 60_000 })).result.task
    done.resolve()
    const message = expect.stringContaining('no more than 50000 bytes are kept of the tasks of one caller')
    expect((await ask('tasks/result', { taskId })).error).toMatchObject({ message })
    expect((await ask('tasks/get', { taskId })).result).toMatchObject({ status: 'failed', statusMessage: message })
  })

  it('a call whose parameters have no room is refused', async () => {
    const { start } = await openBounded()
    const text = 'x'.repeat(30_000)
    expect((await start({ count: 1, text })).result.task).toMatchObject({ status: 'working' })
    expect((await start({ count: 1, text })).error).toMatchObject({
      message: 'Cannot begin another task: no more than 50000 bytes of this caller may be at work',
    })
  })
})
