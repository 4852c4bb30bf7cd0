import { createFakeClock } from '@crosspoint/testkit'
import { afterEach, describe, expect, it } from 'vitest'
import type { McpError } from '../errors.ts'
import type { JsonObject } from '../jsonrpc/frame.ts'
import { ENVELOPE_REVISIONS, HANDSHAKE_REVISIONS, REVISIONS } from '../revisions/index.ts'
import { type Client, type ClientOptions, connect } from './client.ts'
import { createRawServer, type RawServer, toInitialized } from './fixtures/raw-server.ts'

const cleanup: (() => unknown)[] = []
afterEach(async () => {
  for (const end of cleanup.splice(0).reverse()) await end()
})

const MODERN = String(ENVELOPE_REVISIONS[0]?.name)
const settled = async () => {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
}
const failureOf = (promise: Promise<unknown>): Promise<McpError> =>
  promise.then(
    () => expect.fail('no error'),
    (e) => e,
  )

/** A server of this revision that leaves everything but its opening to the test. */
async function open(
  revision: string,
  answer: (frame: JsonObject, server: RawServer) => JsonObject | undefined,
  options: Partial<ClientOptions> = {},
  capabilities: JsonObject = { tools: {}, completions: {}, prompts: {}, resources: {} },
): Promise<{ client: Client; raw: RawServer }> {
  const raw = createRawServer((frame, server) => {
    if (frame.method === 'initialize') return toInitialized(revision, capabilities)
    if (frame.method === 'server/discover') return { result: { supportedVersions: [revision], capabilities } }
    return answer(frame, server)
  })
  const client = await connect(raw.target, { client: { name: 'test', version: '1' }, revision, ...options })
  cleanup.push(() => client.close())
  return { client, raw }
}

describe('a request we know nothing of', () => {
  for (const { name: revision } of REVISIONS) {
    it(`is sent as it is in ${revision}`, async () => {
      const seen: unknown[] = []
      const { client } = await open(revision, ({ method, params }) => {
        const { _meta, ...own } = params as JsonObject
        seen.push([method, own])
        return { result: { resultType: 'complete', ttlMs: 5, sum: 3 } }
      })
      const result = await client.request<{ sum: number }>('com.example/add', { a: 1, b: 2 })
      expect(result).toMatchObject({ sum: 3, ttlMs: 5 })
      expect(seen).toEqual([['com.example/add', { a: 1, b: 2 }]])
    })
  }

  it('is refused when it is one of another revision', async () => {
    const { client, raw } = await open(MODERN, () => ({ result: {} }))
    expect((await failureOf(client.request('ping'))).code).toBe('caller.unsupported_feature')
    expect(raw.received.map(({ method }) => method)).toEqual(['server/discover'])
  })
})

describe('what other arguments were given', () => {
  const params = {
    ref: { type: 'ref/prompt', name: 'p' },
    argument: { name: 'a', value: 'x' },
    context: { arguments: { b: 'y' } },
  } as const
  const refusing = ({ params: sent }: JsonObject) =>
    (sent as JsonObject).context === undefined
      ? { result: { completion: { values: ['xy'] } } }
      : { error: { code: -32602, message: 'Unknown member "context"' } }

  it('is left out for servers of the first revisions that refuse it', async () => {
    for (const { name: revision, traits } of REVISIONS) {
      const { client, raw } = await open(revision, refusing)
      const completed = await client.complete(params).catch((error: McpError) => error.rpc?.code)
      expect(completed).toEqual(traits.completionContext ? -32602 : { completion: { values: ['xy'] } })
      const asked = raw.received.filter(({ method }) => method === 'completion/complete')
      expect(asked).toHaveLength(traits.completionContext ? 1 : 2)
    }
  })
})

