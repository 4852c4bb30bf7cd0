import { ANONYMOUS, type ClientCapabilities, McpError, type Principal, TASKS, UI } from '@crosspoint/mcp'
import type { Connection } from '@crosspoint/mcp/client'
import { createFakeClock, recordCall } from '@crosspoint/testkit'
import { describe, expect, it } from 'vitest'
import { toOwnKey } from './context.ts'
import { Drain } from './drain.ts'
import { Sessions, type SessionsOptions } from './sessions.ts'

const ANNA = { id: 'anna', tenant: 'default' }
const BERT = { id: 'bert', tenant: 'default' }
const CARL = { id: 'carl', tenant: 'default' }
const DECLARED = { extensions: { [TASKS]: {} } }

interface Opened {
  readonly capabilities: ClientCapabilities
  readonly lose: () => void
  isClosed: boolean
}

function setUp(options: Partial<SessionsOptions> = {}) {
  const clock = createFakeClock()
  const opened: Opened[] = []
  let refusal: McpError | undefined
  let waiting: (() => void)[] = []
  const open = async (capabilities: ClientCapabilities): Promise<Connection> => {
    if (refusal !== undefined) throw refusal
    const number = opened.length
    let end: (closed: { reason: string; asked: boolean }) => void = () => {}
    const made: Opened = { capabilities, lose: () => end({ reason: 'gone', asked: false }), isClosed: false }
    opened.push(made)
    const connection: Connection = {
      handle: async ({ method, params }) => {
        if (method === 'tasks/get') return { number, taskId: params.taskId, status: params.status, ttlMs: null }
        if (params.ttlMs !== undefined) return { number, resultType: 'task', taskId: 't', ttlMs: params.ttlMs }
        if (params.name !== undefined) return { isError: true, content: [] }
        if (params.wait === true) await new Promise<void>((resolve) => waiting.push(resolve))
        return { number }
      },
      verdict: { revision: '2025-11-25', at: '' },
      serverInfo: undefined,
      capabilities: {},
      instructions: undefined,
      closed: new Promise((resolve) => {
        end = resolve
      }),
      tell: async () => {},
      close: async () => {
        made.isClosed = true
        end({ reason: 'closed', asked: true })
      },
      [Symbol.asyncDispose]: async () => {},
    }
    return connection
  }
  let failures = 0
  const surveyed = new Set<string>()
  const sessions = new Sessions({
    server: 'one',
    own: () => undefined,
    absence: () => undefined,
    areProcesses: true,
    open,
    isGated: (_, tool) => tool === 'gated',
    mode: 'per-principal',
    survey: (_, key) => {
      surveyed.add(key)
      return { known: Promise.resolve(), stop: () => void surveyed.delete(key) }
    },
    bounds: () => ({ max: 2, idleMs: 1_000 }),
    restart: () => ({ minDelayMs: 100, maxDelayMs: 1_000, resetAfterMs: 0 }),
    clock,
    random: () => 1,
    failed: () => failures++,
    ...options,
  })
  const call = async (principal: Principal, capabilities: ClientCapabilities = {}, params = {}, session?: string) => {
    const { call } = recordCall('tools/call', params, { principal, capabilities })
    return (await sessions.handle({ ...call, downstream: { ...call.downstream, session } })).number
  }
  const begin = async (principal: Principal, ttlMs: number | null, session?: string) => {
    const { call } = recordCall('tools/call', { ttlMs }, { principal, capabilities: DECLARED })
    return (await sessions.handle({ ...call, downstream: { ...call.downstream, session } })).taskId
  }
  /** Asks for a task as its id says. */
  const task = async (principal: Principal, taskId: unknown, status = 'working') => {
    const { call } = recordCall('tasks/get', { taskId, status }, { principal, capabilities: DECLARED })
    return (await sessions.handle(call)).number
  }
  const refuse = (error: McpError | undefined) => {
    refusal = error
  }
  const release = () => {
    for (const resolve of waiting) resolve()
    waiting = []
  }
  return { clock, open, opened, sessions, surveyed, call, begin, task, refuse, release, failures: () => failures }
}

const settle = () => new Promise((resolve) => setImmediate(resolve))

