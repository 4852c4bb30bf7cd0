import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { openHttpDoor } from '@crosspoint/mcp/transports'
import { afterEach, expect, test } from 'vitest'
import { createFixtureServer } from '../fixture/server.ts'

const PROGRAM = fileURLToPath(new URL('../../dist/conformance-client.js', import.meta.url))

const cleanup: (() => unknown)[] = []
afterEach(async () => {
  for (const end of cleanup.splice(0).reverse()) await end()
})

async function serve(): Promise<{ url: string; called: string[] }> {
  const server = createFixtureServer()
  const called: string[] = []
  const { endpoint } = server
  const handle: typeof endpoint.handle = (call) => {
    called.push(`${call.downstream.revision} ${call.method}`)
    return endpoint.handle(call)
  }
  const recorded = { ...endpoint, handle }
  const door = await openHttpDoor({ endpoint: () => recorded })
  cleanup.push(
    () => server.close(),
    () => door.close({ drainMs: 0 }),
  )
  return { url: `${door.url}/mcp`, called }
}

/** Runs the program to its end; gives its exit code and what it wrote to stderr. */
async function run(args: readonly string[], env: Record<string, string> = {}) {
  const options = { env: { PATH: process.env.PATH, ...env } }
  return promisify(execFile)(process.execPath, [PROGRAM, ...args], options).then(
    ({ stderr }) => ({ code: 0, stderr }),
    ({ code, stderr }: { code: number; stderr: string }) => ({ code, stderr }),
  )
}

test.each(['2025-06-18', '2026-07-28'])('acts a scenario out in the era of %s and ends with 0', async (revision) => {
  const { url, called } = await serve()
  const context = JSON.stringify({ toolCalls: [{ name: 'test_simple_text', arguments: {} }] })
  const { code, stderr } = await run([url], {
    MCP_CONFORMANCE_SCENARIO: 'http-custom-headers',
    MCP_CONFORMANCE_PROTOCOL_VERSION: revision,
    MCP_CONFORMANCE_CONTEXT: context,
  })
  expect([code, stderr]).toEqual([0, ''])
  expect(called.at(-1)).toMatch(/tools\/call$/)
  expect(called.at(-1)?.startsWith('2026')).toBe(revision.startsWith('2026'))
})

test('says so when it cannot', async () => {
  const { url } = await serve()
  expect(await run([])).toMatchObject({ code: 2, stderr: expect.stringContaining('without the URL') })
  const unknown = await run([url], { MCP_CONFORMANCE_SCENARIO: 'dance' })
  expect(unknown).toMatchObject({ code: 2, stderr: expect.stringContaining('Cannot act out "dance"') })
  const failing = await run([url], { MCP_CONFORMANCE_SCENARIO: 'json-schema-2020-12-preservation' })
  expect(failing).toMatchObject({ code: 1, stderr: expect.stringContaining('json_schema_echo') })
})
