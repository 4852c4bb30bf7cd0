import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterEach, expect, test } from 'vitest'
import { freePort } from '../port.ts'
import { openWireSession, sendEnveloped } from '../wire-client.ts'

const PROGRAM = fileURLToPath(new URL('../../dist/conformance/server.js', import.meta.url))

let child: ChildProcess | undefined
afterEach(async () => {
  if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
  child.kill('SIGKILL')
  await once(child, 'exit')
})

function start(port: string, ...more: readonly string[]) {
  const started = spawn(process.execPath, [PROGRAM, '--port', port, ...more], { stdio: ['ignore', 'pipe', 'pipe'] })
  child = started
  return started
}

test.each(['SIGTERM', 'SIGINT'] as const)('says where it listens, serves both eras and ends on %s', async (signal) => {
  const port = await freePort()
  const started = start(String(port))
  const [line] = await once(createInterface(started.stderr), 'line')
  expect(line).toBe(`listening on http://127.0.0.1:${port}/mcp`)
  const url = `http://127.0.0.1:${port}/mcp`
  expect((await sendEnveloped(url, 'tools/list')).messages[0].result.tools.length).toBeGreaterThan(10)
  const session = await openWireSession(url)
  expect((await session.request('ping')).messages[0].result).toEqual({})
  const listening = await session.listen()
  started.kill(signal)
  const [code, endedBy] = await once(started, 'exit')
  expect([code, endedBy]).toEqual([0, null])
  await listening.closed
})

test('takes any free port when given 0', async () => {
  const [line] = await once(createInterface(start('0').stderr), 'line')
  expect(line).toMatch(/^listening on http:\/\/127\.0\.0\.1:[1-9]\d*\/mcp$/)
})

test('offers the revisions of one era where it is told to', async () => {
  const offered = async (era: string) => {
    const started = start('0', '--era', era)
    const [line] = await once(createInterface(started.stderr), 'line')
    const url = String(line).replace('listening on ', '')
    const { messages } = await sendEnveloped(url, 'server/discover')
    const session = await openWireSession(url)
    started.kill()
    await once(started, 'exit')
    const legacy = session.initialized.messages[0].result?.protocolVersion
    return { modern: messages[0].result?.supportedVersions, legacy }
  }
  expect(await offered('modern')).toEqual({ modern: ['2026-07-28'], legacy: undefined })
  expect(await offered('legacy')).toEqual({ modern: undefined, legacy: '2025-11-25' })
  const started = start('0', '--era', 'x')
  const [line] = await once(createInterface(started.stderr), 'line')
  expect(line).toBe('Cannot serve the era "x": there are dual, legacy, modern')
  expect((await once(started, 'exit'))[0]).toBe(1)
})

test('refuses a port that is none', async () => {
  const started = start('x')
  const [line] = await once(createInterface(started.stderr), 'line')
  expect(line).toContain('Cannot listen on port "x"')
  expect((await once(started, 'exit'))[0]).toBe(1)
})
