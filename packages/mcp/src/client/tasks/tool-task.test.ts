import { createDeferred, createFakeClock, createFixtureServer } from '@crosspoint/testkit'
import { afterEach, describe, expect, it } from 'vitest'
import type { McpError } from '../../errors.ts'
import type { Call, Result } from '../../protocol/call.ts'
import type { DetailedTask } from '../../protocol/features/tasks.ts'
import { createServer } from '../../server/server.ts'
import { openHttpDoor } from '../../transports/http/door.ts'
import { type Client, type ClientOptions, connect } from '../client.ts'
import type { ConnectTarget } from '../connect-target.ts'

const cleanup: (() => unknown)[] = []
afterEach(async () => {
  for (const end of cleanup.splice(0).reverse()) await end()
})

type Served = Pick<ReturnType<typeof createServer>, 'endpoint'>

const ways: Record<string, (server: Served) => Promise<ConnectTarget> | ConnectTarget> = {
  memory: (server) => server,
  async HTTP(server) {
    const door = await openHttpDoor({ endpoint: () => server.endpoint })
    cleanup.push(() => door.close({ drainMs: 0 }))
    return `${door.url}/mcp`
  },
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

const handlers = { elicit: () => ({ action: 'accept' as const, content: { name: 'Ada' } }) }
const fixture = () => createFixtureServer({ tasks: { pollIntervalMs: 50 } })
const textOf = ({ content }: Awaited<ReturnType<Client['callTool']>>) => content[0]?.text

/** A server with a tool whose work ends when the test says so. */
function withJob() {
  const done = createDeferred<string>()
  const server = createServer({ name: 's', version: '1' })
  const signals: AbortSignal[] = []
  server.tool('job', { task: { pollIntervalMs: 50 } }, (_, { signal, progress }) => {
    signals.push(signal)
    progress(1, 2, 'half way')
    return done.promise
  })
  return { server, done, signals }
}

for (const [way, targetOf] of Object.entries(ways)) {
  for (const revision of ['2026-07-28', '2025-11-25']) {
    describe(`a task over ${way} in ${revision}`, () => {
      it('is begun, looked at, waited for, and found again by its id', async () => {
        const { server, done } = withJob()
        const client = await open(await targetOf(server), { revision })
        const task = await client.startTask('job')
        expect(task.id).toEqual(expect.any(String))
        expect(await task.status()).toMatchObject({ taskId: task.id, status: 'working', statusMessage: 'half way' })
        const seen: DetailedTask[] = []
        const watched = (async () => {
          for await (const update of task.updates) seen.push(update)
        })()
        done.resolve('done')
        expect(textOf(await task.result())).toBe('done')
        await watched
        expect(seen.at(-1)).toMatchObject({ status: 'completed', result: { content: [{ text: 'done' }] } })
        const again = client.task(String(task.id))
        expect(await again.result()).toEqual({ content: [{ type: 'text', text: 'done' }] })
      })

      it('asks by the handlers of the client, each question once', async () => {
        const asked: string[] = []
        const elicit = ({ message }: { message: string }) => {
          asked.push(message)
          return handlers.elicit()
        }
        const client = await open(await targetOf(fixture()), { revision, handlers: { elicit } })
        expect(textOf(await client.callTool('multi_input', {}, { tasks: 'drive' }))).toBe('Answered: Ada and Ada')
        expect(asked.sort()).toEqual(['What is your name?', 'What is your quest?'])
      })

      it('may ask before it begins', async () => {
        const client = await open(await targetOf(fixture()), { revision, handlers })
        const task = await client.startTask('test_tool_with_task')
        expect(textOf(await task.result())).toBe('Worked for Ada')
      })

      it('is cancelled when nobody can answer it', async () => {
        const elicit = () => {
          throw new Error('No screen')
        }
        const client = await open(await targetOf(fixture()), { revision, handlers: { elicit } })
        const task = await client.startTask('confirm_delete', { filename: 'a' })
        expect((await failureOf(task.result())).message).toContain('No screen')
        const ended = []
        for await (const { status } of client.task(String(task.id)).updates) ended.push(status)
        expect(ended.at(-1)).toBe('cancelled')
      })

      it('tells what the tool reports, and throws what the protocol reports', async () => {
        const client = await open(await targetOf(fixture()), { revision })
        expect(await client.callTool('failing_job', {}, { tasks: 'drive' })).toMatchObject({ isError: true })
        expect(await failureOf(client.callTool('protocol_error_job', {}, { tasks: 'drive' }))).toMatchObject({
          code: 'upstream.error',
          rpc: { code: -32603, message: 'This job breaks the protocol' },
        })
      })

      it('is cancelled, which its server hears, and cancelling again is no fault', async () => {
        const { server, signals } = withJob()
        const client = await open(await targetOf(server), { revision })
        const task = await client.startTask('job')
        await task.cancel()
        await task.cancel()
        expect(signals.map((signal) => signal.aborted)).toEqual([true])
        expect(await failureOf(task.result())).toMatchObject({ code: 'caller.cancelled' })
      })

      it('goes on when its client stops waiting', async () => {
        const { server, done, signals } = withJob()
        const client = await open(await targetOf(server), { revision })
        const waiting = new AbortController()
        const task = await client.startTask('job', {}, { signal: waiting.signal })
        const result = failureOf(task.result())
        waiting.abort()
        expect(await result).toMatchObject({ code: 'caller.cancelled' })
        expect(signals.map((signal) => signal.aborted)).toEqual([false])
        done.resolve('done')
        expect(textOf(await client.task(String(task.id)).result())).toBe('done')
      })

      it('is none where the tool answers at once', async () => {
        const client = await open(await targetOf(fixture()), { revision })
        const task = await client.startTask('greet', { name: 'Ada' })
        expect([task.id, textOf(await task.result())]).toEqual([undefined, 'Hello, Ada!'])
        expect(await task.status()).toMatchObject({ status: 'completed' })
      })

      it('trap-41: is not made of a call that did not wish for one', async () => {
        const client = await open(await targetOf(fixture()), { revision })
        expect(textOf(await client.callTool('slow_compute', { seconds: 0 }))).toBe('Computed unnamed in 0 s')
        const { code, rpc } = await failureOf(client.callTool('failing_job'))
        expect(rpc?.code ?? code).toBe(revision === '2026-07-28' ? 'caller.missing_capability' : -32601)
      })

      it('of an unknown id is an error in the parameters', async () => {
        const client = await open(await targetOf(fixture()), { revision })
        expect((await failureOf(client.task('none').status())).rpc?.code).toBe(-32602)
        expect((await failureOf(client.task('none').result())).rpc?.code).toBe(-32602)
        expect((await failureOf(client.task('none').cancel())).rpc?.code).toBe(-32602)
      })
    })
  }
}

describe('the same calls toward revisions without tasks', () => {
  it.each(['2025-06-18', '2024-11-05'])('%s: answer at once', async (revision) => {
    const client = await open(fixture(), { revision })
    const task = await client.startTask('slow_compute', { seconds: 0 })
    expect([task.id, textOf(await task.result())]).toEqual([undefined, 'Computed unnamed in 0 s'])
    expect(await failureOf(client.task('x').status())).toMatchObject({ code: 'caller.unsupported_feature' })
  })
})

describe('several tasks', () => {
  it('are listened to at once, the latest of each kept for who reads late', async () => {
    const { server, done } = withJob()
    const client = await open(server, { revision: '2026-07-28' })
    const ids = [await client.startTask('job'), await client.startTask('job')].map(({ id }) => String(id))
    const subscription = client.listen({ taskIds: ids })
    expect(await subscription.acknowledged).toEqual({ taskIds: ids })
    done.resolve('done')
    for (const id of ids) await client.task(id).result()
    const heard = new Map<unknown, unknown>()
    for await (const { params } of subscription) {
      heard.set(params.taskId, params.status)
      if ([...heard.values()].filter((status) => status === 'completed').length === 2) break
    }
    expect([...heard.keys()].sort()).toEqual(ids.sort())
  })
})

describe('how long an outcome is kept', () => {
  it('is wished for where the client may, and told where the server decides', async () => {
    const client = await open(fixture(), { revision: '2025-11-25' })
    const task = await client.startTask('slow_compute', { seconds: 60 }, { ttlMs: 5_000 })
    expect((await task.status()).ttlMs).toBeGreaterThanOrEqual(5_000)
    expect((await task.status()).ttlMs).toBeLessThan(60_000)
  })
})

describe('a server of other makers', () => {
  const base = { createdAt: '2026-01-01T00:00:00Z', lastUpdatedAt: '2026-01-01T00:00:00Z', ttlMs: null }

  function serving(results: Record<string, Result | (() => Result)>) {
    const handle = async ({ method }: Call): Promise<Result> => {
      if (method === 'server/discover') {
        return { capabilities: { tools: {}, extensions: { 'io.modelcontextprotocol/tasks': {} } } }
      }
      const result = results[method]
      return typeof result === 'function' ? result() : (result ?? {})
    }
    return { endpoint: { handle, serverInfo: { name: 's', version: '1' } } }
  }

  it('is asked as often as it wishes where it tells nothing by itself', async () => {
    const clock = createFakeClock()
    let asked = 0
    const get = () => {
      const done = ++asked === 3
      return {
        ...base,
        taskId: 'x',
        pollIntervalMs: 7_000,
        status: done ? 'completed' : 'working',
        ...(done && { result: { content: [] } }),
      }
    }
    const server = serving({ 'tasks/get': get, 'subscriptions/listen': {} })
    const client = await open(server, { clock, revision: '2026-07-28' })
    const result = client.task('x').result()
    for (let round = 1; round < 3; round++) {
      while (asked < round) await new Promise((resolve) => setImmediate(resolve))
      await new Promise((resolve) => setImmediate(resolve))
      clock.advance(6_999)
      expect(asked).toBe(round)
      clock.advance(1)
    }
    expect(await result).toEqual({ content: [] })
  })

  it.each([
    ['a task without an id', { 'tools/call': { resultType: 'task', status: 'working' } }],
    ['a completed task without a result', { 'tasks/get': { ...base, taskId: 'x', status: 'completed' } }],
  ])('%s is its fault', async (_, results) => {
    const client = await open(serving(results), { revision: '2026-07-28' })
    const outcome = 'tools/call' in results ? client.startTask('any') : client.task('x').result()
    expect(await failureOf(outcome)).toMatchObject({ code: 'upstream.protocol' })
  })
})
