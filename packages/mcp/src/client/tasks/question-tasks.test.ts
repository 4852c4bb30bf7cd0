import { getEventListeners } from 'node:events'
import { createDeferred, createFakeClock } from '@crosspoint/testkit'
import { afterEach, describe, expect, it } from 'vitest'
import type { JsonObject } from '../../jsonrpc/frame.ts'
import type { ElicitResult } from '../../protocol/features/asking.ts'
import { connect } from '../client.ts'
import { createRawServer, toInitialized } from '../fixtures/raw-server.ts'
import type { Handlers } from '../handlers.ts'
import { QuestionTasks } from './question-tasks.ts'

const cleanup: (() => unknown)[] = []
afterEach(async () => {
  for (const end of cleanup.splice(0).reverse()) await end()
})

const RELATED = 'io.modelcontextprotocol/related-task'
const FORM = { message: 'Sure?', requestedSchema: { type: 'object', properties: {} } }

/** A server by hand that asks the client, and awaits each answer. */
async function open(handlers: Handlers, revision = '2025-11-25') {
  const raw = createRawServer(({ method }) => (method === 'initialize' ? toInitialized(revision) : { result: {} }))
  const client = await connect(raw.target, { client: { name: 'c', version: '1' }, revision, handlers })
  cleanup.push(() => client.close())
  let id = 100
  const ask = async (method: string, params: JsonObject = {}): Promise<{ result: JsonObject; error: JsonObject }> => {
    const mine = ++id
    raw.send({ id: mine, method, params })
    for (;;) {
      const answer = raw.received.find((frame) => frame.id === mine)
      if (answer !== undefined) return answer as never
      await new Promise((resolve) => setImmediate(resolve))
    }
  }
  const declared = ((raw.received[0]?.params ?? {}) as JsonObject).capabilities as JsonObject
  return { ask, declared, raw }
}

function withForm() {
  const answered = createDeferred<ElicitResult>()
  const signals: AbortSignal[] = []
  const elicit: NonNullable<Handlers['elicit']> = (_, { signal }) => {
    signals.push(signal)
    return answered.promise
  }
  return { answered, signals, handlers: { elicit, tasks: true } }
}