describe('a call that takes longer than usual', () => {
  const progressOf = (frame: JsonObject | undefined, progress: number) => {
    const { _meta } = (frame?.params ?? {}) as { _meta?: { progressToken?: unknown } }
    return { method: 'notifications/progress', params: { progressToken: _meta?.progressToken, progress } }
  }
  const setUp = async (revision: string) => {
    const clock = createFakeClock()
    const { client, raw } = await open(revision, () => undefined, {
      clock,
      requestTimeoutMs: 1_000,
      maxRequestMs: 5_000,
    })
    const work = async (rounds: number) => {
      for (let round = 1; round <= rounds; round++) {
        clock.advance(900)
        raw.send(progressOf(raw.received.at(-1), round))
        await settled()
      }
    }
    return { client, raw, work }
  }

  for (const { name: revision } of REVISIONS) {
    it(`goes on while its server reports progress, though nobody listens, in ${revision}`, async () => {
      const { client, raw, work } = await setUp(revision)
      const call = client.callTool('slow')
      await settled()
      await work(4)
      raw.send({ id: raw.received.at(-1)?.id, result: { content: [] } })
      expect(await call).toMatchObject({ content: [] })
    })
  }

  it('ends at its maximum all the same, of the connection or its own', async () => {
    const { client, work } = await setUp(MODERN)
    for (const [options, message] of [
      [{}, '5 s are the most it may take ("maxRequestMs")'],
      [{ maxRequestMs: 2_000 }, '2 s are the most it may take ("maxRequestMs")'],
      [{ timeoutMs: 1_500 }, 'its deadline has passed'],
    ] as const) {
      const failure = failureOf(client.callTool('endless', {}, options))
      await settled()
      await work(6)
      expect(await failure).toMatchObject({ code: 'upstream.timeout', message: expect.stringContaining(message) })
    }
  })
})

describe('a call that needs a page opened first', () => {
  const revision = String(HANDSHAKE_REVISIONS[0]?.name)
  const page = { mode: 'url', elicitationId: 'e1', url: 'https://example.com/connect', message: 'Connect' }
  const required = (...elicitations: JsonObject[]) => ({
    error: { code: -32042, message: 'Needs a page', data: { elicitations } },
  })
  const done = { result: { content: [{ type: 'text', text: 'done' }] } }
  const calls = (raw: RawServer) => raw.received.filter(({ method }) => method === 'tools/call')

  it('is made once more when the server says that the person is done', async () => {
    const clock = createFakeClock()
    const shown: unknown[] = []
    let count = 0
    const { client, raw } = await open(revision, () => (count++ === 0 ? required(page) : done), {
      clock,
      handlers: {
        elicitUrl: ({ url }) => {
          shown.push(url)
          return { action: 'accept' }
        },
      },
    })
    const call = client.callTool('any', { a: 1 })
    await settled()
    raw.send({ method: 'notifications/elicitation/complete', params: { elicitationId: 'other' } })
    await settled()
    expect([shown, calls(raw).length]).toEqual([[page.url], 1])
    raw.send({ method: 'notifications/elicitation/complete', params: { elicitationId: 'e1' } })
    expect((await call).content).toMatchObject([{ text: 'done' }])
    const made = calls(raw).map(({ id }) => ({ name: 'any', arguments: { a: 1 }, _meta: { progressToken: id } }))
    expect(calls(raw).map(({ params }) => params)).toEqual(made)
    expect(made).toHaveLength(2)
    expect(calls(raw)[0]?.id).not.toBe(calls(raw)[1]?.id)
  })

  it('is made again ever later where the server says nothing, and the page is shown once', async () => {
    const clock = createFakeClock()
    const shown: unknown[] = []
    let count = 0
    const again = () => required({ ...page, elicitationId: `e${count}`, url: `${page.url}?state=${count++}` })
    const { client, raw } = await open(revision, again, {
      clock,
      requestTimeoutMs: 1e6,
      handlers: {
        elicitUrl: ({ url }) => {
          shown.push(url)
          return { action: 'accept' }
        },
      },
    })
    const call = failureOf(client.callTool('any'))
    await settled()
    for (const [pauseMs, made] of [
      [3_000, 1],
      [6_000, 2],
      [12_000, 3],
      [24_000, 4],
    ] as const) {
      clock.advance(pauseMs - 1)
      await settled()
      expect(calls(raw)).toHaveLength(made)
      clock.advance(1)
      await settled()
    }
    expect((await call).rpc).toMatchObject({ data: { upstream: { code: -32042 } } })
    expect([calls(raw).length, shown]).toEqual([5, [`${page.url}?state=0`]])
  })

  it('may need another page after the first, which is shown too, and not pages without end', async () => {
    const clock = createFakeClock()
    const shown: unknown[] = []
    let count = 0
    const { client } = await open(revision, () => required({ ...page, url: `${page.url}/${count++}` }), {
      clock,
      requestTimeoutMs: 1e6,
      handlers: {
        elicitUrl: ({ url }) => {
          shown.push(url)
          return { action: 'accept' }
        },
      },
    })
    const call = failureOf(client.callTool('any'))
    for (let round = 0; round < 20; round++) {
      await settled()
      clock.advance(3_000)
    }
    expect((await call).rpc).toMatchObject({ data: { upstream: { code: -32042 } } })
    expect(shown).toHaveLength(16)
  })

  it('is not when the person declines, the call is cancelled, or nobody can be asked', async () => {
    const declining = await open(revision, () => required(page), {
      handlers: { elicitUrl: () => ({ action: 'decline' }) },
    })
    expect(await failureOf(declining.client.callTool('any'))).toMatchObject({
      code: 'caller.unanswered',
      message: expect.stringContaining('decline'),
    })
    expect(calls(declining.raw)).toHaveLength(1)

    const cancel = new AbortController()
    const cancelled = await open(revision, () => required(page), {
      handlers: {
        elicitUrl: () => {
          cancel.abort()
          return new Promise(() => {})
        },
      },
    })
    const failure = await failureOf(cancelled.client.callTool('any', {}, { signal: cancel.signal }))
    expect(failure.code).toBe('caller.cancelled')

    const deaf = await open(revision, () => required(page), { handlers: { elicit: () => ({ action: 'accept' }) } })
    expect((await failureOf(deaf.client.callTool('any'))).rpc).toMatchObject({ data: { upstream: { code: -32042 } } })
  })

  it('is not believed when it names none, too many, or no web page', async () => {
    for (const elicitations of [[], Array.from({ length: 17 }, () => page), [7 as unknown as JsonObject]]) {
      const { client, raw } = await open(revision, () => required(...elicitations), {
        handlers: { elicitUrl: () => expect.fail('asked') },
      })
      expect((await failureOf(client.callTool('any'))).code).toBe('upstream.error')
      expect(calls(raw)).toHaveLength(1)
    }
    const odd = await open(revision, () => required({ ...page, url: 'file:///etc' }), {
      handlers: { elicitUrl: () => expect.fail('asked') },
    })
    await failureOf(odd.client.callTool('any'))
    expect(calls(odd.raw)).toHaveLength(1)
  })
})

