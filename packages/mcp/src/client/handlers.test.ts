import { createFakeClock } from '@crosspoint/testkit'
import { afterEach, describe, expect, it } from 'vitest'
import type { McpError } from '../errors.ts'
import type { JsonObject } from '../jsonrpc/frame.ts'
import type { Call, Notification, Result } from '../protocol/call.ts'
import type { ElicitResult } from '../protocol/features/asking.ts'
import { ENVELOPE_REVISIONS, HANDSHAKE_REVISIONS, REVISIONS } from '../revisions/index.ts'
import { createServer } from '../server/index.ts'
import { openHttpDoor } from '../transports/http/door.ts'
import { type Client, type ClientOptions, connect } from './client.ts'
import type { ConnectTarget } from './connect-target.ts'
import { createRawServer, toInitialized } from './fixtures/raw-server.ts'
import { type ElicitForm, refuseSampling } from './handlers.ts'

const cleanup: (() => unknown)[] = []
afterEach(async () => {
  for (const end of cleanup.splice(0).reverse()) await end()
})

/** A server whose every tool asks `question` and answers with the answer. */
function asking(question: Notification, seen: Call[] = []) {
  const handle = async (call: Call): Promise<Result> => {
    if (call.method === 'server/discover') return { supportedVersions: [], capabilities: { tools: {} } }
    seen.push(call)
    const told = (answer: unknown) => ({ content: [{ type: 'text', text: JSON.stringify(answer) }] })
    if (call.interim.canAsk) return told(await call.interim.ask(question))
    const { inputResponses } = call.params
    if (inputResponses === undefined) return { resultType: 'input_required', inputRequests: { it: question } }
    return told((inputResponses as JsonObject).it)
  }
  return { endpoint: { handle, serverInfo: { name: 'asking', version: '1' } } }
}

async function open(target: ConnectTarget, options: Partial<ClientOptions>): Promise<Client> {
  const client = await connect(target, { client: { name: 'test', version: '1' }, ...options })
  cleanup.push(() => client.close())
  return client
}

const failureOf = (promise: Promise<unknown>): Promise<McpError> =>
  promise.then(
    () => expect.fail('no error'),
    (e) => e,
  )

const ways: Record<string, (server: ReturnType<typeof asking>) => Promise<ConnectTarget> | ConnectTarget> = {
  memory: (server) => server,
  async HTTP(server) {
    const door = await openHttpDoor({ endpoint: () => server.endpoint })
    cleanup.push(() => door.close({ drainMs: 0 }))
    return `${door.url}/mcp`
  },
  async 'HTTP+SSE'(server) {
    const door = await openHttpDoor({ endpoint: () => undefined, sse: () => server.endpoint })
    cleanup.push(() => door.close({ drainMs: 0 }))
    return `${door.url}/sse`
  },
}

const FORM: Notification = {
  method: 'elicitation/create',
  params: {
    message: 'Who?',
    requestedSchema: {
      type: 'object',
      properties: {
        name: { type: 'string', default: 'John Doe' },
        kind: { type: 'boolean', default: true },
        age: { type: 'integer' },
      },
      required: ['age'],
    },
  },
}
const PAGE: Notification = {
  method: 'elicitation/create',
  params: { mode: 'url', message: 'Sign in', url: 'https://example.com/a?b=c#d', elicitationId: 'e1' },
}
const SAMPLE: Notification = {
  method: 'sampling/createMessage',
  params: { messages: [{ role: 'user', content: { type: 'text', text: 'Hi' } }], maxTokens: 5 },
}
const ROOTS: Notification = { method: 'roots/list', params: {} }

const answerOf = async (client: Client): Promise<JsonObject> => {
  const [block] = (await client.callTool('any')).content
  return JSON.parse(String(block?.text))
}

