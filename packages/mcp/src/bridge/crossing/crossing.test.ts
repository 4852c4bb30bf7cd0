import { createFakeClock, type FakeClock, type RecordedCall, recordCall } from '@crosspoint/testkit'
import { describe, expect, it } from 'vitest'
import { McpError } from '../../errors.ts'
import type { JsonObject } from '../../jsonrpc/frame.ts'
import type { Call, Handle, Notification, Principal, Result } from '../../protocol/call.ts'
import { CancellationSource } from '../../protocol/cancellation.ts'
import { withQuestionKey } from '../../protocol/question-key.ts'
import { type CrossingOptions, createCrossing } from './crossing.ts'

const ALL = { elicitation: { form: {}, url: {} }, sampling: {}, roots: {} }
const ANNA = { id: 'anna', tenant: 'default' }
const FORM = { method: 'elicitation/create', params: { message: 'Who?', requestedSchema: {} } }
const ROOTS = { method: 'roots/list', params: {} }
const SAMPLE = { method: 'sampling/createMessage', params: { messages: [], maxTokens: 5 } }
const accept = (name: string) => ({ action: 'accept', content: { name } })

/** Lets what is under way come as far as it can without time passing. */
const settle = () => new Promise((resolve) => setImmediate(resolve))

/** Moves time on until there is an answer: sealing takes turns of its own. */
async function untilAnswered(answer: Promise<Result>, clock: FakeClock): Promise<Result> {
  let isAnswered = false
  const done = () => {
    isAnswered = true
  }
  answer.then(done, done)
  while (!isAnswered) {
    await settle()
    clock.advance(50)
  }
  return answer
}

function setUp(tool: (call: Call) => Promise<Result>, options: CrossingOptions = {}) {
  const clock = createFakeClock()
  const crossing = createCrossing({ clock, ...options })
  const calls: Call[] = []
  const handle: Handle = (call) => {
    calls.push(call)
    return tool(call)
  }
  const crossed = crossing.over(handle, '2025-11-25', 'older')
  const begin = (params: JsonObject = {}, more: Parameters<typeof recordCall>[2] = {}) => {
    const recorded = recordCall('tools/call', { name: 'ask', arguments: {}, ...params }, { capabilities: ALL, ...more })
    const answer = crossed.handle(recorded.call)
    answer.catch(() => {})
    return { ...recorded, answer }
  }
  /** A call that is left with questions. */
  const asked = async (params: JsonObject = {}, more: Parameters<typeof recordCall>[2] = {}) => {
    return untilAnswered(begin(params, more).answer, clock)
  }
  return { clock, crossing, crossed, calls, begin, asked }
}

const text = (value: unknown): Result => ({ content: [{ type: 'text', text: JSON.stringify(value) }] })
const asksOnce = async ({ interim }: Call) => text(await interim.ask(FORM))
const retry = (result: Result, inputResponses: JsonObject) => ({ inputResponses, requestState: result.requestState })

