import { createDeferred, createFakeClock, recordCall, sendEnveloped } from '@crosspoint/testkit'
import { describe, expect, it, onTestFinished } from 'vitest'
import { z } from 'zod'
import { McpError } from '../../errors.ts'
import type { JsonObject } from '../../jsonrpc/frame.ts'
import type { Notification, Principal, Result } from '../../protocol/call.ts'
import type { EndpointEvent } from '../../transports/endpoint.ts'
import type { Context } from '../context.ts'
import { createServer, type ServerOptions, serve } from '../index.ts'
import { Declined, UnsuitedForm, UrlElicitationRequired } from './errors.ts'

const ALL = { sampling: { tools: {} }, elicitation: { form: {}, url: {} }, roots: {} }
const NAME = { type: 'object', properties: { name: { type: 'string' } }, required: ['name'] }
const ada: Principal = { tenant: 't', id: 'ada' }
const key = 'k'.repeat(32)

type Handler = (context: Context) => unknown
type Round = { readonly params?: JsonObject; readonly principal?: Principal; readonly capabilities?: JsonObject }

/** A server with one tool, asked as a caller that can only be answered with questions. */
function createOne(handler: Handler, options: Partial<ServerOptions> = {}) {
  const logged: EndpointEvent[] = []
  const server = createServer({ name: 's', version: '1', log: (event) => logged.push(event), ...options })
  server.tool('t', { input: { type: 'object' } }, (_args, context) => handler(context) as object)
  const call = (round: Round = {}): Promise<Result> => {
    const { params = {}, principal = ada, capabilities = ALL } = round
    return server.endpoint.handle(recordCall('tools/call', { name: 't', ...params }, { principal, capabilities }).call)
  }
  /** Answers with what `answer` gives until the result is complete. */
  const finish = async (answer: (key: string, request: Notification) => unknown): Promise<Result> => {
    let result = await call()
    for (let round = 0; result.resultType === 'input_required' && round < 40; round++) {
      result = await call({ params: toRetry(result, answer) })
    }
    return result
  }
  return { server, call, finish, logged }
}

const questionsOf = (result: Result) => (result.inputRequests ?? {}) as Readonly<Record<string, Notification>>

function toRetry(result: Result, answer: (key: string, request: Notification) => unknown): JsonObject {
  const answers = Object.entries(questionsOf(result)).map(([at, request]) => [at, answer(at, request)])
  return { inputResponses: Object.fromEntries(answers), requestState: result.requestState }
}

const accept = (content: JsonObject) => () => ({ action: 'accept', content })
const textOf = (result: Result) => (result.content as [{ text: string }])[0].text
const changed = (text: string, at: number) => `${text.slice(0, at)}${text[at] === 'A' ? 'B' : 'A'}${text.slice(at + 1)}`

it('a question that has a key takes it along to a caller who is asked by requests', async () => {
  const heard: Notification[] = []
  const { server } = createOne(async ({ roots }) => [await roots({ key: 'client_roots' }), await roots()])
  const ask = async (request: Notification) => {
    heard.push(request)
    return { roots: [] }
  }
  await server.endpoint.handle(recordCall('tools/call', { name: 't' }, { capabilities: ALL, ask }).call)
  expect(heard).toEqual([
    { method: 'roots/list', params: { _meta: { 'crosspoint/questionKey': 'client_roots' } } },
    { method: 'roots/list', params: {} },
  ])
})

describe('trap-39: a handler that asks a model with tools', () => {
  const text = { type: 'text', text: 'Hi' }
  const use = { type: 'tool_use', id: '1', name: 'add', input: {} }
  const result = { type: 'tool_result', toolUseId: '1', content: [] }

  it.each([
    [
      'results beside text',
      [
        { role: 'assistant', content: use },
        { role: 'user', content: [result, text] },
      ],
    ],
    ['a use without a result', [{ role: 'assistant', content: [use] }]],
    ['a result of nothing', [{ role: 'user', content: [result] }]],
  ])('sends nothing with %s', async (_, messages) => {
    let thrown: unknown
    const { call } = createOne(async ({ sample }) => {
      thrown = await sample({ messages: messages as never, maxTokens: 5 }).catch((error: unknown) => error)
    })
    expect((await call()).resultType).not.toBe('input_required')
    expect(thrown).toMatchObject({ name: 'TypeError', message: expect.stringContaining('Cannot ask for a message') })
  })

  it('sends what is in order', async () => {
    const messages = [
      { role: 'assistant', content: [use] },
      { role: 'user', content: [result] },
    ]
    const { call } = createOne(({ sample }) => sample({ messages: messages as never, maxTokens: 5 }))
    expect(Object.values(questionsOf(await call()))).toMatchObject([{ params: { messages } }])
  })
})

describe('trap-39: what a model is shown of servers', () => {
  const params = { messages: [], maxTokens: 5, includeContext: 'thisServer' } as const

  it.each([
    ['is asked of a client that declared it', { sampling: { context: {} } }, params],
    ['is left out for one that did not', { sampling: {} }, { messages: [], maxTokens: 5 }],
  ])('%s', async (_, capabilities, sent) => {
    const { call } = createOne(({ sample }) => sample(params))
    const [question] = Object.values(questionsOf(await call({ capabilities })))
    expect(question?.params).toEqual(sent)
  })

  it('may be nothing, for any client', async () => {
    const { call } = createOne(({ sample }) => sample({ ...params, includeContext: 'none' }))
    const [question] = Object.values(questionsOf(await call({ capabilities: { sampling: {} } })))
    expect(question?.params).toMatchObject({ includeContext: 'none' })
  })
})