for (const [way, targetOf] of Object.entries(ways)) {
  // The oldest transport has no place for a revision without sessions.
  const spoken = REVISIONS.filter(({ traits }) => way !== 'HTTP+SSE' || traits.lifecycle === 'handshake')
  for (const { name: revision, methods, traits } of spoken) {
    const canAsk = traits.serverRequests
    const hasElicitation = methods.has('elicitation/create')
    describe(`over ${way} in ${revision}`, () => {
      if (hasElicitation)
        it('fills a form, with defaults for what was left out', async () => {
          const asked: unknown[] = []
          const client = await open(await targetOf(asking(FORM)), {
            revision,
            handlers: {
              elicit: ({ message, requestedSchema }, { server, signal }) => {
                asked.push([message, Object.keys(requestedSchema.properties), server?.name, signal.aborted])
                return { action: 'accept', content: { age: 7 } }
              },
            },
          })
          // Before 2025-11-25 only booleans had defaults.
          const withText = REVISIONS.findIndex(({ name }) => name === revision) <= 1
          expect(await answerOf(client)).toEqual({
            action: 'accept',
            content: { age: 7, kind: true, ...(withText && { name: 'John Doe' }) },
          })
          expect(asked).toEqual([['Who?', ['name', 'kind', 'age'], 'asking', false]])
        })

      if (hasElicitation)
        it('passes on that somebody declined, without contents', async () => {
          const handlers = { elicit: () => ({ action: 'decline' as const, content: { age: 7 } }) }
          const client = await open(await targetOf(asking(FORM)), { revision, handlers })
          expect(await answerOf(client)).toEqual({ action: 'decline' })
        })

      it('lends a model and says where it may work', async () => {
        const message = { role: 'assistant', content: { type: 'text', text: 'Yes' }, model: 'm' } as const
        const handlers = { sample: () => message, roots: [{ uri: 'file:///a' }] }
        const sampling = await open(await targetOf(asking(SAMPLE)), { revision, handlers })
        expect(await answerOf(sampling)).toEqual(message)
        const rooted = await open(await targetOf(asking(ROOTS)), { revision, handlers })
        expect(await answerOf(rooted)).toEqual({ roots: [{ uri: 'file:///a' }] })
      })

      it('cannot be asked what it has no handler for', async () => {
        const client = await open(await targetOf(asking(ROOTS)), { revision, handlers: { sample: refuseSampling } })
        const outcome = await client.callTool('any').catch((e) => e)
        // Our server tells older clients by a result, so that a model may read it.
        expect(outcome.isError ?? outcome.code).toEqual(canAsk ? true : 'caller.missing_capability')
      })
    })
  }
}

describe('what is declared', () => {
  it('follows from the handlers, and from nothing else', async () => {
    const seen: Call[] = []
    const answer = () => ({ action: 'cancel' as const })
    const capabilitiesWith = async (handlers: ClientOptions['handlers'], revision = REVISIONS[0]?.name) => {
      const client = await open(asking(ROOTS, seen), { ...(handlers && { handlers }), revision: String(revision) })
      await client.callTool('any').catch(() => {})
      return seen.at(-1)?.downstream.capabilities
    }
    expect(await capabilitiesWith(undefined)).toEqual({})
    expect(await capabilitiesWith({ elicit: answer })).toEqual({ elicitation: { form: {} } })
    expect(await capabilitiesWith({ elicitUrl: answer })).toEqual({ elicitation: { url: {} } })
    expect(await capabilitiesWith({ sample: refuseSampling })).toEqual({ sampling: {} })
    expect(await capabilitiesWith({ sample: { create: refuseSampling, tools: true } })).toEqual({
      sampling: { tools: {} },
    })
    expect(await capabilitiesWith({ roots: [] })).toEqual({ roots: {} })
  })
})

describe('trap-37: a mode that was not declared', () => {
  it('is refused without anybody being asked', async () => {
    const client = await open(asking(PAGE), { handlers: { elicit: () => expect.fail('asked') } })
    expect((await failureOf(client.callTool('any'))).message).toContain('declare')
  })
})

