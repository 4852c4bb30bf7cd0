import { type Call, McpError, type Result } from '@crosspoint/mcp'
import { createServer } from '@crosspoint/mcp/server'
import { type CallOptions, connectDirectly, createFakeClock, recordCall } from '@crosspoint/testkit'
import { expect, onTestFinished, test } from 'vitest'
import { configOf, openGateway } from '../fixtures/open-gateway.ts'

const overloaded = (retryAfterMs = 10) =>
  new McpError('upstream.unavailable', 'The server fails (HTTP 503)', { data: { retryAfterMs } })
const silent = () => new McpError('upstream.timeout', 'No answer')

/** A gateway over one server whose calls the test answers. */
async function open(traffic: object, answer: (call: Call, nth: number) => Promise<Result> | Result) {
  const clock = createFakeClock()
  let sent = 0
  const server = createServer({ name: 'one', version: '1.0.0' })
  server.tool('read', { annotations: { readOnlyHint: true } }, () => '')
  server.tool('put', { annotations: { idempotentHint: true } }, () => '')
  server.tool('add', {}, () => '')
  const dial = async () => {
    const connection = await connectDirectly(server.endpoint)
    const handle = async (call: Call) => {
      if (call.method !== 'tools/call') return connection.handle(call)
      return answer(call, ++sent)
    }
    return { ...connection, handle }
  }
  const gateway = openGateway(configOf(['one'], { traffic }), { one: dial }, clock)
  onTestFinished(() => gateway.close({ graceMs: 0 }))
  await gateway.start()
  const record = (tool: string, options: CallOptions = {}) =>
    recordCall('tools/call', { name: `one__${tool}` }, { progress: false, ...options })
  const pass = ({ call }: ReturnType<typeof record>, more: Partial<Call> = {}): Promise<string> => {
    const answer = gateway.endpoint()?.handle({ ...call, ...more }) ?? Promise.reject(new Error('No endpoint'))
    return answer.then(
      (result) => JSON.stringify(result.content),
      ({ code }: McpError) => code,
    )
  }
  const ask = (tool: string, options?: CallOptions) => pass(record(tool, options))
  /** Waits until the call has been sent again, or is answered. */
  const settle = async (answer: Promise<string>) => {
    let isDone = false
    void answer.finally(() => {
      isDone = true
    })
    for (let turn = 0; turn < 200 && !isDone; turn++) {
      await new Promise((resolve) => setImmediate(resolve))
      if (turn % 10 === 9) clock.advance(100)
    }
    return answer
  }
  return { clock, gateway, record, pass, ask, settle, sent: () => sent }
}

const BREAKER = { breakers: [{ failures: 3, windowMs: 60_000, openMs: 5_000 }] }
const RETRY = { retries: [{ attempts: 3, minDelayMs: 100, maxDelayMs: 1_000 }] }
const done = { content: [{ type: 'text', text: 'done' }] }

test('a server that fails too often is left alone, until one call finds it well again', async () => {
  let isWell = false
  const { ask, sent, clock, gateway } = await open(BREAKER, () => (isWell ? done : Promise.reject(silent())))
  for (let n = 0; n < 3; n++) expect(await ask('add')).toBe('upstream.timeout')
  expect(await ask('add')).toContain(
    'The server \\"one\\" fails too often and is left alone for a moment. Try again in 5 s.',
  )
  expect(sent()).toBe(3)
  expect(gateway.traffic()).toContainEqual({ name: 'breaker_open', labels: { upstream: 'one' }, value: 1 })
  clock.advance(5_000)
  expect(await ask('add')).toBe('upstream.timeout')
  expect(await ask('add')).toContain('left alone')
  clock.advance(5_000)
  isWell = true
  for (let n = 0; n < 3; n++) expect(await ask('add')).toContain('done')
  expect(gateway.traffic()).toContainEqual({ name: 'breaker_open', labels: { upstream: 'one' }, value: 0 })
})

test('what a server answers is no failure: errors of tools and of the protocol leave the breaker closed', async () => {
  const { ask, sent } = await open(BREAKER, (_, nth) => {
    if (nth % 2 === 0) return { content: [{ type: 'text', text: 'no' }], isError: true }
    throw new McpError('upstream.error', 'No', { rpc: { code: -32603, message: 'No' } })
  })
  for (let n = 0; n < 20; n++) await ask('add')
  expect(sent()).toBe(20)
})