describe('a handler that asks', () => {
  it('is run again from the top with each answer, in order, until it is done', async () => {
    const runs: string[] = []
    const { finish } = createOne(async ({ elicit, sample, roots }) => {
      runs.push('begins')
      const { name } = await elicit('Who?', z.object({ name: z.string() }))
      const { model } = await sample({ messages: [], maxTokens: 5 })
      const [root] = await roots()
      runs.push('ends')
      return `${name} ${model} ${root?.uri}`
    })
    const asked: string[] = []
    const result = await finish((at, { method }) => {
      asked.push(`${at} ${method}`)
      if (method === 'roots/list') return { roots: [{ uri: 'file:///a' }] }
      if (method === 'sampling/createMessage')
        return { role: 'assistant', model: 'm', content: { type: 'text', text: '' } }
      return { action: 'accept', content: { name: 'Ada' } }
    })
    expect(textOf(result)).toBe('Ada m file:///a')
    expect(asked).toEqual(['ask-1 elicitation/create', 'ask-2 sampling/createMessage', 'ask-3 roots/list'])
    expect(runs).toEqual(['begins', 'begins', 'begins', 'begins', 'ends'])
  })

  it('asks what it asks at once in one result, and goes on with what was answered of it', async () => {
    const { call } = createOne(async ({ elicit }) => {
      const both = await Promise.all([elicit('A?', NAME, { key: 'a' }), elicit('B?', NAME, { key: 'b' })])
      const last = await elicit('C?', NAME)
      return [...both, last].map(({ name }) => name).join()
    })
    const first = await call()
    expect(Object.keys(questionsOf(first))).toEqual(['a', 'b'])
    const second = await call({
      params: { inputResponses: { b: accept({ name: 'B' })() }, requestState: first.requestState },
    })
    expect(Object.keys(questionsOf(second))).toEqual(['a'])
    const third = await call({ params: toRetry(second, accept({ name: 'A' })) })
    expect(Object.keys(questionsOf(third))).toEqual(['ask-1'])
    expect(textOf(await call({ params: toRetry(third, accept({ name: 'C' })) }))).toBe('A,B,C')
  })

  it('runs its finally blocks at every question, and what it makes of the interruption changes nothing', async () => {
    let ended = 0
    const { finish } = createOne(async ({ elicit }) => {
      try {
        return await elicit('Who?', NAME).then(
          ({ name }) => name,
          () => 'swallowed',
        )
      } finally {
        ended++
      }
    })
    expect(textOf(await finish(accept({ name: 'Ada' })))).toBe('Ada')
    expect(ended).toBe(2)
  })

  it('may end without waiting for what it asked', async () => {
    const { call } = createOne(({ elicit }) => {
      void elicit('Who?', NAME)
      return 'done'
    })
    expect(textOf(await call())).toBe('done')
    await new Promise(setImmediate)
  })

  it('does once what is in `once`, and has its result in every run', async () => {
    const done: string[] = []
    const { finish } = createOne(async ({ elicit, once }) => {
      const id = await once('order', () => {
        done.push('order')
        return `order-${done.length}`
      })
      await once('nothing', () => {
        done.push('nothing')
      })
      await elicit(`Pay ${id}?`, NAME)
      return id
    })
    expect(textOf(await finish(accept({ name: 'x' })))).toBe('order-1')
    expect(done).toEqual(['order', 'nothing'])
  })

  it('waits for what `once` is doing before it lets go of the run', async () => {
    const working = createDeferred<string>()
    let times = 0
    const { call } = createOne(async ({ elicit, once }) => {
      const [made] = await Promise.all([
        once('slow', () => {
          times++
          return working.promise
        }),
        elicit('Who?', NAME),
      ])
      return made
    })
    const first = call()
    await new Promise(setImmediate)
    working.resolve('made')
    expect(textOf(await call({ params: toRetry(await first, accept({ name: 'x' })) }))).toBe('made')
    expect(times).toBe(1)
  })

  it('that asks something else than before is told to use `once`', async () => {
    let runs = 0
    const { call, logged } = createOne(async ({ elicit }) => {
      await elicit(`Question ${++runs}?`, NAME)
      return 'never'
    })
    const first = await call()
    await expect(call({ params: toRetry(first, accept({ name: 'x' })) })).rejects.toMatchObject({
      code: 'internal.error',
      message: expect.stringContaining('ctx.once'),
    })
    expect(logged).toEqual([])
  })

  it('cannot ask two things by one name, nor what no form can ask', async () => {
    const { call, logged } = createOne(async ({ elicit }) => {
      await Promise.all([elicit('A?', NAME, { key: 'a' }), elicit('B?', NAME, { key: 'a' })])
    })
    expect(await call()).toMatchObject({ isError: true })
    expect(logged).toHaveLength(1)
    const deep = { type: 'object', properties: { list: { type: 'object' } } }
    const other = createOne(({ elicit }) => elicit('A?', deep))
    expect(await other.call()).toMatchObject({ isError: true })
    expect(other.logged[0]?.error).toMatchObject({ message: expect.stringContaining('"list"') })
  })

  it('comes to an end, however often it asks', async () => {
    const { finish } = createOne(async ({ elicit }) => {
      for (let at = 0; ; at++) await elicit(`${at}?`, NAME)
    })
    await expect(finish(accept({ name: 'x' }))).rejects.toMatchObject({ code: 'internal.error' })
  })

  it('fails where its state would become too large', async () => {
    const { call } = createOne(
      async ({ elicit, once }) => {
        await once('much', () => 'x'.repeat(2_000))
        await elicit('Who?', NAME)
      },
      { maxStateBytes: 1_000 },
    )
    await expect(call()).rejects.toMatchObject({ code: 'internal.error', message: expect.stringContaining('1000') })
  })

  it('hears that somebody said no: as an error it need not catch, or as an answer', async () => {
    const { call } = createOne(({ elicit }) => elicit('Delete it all?', NAME))
    const result = await call({ params: toRetry(await call(), () => ({ action: 'decline' })) })
    expect(result).toEqual({
      content: [{ type: 'text', text: 'The user declined when asked: Delete it all?' }],
      isError: true,
    })
    const catching = createOne(({ elicit }) =>
      elicit('Sure?', NAME).catch((error: unknown) => (error instanceof Declined ? error.action : 'other')),
    )
    expect(textOf(await catching.finish(() => ({ action: 'cancel' })))).toBe('cancel')
    const trying = createOne(async ({ tryElicit }) => (await tryElicit('Sure?', NAME)).action)
    expect(textOf(await trying.finish(() => ({ action: 'decline', content: { name: 1 } })))).toBe('decline')
  })

  it('asks for a page to be visited', async () => {
    const { call, finish } = createOne(async ({ elicitUrl }) => {
      const page = await elicitUrl('https://example.com/connect', 'Sign in')
      page.complete()
      return String(page.elicitationId)
    })
    expect(questionsOf(await call())['ask-1']).toEqual({
      method: 'elicitation/create',
      params: { mode: 'url', message: 'Sign in', url: 'https://example.com/connect' },
    })
    expect(textOf(await finish(() => ({ action: 'accept' })))).toBe('undefined')
    const wrong = createOne(({ elicitUrl }) => elicitUrl('javascript:alert(1)', 'Go'))
    expect(await wrong.call()).toMatchObject({ isError: true })
  })

  it('trap-15: asks only what this request declared', async () => {
    const { call } = createOne(({ elicit }) => elicit('Who?', NAME))
    await expect(call({ capabilities: {} })).rejects.toMatchObject({
      code: 'caller.missing_capability',
      data: { requiredCapabilities: { elicitation: { form: {} } } },
    })
    const own = createOne(() => ({ resultType: 'input_required', inputRequests: { r: { method: 'roots/list' } } }))
    await expect(own.call({ capabilities: {} })).rejects.toMatchObject({
      code: 'caller.missing_capability',
      data: { requiredCapabilities: { roots: {} } },
    })
  })

  it('trap-17: a prompt and a resource ask the same way, and what a retry reads is not cached', async () => {
    const { server } = createOne(() => '')
    server.prompt('p', {}, async (_values, { elicit }) => `About ${(await elicit('What?', NAME)).name}`)
    server.resource('app://r', { name: 'r' }, async (_uri, { elicit }) => {
      const text = String((await elicit('What?', NAME)).name)
      return { contents: [{ uri: 'app://r', text }], ttlMs: 60_000, cacheScope: 'public' }
    })
    for (const [method, params] of [
      ['prompts/get', { name: 'p' }],
      ['resources/read', { uri: 'app://r' }],
    ] as const) {
      const ask = (more: JsonObject = {}) =>
        server.endpoint.handle(recordCall(method, { ...params, ...more }, { capabilities: ALL }).call)
      const result = await ask(toRetry(await ask(), accept({ name: 'x' })))
      if (method === 'prompts/get') expect(result).toMatchObject({ messages: [{ content: { text: 'About x' } }] })
      else expect(result).toMatchObject({ contents: [{ text: 'x' }], ttlMs: 0, cacheScope: 'private' })
    }
  })
})