describe('trap-38: a page to open', () => {
  it('is shown whole and never fetched', async () => {
    let fetched = 0
    const { createServer } = await import('node:http')
    const site = createServer((_, response) => {
      fetched++
      response.end()
    }).listen(0, '127.0.0.1')
    cleanup.push(() => new Promise((resolve) => site.close(resolve)))
    await new Promise((resolve) => site.once('listening', resolve))
    const { port } = site.address() as { port: number }
    const url = `http://127.0.0.1:${port}/connect?who=me#here`
    const page = { ...PAGE, params: { ...PAGE.params, url } }
    for (const revision of REVISIONS.slice(0, 2)) {
      const shown: unknown[] = []
      const client = await open(asking(page), {
        revision: revision.name,
        handlers: {
          elicitUrl: (asked) => {
            shown.push(asked.url)
            return { action: 'accept', content: { leaked: true } }
          },
        },
      })
      expect(await answerOf(client)).toEqual({ action: 'accept' })
      expect(shown).toEqual([url])
    }
    expect(fetched).toBe(0)
  })

  it('has to be one of the web', async () => {
    for (const url of ['file:///etc/passwd', 'javascript:alert(1)', 'x', 7]) {
      const page = { ...PAGE, params: { ...PAGE.params, url } }
      const handlers = { elicitUrl: () => expect.fail('asked') }
      const client = await open(asking(page), { handlers })
      const failure = await failureOf(client.callTool('any'))
      expect(failure).toMatchObject({ code: 'upstream.protocol', message: expect.stringContaining('"url" is not') })
    }
  })
})

describe('trap-39: tools in sampling', () => {
  const text = { type: 'text', text: 'Hi' }
  const use = (id: string) => ({ type: 'tool_use', id, name: 'add', input: {} })
  const result = (toolUseId: string) => ({ type: 'tool_result', toolUseId, content: [] })
  const user = (...content: JsonObject[]) => ({ role: 'user', content })
  const model = (...content: JsonObject[]) => ({ role: 'assistant', content })
  const rows: [string, JsonObject, string | undefined][] = [
    ['a conversation with tools', { messages: [user(text), model(use('1')), user(result('1'))] }, undefined],
    [
      'two uses at once',
      { messages: [user(text), model(use('1'), use('2')), user(result('2'), result('1'))] },
      undefined,
    ],
    ['results beside text', { messages: [model(use('1')), user(result('1'), text)] }, 'something else besides'],
    ['a use nobody answered', { messages: [model(use('1'))] }, 'has no result'],
    [
      'a use passed over',
      { messages: [model(use('1'), use('2')), user(result('1'))] },
      'not those of the message before',
    ],
    ['a result of nothing', { messages: [user(result('1'))] }, 'not those of the message before'],
    ['no messages', { messages: 'Hi' }, 'not a list'],
  ]
  for (const [title, params, problem] of rows) {
    it(`${problem === undefined ? 'reads' : 'refuses'} ${title}`, async () => {
      const question = {
        method: 'sampling/createMessage',
        params: { maxTokens: 5, tools: [{ name: 'add' }], ...params },
      }
      const create = () => ({ role: 'assistant', content: text, model: 'm' }) as const
      const client = await open(asking(question), { handlers: { sample: { create, tools: true } } })
      const outcome = await client.callTool('any').catch((e) => e)
      if (problem === undefined) expect(outcome.content).toHaveLength(1)
      else expect(outcome).toMatchObject({ code: 'upstream.protocol', message: expect.stringContaining(problem) })
    })
  }

  it('refuses them where they were not declared', async () => {
    const question = { ...SAMPLE, params: { ...SAMPLE.params, tools: [{ name: 'add' }] } }
    const client = await open(asking(question), { handlers: { sample: () => expect.fail('asked') } })
    expect((await failureOf(client.callTool('any'))).message).toContain('declare')
  })
})

