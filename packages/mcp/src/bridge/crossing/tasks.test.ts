import { createFakeClock, recordCall } from '@crosspoint/testkit'
import { describe, expect, it } from 'vitest'
import { McpError } from '../../errors.ts'
import type { JsonObject } from '../../jsonrpc/frame.ts'
import type { Call, Handle, Result } from '../../protocol/call.ts'
import { TASKS } from '../../protocol/extensions.ts'
import { createCrossing } from './crossing.ts'
import { taskTagOf, toTaskTag } from './task-ids.ts'

const KNOWS = { extensions: { [TASKS]: {} } }
const ANNA = { id: 'anna', tenant: 'default' }
const BERT = { id: 'bert', tenant: 'default' }
const KEY = 'k'.repeat(32)

const settle = () => new Promise((resolve) => setImmediate(resolve))
const task = (more: JsonObject = {}) => ({
  taskId: 'native',
  status: 'working',
  createdAt: '',
  lastUpdatedAt: '',
  ...more,
})

/** A server of the newest revision that answers so. */
function setUp(answers: Record<string, (call: Call) => Result | Promise<Result>>, server = 'one') {
  const clock = createFakeClock()
  const crossing = createCrossing({ clock, stateKey: KEY })
  const calls: Call[] = []
  const handle: Handle = async (call) => {
    calls.push(call)
    const answer = answers[call.method]
    if (answer === undefined) throw new McpError('caller.unknown_method', call.method)
    return answer(call)
  }
  const crossed = crossing.over(handle, '2026-07-28', server)
  const ask = (method: string, params: JsonObject = {}, principal = ANNA) =>
    crossed.handle(recordCall(method, params, { capabilities: KNOWS, principal }).call)
  return { clock, crossed, calls, ask }
}

describe('the id of a task of a server', () => {
  const begins = { 'tools/call': () => ({ ...task(), resultType: 'task' }), 'tasks/get': () => task() }

  it('is of letters a header can carry, says nothing of the server’s own, and leads back to it', async () => {
    const { ask, calls } = setUp(begins)
    const { taskId } = await ask('tools/call')
    expect(taskId).toMatch(/^[a-z0-9]+\.[A-Za-z0-9_.-]{20,200}$/)
    expect(String(taskId)).not.toContain('native')
    expect(taskTagOf(taskId)).toBe(toTaskTag('one'))
    expect(await ask('tasks/get', { taskId })).toEqual(task({ taskId }))
    expect(calls[1]?.params.taskId).toBe('native')
  })

  it('is good in every process with the same key', async () => {
    const { taskId } = await setUp(begins).ask('tools/call')
    expect(await setUp(begins).ask('tasks/get', { taskId })).toMatchObject({ taskId })
  })

  it('abuse-24, trap-42: opens for nobody else, for no other server, and not when it was changed', async () => {
    const { ask, calls } = setUp(begins)
    const { taskId } = await ask('tools/call')
    const failures = [
      ask('tasks/get', { taskId }, BERT),
      ask('tasks/get', { taskId }, { id: 'nna', tenant: 'defaulta' }),
      setUp(begins, 'two').ask('tasks/get', { taskId: String(taskId).replace(toTaskTag('one'), toTaskTag('two')) }),
      ask('tasks/get', { taskId: `${String(taskId).slice(0, -3)}AAA` }),
      ask('tasks/get', { taskId: `${String(taskId)}${'A'.repeat(10_000)}` }),
      ask('tasks/get', { taskId: 'native' }),
      ask('tasks/get'),
    ]
    const messages = await Promise.all(failures.map((failure) => failure.then(String, (error: Error) => error.message)))
    expect(new Set(messages)).toEqual(new Set(['There is no such task: its id is none of yours, or it has expired']))
    expect(calls).toHaveLength(1)
  })

  it('is not shown where the server refuses its own', async () => {
    const { ask } = setUp({
      ...begins,
      'tasks/cancel': () => {
        throw new McpError('upstream.error', 'No task native', { rpc: { code: -32602, message: 'No task native' } })
      },
    })
    const { taskId } = await ask('tools/call')
    await expect(ask('tasks/cancel', { taskId })).rejects.toMatchObject({
      code: 'caller.invalid_params',
      message: expect.not.stringContaining('native'),
    })
  })

  it('that can be none is a fault of the server', async () => {
    for (const taskId of ['', 7, 'x'.repeat(2_000)]) {
      const { ask } = setUp({ 'tools/call': () => ({ ...task(), taskId, resultType: 'task' }) })
      await expect(ask('tools/call')).rejects.toMatchObject({ code: 'upstream.protocol' })
    }
  })
})

describe('a call held as a task', () => {
  const COMPLETED = task({ status: 'completed', result: { content: [] } })

  function holding(get: (times: number) => JsonObject, more: Parameters<typeof setUp>[0] = {}) {
    let times = 0
    const answers = {
      'tools/call': () => ({ ...task(), resultType: 'task' }),
      'tasks/get': () => get(++times),
      ...more,
    }
    return setUp({ 'tasks/cancel': () => ({}), 'tasks/update': () => ({}), ...answers })
  }

  it('tells what the task says as progress, each thing once, and answers with its outcome', async () => {
    const said = [
      task({ statusMessage: 'one' }),
      task({ statusMessage: 'one' }),
      task({ statusMessage: 'two' }),
      COMPLETED,
    ]
    const { crossed, clock } = holding((times) => said[times - 1] ?? COMPLETED)
    const { call, heard } = recordCall('tools/call')
    const held = crossed.hold(call)
    for (let turn = 0; turn < 10; turn++) {
      await settle()
      clock.advance(1_000)
    }
    expect(await held).toEqual({ content: [] })
    expect(heard.map(({ params }) => params)).toEqual([
      { progress: 1, message: 'one' },
      { progress: 2, message: 'two' },
    ])
  })

  it('whose caller would not answer what the task asks fails so, and the task is cancelled', async () => {
    const inputRequests = { q: { method: 'roots/list', params: {} } }
    const { crossed, calls } = holding(() => task({ status: 'input_required', inputRequests }))
    const refusal = new McpError('caller.unanswered', 'No')
    const { call } = recordCall('tools/call', {}, { ask: () => Promise.reject(refusal) })
    await expect(crossed.hold(call)).rejects.toBe(refusal)
    expect(calls.at(-1)).toMatchObject({ method: 'tasks/cancel', params: { taskId: 'native' } })
  })

  it('whose task the server cancelled says so to the model', async () => {
    const { crossed } = holding(() => task({ status: 'cancelled', statusMessage: 'Out of paper' }))
    const result = await crossed.hold(recordCall('tools/call').call)
    expect(result).toEqual({ content: [{ type: 'text', text: 'Out of paper' }], isError: true })
  })

  it('that becomes no task is answered as it is', async () => {
    const { crossed, calls } = holding(() => COMPLETED, { 'tools/call': () => ({ content: [] }) })
    expect(await crossed.hold(recordCall('tools/call').call)).toEqual({ content: [] })
    expect(calls).toHaveLength(1)
  })
})
