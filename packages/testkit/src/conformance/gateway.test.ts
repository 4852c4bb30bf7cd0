import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterEach, expect, test } from 'vitest'
import { openWireSession, sendEnveloped } from '../wire-client.ts'

const PROGRAM = fileURLToPath(new URL('../../../../.ci/conformance-gateway.mjs', import.meta.url))

let child: ChildProcess | undefined
afterEach(async () => {
  if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
  child.kill('SIGTERM')
  await once(child, 'exit')
})

function start(...args: readonly string[]) {
  const started = spawn(process.execPath, [PROGRAM, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  child = started
  return started
}

test.each(['dual', 'legacy', 'modern'])(
  'stands in front of a %s server under its own names, for callers of both eras, until it is told to stop',
  async (era) => {
    const started = start('--upstream-era', era, '--port', '0')
    const [line] = await once(createInterface(started.stderr), 'line')
    expect(line).toMatch(/^listening on http:\/\/127\.0\.0\.1:[1-9]\d*\/mcp$/)
    const url = String(line).replace('listening on ', '')
    const { messages } = await sendEnveloped(url, 'tools/call', { name: 'test_simple_text', arguments: {} })
    expect(messages[0].result.content).toMatchObject([{ text: 'This is a simple text response for testing.' }])
    const session = await openWireSession(url)
    const { prompts } = (await session.request('prompts/list')).messages[0].result
    expect(prompts.map(({ name }: { name: string }) => name)).toContain('test_simple_prompt')
    started.kill(era === 'dual' ? 'SIGINT' : 'SIGTERM')
    // The gateway has the same standard error: that it is closed says that nothing is left behind.
    const [code, endedBy] = await once(started, 'close')
    expect([code, endedBy]).toEqual([0, null])
  },
)

test('refuses an era that is none', async () => {
  const started = start('--upstream-era', 'x')
  const [line] = await once(createInterface(started.stderr), 'line')
  expect(line).toBe('Cannot serve the era "x": there are dual, legacy, modern')
  expect((await once(started, 'exit'))[0]).toBe(2)
})