describe('a refusal', () => {
  it('of sampling reaches a server that asked by a request, with the code of the examples', async () => {
    const answers: unknown[] = []
    const { endpoint } = asking(SAMPLE)
    const handle = async (call: Call) =>
      endpoint.handle(call).catch((error: McpError) => {
        answers.push(error.data)
        throw error
      })
    const revision = String(HANDSHAKE_REVISIONS[0]?.name)
    const client = await open({ endpoint: { ...endpoint, handle } }, { revision, handlers: { sample: refuseSampling } })
    expect(await client.callTool('any')).toMatchObject({ isError: true })
    expect(answers).toEqual([{ code: -1, reason: 'The user rejected the sampling request' }])
  })

  it('of anything else but a form ends a call that asks by its result', async () => {
    const revision = String(ENVELOPE_REVISIONS[0]?.name)
    const refusing = await open(asking(SAMPLE), { revision, handlers: { sample: refuseSampling } })
    expect(await failureOf(refusing.callTool('any'))).toMatchObject({
      code: 'caller.unanswered',
      message: 'Cannot finish "tools/call": The user rejected the sampling request',
    })
    const failing = await open(asking(ROOTS), {
      revision,
      handlers: {
        roots: () => {
          throw new Error('no disk')
        },
      },
    })
    expect(await failureOf(failing.callTool('any'))).toMatchObject({
      code: 'internal.error',
      message: expect.stringContaining('no disk'),
    })
  })
})

describe('a form', () => {
  const fields = {
    name: { type: 'string', minLength: 2, maxLength: 3 },
    mail: { type: 'string', format: 'email' },
    site: { type: 'string', format: 'uri' },
    day: { type: 'string', format: 'date' },
    at: { type: 'string', format: 'date-time' },
    unit: { type: 'string', enum: ['C', 'F'] },
    titled: { type: 'string', oneOf: [{ const: 'a', title: 'A' }] },
    several: { type: 'array', items: { enum: ['x', 'y'] }, minItems: 1, maxItems: 2 },
    titledSeveral: { type: 'array', items: { anyOf: [{ const: 'x', title: 'X' }] } },
    age: { type: 'integer', minimum: 1, maximum: 9 },
    score: { type: 'number' },
    agreed: { type: 'boolean' },
    odd: { type: 'null' },
  }
  const question = {
    method: 'elicitation/create',
    params: { message: '?', requestedSchema: { type: 'object', properties: fields, required: ['agreed'] } },
  }
  const send = async (content: JsonObject) => {
    const client = await open(asking(question), { handlers: { elicit: () => ({ action: 'accept', content }) } })
    return client.callTool('any')
  }

  it('is sent when it fits', async () => {
    const content = {
      name: '😀é',
      mail: 'a@b.c',
      site: 'x:y',
      day: '2026-01-31',
      at: '2026-01-31T00:00:00Z',
      unit: 'C',
      titled: 'a',
      several: ['x', 'y'],
      titledSeveral: ['x'],
      age: 9,
      score: 0.5,
      agreed: false,
      odd: null,
    }
    expect(await send(content)).toMatchObject({ content: [{ text: JSON.stringify({ action: 'accept', content }) }] })
  })

  const misfits: [JsonObject, string][] = [
    [{}, 'missing "agreed"'],
    [{ agreed: 1 }, '/agreed: expected'],
    [{ agreed: true, other: 1 }, 'it has no field "other"'],
    [{ agreed: true, name: 'a' }, '/name: '],
    [{ agreed: true, mail: 'a' }, '/mail: '],
    [{ agreed: true, site: 'a' }, '/site: '],
    [{ agreed: true, day: '2026-13-01' }, '/day: '],
    [{ agreed: true, at: '2026-01-31' }, '/at: '],
    [{ agreed: true, unit: 'K' }, '/unit: '],
    [{ agreed: true, titled: 'A' }, '/titled: '],
    [{ agreed: true, several: ['z'] }, '/several/0: '],
    [{ agreed: true, titledSeveral: ['X'] }, '/titledSeveral/0: '],
    [{ agreed: true, age: 1.5 }, '/age: '],
    [{ agreed: true, score: Number.NaN }, '/score: '],
  ]
  for (const [content, problem] of misfits) {
    it(`is not sent when ${problem}`, async () => {
      expect(await failureOf(send(content))).toMatchObject({
        code: 'internal.error',
        message: expect.stringContaining(problem),
      })
    })
  }

  it('whose answers cannot be checked is nobody asked about', async () => {
    const odd = { ...question, params: { message: '?', requestedSchema: { type: 'object', properties: { a: 7 } } } }
    const client = await open(asking(odd), { handlers: { elicit: () => expect.fail('asked') } })
    expect(await failureOf(client.callTool('any'))).toMatchObject({
      code: 'upstream.protocol',
      message: expect.stringContaining('its form cannot be read'),
    })
  })

  it('has fields to look at, also where the server sent none', async () => {
    const bare = { ...question, params: { message: '?', requestedSchema: { type: 'object' } } }
    const seen: string[][] = []
    const elicit = ({ requestedSchema }: ElicitForm): ElicitResult => {
      seen.push(Object.keys(requestedSchema.properties))
      return { action: 'accept', content: {} }
    }
    const client = await open(asking(bare), { handlers: { elicit } })
    await client.callTool('any')
    expect(seen).toEqual([[]])
  })

  it('may have fields with any name', async () => {
    const properties = JSON.parse('{"__proto__":{"type":"string","default":"x"},"toString":{"type":"boolean"}}')
    const odd = { ...question, params: { message: '?', requestedSchema: { type: 'object', properties } } }
    const client = await open(asking(odd), { handlers: { elicit: () => ({ action: 'accept', content: {} }) } })
    const [block] = (await client.callTool('any')).content
    expect(block?.text).toBe('{"action":"accept","content":{"__proto__":"x"}}')
  })
})

