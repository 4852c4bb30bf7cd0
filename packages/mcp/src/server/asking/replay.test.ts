import { recordCall } from '@crosspoint/testkit'
import fc, { type Arbitrary } from 'fast-check'
import { expect, it } from 'vitest'
import type { JsonObject } from '../../jsonrpc/frame.ts'
import type { Notification, Result } from '../../protocol/call.ts'
import type { Context } from '../context.ts'
import { createServer } from '../index.ts'

/** What a handler does: asks, remembers, waits, one thing after the other or several at once. */
type Step =
  | { readonly do: 'ask'; readonly about: string }
  | { readonly do: 'once'; readonly key: string }
  | { readonly do: 'wait' }
  | { readonly do: 'series' | 'parallel'; readonly steps: readonly Step[] }

const { step } = fc.letrec<{ step: Step; steps: readonly Step[] }>((tie) => ({
  step: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.record({ do: fc.constant('ask' as const), about: fc.constantFrom('a', 'b') }),
    fc.record({ do: fc.constant('once' as const), key: fc.constantFrom('x', 'y') }),
    fc.record({ do: fc.constant('wait' as const) }),
    fc.record({ do: fc.constantFrom('series' as const, 'parallel' as const), steps: tie('steps') }),
  ) as Arbitrary<Step>,
  steps: fc.array(tie('step') as Arbitrary<Step>, { maxLength: 4 }),
}))

const FORM = { type: 'object', properties: { n: { type: 'integer' } }, required: ['n'] }

/**
 * @param path where in the program this is
 * @param isNamed inside of what goes on at once, where the order of questions depends on the answers: they need names
 */
async function perform(at: Step, context: Context, effects: string[], path = 'p', isNamed = false): Promise<unknown> {
  if (at.do === 'wait') return Promise.resolve('waited')
  if (at.do === 'ask') return (await context.elicit(at.about, FORM, isNamed ? { key: path } : {})).n
  if (at.do === 'once') {
    return context.once(at.key, () => {
      effects.push(at.key)
      return `${at.key} done`
    })
  }
  const goOn = (each: Step, index: number, named: boolean) => perform(each, context, effects, `${path}.${index}`, named)
  if (at.do === 'parallel') {
    const named = isNamed || at.steps.some((each) => each.do !== 'ask')
    return Promise.all(at.steps.map((each, index) => goOn(each, index, named)))
  }
  const results: unknown[] = []
  for (const [index, each] of at.steps.entries()) results.push(await goOn(each, index, isNamed))
  return results
}

/** The answer depends on what was asked alone: in which order answers come is not the handler's to know. */
const toAnswer = ({ params }: Notification): Result => ({
  action: 'accept',
  content: { n: String(params.message).charCodeAt(0) },
})

const capabilities = { elicitation: {} }
const parse = (result: Result) => JSON.parse((result.content as [{ text: string }])[0].text)

it('a handler that is run again with every answer comes to what one that waits would, and does once what it does once', async () => {
  await fc.assert(
    fc.asyncProperty(step, fc.infiniteStream(fc.boolean()), fc.boolean(), async (program, isAnswered, parked) => {
      const effects: string[] = []
      const server = createServer({ name: 's', version: '1', logging: false })
      server.tool('t', { parked }, async (_args, context) =>
        JSON.stringify({ result: (await perform(program, context, effects)) ?? null }),
      )
      const { handle } = server.endpoint
      const ask = async (request: Notification) => toAnswer(request)
      const live = parse(await handle(recordCall('tools/call', { name: 't' }, { capabilities, ask }).call))
      const effectsLive = effects.splice(0)

      let params: JsonObject = { name: 't' }
      let result = await handle(recordCall('tools/call', params, { capabilities }).call)
      for (let round = 0; result.resultType === 'input_required'; round++) {
        const asked = Object.entries(result.inputRequests as Readonly<Record<string, Notification>>)
        // One at least, so that it comes to an end within the rounds there are.
        const answered = asked.filter((_, at) => at === 0 || isAnswered.next().value)
        const inputResponses = Object.fromEntries(answered.map(([key, request]) => [key, toAnswer(request)]))
        params = { name: 't', inputResponses, requestState: result.requestState }
        result = await handle(recordCall('tools/call', params, { capabilities }).call)
        if (round > 30) return // a program that asks more than the rounds allow
      }
      expect(parse(result)).toEqual(live)
      expect(effects.sort()).toEqual(effectsLive.sort())
      server.close()
    }),
    { numRuns: 150 },
  )
})
