import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ClientCapabilities, JsonObject, Principal, Result } from '@crosspoint/mcp'
import { TASKS } from '@crosspoint/mcp'
import { createFakeClock, recordCall } from '@crosspoint/testkit'
import { describe, expect, onTestFinished, test } from 'vitest'
import { parseConfig } from './config/parse.ts'
import { createGateway } from './gateway.ts'

/** What becomes of callers when the gateway's own connection with a server is lost, and theirs are well. */

const ANNA = { id: 'anna', tenant: 'default' }
const BERT = { id: 'bert', tenant: 'default' }
const FORMS = { elicitation: { form: {} } }
const IN_TASKS = { extensions: { [TASKS]: {} } }
/** Longer than any machine takes, on a clock that runs with the turns of the loop. */
const LONG_MS = 3_600_000
const REQUEST_MS = 300_000
const AT_ONCE = { restart: { minDelayMs: 10, maxDelayMs: 20 } }
const LATE = { restart: { minDelayMs: LONG_MS, maxDelayMs: LONG_MS } }

async function open(more: object = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'crosspoint-loss-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const versionFile = join(folder, 'version')
  writeFileSync(versionFile, '1')
  const one = {
    command: process.execPath,
    args: [fileURLToPath(new URL('../fixtures/lasting-server.mjs', import.meta.url)), versionFile],
    connectTimeoutMs: LONG_MS,
    requestTimeoutMs: REQUEST_MS,
    maxRequestMs: LONG_MS,
    ...more,
  }
  const clock = createFakeClock()
  const { config } = parseConfig(
    JSON.stringify({ servers: { one }, timeouts: { upstreamIdleMs: LONG_MS, inputMs: LONG_MS } }),
    { path: 'crosspoint.json', baseDir: tmpdir() },
  )
  const gateway = createGateway({ config, clock, info: { name: 'crosspoint', version: '0.0.0' }, settleMs: LONG_MS })
  onTestFinished(() => gateway.close({ graceMs: 0 }))
  /** Time passes while we wait, slowly. */
  const until = async (isSo: () => boolean) => {
    while (!isSo()) {
      clock.advance(0.1)
      await new Promise((resolve) => setImmediate(resolve))
    }
  }
  const during = async <T>(work: Promise<T>): Promise<T> => {
    let isOver = false
    const over = () => {
      isOver = true
    }
    work.then(over, over)
    await until(() => isOver)
    return work
  }
  const ask = (method: string, params: JsonObject, principal: Principal, capabilities: ClientCapabilities = {}) => {
    const { call } = recordCall(method, params, { principal, capabilities })
    const answer = gateway.endpoint()?.handle(call)
    if (answer === undefined) throw new Error('There is always an endpoint of everything')
    return during(answer)
  }
  const tool = (name: string, principal: Principal, capabilities?: ClientCapabilities, params: JsonObject = {}) =>
    ask('tools/call', { name: `one__${name}`, arguments: {}, ...params }, principal, capabilities)
  /** The process of the gateway's own connection. */
  const own = async () => {
    const { tools } = (await ask('tools/list', {}, ANNA)) as unknown as { tools: { description: string }[] }
    return Number(tools[0]?.description.split(' ').at(-1))
  }
  const state = () => gateway.status()[0]?.state
  await during(gateway.start())
  return {
    gateway,
    clock,
    until,
    ask,
    tool,
    state,
    versionFile,
    lose: async () => {
      process.kill(await own(), 'SIGKILL')
      await until(() => state() !== 'ready')
    },
  }
}

const textOf = ({ content }: Result) => String((content as readonly { readonly text: string }[])[0]?.text)
const answer = (round: Result, name: string) => ({
  requestState: round.requestState,
  inputResponses: Object.fromEntries(
    Object.keys(round.inputRequests as object).map((key) => [key, { action: 'accept', content: { name } }]),
  ),
})