describe('trap-13: rounds of questions', () => {
  const revision = String(ENVELOPE_REVISIONS[0]?.name)
  const answering = (answer: (call: Call, round: number) => Result) => {
    const calls: Call[] = []
    const handle = async (call: Call): Promise<Result> => {
      if (call.method === 'server/discover') return { supportedVersions: [revision], capabilities: { tools: {} } }
      calls.push(call)
      return answer(call, calls.length)
    }
    return { calls, target: { endpoint: { handle, serverInfo: { name: 's', version: '1' } } } }
  }
  const done: Result = { content: [] }
  const settled = async () => {
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
  }

  it('bring the state back byte for byte, and none where none came', async () => {
    const state = ' {"a":  1, "ü": "\\u00e9"}\n'
    const { calls, target } = answering((_, round) => {
      if (round === 1) return { resultType: 'input_required', inputRequests: { it: ROOTS }, requestState: state }
      return round === 2 ? { resultType: 'input_required', inputRequests: { other: ROOTS } } : done
    })
    const client = await open(target, { revision, handlers: { roots: [] } })
    await client.callTool('any', { a: 1 })
    expect(calls.map(({ params }) => params)).toEqual([
      { name: 'any', arguments: { a: 1 } },
      { name: 'any', arguments: { a: 1 }, inputResponses: { it: { roots: [] } }, requestState: state },
      { name: 'any', arguments: { a: 1 }, inputResponses: { other: { roots: [] } } },
    ])
  })

  it('wait a quarter of a second where only state came', async () => {
    const clock = createFakeClock()
    const { calls, target } = answering((_, round) =>
      round === 1 ? { resultType: 'input_required', requestState: 's' } : done,
    )
    const client = await open(target, { revision, clock })
    const call = client.callTool('any')
    await settled()
    clock.advance(249)
    await settled()
    expect(calls).toHaveLength(1)
    clock.advance(1)
    await call
    expect(calls).toHaveLength(2)
  })

  it('are ten at most', async () => {
    const { calls, target } = answering(() => ({ resultType: 'input_required', inputRequests: { it: ROOTS } }))
    const client = await open(target, { revision, handlers: { roots: [] } })
    expect(await failureOf(client.callTool('any'))).toMatchObject({
      code: 'upstream.protocol',
      message: expect.stringContaining('10 times'),
    })
    expect(calls).toHaveLength(11)
  })

  it('end at once when the call is cancelled during a question, and whoever thinks about it hears', async () => {
    const { calls, target } = answering(() => ({ resultType: 'input_required', inputRequests: { it: ROOTS } }))
    const cancel = new AbortController()
    const thinking: AbortSignal[] = []
    const client = await open(target, {
      revision,
      handlers: {
        roots: (question) => {
          thinking.push(question.signal)
          cancel.abort()
          return new Promise(() => {})
        },
      },
    })
    expect(await failureOf(client.callTool('any', {}, { signal: cancel.signal }))).toMatchObject({
      code: 'caller.cancelled',
    })
    expect([thinking[0]?.aborted, calls.length]).toEqual([true, 1])
  })

  it('leave no timer behind when they are cancelled', async () => {
    const clock = createFakeClock()
    const { target } = answering(() => ({ resultType: 'input_required', requestState: 's' }))
    const cancel = new AbortController()
    const client = await open(target, { revision, clock })
    const before = clock.pending
    const call = failureOf(client.callTool('any', {}, { signal: cancel.signal }))
    await settled()
    cancel.abort()
    expect((await call).code).toBe('caller.cancelled')
    expect(clock.pending).toBeLessThanOrEqual(before + 1) // the one timer of all requests may be set
  })

  it('ask nobody twice for a page they agreed to open, and wait longer each time', async () => {
    const clock = createFakeClock()
    const { calls, target } = answering((_, round) =>
      round < 4 ? { resultType: 'input_required', inputRequests: { sign: PAGE } } : done,
    )
    let asked = 0
    const elicitUrl = () => {
      asked++
      return { action: 'accept' as const }
    }
    const client = await open(target, { revision, clock, handlers: { elicitUrl } })
    const call = client.callTool('any')
    await settled()
    expect(calls).toHaveLength(2)
    for (const [wait, count] of [
      [999, 2],
      [1, 3],
      [1_999, 3],
      [1, 4],
    ] as const) {
      clock.advance(wait)
      await settled()
      expect(calls).toHaveLength(count)
    }
    await call
    expect(asked).toBe(1)
  })

  it('are not begun with a flood of questions', async () => {
    const inputRequests = Object.fromEntries(Array.from({ length: 65 }, (_, at) => [`q${at}`, ROOTS]))
    const { target } = answering(() => ({ resultType: 'input_required', inputRequests }))
    const client = await open(target, { revision, handlers: { roots: () => expect.fail('asked') } })
    expect((await failureOf(client.callTool('any'))).message).toContain('65 questions')
  })
})

