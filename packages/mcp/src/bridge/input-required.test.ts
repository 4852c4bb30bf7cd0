import { createFakeClock, recordCall } from '@crosspoint/testkit'
import { describe, expect, it } from 'vitest'
import { McpError } from '../errors.ts'
import type { JsonObject } from '../jsonrpc/frame.ts'
import type { Call, Handle, Interim, Notification, Result } from '../protocol/call.ts'
import { askForInput } from './input-required.ts'

const ROOTS = { method: 'roots/list', params: {} }
const FORM = { method: 'elicitation/create', params: { message: 'Who?' } }

function toCall(method: string, params: JsonObject, ask?: Interim['ask']): Call {
  const { call } = recordCall(method, params)
  return ask === undefined ? call : { ...call, interim: { ...call.interim, canAsk: true, ask } }
}

/** Answers with each result in turn, the last one from then on. */
function scripted(results: readonly Result[]) {
  const got: JsonObject[] = []
  const handle: Handle = async ({ params }) => {
    got.push(params)
    return results[Math.min(got.length, results.length) - 1] ?? {}
  }
  return { handle: askForInput(handle, createFakeClock()), got }
}

const asking = (inputRequests: JsonObject, requestState?: string): Result => ({
  resultType: 'input_required',
  inputRequests,
  ...(requestState === undefined ? {} : { requestState }),
})
const DONE = { content: [{ type: 'text', text: 'done' }] }

describe('askForInput', () => {
  it.each(['tools/call', 'prompts/get', 'resources/read'])(
    'trap-13: %s is called again with the answers and the state as it came',
    async (method) => {
      const { handle, got } = scripted([asking({ a: ROOTS, b: FORM }, 'state-1'), asking({ c: FORM }), DONE])
      const asked: Notification[] = []
      const ask = async (request: Notification) => {
        asked.push(request)
        return { n: asked.length }
      }
      expect(await handle(toCall(method, { name: 'x', requestState: 'stale', inputResponses: { z: 1 } }, ask))).toBe(
        DONE,
      )
      expect(asked).toEqual([ROOTS, FORM, FORM])
      expect(got.slice(1)).toEqual([
        { name: 'x', inputResponses: { a: { n: 1 }, b: { n: 2 } }, requestState: 'state-1' },
        { name: 'x', inputResponses: { c: { n: 3 } } },
      ])
    },
  )

  it('trap-49: progress goes on from round to round, and never falls back', async () => {
    let round = 0
    const handle = askForInput(async ({ interim }) => {
      for (const progress of [1, 2])
        interim.notify({ method: 'notifications/progress', params: { progress, total: 2 } })
      return ++round < 3 ? asking({ a: ROOTS }) : DONE
    }, createFakeClock())
    const recorded = recordCall('tools/call', {}, { ask: async () => ({ roots: [] }) })
    expect(await handle(recorded.call)).toBe(DONE)
    expect(recorded.heard.map(({ params }) => [params.progress, params.total])).toEqual([
      [1, 2],
      [2, 2],
      [3, 4],
      [4, 4],
      [5, 6],
      [6, 6],
    ])
  })

  it('trap-12: asks nothing for methods that may not', async () => {
    const { handle } = scripted([asking({ a: ROOTS })])
    const ask = () => Promise.reject(new Error('Nobody should be asked'))
    expect(await handle(toCall('tools/list', {}, ask))).toMatchObject({ resultType: 'input_required' })
  })

  it('what only hands out state is called again after a pause', async () => {
    const clock = createFakeClock()
    const got: JsonObject[] = []
    const handle = askForInput(async ({ params }) => {
      got.push(params)
      return got.length === 1 ? { resultType: 'input_required', requestState: 's' } : DONE
    }, clock)
    const answer = handle(toCall('tools/call', { name: 'x' }))
    await new Promise(setImmediate)
    expect(got).toHaveLength(1)
    clock.advance(250)
    expect(await answer).toBe(DONE)
    expect(got[1]).toEqual({ name: 'x', requestState: 's' })
  })

  it('gives up after eight rounds', async () => {
    const { handle, got } = scripted([asking({ a: ROOTS })])
    await expect(handle(toCall('prompts/get', {}, async () => ({ roots: [] })))).rejects.toMatchObject({
      code: 'upstream.protocol',
    })
    expect(got).toHaveLength(9)
  })

  it.each([
    ['neither questions nor state', { resultType: 'input_required' }],
    ['questions that are none', asking({ a: 1 })],
    ['questions that are a list', { resultType: 'input_required', inputRequests: [ROOTS] }],
  ])('refuses %s', async (_title, result) => {
    const { handle } = scripted([result as Result])
    await expect(handle(toCall('tools/call', {}, async () => ({})))).rejects.toMatchObject({
      code: 'upstream.protocol',
    })
  })

  it('trap-15: says what a caller that cannot be asked would have needed', async () => {
    const url = { method: 'elicitation/create', params: { mode: 'url' } }
    const { handle } = scripted([asking({ a: FORM, b: url, c: ROOTS })])
    await expect(handle(toCall('resources/read', {}))).rejects.toMatchObject({
      code: 'caller.missing_capability',
      data: { requiredCapabilities: { elicitation: { form: {}, url: {} }, roots: {} } },
    })
    expect(await handle(toCall('tools/call', {}))).toMatchObject({ isError: true })
  })

  it('a refusal is a result of a tool, and an error of anything else', async () => {
    const refuse = () => Promise.reject(new McpError('caller.unanswered', 'User rejected'))
    const { handle } = scripted([asking({ a: ROOTS })])
    expect(await handle(toCall('tools/call', {}, refuse))).toEqual({
      content: [{ type: 'text', text: 'User rejected' }],
      isError: true,
    })
    await expect(handle(toCall('prompts/get', {}, refuse))).rejects.toMatchObject({ code: 'caller.unanswered' })
  })
})