describe("the gateway's own connection is lost", () => {
  test('and found again: sessions of callers go on in their processes', async () => {
    const { tool, lose, until, state, clock, gateway } = await open(AT_ONCE)
    const before = textOf(await tool('where', ANNA))
    await lose()
    await until(() => state() === 'ready')
    clock.advance(REQUEST_MS + 1)
    expect(textOf(await tool('where', ANNA))).toBe(before)
    expect(gateway.status()).toMatchObject([{ restarts: 1 }])
  })

  test('a call that waits for its caller goes on with the answer, before the server is back and after', async () => {
    for (const restart of [AT_ONCE, LATE]) {
      const { tool, lose, until, state, clock } = await open(restart)
      const first = await tool('ask', ANNA, FORMS)
      expect(first.resultType).toBe('input_required')
      await lose()
      if (restart === AT_ONCE) await until(() => state() === 'ready')
      clock.advance(REQUEST_MS + 1)
      const second = await tool('ask', ANNA, FORMS, answer(first, 'Ada'))
      expect(textOf(second)).toMatch(/^\d+ {"action":"accept","content":{"name":"Ada"}}$/)
    }
  })

  test('a task goes on, and is asked for', async () => {
    for (const restart of [AT_ONCE, LATE]) {
      const { tool, ask, lose, until, state, clock } = await open(restart)
      const { taskId } = await tool('job', ANNA, IN_TASKS)
      expect(taskId).toBeTypeOf('string')
      await lose()
      if (restart === AT_ONCE) await until(() => state() === 'ready')
      clock.advance(REQUEST_MS + 1)
      expect(await ask('tasks/get', { taskId }, ANNA, IN_TASKS)).toMatchObject({ status: 'working' })
      await tool('finish', ANNA)
      expect(await ask('tasks/get', { taskId }, ANNA, IN_TASKS)).toMatchObject({ status: 'completed' })
    }
  })

  test('while it is away, callers whose processes are well are served, and others hear at once why not', async () => {
    const { tool, lose, gateway } = await open(LATE)
    const before = textOf(await tool('where', ANNA))
    await lose()
    expect(textOf(await tool('where', ANNA))).toBe(before)
    const refused = await tool('where', BERT)
    expect(refused.isError).toBe(true)
    expect(textOf(refused)).toMatch(/^The server "one" is not available \(backing-off\) since /)
    // A caller of the same name who declares more has no session either.
    expect((await tool('ask', ANNA, FORMS)).isError).toBe(true)
    process.kill(Number(before.split(' ')[0]), 'SIGKILL')
    let last = before
    while (!last.includes('is not available')) last = textOf(await tool('where', ANNA))
    expect(gateway.status()).toMatchObject([{ state: 'backing-off', restarts: 0 }])
  })

  test('and another version comes back: calls at work and tasks end in the old one, what is new begins in the new', async () => {
    const { tool, ask, lose, until, state, versionFile } = await open(AT_ONCE)
    const before = textOf(await tool('where', ANNA))
    const { taskId } = await tool('job', ANNA, IN_TASKS)
    const waiting = await tool('ask', ANNA, FORMS)
    writeFileSync(versionFile, '2')
    await lose()
    await until(() => state() === 'ready')
    expect(textOf(await tool('where', ANNA))).not.toBe(before)
    expect(await ask('tasks/get', { taskId }, ANNA, IN_TASKS)).toMatchObject({ status: 'working' })
    expect(textOf(await tool('ask', ANNA, FORMS, answer(waiting, 'Ada')))).toContain('Ada')
  })
})

test('stopping a server whose own connection is lost leaves none of its processes', async () => {
  const { tool, lose, gateway } = await open(LATE)
  const [pid] = textOf(await tool('where', ANNA)).split(' ')
  const waiting = await tool('ask', BERT, FORMS)
  expect(waiting.resultType).toBe('input_required')
  await lose()
  await gateway.close({ graceMs: 0 })
  expect(() => process.kill(Number(pid), 0)).toThrow('ESRCH')
})