describe('a question taken back', () => {
  it('is not thought about any longer when its call is cancelled', async () => {
    const revision = String(HANDSHAKE_REVISIONS[0]?.name)
    const cancel = new AbortController()
    const aborted = new Promise<void>((resolve) => {
      void open(asking(ROOTS), {
        revision,
        handlers: {
          roots: (question) => {
            question.signal.addEventListener('abort', () => resolve())
            cancel.abort()
            return new Promise(() => {})
          },
        },
      }).then((client) => client.callTool('any', {}, { signal: cancel.signal }).catch(() => {}))
    })
    await aborted
  })
})

describe('roots that changed', () => {
  it('are told where the revision can be told, and declared only there', async () => {
    for (const { name: revision, traits } of REVISIONS) {
      const discovered = { result: { supportedVersions: [revision], capabilities: {} } }
      const raw = createRawServer(({ method }) =>
        method === 'initialize' ? toInitialized(revision) : method === 'server/discover' ? discovered : { result: {} },
      )
      const client = await open(raw.target, { revision, handlers: { roots: [] } })
      await client.rootsChanged()
      await client.close()
      const isTold = traits.lifecycle === 'handshake'
      expect(raw.received.map(({ method }) => method).includes('notifications/roots/list_changed')).toBe(isTold)
      expect(JSON.stringify(raw.received[0])).toContain(isTold ? '"roots":{"listChanged":true}' : '"roots":{}')
    }
  })
})

it('a handler under a name nobody asks by is refused, with the names there are', async () => {
  const server = createServer({ name: 'any', version: '1.0.0' })
  const handlers = { elicitation: () => ({ action: 'accept' }) } as never
  await expect(connect(server, { client: { name: 'test', version: '1.0.0' }, handlers })).rejects.toThrow(
    'Cannot connect with a handler named "elicitation": there are elicit, elicitUrl, sample, roots, tasks',
  )
})