describe('sessions with a server on behalf of callers', () => {
  it('abuse-42: no two principals share one, and one caller has one for each set of abilities', async () => {
    const { call, opened } = setUp({ bounds: () => ({ max: 10, idleMs: 1_000 }) })
    const form = { elicitation: {} }
    expect([await call(ANNA), await call(BERT), await call(ANNA), await call(ANNA, form), await call(BERT)]).toEqual([
      0, 1, 0, 2, 1,
    ])
    expect(await call(ANNA, { elicitation: { form: {} }, experimental: { x: {} } })).toBe(2)
    expect(opened.map(({ capabilities }) => capabilities)).toEqual([{}, {}, { elicitation: { form: {} } }])
  })

  it('two principals whose names read alike put together are still two', async () => {
    const { call } = setUp()
    expect(await call({ tenant: 'a', id: 'bc' })).toBe(0)
    expect(await call({ tenant: 'ab', id: 'c' })).toBe(1)
  })

  it("what a server learns by asking is one client's: with sessions of its own it shares with none of the others", async () => {
    const { call } = setUp({ bounds: () => ({ max: 10, idleMs: 1_000 }) })
    expect([await call(ANNA, {}, {}, 's1'), await call(ANNA, {}, {}, 's2')]).toEqual([0, 0])
    const roots = { roots: {} }
    expect([await call(ANNA, roots, {}, 's1'), await call(ANNA, roots, {}, 's2')]).toEqual([1, 2])
    expect([await call(ANNA, roots), await call(ANNA, roots, {}, 's1')]).toEqual([3, 1])
  })

  it('per-session: each session of a caller has its own', async () => {
    const { call } = setUp({ mode: 'per-session' })
    expect([await call(ANNA, {}, {}, 's1'), await call(ANNA, {}, {}, 's2'), await call(ANNA, {}, {}, 's1')]).toEqual([
      0, 1, 0,
    ])
  })

  it('per-request: each call has its own, closed with it', async () => {
    const { call, opened, sessions } = setUp({ mode: 'per-request' })
    expect([await call(ANNA), await call(ANNA)]).toEqual([0, 1])
    await settle()
    expect(opened.map(({ isClosed }) => isClosed)).toEqual([true, true])
    expect(sessions.size).toBe(0)
  })

  it('calls that come together wait for one opening', async () => {
    const { call, opened } = setUp()
    await Promise.all([call(ANNA), call(ANNA), call(ANNA)])
    expect(opened).toHaveLength(1)
  })

  it('one that nobody uses is closed after a while, one with a call at work is not', async () => {
    const { call, clock, opened, release } = setUp()
    await call(ANNA)
    const busy = call(BERT, {}, { wait: true })
    await settle()
    clock.advance(1_000)
    await settle()
    expect(opened.map(({ isClosed }) => isClosed)).toEqual([true, false])
    release()
    expect(await busy).toBe(1)
    expect(await call(ANNA)).toBe(2)
  })

  it('where there are too many an idle one makes room; where all are in use the call is refused', async () => {
    const { call, opened, release } = setUp()
    const busy = call(ANNA, {}, { wait: true })
    await call(BERT)
    expect(await call({ ...ANNA, id: 'carl' })).toBe(2)
    expect(opened[1]?.isClosed).toBe(true)
    const also = call({ ...ANNA, id: 'carl' }, {}, { wait: true })
    await expect(call(BERT)).rejects.toMatchObject({ code: 'policy.busy' })
    await settle()
    release()
    expect(await Promise.all([busy, also])).toEqual([0, 2])
  })

  it('abuse-14: a caller has a quarter of the sessions with a server at most, whatever it declares', async () => {
    const { call, opened, release } = setUp({ mode: 'per-session', bounds: () => ({ max: 32, idleMs: 1_000 }) })
    const ui = (n: number) => ({ extensions: { [UI]: { mimeTypes: [`text/${n}`] } } })
    for (let n = 0; n < 20; n++) await call(ANNA, ui(n))
    expect(opened).toHaveLength(1)
    const busy = Array.from({ length: 8 }, (_, n) => call(ANNA, {}, { wait: true }, `s${n}`))
    await expect(call(ANNA, {}, {}, 's8')).rejects.toMatchObject({ code: 'policy.limit' })
    expect(await call(BERT)).toBe(9)
    await settle()
    release()
    await Promise.all(busy)
    expect(await call(ANNA, {}, {}, 's8')).toBe(10)
  })

  it('one that is lost is opened again by the next call, and counted', async () => {
    const { call, opened, sessions, failures } = setUp()
    await call(ANNA)
    opened[0]?.lose()
    await settle()
    expect([failures(), sessions.restarts]).toEqual([1, 0])
    expect(await call(ANNA)).toBe(1)
    expect(sessions.restarts).toBe(1)
  })

  it('a server that refuses one set of abilities is open to callers with another', async () => {
    const { call, refuse } = setUp()
    const refusal = new McpError('upstream.unavailable', 'exits where it may sample')
    refuse(refusal)
    await expect(call(ANNA, { sampling: {} })).rejects.toMatchObject({ message: refusal.message, neverRan: true })
    refuse(undefined)
    expect(await call(BERT, { roots: {} })).toBe(0)
    await expect(call(BERT, { sampling: {} })).rejects.toMatchObject({ message: refusal.message, neverRan: true })
  })

  it('a server that cannot be reached is tried again after a pause that grows', async () => {
    const { call, clock, refuse } = setUp()
    const gone = new McpError('upstream.unavailable', 'gone')
    refuse(gone)
    await expect(call(ANNA)).rejects.toMatchObject({ message: gone.message, neverRan: true })
    refuse(undefined)
    await expect(call(BERT)).rejects.toMatchObject({ message: gone.message, neverRan: true })
    clock.advance(100)
    expect(await call(BERT)).toBe(0)
  })

  it('what is offered in a session is learnt while it lasts, where callers are not told apart', async () => {
    const { call, clock, surveyed } = setUp()
    await call(ANONYMOUS)
    await call(ANNA)
    expect(surveyed.size).toBe(1)
    clock.advance(1_000)
    expect(surveyed.size).toBe(0)
  })

  it('what was offered in one that stays for its task alone is not what the next one offers', async () => {
    const { call, begin, clock, opened, sessions, surveyed } = setUp({
      bounds: () => ({ max: 2, idleMs: 3_600_000 }),
    })
    await begin(ANONYMOUS, 500)
    sessions.renew()
    expect([opened[0]?.isClosed, surveyed.size]).toEqual([false, 0])
    expect(await call(ANONYMOUS)).toBe(1)
    clock.advance(500)
    await settle()
    expect([opened[0]?.isClosed, surveyed.size]).toEqual([true, 1])
  })

  it('a tool that failed because the client declares too little says so', async () => {
    const { sessions } = setUp()
    const ask = (name: string, capabilities = {}) =>
      sessions.handle(recordCall('tools/call', { name }, { principal: ANNA, capabilities }).call)
    const text =
      'The server "one" offers the tool "gated" only to clients that it can ask something (elicitation, sampling or roots); this client declares only roots.'
    expect(await ask('gated', { roots: {} })).toEqual({ isError: true, content: [{ type: 'text', text }] })
    expect(await ask('other', { roots: {} })).toEqual({ isError: true, content: [] })
  })

  it('says so to a call that is faster than the lists of its session, and waits no longer than a while for them', async () => {
    let learn: () => void = () => {}
    let isKnown = false
    const { sessions, clock } = setUp({
      isGated: () => isKnown,
      survey: () => ({ known: new Promise((resolve) => (learn = resolve)), stop: () => {} }),
    })
    const ask = (capabilities: ClientCapabilities) =>
      sessions.handle(recordCall('tools/call', { name: 'any' }, { principal: ANONYMOUS, capabilities }).call)
    const first = ask({ roots: {} })
    await settle()
    isKnown = true
    learn()
    expect(await first).toMatchObject({ content: [{ text: expect.stringContaining('declares only roots') }] })
    isKnown = false
    const second = ask({})
    await settle()
    clock.advance(2_000)
    expect(await second).toEqual({ isError: true, content: [] })
  })

  it('whoever declares what the gateway does and is not told apart from others needs no other session', async () => {
    const connection = await setUp().open({})
    const calls = new Drain(createFakeClock())
    const own = { key: toOwnKey({ roots: {} }, 'per-principal'), connection, calls }
    const { call, opened } = setUp({ own: () => own })
    expect(await call(ANONYMOUS, { roots: { listChanged: true } })).toBe(0)
    expect(opened).toEqual([])
    await call(ANONYMOUS)
    await call(ANNA, { roots: {} })
    expect(opened).toHaveLength(2)
  })

  it('one that has a task stays for it, no longer than the task is kept, and is found by the id', async () => {
    const { begin, task, clock, opened } = setUp()
    const id = await begin(ANNA, 10_000)
    expect(id).toMatch(/^.{8}\.t$/)
    clock.advance(9_000)
    expect([opened[0]?.isClosed, await task(ANNA, id)]).toEqual([false, 0])
    clock.advance(3_600_000)
    await settle()
    expect(opened[0]?.isClosed).toBe(true)
    expect(await task(ANNA, id)).toBe(1) // the server may know it all the same
  })

  it('per-request: one stays for its task, and for a while after the outcome was fetched', async () => {
    const { begin, task, clock, opened, sessions } = setUp({ mode: 'per-request' })
    const id = await begin(ANNA, null)
    expect(await task(ANNA, id)).toBe(0)
    clock.advance(3_000_000)
    expect(await task(ANNA, id, 'completed')).toBe(0)
    clock.advance(59_000)
    expect([opened.length, opened[0]?.isClosed]).toEqual([1, false])
    clock.advance(1_000)
    await settle()
    expect([opened[0]?.isClosed, sessions.size]).toEqual([true, 0])
  })

  it('one that has a task makes room only where no other can', async () => {
    const { begin, call, opened } = setUp()
    await begin(ANNA, null)
    await call(BERT)
    await begin(CARL, null)
    await settle()
    expect(opened.map(({ isClosed }) => isClosed)).toEqual([false, true, false])
    await call(BERT)
    await settle()
    expect(opened.map(({ isClosed }) => isClosed)).toEqual([true, true, false, false])
  })

  it('what is kept for one session of a caller ends with that, once calls are over and no task can be asked for', async () => {
    const { call, begin, clock, opened, sessions, release } = setUp({ mode: 'per-session' })
    await call(ANNA, {}, {}, 's1')
    const busy = call(BERT, {}, { wait: true }, 's2')
    await settle()
    for (const ended of ['s1', 's2', '']) sessions.callerEnded(ended)
    await settle()
    expect(opened.map(({ isClosed }) => isClosed)).toEqual([true, false])
    release()
    expect(await busy).toBe(1)
    await settle()
    expect([opened[1]?.isClosed, sessions.size]).toEqual([true, 0])
    await begin(CARL, 500, 's3')
    sessions.callerEnded('s3')
    clock.advance(499)
    expect(opened[2]?.isClosed).toBe(false)
    clock.advance(1)
    await settle()
    expect([opened[2]?.isClosed, sessions.size, clock.pending]).toEqual([true, 0, 0])
  })

  it('what a caller shares among its sessions stays when one of those ends', async () => {
    const { call, sessions } = setUp()
    await call(ANNA, {}, {}, 's1')
    sessions.callerEnded('s1')
    expect(await call(ANNA, {}, {}, 's2')).toBe(0)
  })

  it('without a connection of the gateway none is opened, and calls of tasks and answers are taken by those there are', async () => {
    let absence: McpError | undefined
    const { call, begin, task, sessions } = setUp({ absence: () => absence })
    const serves = (method: string, params = {}, principal = ANNA) =>
      sessions.serves(recordCall(method, params, { principal }).call)
    expect(serves('tasks/get')).toBe(false)
    const id = await begin(ANNA, null)
    absence = new McpError('upstream.unavailable', 'away')
    expect([serves('tasks/get'), serves('tools/call', { requestState: 's' })]).toEqual([true, true])
    expect([serves('tools/call'), serves('tools/call', {}, BERT)]).toEqual([true, false])
    expect([await call(ANNA), await task(ANNA, id)]).toEqual([0, 0])
    await expect(call(BERT)).rejects.toMatchObject({ message: absence.message, neverRan: true })
  })

  it('servers elsewhere that are found again are asked for a list in each session, and calls wait for that', async () => {
    const said: string[] = []
    let listed = () => {}
    const { open } = setUp()
    const { call, sessions } = setUp({
      areProcesses: false,
      open: async (capabilities) => ({
        ...(await open(capabilities)),
        capabilities: { tools: {} },
        handle: async ({ method }) => {
          said.push(method)
          if (method === 'tools/list') await new Promise<void>((resolve) => (listed = resolve))
          return { number: said.length }
        },
      }),
    })
    await call(ANNA)
    sessions.regained()
    const waiting = call(ANNA)
    await settle()
    expect(said).toEqual(['tools/call', 'tools/list'])
    listed()
    expect(await waiting).toBe(3)
    // Whether they are well is not known, so that new calls do not try.
    expect(sessions.serves(recordCall('tools/call', {}, { principal: ANNA }).call)).toBe(false)
  })

  it('closing lets calls at work finish, takes no more, and leaves nothing', async () => {
    const { call, clock, opened, release, sessions } = setUp()
    const busy = call(ANNA, {}, { wait: true })
    await settle()
    const closed = sessions.close(5_000)
    await expect(call(BERT)).rejects.toMatchObject({ code: 'upstream.unavailable' })
    release()
    expect(await busy).toBe(0)
    await closed
    expect([opened[0]?.isClosed, sessions.size, clock.pending]).toEqual([true, 0, 0])
  })
})