describe('answers', () => {
  const who: Handler = async ({ elicit }) => (await elicit('Who?', NAME, { key: 'who' })).name

  it('trap-16: that are missing are asked for again, and others are ignored', async () => {
    const { call } = createOne(who)
    const first = await call()
    const again = await call({ params: { inputResponses: { other: 1 }, requestState: first.requestState } })
    expect(Object.keys(questionsOf(again))).toEqual(['who'])
    const more = { inputResponses: { who: accept({ name: 'Ada' })(), other: {} }, requestState: again.requestState }
    expect(textOf(await call({ params: more }))).toBe('Ada')
  })

  it('to a question with a name count without a state', async () => {
    const { call } = createOne(who)
    expect(textOf(await call({ params: { inputResponses: { who: accept({ name: 'Ada' })() } } }))).toBe('Ada')
    const unnamed = createOne(({ elicit }) => elicit('Who?', NAME))
    const result = await unnamed.call({ params: { inputResponses: { 'ask-1': accept({ name: 'Ada' })() } } })
    expect(result.resultType).toBe('input_required')
  })

  it.each([
    ['no object', { who: 1 }],
    ['without an action', { who: {} }],
    ['with content of a wrong type', { who: { action: 'accept', content: { name: 5 } } }],
    ['without what is required', { who: { action: 'accept' } }],
    ['content that is none', { who: { action: 'accept', content: [] } }],
    ['all of them no object', null],
    ['all of them a list', []],
  ])('%s are the fault of the caller, whatever the handler makes of it', async (_title, inputResponses) => {
    const { call } = createOne(({ elicit }) => elicit('Who?', NAME, { key: 'who' }).catch(() => 'swallowed'))
    const { requestState } = await call()
    await expect(call({ params: { inputResponses, requestState } })).rejects.toMatchObject({
      code: 'caller.invalid_params',
    })
  })

  it('keep no members that are no fields', async () => {
    const { finish } = createOne(({ elicit }) => elicit('Who?', NAME))
    const content = JSON.parse('{"name":"Ada","__proto__":{"x":1},"more":2}') as JsonObject
    expect((await finish(accept(content))).structuredContent).toEqual({ name: 'Ada' })
  })
})