describe('a question of an older server, to a caller who is asked by results', () => {
  it('becomes input_required, and the call that waits goes on with the answer', async () => {
    const { asked, begin, calls } = setUp(asksOnce)
    const first = await asked()
    expect(first).toEqual({
      resultType: 'input_required',
      inputRequests: { 'ask-1': FORM },
      requestState: expect.stringMatching(/^run:/),
    })
    expect(await begin(retry(first, { 'ask-1': accept('Ada') })).answer).toEqual(text(accept('Ada')))
    expect(calls).toHaveLength(1)
  })

  it('questions that come together are one round, in several rounds if need be', async () => {
    const { asked, begin } = setUp(async ({ interim }) => {
      const both = await Promise.all([interim.ask(FORM), interim.ask(ROOTS)])
      return text([...both, await interim.ask(SAMPLE)])
    })
    const first = await asked()
    expect(Object.values(first.inputRequests as JsonObject)).toEqual([FORM, ROOTS])
    const answers = { 'ask-1': { action: 'decline' }, 'ask-2': { roots: [] } }
    const second = await asked(retry(first, answers))
    expect(second.inputRequests).toEqual({ 'ask-3': SAMPLE })
    const message = { role: 'assistant', content: { type: 'text', text: 'hi' }, model: 'm' }
    expect(await begin(retry(second, { 'ask-3': message })).answer).toEqual(
      text([{ action: 'decline' }, { roots: [] }, message]),
    )
  })

  it('trap-16: what is not answered is asked again, and what was answered is not', async () => {
    const { asked, begin } = setUp(async ({ interim }) =>
      text(await Promise.all([interim.ask(FORM), interim.ask(ROOTS)])),
    )
    const first = await asked()
    const second = await asked(retry(first, { 'ask-2': { roots: [] } }))
    expect(second).toMatchObject({ resultType: 'input_required', inputRequests: { 'ask-1': FORM } })
    expect(Object.keys(second.inputRequests as JsonObject)).toEqual(['ask-1'])
    expect(second.requestState).not.toBe(first.requestState)
    expect(await begin(retry(second, { 'ask-1': accept('Ada') })).answer).toEqual(text([accept('Ada'), { roots: [] }]))
  })

  it('goes on with the answer where the server has come back in a revision that asks by results', async () => {
    const { asked, crossing, calls } = setUp(asksOnce)
    const newer = crossing.over(async () => text('newer'), '2026-07-28', 'older')
    const params = { name: 'ask', arguments: {}, ...retry(await asked(), { 'ask-1': accept('Ada') }) }
    const { call } = recordCall('tools/call', params, { capabilities: ALL })
    expect(await newer.handle(call)).toEqual(text(accept('Ada')))
    expect(calls).toHaveLength(1)
    const forged = { ...call, params: { ...params, requestState: 'run:forged' } }
    await expect(newer.handle(forged)).rejects.toMatchObject({ code: 'caller.invalid_params' })
  })

  it('a retry that is sent twice has one outcome', async () => {
    const { asked, begin, calls } = setUp(asksOnce)
    const first = await asked()
    const one = begin(retry(first, { 'ask-1': accept('Ada') }))
    const two = begin(retry(first, { 'ask-1': accept('Eve') }))
    const outcomes = [await one.answer, await two.answer]
    expect(outcomes[0]).toEqual(outcomes[1])
    expect(await begin(retry(first, { 'ask-1': accept('Mallory') })).answer).toEqual(outcomes[0])
    expect(calls).toHaveLength(1)
  })

  it.each<[string, (state: string) => string, Parameters<typeof recordCall>[2]]>([
    ['was changed', (state) => `${state.slice(0, -4)}AAAA`, {}],
    ['is of somebody else', (state) => state, { principal: ANNA }],
    ['is none', () => 'run:xs1.AAAA', {}],
  ])('abuse-24: a requestState that %s is refused, and the call goes on waiting', async (_, change, more) => {
    const { asked, begin } = setUp(asksOnce)
    const first = await asked()
    const params = { inputResponses: { 'ask-1': accept('Eve') }, requestState: change(String(first.requestState)) }
    await expect(begin(params, more).answer).rejects.toMatchObject({ code: 'caller.invalid_params' })
    expect(await begin(retry(first, { 'ask-1': accept('Ada') })).answer).toEqual(text(accept('Ada')))
  })

  it('abuse-24: a requestState is good for the request it was given for and no other', async () => {
    const { asked, begin } = setUp(asksOnce)
    const first = await asked()
    const other = { ...retry(first, { 'ask-1': accept('Eve') }), arguments: { all: true } }
    await expect(begin(other).answer).rejects.toMatchObject({ code: 'caller.invalid_params' })
  })

  it('who never comes back is a person who closed the form: the server is told, and the call cancelled', async () => {
    const answers: unknown[] = []
    const { asked, begin, calls, clock } = setUp(async ({ interim }) => {
      answers.push(await interim.ask(FORM))
      return new Promise<never>(() => {})
    })
    const first = await asked()
    clock.advance(10 * 60_000)
    await settle()
    expect(answers).toEqual([{ action: 'cancel' }])
    expect(calls[0]?.cancellation.isCancelled).toBe(true)
    await expect(begin(retry(first, { 'ask-1': accept('late') })).answer).rejects.toMatchObject({
      code: 'caller.invalid_params',
    })
    expect(clock.pending).toBe(0)
  })

  it('who has come back with answers is not cut off by the time that answers may take', async () => {
    let end: (result: Result) => void = () => {}
    let answered: () => void = () => {}
    const isAnswered = new Promise<void>((resolve) => {
      answered = resolve
    })
    const { asked, begin, calls, clock } = setUp(async ({ interim }) => {
      await interim.ask(FORM)
      answered()
      return new Promise((resolve) => {
        end = resolve
      })
    })
    const first = await asked()
    clock.advance(9 * 60_000)
    const second = begin(retry(first, { 'ask-1': accept('Ada') }))
    await isAnswered
    clock.advance(9 * 60_000)
    expect(calls[0]?.cancellation.isCancelled).toBe(false)
    end(text('done'))
    expect(await second.answer).toEqual(text('done'))
    clock.advance(10 * 60_000)
    expect(clock.pending).toBe(0)
  })

  it('abuse-41: who goes away while the server works cancels the call', async () => {
    let answered: () => void = () => {}
    const isAnswered = new Promise<void>((resolve) => {
      answered = resolve
    })
    const { asked, begin, calls } = setUp(async ({ interim }) => {
      await interim.ask(FORM)
      answered()
      return new Promise<never>(() => {})
    })
    const first = await asked()
    const second = begin(retry(first, { 'ask-1': accept('Ada') }))
    await isAnswered
    expect(calls[0]?.cancellation.isCancelled).toBe(false)
    second.abort()
    expect(calls[0]?.cancellation.isCancelled).toBe(true)
  })

  it('a server that stops waiting has an outcome, which the next retry gets', async () => {
    let end: (result: Result) => void = () => {}
    const { asked, begin } = setUp(({ interim }) => {
      interim.ask(FORM).catch(() => {})
      return new Promise((resolve) => {
        end = resolve
      })
    })
    const first = await asked()
    end(text('gave up'))
    await settle()
    expect(await begin(retry(first, { 'ask-1': accept('Ada') })).answer).toEqual(text('gave up'))
  })

  it('a question that the server takes back is not asked any more', async () => {
    const withdrawn = new CancellationSource()
    let goOn: () => void = () => {}
    const { asked, begin } = setUp(async ({ interim }) => {
      await interim.ask(FORM, withdrawn).catch(() => {})
      await new Promise<void>((resolve) => {
        goOn = resolve
      })
      return text('did without')
    })
    const first = await asked()
    withdrawn.cancel('changed my mind')
    await settle()
    const second = begin(retry(first, { 'ask-1': accept('Ada') }))
    goOn()
    expect(await second.answer).toEqual(text('did without'))
  })

  it('progress and logs of the server reach whichever request of the caller is there', async () => {
    const say = (progress: number): Notification => ({ method: 'notifications/progress', params: { progress } })
    const { begin, clock } = setUp(async ({ interim }) => {
      interim.notify(say(1))
      const answer = await interim.ask(FORM)
      interim.notify(say(2))
      return text(answer)
    })
    const first = begin()
    const second = begin(retry(await untilAnswered(first.answer, clock), { 'ask-1': accept('Ada') }))
    await second.answer
    expect([first.heard, second.heard]).toEqual([[say(1)], [say(2)]])
  })

  it.each<[string, Notification, unknown, RegExp]>([
    ['a form', FORM, { action: 'perhaps' }, /accept, decline or cancel/],
    ['a form', FORM, 'yes', /not an object/],
    ['a model', SAMPLE, {}, /"role" and "content"/],
    ['roots', ROOTS, { roots: 'all' }, /a list of "roots"/],
  ])('an answer to %s that is none is refused by name, and may be given again', async (_, request, answer, why) => {
    const { asked, begin } = setUp(async ({ interim }) => text(await interim.ask(request)))
    const first = await asked()
    await expect(begin(retry(first, { 'ask-1': answer })).answer).rejects.toThrow(why)
    const good = { action: 'decline', role: 'assistant', content: [], roots: [] }
    expect(await begin(retry(first, { 'ask-1': good })).answer).toEqual(text(good))
  })

  it('trap-15: what this request did not declare is not asked', async () => {
    const { begin } = setUp(asksOnce)
    await expect(begin({}, { capabilities: { roots: {} } }).answer).rejects.toMatchObject({
      code: 'caller.missing_capability',
      data: { requiredCapabilities: { elicitation: { form: {} } } },
    })
  })

  it('of one caller only so many wait; those that wait stay', async () => {
    const { asked, begin, calls } = setUp(asksOnce, { maxParkedPerPrincipal: 1 })
    const first = await asked()
    await expect(asked({ arguments: { n: 2 } })).rejects.toMatchObject({ code: 'policy.limit' })
    expect(calls[1]?.cancellation.isCancelled).toBe(true)
    expect(await begin(retry(first, { 'ask-1': accept('Ada') })).answer).toEqual(text(accept('Ada')))
  })

  it('pages have no id there', async () => {
    const page = { mode: 'url', message: 'Sign in', url: 'https://example.com/', elicitationId: 'e-1' }
    const { asked } = setUp(async ({ interim }) =>
      text(await interim.ask({ method: 'elicitation/create', params: page })),
    )
    const { elicitationId: _, ...params } = page
    expect((await asked()).inputRequests).toEqual({ 'ask-1': { method: 'elicitation/create', params } })
  })

  it('a question that its author named goes by that name, one of several of that name by another', async () => {
    const { asked, begin } = setUp(async ({ interim }) => {
      const [named, alike, other] = [withQuestionKey(FORM, 'who'), withQuestionKey(SAMPLE, 'who'), ROOTS]
      return text(await Promise.all([interim.ask(named), interim.ask(alike), interim.ask(other)]))
    })
    const first = await asked()
    expect(first.inputRequests).toEqual({ who: FORM, 'ask-1': SAMPLE, 'ask-2': ROOTS })
    const message = { role: 'assistant', content: [], model: 'm' }
    const answers = { who: accept('Ada'), 'ask-1': message, 'ask-2': { roots: [] } }
    expect(await begin(retry(first, answers)).answer).toEqual(text([accept('Ada'), message, { roots: [] }]))
  })

  it('a name that looks like one of ours takes nothing from another question', async () => {
    const { asked } = setUp(async ({ interim }) =>
      text(await Promise.all([interim.ask(withQuestionKey(FORM, 'ask-1')), interim.ask(ROOTS)])),
    )
    expect((await asked()).inputRequests).toEqual({ 'ask-1': FORM, 'ask-2': ROOTS })
  })

  it('an answer that came early is taken by the question of that name, once', async () => {
    const { asked, calls } = setUp(async ({ interim }) => {
      const who = withQuestionKey(FORM, 'who')
      return text([await interim.ask(who), await interim.ask(who)])
    })
    const first = await asked({ inputResponses: { who: accept('Ada'), more: accept('x') } })
    expect(first.inputRequests).toEqual({ who: FORM })
    expect(calls[0]?.params).toEqual({ name: 'ask', arguments: {} })
    expect(await asked(retry(first, { who: accept('Eve') }))).toEqual(text([accept('Ada'), accept('Eve')]))
  })

  it.each([12345, null, { action: 'perhaps' }])('what is no answer is not taken early: %j', async (answer) => {
    const { asked } = setUp(async ({ interim }) => text(await interim.ask(withQuestionKey(FORM, 'who'))))
    expect((await asked({ inputResponses: { who: answer } })).inputRequests).toEqual({ who: FORM })
  })

  it('once the caller was asked something, what it brought early counts for nothing', async () => {
    const { asked } = setUp(async ({ interim }) =>
      text([await interim.ask(ROOTS), await interim.ask(withQuestionKey(FORM, 'who'))]),
    )
    const first = await asked({ inputResponses: { who: accept('Ada') } })
    expect((await asked(retry(first, { 'ask-1': { roots: [] } }))).inputRequests).toEqual({ who: FORM })
  })

  it('closing ends what waits', async () => {
    const { asked, calls, crossing, clock } = setUp(asksOnce)
    await asked()
    crossing.close()
    expect(calls[0]?.cancellation.isCancelled).toBe(true)
    expect(clock.pending).toBe(0)
  })
})