test('callers who go away while their calls are open leave the breaker closed', async () => {
  const { record, pass, ask, sent } = await open(BREAKER, ({ cancellation }, nth) => {
    if (nth > 5) return done
    return new Promise((_, reject) => cancellation.watch({ cancelled: () => reject(silent()) }))
  })
  for (let n = 0; n < 5; n++) {
    const gone = record('add')
    const answer = pass(gone)
    while (sent() <= n) await new Promise((resolve) => setImmediate(resolve))
    gone.abort()
    await answer
  }
  expect(await ask('add')).toContain('done')
})

test('what may reach a server twice is sent again, and nothing else', async () => {
  const { ask, settle, sent } = await open(RETRY, (_, nth) => (nth % 2 === 1 ? Promise.reject(overloaded()) : done))
  expect(await settle(ask('read'))).toContain('done')
  expect(await settle(ask('put'))).toContain('done')
  expect(sent()).toBe(4)
  expect(await settle(ask('add'))).toContain('too busy')
  expect(sent()).toBe(5)
})

test('what certainly never began is sent again, whatever its tool does', async () => {
  const gone = (neverRan: boolean) => new McpError('upstream.unavailable', 'refused', { neverRan })
  const { ask, settle, sent } = await open(RETRY, (_, nth) => (nth === 1 ? Promise.reject(gone(true)) : done))
  expect(await settle(ask('add'))).toContain('done')
  expect(sent()).toBe(2)
  const unknown = await open(RETRY, () => Promise.reject(gone(false)))
  expect(await unknown.settle(unknown.ask('add'))).toContain('could not be reached')
  expect(unknown.sent()).toBe(1)
})

test('is sent no more often than the rule says, and not after silence', async () => {
  const busy = await open(RETRY, () => Promise.reject(overloaded()))
  expect(await busy.settle(busy.ask('read'))).toContain('too busy')
  expect(busy.sent()).toBe(3)
  const long = await open(RETRY, () => Promise.reject(overloaded(60_000)))
  expect(await long.settle(long.ask('read'))).toContain('too busy')
  expect(long.sent()).toBe(1)
  const mute = await open(RETRY, () => Promise.reject(silent()))
  expect(await mute.settle(mute.ask('read'))).toBe('upstream.timeout')
  expect(mute.sent()).toBe(1)
})

test('is not sent again what its caller heard of or was asked for, has no time for, or gave up', async () => {
  const told = await open(RETRY, ({ interim }) => {
    interim.notify({ method: 'notifications/progress', params: { progress: 1 } })
    throw overloaded()
  })
  await told.settle(told.ask('read', { progress: true }))
  expect(told.sent()).toBe(1)
  const asked = await open(RETRY, async ({ interim }) => {
    await interim.ask({
      method: 'elicitation/create',
      params: { message: '', requestedSchema: { type: 'object', properties: {} } },
    })
    throw overloaded()
  })
  await asked.settle(
    asked.ask('read', { capabilities: { elicitation: { form: {} } }, ask: async () => ({ action: 'decline' }) }),
  )
  expect(asked.sent()).toBe(1)
  const late = await open(RETRY, () => Promise.reject(overloaded()))
  await late.settle(late.pass(late.record('read'), { deadline: late.clock.now() + 20 }))
  expect(late.sent()).toBe(1)
  const gone = await open(RETRY, () => Promise.reject(overloaded()))
  const recorded = gone.record('read')
  const answer = gone.pass(recorded)
  while (gone.sent() === 0) await new Promise((resolve) => setImmediate(resolve))
  for (let n = 0; n < 5; n++) await new Promise((resolve) => setImmediate(resolve))
  recorded.abort()
  await gone.settle(answer)
  expect(gone.sent()).toBe(1)
})

test('a call that was sent several times counts once for the breaker, and an open one is not passed', async () => {
  const { ask, settle, sent } = await open({ ...BREAKER, ...RETRY }, () => Promise.reject(overloaded()))
  for (let n = 0; n < 3; n++) await settle(ask('read'))
  expect(sent()).toBe(9)
  expect(await settle(ask('read'))).toContain('left alone')
  expect(sent()).toBe(9)
})