describe('a state', () => {
  const twice: Handler = async ({ elicit }) => {
    const { name } = await elicit('Who?', NAME)
    const other = await elicit('And?', NAME)
    return `${name} ${other.name}`
  }
  const invalid = { code: 'caller.invalid_params' }

  it('says nothing of what it holds', async () => {
    const { call } = createOne(twice)
    const second = await call({ params: toRetry(await call(), accept({ name: 'secret-name' })) })
    const state = String(second.requestState)
    expect(state).not.toContain('secret-name')
    expect(
      atob(
        state
          .slice(state.indexOf('.') + 1)
          .replaceAll('-', '+')
          .replaceAll('_', '/'),
      ),
    ).not.toContain('secret')
  })

  it('trap-14, abuse-24: changed anywhere is refused', async () => {
    const { call } = createOne(twice)
    const first = await call()
    const state = String(first.requestState)
    for (const at of [0, 5, 8, 12, 20, 40, state.length - 8]) {
      const params = { ...toRetry(first, accept({ name: 'x' })), requestState: changed(state, at) }
      await expect(call({ params })).rejects.toMatchObject(invalid)
    }
    for (const requestState of [
      `${state}x`,
      state.slice(0, 30),
      'run:',
      '',
      5,
      null,
      'run:xs1.',
      `own${state.slice(3)}`,
    ]) {
      await expect(call({ params: { ...toRetry(first, accept({ name: 'x' })), requestState } })).rejects.toMatchObject(
        invalid,
      )
    }
  })

  it('trap-14, abuse-24: of another principal is refused', async () => {
    const { call } = createOne(twice)
    const params = toRetry(await call(), accept({ name: 'x' }))
    for (const principal of [
      { ...ada, id: 'eve' },
      { ...ada, tenant: 'other' },
    ]) {
      await expect(call({ params, principal })).rejects.toMatchObject(invalid)
    }
    expect((await call({ params })).resultType).toBe('input_required')
  })

  it('trap-14, abuse-24: for another method or other parameters is refused', async () => {
    const { server, call } = createOne(twice)
    server.tool('other', { input: { type: 'object' } }, (_args, context) => twice(context) as object)
    server.prompt('t', {}, async (_values, { elicit }) => String((await elicit('Who?', NAME)).name))
    const params = toRetry(await call(), accept({ name: 'x' }))
    await expect(call({ params: { ...params, arguments: { more: 1 } } })).rejects.toMatchObject(invalid)
    await expect(call({ params: { ...params, name: 'other' } })).rejects.toMatchObject(invalid)
    const prompt = recordCall('prompts/get', { name: 't', ...params }, { capabilities: ALL, principal: ada })
    await expect(server.endpoint.handle(prompt.call)).rejects.toMatchObject(invalid)
  })

  it('trap-14: is refused once it has expired', async () => {
    const clock = createFakeClock()
    const { call } = createOne(twice, { stateTtlMs: 60_000, clock })
    const params = toRetry(await call(), accept({ name: 'x' }))
    clock.advance(59_999)
    expect((await call({ params })).resultType).toBe('input_required')
    clock.advance(1)
    await expect(call({ params })).rejects.toMatchObject(invalid)
  })

  it('opens with any of the keys of its server, and with those of no other server', async () => {
    const other = 'o'.repeat(32)
    const before = createOne(twice, { stateKey: key })
    const params = toRetry(await before.call(), accept({ name: 'x' }))
    expect((await createOne(twice, { stateKey: [other, key] }).call({ params })).resultType).toBe('input_required')
    for (const options of [{ stateKey: other }, {}, { stateKey: key, name: 'another' }]) {
      await expect(createOne(twice, options).call({ params })).rejects.toMatchObject(invalid)
    }
  })

  it('needs a key of 32 bytes', () => {
    for (const stateKey of ['short', new Uint8Array(31), [], [key, 'short']]) {
      expect(() => createOne(twice, { stateKey })).toThrow('32 bytes')
    }
    createOne(twice, { stateKey: new Uint8Array(32) })
  })

  it('of a handler of its own is as safe as ours, and neither is taken for the other', async () => {
    const own: Handler = async ({ inputResponses, openState, requestState, sealState }) => {
      const state = await openState()
      if (state !== undefined) return JSON.stringify({ state, inputResponses, isShown: requestState !== undefined })
      return {
        resultType: 'input_required',
        inputRequests: { r: { method: 'roots/list', params: {} } },
        requestState: await sealState({ step: 1 }),
      }
    }
    const { call } = createOne(own, { stateKey: key })
    const params = toRetry(await call(), () => ({ roots: [] }))
    expect(JSON.parse(textOf(await call({ params })))).toEqual({
      state: { step: 1 },
      inputResponses: { r: { roots: [] } },
      isShown: true,
    })
    const requestState = changed(String(params.requestState), 60)
    await expect(call({ params: { ...params, requestState } })).rejects.toMatchObject(invalid)
    await expect(call({ params, principal: { ...ada, id: 'eve' } })).rejects.toMatchObject(invalid)
    const awaiting = createOne(twice, { stateKey: key })
    await expect(awaiting.call({ params })).rejects.toMatchObject(invalid)
    const ours = toRetry(await awaiting.call(), accept({ name: 'x' }))
    await expect(call({ params: ours })).rejects.toMatchObject(invalid)
  })
})

describe('handles', () => {
  it('open for who got them, for what they are for, until they expire', async () => {
    const clock = createFakeClock()
    let work: (handles: Context['handles']) => Promise<unknown> = async () => ''
    const { call } = createOne(({ handles }) => work(handles), { clock })
    work = (handles) => handles.seal({ cart: 7 }, { kind: 'cart', ttlMs: 1_000 })
    const handle = textOf(await call())
    work = (handles) => handles.open(handle, { kind: 'cart' })
    expect((await call()).structuredContent).toEqual({ cart: 7 })
    await expect(call({ principal: { ...ada, id: 'eve' } })).rejects.toMatchObject({ code: 'caller.invalid_params' })
    clock.advance(999)
    expect((await call()).structuredContent).toEqual({ cart: 7 })
    clock.advance(1)
    await expect(call()).rejects.toMatchObject({ code: 'caller.invalid_params' })
    work = (handles) => handles.open(handle)
    await expect(call()).rejects.toMatchObject({ code: 'caller.invalid_params' })
    work = (handles) => handles.open('nonsense')
    await expect(call()).rejects.toMatchObject({ code: 'caller.invalid_params' })
  })
})