describe('callers who are asked by requests, and methods that may not ask', () => {
  it('are handed on as they are', async () => {
    const { crossed, calls } = setUp(asksOnce)
    const asked: RecordedCall = recordCall('tools/call', {}, { capabilities: {}, ask: async () => accept('Ada') })
    expect(await crossed.handle(asked.call)).toEqual(text(accept('Ada')))
    expect(calls).toEqual([asked.call])
  })
})

describe('a server that asks by results', () => {
  const handle: Handle = async ({ params }) =>
    params.requestState === 'theirs'
      ? text(params)
      : { resultType: 'input_required', inputRequests: { who: FORM }, requestState: 'theirs' }

  it('abuse-24: its state goes out sealed, and comes back to it as it was', async () => {
    const { handle: crossed } = createCrossing().over(handle, '2026-07-28', 'newest')
    const call = (params: JsonObject = {}, more = {}) =>
      crossed(recordCall('tools/call', { name: 'ask', ...params }, { capabilities: ALL, ...more }).call)
    const first = await call()
    expect(first.requestState).not.toContain('theirs')
    const answers = retry(first, { who: accept('Ada') })
    expect(await call(answers)).toEqual(
      text({ name: 'ask', inputResponses: answers.inputResponses, requestState: 'theirs' }),
    )
    for (const refused of [
      call({ ...answers, requestState: 'theirs' }),
      call(answers, { principal: ANNA }),
      call({ ...answers, name: 'other' }),
    ]) {
      await expect(refused).rejects.toMatchObject({ code: 'caller.invalid_params' })
    }
  })

  it('a state of one server is none of another', async () => {
    const crossing = createCrossing()
    const one = crossing.over(handle, '2026-07-28', 'one').handle
    const two = crossing.over(handle, '2026-07-28', 'two').handle
    const { call } = recordCall('tools/call', { name: 'ask' }, { capabilities: ALL })
    const { requestState } = await one(call)
    await expect(two({ ...call, params: { ...call.params, requestState } })).rejects.toMatchObject({
      code: 'caller.invalid_params',
    })
  })
})