describe('pages', () => {
  it.each(REVISIONS.map(({ name }) => name))(
    'trap-28: "" is a cursor like any other, and only its absence ends a list, in %s',
    async (revision) => {
      const cursors: unknown[] = []
      const { client } = await open(revision, ({ params }) => {
        const { cursor } = params as JsonObject
        cursors.push(cursor)
        const next = cursor === undefined ? { nextCursor: '' } : cursor === '' ? { nextCursor: 'b' } : {}
        return {
          result: {
            resultType: 'complete',
            tools: [{ name: `after ${String(cursor)}`, inputSchema: { type: 'object' } }],
            ...next,
          },
        }
      })
      const tools = await client.listTools().all()
      expect(cursors).toEqual([undefined, '', 'b'])
      expect(tools.map(({ name }) => name)).toEqual(['after undefined', 'after ', 'after b'])
    },
  )
})

describe('trap-50: initialize', () => {
  it('is given up without a word to the server, since it cannot be cancelled', async () => {
    const clock = createFakeClock()
    const raw = createRawServer(() => undefined)
    const revision = String(HANDSHAKE_REVISIONS[0]?.name)
    const opening = failureOf(connect(raw.target, { client: { name: 'test', version: '1' }, revision, clock }))
    await settled()
    clock.advance(30_000)
    expect((await opening).code).toBe('upstream.timeout')
    expect(raw.received.map(({ method }) => method)).toEqual(['initialize'])
  })
})

describe('typed calls', () => {
  it('give structured contents their type, whatever JSON they are', async () => {
    const { client } = await open(MODERN, ({ params }) => ({
      result: { resultType: 'complete', content: [], structuredContent: (params as JsonObject).arguments },
    }))
    const { structuredContent } = await client.callTool<{ n: number }>('echo', { n: 1 })
    const n: number | undefined = structuredContent?.n
    expect(n).toBe(1)
  })
})