describe('a page that has to be visited first', () => {
  const pages = [{ url: 'https://example.com/connect', message: 'Sign in', elicitationId: 'e-1' }]

  it('is asked for by result, again as long as it is needed', async () => {
    let visited = 0
    const { finish } = createOne(() => {
      if (visited < 2) throw new UrlElicitationRequired(pages)
      return 'in'
    })
    const asked: unknown[] = []
    const result = await finish((_key, request) => {
      asked.push(request)
      visited++
      return { action: 'accept' }
    })
    expect(textOf(result)).toBe('in')
    const { elicitationId: _, ...page } = pages[0] ?? {}
    expect(asked).toEqual(Array(2).fill({ method: 'elicitation/create', params: { mode: 'url', ...page } }))
  })

  it('that the user will not visit fails the tool', async () => {
    const { finish } = createOne(() => {
      throw new UrlElicitationRequired(pages)
    })
    expect(await finish(() => ({ action: 'decline' }))).toMatchObject({ isError: true })
  })

  it('trap-15: needs a client that opens pages', async () => {
    const { call, server } = createOne(() => {
      throw new UrlElicitationRequired(pages)
    })
    await expect(call({ capabilities: { elicitation: {} } })).rejects.toMatchObject({
      code: 'caller.missing_capability',
      data: { requiredCapabilities: { elicitation: { url: {} } } },
    })
    const ask = () => Promise.reject(new Error('Nobody is asked'))
    const live = (capabilities: JsonObject) =>
      server.endpoint.handle(recordCall('tools/call', { name: 't' }, { ask, capabilities }).call)
    await expect(live(ALL)).rejects.toMatchObject({
      code: 'caller.page_required',
      data: { elicitations: [{ mode: 'url', ...pages[0] }] },
    })
    await expect(live({ elicitation: {} })).rejects.toMatchObject({ code: 'caller.missing_capability' })
  })
})

describe('a caller that can be asked while its call is open', () => {
  it('is asked then, and the handler runs once', async () => {
    let runs = 0
    const { server } = createOne(async ({ elicit, elicitUrl, once }) => {
      runs++
      const { name } = await elicit('Who?', NAME)
      const { elicitationId, complete } = await elicitUrl('https://example.com', 'Go')
      complete()
      return { name, elicitationId, once: await once('x', () => 1) }
    })
    const ask = async ({ params }: Notification): Promise<Result> =>
      params.mode === 'url' ? { action: 'accept' } : { action: 'accept', content: { name: 'Ada' } }
    const { call, heard } = recordCall('tools/call', { name: 't' }, { ask, capabilities: ALL })
    const { structuredContent } = (await server.endpoint.handle(call)) as { structuredContent: JsonObject }
    expect(structuredContent).toEqual({ name: 'Ada', elicitationId: expect.any(String), once: 1 })
    expect(heard).toEqual([
      {
        method: 'notifications/elicitation/complete',
        params: { elicitationId: structuredContent.elicitationId },
      },
    ])
    expect(runs).toBe(1)
  })

  it('and gives no answer fails a tool with a text, and a prompt with an error', async () => {
    const { server } = createOne(({ elicit }) => elicit('Who?', NAME))
    server.prompt('p', {}, async (_values, { elicit }) => String(await elicit('Who?', NAME)))
    const ask = () => Promise.reject(new McpError('caller.unanswered', 'User rejected'))
    const handle = (method: string, params: JsonObject) =>
      server.endpoint.handle(recordCall(method, params, { ask, capabilities: ALL }).call)
    expect(await handle('tools/call', { name: 't' })).toMatchObject({
      content: [{ text: 'User rejected' }],
      isError: true,
    })
    await expect(handle('prompts/get', { name: 'p' })).rejects.toMatchObject({ code: 'caller.unanswered' })
  })
})

describe('a question by a form that no form can be', () => {
  const NESTED = z.object({ name: z.string(), address: z.object({ city: z.string() }) })
  const TOLD = 'Cannot ask the user: the question does not fit a form; the log of the server says why'

  it('names the field where it is asked, and says what would do', async () => {
    let thrown: unknown
    const { call } = createOne(async ({ elicit }) => {
      thrown = await elicit('Where?', NESTED).catch((error: unknown) => error)
      return 'went on'
    })
    expect(textOf(await call())).toBe('went on')
    expect(thrown).toBeInstanceOf(UnsuitedForm)
    expect(thrown).toMatchObject({
      message:
        'Cannot ask for "address", of type "object": a form has text, numbers, true or false, choices and lists of ' +
        'choices. It is flat: ask for the parts of an object as fields of their own',
    })
  })

  it('is told to the caller without its insides, and to the log with them', async () => {
    const { call, logged } = createOne(({ elicit }) => elicit('Where?', NESTED))
    expect(await call()).toEqual({ content: [{ type: 'text', text: TOLD }], isError: true })
    const error = expect.objectContaining({ message: expect.stringContaining('"address"') })
    expect(logged).toEqual([{ level: 'error', event: 'form_unsuited', method: 'tools/call', error }])
  })

  it('is told so in resources and prompts too', async () => {
    const { server } = createOne(() => 'x')
    server.resource('x:1', { name: 'r' }, (_uri, { elicit }) => elicit('Where?', NESTED) as never)
    server.prompt('p', {}, (_args, { elicit }) => elicit('Where?', NESTED) as never)
    const ask = (method: string, params: JsonObject) =>
      server.endpoint.handle(recordCall(method, params, { capabilities: ALL }).call)
    await expect(ask('resources/read', { uri: 'x:1' })).rejects.toMatchObject({ message: `Cannot read "x:1": ${TOLD}` })
    await expect(ask('prompts/get', { name: 'p' })).rejects.toMatchObject({
      message: `Cannot make the prompt "p": ${TOLD}`,
    })
  })
})