describe('a visit to a page that an older server wants', () => {
  const BERT = { id: 'bert', tenant: 'default' }
  const page = { mode: 'url', message: 'Sign in', url: 'https://example.com/', elicitationId: 'e-1' }
  const complete = { method: 'notifications/elicitation/complete', params: { elicitationId: 'e-1' } }
  const required = () => {
    const upstream = { code: -32042, message: 'Sign in', data: { elicitations: [page] } }
    return new McpError('upstream.error', 'Sign in', { rpc: { code: -32603, message: 'Sign in', data: { upstream } } })
  }

  /** Two callers, each sent to a page of one name and back again with the word that they opened it. */
  async function sendBoth() {
    const visited = new Set<string>()
    const { clock, crossed, calls, begin, asked } = setUp(async ({ principal }) => {
      if (!visited.has(principal.id)) throw required()
      return text(principal.id)
    })
    const firsts = [await asked({}, { principal: ANNA }), await asked({}, { principal: BERT })]
    const back = (principal: Principal, at: number) => {
      const { inputRequests = {}, ...first } = firsts[at] ?? {}
      const [key = ''] = Object.keys(Object(inputRequests))
      return begin(retry(first, { [key]: { action: 'accept' } }), { principal })
    }
    const [anna, bert] = [back(ANNA, 0), back(BERT, 1)]
    for (let i = 0; i < 5; i++) await settle()
    const made = (id: string) => calls.filter(({ principal }) => principal.id === id).length
    return { clock, crossed, visited, anna, bert, made }
  }

  it('abuse-42: is over for the caller in whose session the server says so', async () => {
    const { crossed, visited, anna, bert, made } = await sendBoth()
    for (const { id } of [ANNA, BERT]) visited.add(id)
    crossed.hear(complete, anna.call)
    expect(await anna.answer).toEqual(text('anna'))
    for (let i = 0; i < 5; i++) await settle()
    expect([made('anna'), made('bert')]).toEqual([2, 1])
    crossed.hear(complete, bert.call)
    expect(await bert.answer).toEqual(text('bert'))
  })

  it('abuse-42: is over for nobody where two callers of one connection were sent there, whose calls are tried later', async () => {
    const { clock, crossed, visited, anna, bert, made } = await sendBoth()
    for (const { id } of [ANNA, BERT]) visited.add(id)
    crossed.hear(complete)
    for (let i = 0; i < 5; i++) await settle()
    expect([made('anna'), made('bert')]).toEqual([1, 1])
    clock.advance(3_000)
    expect(await Promise.all([anna.answer, bert.answer])).toEqual([text('anna'), text('bert')])
  })

  it('abuse-42: is told to the caller who can be asked, and was asked, and to no other', async () => {
    const { crossed, begin } = setUp(async ({ interim }) =>
      text(await interim.ask({ method: 'elicitation/create', params: page })),
    )
    const ask = async (): Promise<Result> => ({ action: 'accept' })
    const [anna, bert] = [ANNA, BERT].map((principal) => begin({}, { principal, ask }))
    await Promise.all([anna?.answer, bert?.answer])
    crossed.hear(complete, bert?.call)
    crossed.hear(complete, bert?.call)
    expect([anna?.heard, bert?.heard]).toEqual([[], [complete]])
  })
})