describe('a question that a server makes a task of', () => {
  it('is answered with the task at once, and fetched when somebody answered', async () => {
    const { answered, handlers } = withForm()
    const { ask } = await open(handlers)
    const { task } = (await ask('elicitation/create', { ...FORM, task: { ttl: 5_000 } })).result as { task: JsonObject }
    expect(task).toEqual({
      taskId: expect.any(String),
      status: 'working',
      createdAt: expect.any(String),
      lastUpdatedAt: expect.any(String),
      ttl: 5_000,
      pollInterval: 1_000,
    })
    const { taskId } = task
    const waiting = ask('tasks/result', { taskId })
    expect((await ask('tasks/get', { taskId })).result).toMatchObject({ taskId, status: 'working', ttl: 5_000 })
    answered.resolve({ action: 'accept', content: {} })
    expect((await waiting).result).toEqual({ action: 'accept', content: {}, _meta: { [RELATED]: { taskId } } })
    expect((await ask('tasks/list')).result).toMatchObject({ tasks: [{ taskId, status: 'completed', ttl: 5_000 }] })
    expect((await ask('tasks/cancel', { taskId })).error).toMatchObject({ code: -32602 })
  })

  it('is cancelled, which the handler hears and nobody is told an answer after', async () => {
    const { answered, signals, handlers } = withForm()
    const { ask } = await open(handlers)
    const { task } = (await ask('elicitation/create', { ...FORM, task: {} })).result as { task: JsonObject }
    const waiting = ask('tasks/result', { taskId: task.taskId })
    expect((await ask('tasks/cancel', { taskId: task.taskId })).result).toMatchObject({ status: 'cancelled' })
    expect(signals.map((signal) => signal.aborted)).toEqual([true])
    answered.resolve({ action: 'accept', content: {} })
    expect(await waiting).toHaveProperty('error')
    expect((await ask('tasks/get', { taskId: task.taskId })).result.status).toBe('cancelled')
  })

  it('goes on when the server takes back what it asked about it: only tasks/cancel ends a task', async () => {
    const { answered, signals, handlers } = withForm()
    const { ask, raw } = await open(handlers)
    const { task } = (await ask('elicitation/create', { ...FORM, task: {} })).result as { task: JsonObject }
    const { taskId } = task
    // The first answered question of this server has the id 101; each one after it is one more.
    raw.send({ method: 'notifications/cancelled', params: { requestId: 101 } })
    for (let id = 1_000; id < 1_200; id++) {
      raw.send({ id, method: 'tasks/result', params: { taskId } })
      raw.send({ method: 'notifications/cancelled', params: { requestId: id } })
      if (id % 20 === 0) expect((await ask('tasks/get', { taskId })).result.status).toBe('working')
    }
    expect(signals.map((signal) => signal.aborted)).toEqual([false])
    const waiting = ask('tasks/result', { taskId })
    answered.resolve({ action: 'accept', content: {} })
    expect((await waiting).result).toMatchObject({ action: 'accept' })
    expect(raw.received.filter(({ id }) => Number(id) >= 1_000)).toEqual([])
  })

  it('says by the clock it was given when it was made', async () => {
    const clock = createFakeClock(0, Date.UTC(2026, 0, 1))
    const tasks = new QuestionTasks(async () => ({ action: 'decline' }), clock)
    const question = { server: undefined, signal: new AbortController().signal }
    const made = (await tasks.answer('elicitation/create', { task: {} }, question)) as { task: { taskId: string } }
    clock.advance(5_000)
    const { taskId } = made.task
    await tasks.answer('tasks/result', { taskId }, question)
    expect(made.task).toMatchObject({ createdAt: '2026-01-01T00:00:00.000Z' })
    const late = (await tasks.answer('elicitation/create', { task: {} }, question)) as { task: { taskId: string } }
    expect(late.task).toMatchObject({ createdAt: '2026-01-01T00:00:05.000Z' })
  })

  it('abuse-41: leaves nothing behind of those who waited for it and went', async () => {
    const answered = createDeferred<JsonObject>()
    const tasks = new QuestionTasks(() => answered.promise, createFakeClock())
    const controller = new AbortController()
    const question = { server: undefined, signal: controller.signal }
    const made = (await tasks.answer('elicitation/create', { task: {} }, question)) as { task: { taskId: string } }
    const { taskId } = made.task
    const gone = new Error('taken back')
    const waiting = tasks.answer('tasks/result', { taskId }, question)
    const late = tasks.answer('tasks/result', { taskId }, { server: undefined, signal: AbortSignal.abort(gone) })
    const other = tasks.answer('tasks/result', { taskId }, { server: undefined, signal: new AbortController().signal })
    controller.abort(gone)
    await expect(waiting).rejects.toBe(gone)
    await expect(late).rejects.toBe(gone)
    expect(getEventListeners(controller.signal, 'abort')).toEqual([])
    answered.resolve({ action: 'decline' })
    expect(await other).toMatchObject({ action: 'decline' })
  })

  it('fails as the question would have failed', async () => {
    const { answered, handlers } = withForm()
    const { ask } = await open(handlers)
    const { task } = (await ask('elicitation/create', { ...FORM, task: {} })).result as { task: JsonObject }
    answered.reject(new Error('No screen'))
    expect((await ask('tasks/result', { taskId: task.taskId })).error).toMatchObject({ code: -32603 })
    expect((await ask('tasks/get', { taskId: task.taskId })).result.status).toBe('failed')
  })

  it.each(['tasks/get', 'tasks/result', 'tasks/cancel'])(
    '%s of an unknown id is an error in the parameters',
    async (method) => {
      const { ask } = await open(withForm().handlers)
      expect((await ask(method, { taskId: 'x' })).error).toMatchObject({ code: -32602 })
      expect((await ask(method)).error).toMatchObject({ code: -32602 })
    },
  )

  it('is one of a bounded number', async () => {
    const { ask } = await open(withForm().handlers)
    for (let count = 0; count < 256; count++) await ask('elicitation/create', { ...FORM, task: {} })
    expect((await ask('elicitation/create', { ...FORM, task: {} })).error).toMatchObject({ code: 1001 })
  })
})

describe('who may make tasks of questions', () => {
  it('a server that was told so, of what may be asked', async () => {
    const { handlers } = withForm()
    expect((await open(handlers)).declared).toEqual({
      elicitation: { form: {} },
      tasks: { list: {}, cancel: {}, requests: { elicitation: { create: {} } } },
    })
    expect((await open({ ...handlers, tasks: false })).declared).not.toHaveProperty('tasks')
    expect((await open({ roots: [], tasks: true })).declared).not.toHaveProperty('tasks')
    expect((await open(handlers, '2025-06-18')).declared).not.toHaveProperty('tasks')
  })

  it.each([
    ['that was not told so', '2025-11-25', false],
    ['of a revision before', '2025-06-18', true],
  ])('no server %s: its wish is ignored, and there are no tasks to ask for', async (_, revision, tasks) => {
    const elicit = () => ({ action: 'decline' as const })
    const { ask } = await open({ elicit, tasks }, revision)
    expect((await ask('elicitation/create', { ...FORM, task: {} })).result).toEqual({ action: 'decline' })
    expect((await ask('tasks/list')).error).toMatchObject({ code: -32601 })
  })
})