describe('a handler that asks by what it returns', () => {
  const asking = (members: object) => ({ resultType: 'input_required', ...members })
  const questions = (inputRequests: unknown) => asking({ inputRequests })
  const form = (requestedSchema: unknown) =>
    questions({ a: { method: 'elicitation/create', params: { message: 'm', requestedSchema } } })
  const about = (fault: string) => `Cannot ask by a result with the resultType "input_required": ${fault}`

  it.each<[unknown, string]>([
    [questions(null), about('its inputRequests are null, and must be an object')],
    [questions([]), about('its inputRequests are a list, and must be an object')],
    [questions({ a: null }), about('inputRequests["a"] is null, and must be a question such as')],
    [questions({ a: 'x' }), about('inputRequests["a"] is "x", and must be a question such as')],
    [questions({ a: {} }), about('inputRequests["a"].method is missing, and must be "elicitation/create",')],
    [questions({ a: { method: 'ping', params: {} } }), about('inputRequests["a"].method is "ping", and must be')],
    [questions({ a: { method: 'roots/list', params: [] } }), about('inputRequests["a"].params is a list, and must be')],
    [form(undefined), about('inputRequests["a"].params.requestedSchema is missing, and must be a form')],
    [
      questions({ a: { method: 'elicitation/create', params: { mode: 'url', message: 'm', url: 'javascript:1' } } }),
      'Cannot ask a user to open this URL',
    ],
    [asking({ requestState: { step: 1 } }), about('its requestState is of the type Object, and must be text')],
    [asking({}), about('it has neither inputRequests nor a requestState')],
  ])('is told what is wrong with %j, and its caller that it failed', async (output, fault) => {
    const { server, call, logged } = createOne(() => output)
    expect(await call()).toEqual({ content: [{ type: 'text', text: 'The tool "t" failed' }], isError: true })
    expect(logged).toMatchObject([{ event: 'tool_failed', error: { message: expect.stringContaining(fault) } }])
    server.method('acme/ask', {}, () => output as object)
    const own = server.endpoint.handle(recordCall('acme/ask', {}, { capabilities: ALL }).call)
    await expect(own).rejects.toThrow(fault)
  })

  it.each([false, true])('cannot ask by a form that is none (parked: %s)', async (parked) => {
    const { server, logged } = createOne(() => '')
    const nested = form({ type: 'object', properties: { address: { type: 'object' } } })
    server.tool('own', { parked }, () => nested)
    const own = server.endpoint.handle(recordCall('tools/call', { name: 'own' }, { capabilities: ALL }).call)
    expect(textOf(await own)).toBe(
      'Cannot ask the user: the question does not fit a form; the log of the server says why',
    )
    const error = expect.objectContaining({ message: expect.stringContaining('Cannot ask for "address"') })
    expect(logged).toEqual([{ level: 'error', event: 'form_unsuited', method: 'tools/call', error }])
  })

  it('trap-15: asks only what this request declared, where it is parked too', async () => {
    const { server } = createOne(() => '')
    server.tool('own', { parked: true }, () => questions({ a: { method: 'roots/list' } }))
    const own = (capabilities: JsonObject) =>
      server.endpoint.handle(recordCall('tools/call', { name: 'own' }, { capabilities }).call)
    await expect(own({})).rejects.toMatchObject({ code: 'caller.missing_capability' })
    expect(await own(ALL)).toMatchObject({ resultType: 'input_required' })
  })

  it('may ask by a form, for a page, and by a state alone', async () => {
    for (const output of [
      form(NAME),
      asking({ requestState: 's' }),
      asking({ requestState: 's', inputRequests: {} }),
    ]) {
      expect(await createOne(() => output).call()).toEqual(output)
    }
  })
})

describe('a parked handler', () => {
  function createParked(handler: Handler, options: Partial<ServerOptions> = {}) {
    const clock = createFakeClock()
    const server = createServer({ name: 's', version: '1', clock, ...options })
    server.tool('t', { input: { type: 'object' }, parked: true }, (_args, context) => handler(context) as object)
    server.tool('other', {}, (_args, { elicit }) => elicit('Who?', NAME))
    const call = (params: JsonObject = {}, principal = ada, capabilities: JsonObject = ALL) => {
      const recorded = recordCall('tools/call', { name: 't', ...params }, { principal, capabilities })
      return Object.assign(server.endpoint.handle(recorded.call), { recorded })
    }
    return { server, clock, call }
  }

  it('keeps its place, and speaks to who came last', async () => {
    const runs: string[] = []
    const { call, clock } = createParked(async ({ elicit, progress }) => {
      runs.push('begins')
      const { name } = await elicit('Who?', NAME)
      progress(1)
      const [a, b] = await Promise.all([elicit('A?', NAME, { key: 'a' }), elicit('B?', NAME, { key: 'b' })])
      return [name, a.name, b.name].join()
    })
    const second = call(toRetry(await call(), accept({ name: 'Ada' })))
    const asked = await second
    expect(Object.keys(questionsOf(asked))).toEqual(['a', 'b'])
    expect(second.recorded.heard).toMatchObject([{ params: { progress: 1 } }])
    const rest = await call({ inputResponses: { b: accept({ name: 'b' })() }, requestState: asked.requestState })
    expect(Object.keys(questionsOf(rest))).toEqual(['a'])
    expect(textOf(await call(toRetry(rest, accept({ name: 'a' }))))).toBe('Ada,a,b')
    expect(runs).toEqual(['begins'])
    clock.advance(600_000)
    expect(clock.pending).toBe(0)
  })

  it('has one outcome for a round that is asked for twice, at once or later', async () => {
    let runs = 0
    const { call } = createParked(async ({ elicit }) => {
      const { name } = await elicit('Who?', NAME)
      return `${name} ${++runs}`
    })
    const params = toRetry(await call(), accept({ name: 'Ada' }))
    const [one, two] = await Promise.all([call(params), call(params)])
    expect([textOf(one), textOf(two), textOf(await call(params))]).toEqual(['Ada 1', 'Ada 1', 'Ada 1'])
  })

  it('still waits after an answer that cannot be read', async () => {
    const { call } = createParked(async ({ elicit }) => (await elicit('Who?', NAME)).name)
    const first = await call()
    await expect(call(toRetry(first, () => 5))).rejects.toMatchObject({ code: 'caller.invalid_params' })
    expect(textOf(await call(toRetry(first, accept({ name: 'Ada' }))))).toBe('Ada')
  })

  it('still waits when the request with such an answer is over, as it is once it was refused', async () => {
    const { call } = createParked(async ({ elicit, signal }) => {
      const { name } = await elicit('Who?', NAME)
      return `${name} ${signal.aborted}`
    })
    const first = await call()
    const refused = call(toRetry(first, accept({ name: 5 })))
    await expect(refused).rejects.toMatchObject({ code: 'caller.invalid_params' })
    refused.recorded.abort()
    expect(textOf(await call(toRetry(first, accept({ name: 'Ada' }))))).toBe('Ada false')
  })

  it('over HTTP too: the right answer counts, after a wrong one and beside it', async () => {
    const server = createServer({ name: 's', version: '1' })
    server.tool('t', { parked: true }, async (_args, { elicit }) => (await elicit('Who?', NAME)).name as string)
    const serving = await serve(server, { port: 0 })
    onTestFinished(() => serving.close())
    const meta = { 'io.modelcontextprotocol/clientCapabilities': ALL }
    const send = async (params: JsonObject = {}) => {
      const { messages } = await sendEnveloped(serving.url ?? '', 'tools/call', { name: 't', ...params }, { meta })
      return messages[0]
    }
    const { result: first } = await send()
    expect(await send(toRetry(first, accept({ name: 5 })))).toMatchObject({ error: { code: -32602 } })
    const [wrong, right] = await Promise.all([
      send(toRetry(first, accept({ name: 5 }))),
      send(toRetry(first, accept({ name: 'Ada' }))),
    ])
    expect(wrong).toMatchObject({ error: { code: -32602 } })
    expect(right).toMatchObject({ result: { content: [{ text: 'Ada' }] } })
  })

  it('takes all answers of a request or none of them', async () => {
    const heard: unknown[] = []
    const { call } = createParked(async ({ elicit }) => {
      const hear = ({ name }: JsonObject) => heard.push(name)
      await Promise.all([elicit('A?', NAME, { key: 'a' }).then(hear), elicit('B?', NAME, { key: 'b' }).then(hear)])
      return heard.join()
    })
    const first = await call()
    const halfRight = toRetry(first, (at) => accept({ name: at === 'a' ? 'Ada' : 5 })())
    await expect(call(halfRight)).rejects.toMatchObject({ code: 'caller.invalid_params' })
    expect(heard).toEqual([])
    expect(textOf(await call(toRetry(first, (at) => accept({ name: at })())))).toBe('a,b')
  })

  it('abuse-14: answers that were refused hold no bytes of it', async () => {
    const { call } = createParked(
      async ({ elicit }) => `${(await elicit('A?', NAME)).name}${(await elicit('B?', NAME)).name}`,
      {
        maxParkedBytesPerPrincipal: 30_000,
      },
    )
    const first = await call()
    for (let tries = 0; tries < 4; tries++) {
      const large = toRetry(first, accept({ name: ['x'.repeat(10_000)] }))
      await expect(call(large)).rejects.toMatchObject({ code: 'caller.invalid_params' })
    }
    const second = await call(toRetry(first, accept({ name: 'a' })))
    expect(textOf(await call(toRetry(second, accept({ name: 'b' }))))).toBe('ab')
  })

  /** Works after its question, telling how far it is in every turn, until it is let go or has to end. */
  const untilLetGo =
    (letGo: { done: boolean }): Handler =>
    async ({ elicit, progress, signal }) => {
      const { name } = await elicit('Who?', NAME)
      for (let turn = 1; !letGo.done; turn++) {
        if (signal.aborted) throw new Error('Stopped')
        progress(turn)
        await new Promise(setImmediate)
      }
      return name
    }

  it('goes on, and speaks to who is left, when one of those who ask for a round hangs up', async () => {
    const letGo = { done: false }
    const { call } = createParked(untilLetGo(letGo))
    const params = toRetry(await call(), accept({ name: 'Ada' }))
    const join = async () => {
      const joined = call(params)
      await joined.recorded.untilHeard(1)
      return { joined }
    }
    const [{ joined: gone }, { joined: live }, { joined: late }] = [await join(), await join(), await join()]
    gone.recorded.abort()
    late.recorded.abort()
    await live.recorded.untilHeard(live.recorded.heard.length + 1)
    letGo.done = true
    expect(textOf(await live)).toBe('Ada')
  })

  it('ends when the last of those who ask for a round has hung up', async () => {
    const { call } = createParked(untilLetGo({ done: false }))
    const params = toRetry(await call(), accept({ name: 'Ada' }))
    const one = call(params)
    await one.recorded.untilHeard(1)
    const other = call(params)
    await other.recorded.untilHeard(1)
    one.recorded.abort()
    other.recorded.abort()
    for (const each of [one, other]) await expect(each).rejects.toMatchObject({ code: 'caller.cancelled' })
  })

  it('does not end when a caller gives up while its answers are read, nor after its round', async () => {
    const reading = createDeferred()
    const read = createDeferred<boolean>()
    const schema = z.object({ name: z.string() }).refine(() => {
      reading.resolve()
      return read.promise
    })
    const { call } = createParked(async ({ elicit }) => {
      const first = await elicit('Who?', schema, { jsonSchema: NAME })
      return `${first.name} ${(await elicit('And?', NAME)).name}`
    })
    const params = toRetry(await call(), accept({ name: 'Ada' }))
    const gone = call(params)
    await reading.promise
    gone.recorded.abort()
    read.resolve(true)
    await expect(gone).rejects.toMatchObject({ code: 'caller.cancelled' })
    const second = call(params)
    const asked = await second
    second.recorded.abort()
    expect(textOf(await call(toRetry(asked, accept({ name: 'Bea' }))))).toBe('Ada Bea')
  })

  it('ends with its signal when nobody comes back in time', async () => {
    const ended = createDeferred<unknown>()
    const { call, clock } = createParked(async ({ elicit, signal }) => {
      try {
        await elicit('Who?', NAME)
      } catch (error) {
        ended.resolve({ error, isAborted: signal.aborted })
        throw error
      }
    })
    const params = toRetry(await call(), accept({ name: 'Ada' }))
    clock.advance(600_000)
    expect(await ended.promise).toMatchObject({ error: { code: 'caller.unanswered' }, isAborted: true })
    await expect(call(params)).rejects.toMatchObject({ code: 'caller.invalid_params' })
    expect(clock.pending).toBe(0)
  })

  it('ends when the caller of the round under way gives up', async () => {
    const working = createDeferred()
    const { call } = createParked(async ({ elicit, signal }) => {
      await elicit('Who?', NAME)
      working.resolve()
      return new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('stopped'))))
    })
    const params = toRetry(await call(), accept({ name: 'Ada' }))
    const second = call(params)
    await working.promise
    second.recorded.abort()
    await expect(second).rejects.toMatchObject({ code: 'caller.cancelled' })
    await expect(call(params)).rejects.toMatchObject({ code: 'caller.cancelled' })
  })

  it('ends when the caller gave up before the round began', async () => {
    const { call } = createParked(({ elicit }) => elicit('Who?', NAME))
    const first = call()
    first.recorded.abort()
    await expect(first).rejects.toMatchObject({ code: 'caller.cancelled' })
  })

  it('abuse-24: goes on for nobody else, nor for another call', async () => {
    const { call } = createParked(({ elicit }) => elicit('Who?', NAME))
    const params = toRetry(await call(), accept({ name: 'x' }))
    await expect(call(params, { ...ada, id: 'eve' })).rejects.toMatchObject({ code: 'caller.invalid_params' })
    await expect(call({ ...params, name: 'other' })).rejects.toMatchObject({ code: 'caller.invalid_params' })
  })

  it('abuse-14: nobody may have more runs waiting than their share, and nobody else loses a run by it', async () => {
    const { call } = createParked(async ({ elicit }) => (await elicit('Who?', NAME)).name, {
      maxParked: 4,
      maxParkedPerPrincipal: 2,
    })
    const eve: Principal = { ...ada, id: 'eve' }
    const mine = await call()
    await call({}, eve)
    await call({}, eve)
    for (let tries = 0; tries < 5; tries++) {
      await expect(call({}, eve)).rejects.toMatchObject({
        code: 'policy.limit',
        message: 'Cannot keep a call waiting for answers: no more than 2 of this caller may wait at once',
      })
    }
    const mineToo = await call()
    await expect(call({}, { ...ada, id: 'third' })).rejects.toMatchObject({ code: 'policy.busy' })
    expect(textOf(await call(toRetry(mine, accept({ name: 'Ada' }))))).toBe('Ada')
    expect(textOf(await call(toRetry(mineToo, accept({ name: 'Bea' }))))).toBe('Bea')
  })

  it('abuse-14: counts the bytes a caller leaves waiting, and forgets them with the run', async () => {
    let begun = 0
    const { call, clock } = createParked(
      ({ elicit }) => {
        begun++
        return elicit('Who?', NAME)
      },
      { maxParkedBytesPerPrincipal: 50_000, maxParkedBytes: 70_000 },
    )
    const large = { arguments: { text: 'x'.repeat(20_000) } }
    await call(large)
    await expect(call(large)).rejects.toMatchObject({
      code: 'policy.limit',
      message: expect.stringContaining('50000 bytes'),
    })
    await expect(call(large, { ...ada, id: 'eve' })).rejects.toMatchObject({ code: 'policy.busy' })
    expect(begun).toBe(1)
    clock.advance(600_000)
    await call(large)
  })

  it('abuse-14: ends a run whose answers grow beyond the share, and says why', async () => {
    const ended = createDeferred<unknown>()
    const { call } = createParked(
      async ({ elicit }) => {
        try {
          for (;;) await elicit('More?', NAME)
        } catch (error) {
          ended.resolve(error)
          throw error
        }
      },
      { maxParkedBytesPerPrincipal: 30_000 },
    )
    let result = await call()
    const more = () => call(toRetry(result, accept({ name: 'x'.repeat(10_000) })))
    for (let round = 0; round < 2; round++) result = await more()
    await expect(more()).rejects.toMatchObject({ code: 'policy.limit' })
    expect(await ended.promise).toMatchObject({ code: 'policy.limit' })
    result = await call()
    expect(result.resultType).toBe('input_required')
  })

  it('abuse-14: of a run that is over only its outcomes count', async () => {
    const { call } = createParked(async ({ elicit }) => (await elicit('Who?', NAME)).name, {
      maxParkedBytesPerPrincipal: 50_000,
    })
    const large = { arguments: { text: 'x'.repeat(20_000) } }
    for (let run = 0; run < 5; run++) {
      const params = { ...large, ...toRetry(await call(large), accept({ name: 'Ada' })) }
      expect([textOf(await call(params)), textOf(await call(params))]).toEqual(['Ada', 'Ada'])
    }
  })

  it('an outcome that has no room reaches its caller, and is not remembered', async () => {
    const { call } = createParked(
      async ({ elicit }) => {
        await elicit('Who?', NAME)
        return 'x'.repeat(20_000)
      },
      { maxParkedBytesPerPrincipal: 10_000 },
    )
    const params = toRetry(await call(), accept({ name: 'Ada' }))
    expect(textOf(await call(params))).toHaveLength(20_000)
    await expect(call(params)).rejects.toMatchObject({ code: 'caller.invalid_params' })
  })

  it.each([{ maxParked: 0 }, { maxParkedPerPrincipal: 1.5 }, { maxParkedBytes: -1 }])(
    'is not made with %j',
    (options) => {
      expect(() => createParked(() => 'x', options)).toThrow('must be a positive integer')
    },
  )

  it('no more than the bound, and none after the server is closed', async () => {
    const { server, call, clock } = createParked(({ elicit }) => elicit('Who?', NAME), { maxParked: 1 })
    const first = await call()
    await expect(call()).rejects.toMatchObject({ code: 'policy.busy' })
    server.close()
    expect(clock.pending).toBe(0)
    await expect(call(toRetry(first, accept({ name: 'x' })))).rejects.toMatchObject({ code: 'caller.invalid_params' })
  })
})
