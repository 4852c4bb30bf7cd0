import { NEWEST } from '@crosspoint/mcp'
import { type HttpDoor, openHttpDoor } from '@crosspoint/mcp/transports'
import { createFixtureServer } from '@crosspoint/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { officialClients, officialSdks, type Target, type Tour } from './clients.ts'
import { installed, node22, requireInCi, root } from './installed.ts'

const TOUR: Tour = {
  calls: [
    { name: 'test_simple_text', arguments: {} },
    { name: 'test_image_content', arguments: {} },
    { name: 'test_error_handling', arguments: {} },
    { name: 'test_tool_with_progress', arguments: {} },
    { name: 'test_reconnection', arguments: {} },
  ],
  reads: ['test://static-text', 'test://template/7/data'],
  prompts: [{ name: 'test_prompt_with_arguments', arguments: { arg1: 'one', arg2: 'two' } }],
}

requireInCi()

/** Our server side without the gateway, judged by every official client. */
describe.skipIf(!installed || node22 === undefined)('a server on our engine', () => {
  let door: HttpDoor

  beforeAll(async () => {
    const { endpoint } = createFixtureServer()
    const at = (own: string) => (path: string) => (path === own ? endpoint : undefined)
    door = await openHttpDoor({ endpoint: at('/mcp'), sse: at('/sse') })
  })
  afterAll(() => door.close())

  const doors: Readonly<Record<string, () => Target>> = {
    'over HTTP': () => ({ url: `${door.url}/mcp` }),
    'over stdio': () => ({ command: process.execPath, args: [`${root}/interop/peers/own-server.mjs`, 'stdio'] }),
    'over HTTP+SSE': () => ({ url: `${door.url}/sse`, transport: 'sse' }),
  }
  for (const [name, target] of Object.entries(doors)) {
    // The oldest transport has no place for a revision without sessions.
    const able = officialClients(NEWEST.name).filter(({ era }) => name !== 'over HTTP+SSE' || era === 'legacy')
    for (const client of able) {
      test(`serves ${client.name} ${name}`, { timeout: 60_000 }, async () => {
        const seen = await client.tour(target(), TOUR)
        expect(seen.era).toBe(client.era)
        expect(seen.tools.map((tool) => tool.name)).toContain('json_schema_2020_12_tool')
        expect(seen.resources.map((resource) => resource.uri)).toContain('test://static-binary')
        expect(seen.prompts.map((prompt) => prompt.name)).toContain('test_simple_prompt')
        expect(seen.calls.test_simple_text?.content[0]?.text).toBe('This is a simple text response for testing.')
        expect(seen.calls.test_image_content?.content[0]?.type).toBe('image')
        expect(seen.calls.test_error_handling?.isError).toBe(true)
        expect(seen.calls.test_tool_with_progress?.isError ?? false).toBe(false)
        expect(seen.calls.test_reconnection?.content[0]?.text).toBe('Reconnection test completed successfully')
        expect(seen.reads['test://static-text']?.contents).toHaveLength(1)
        expect(seen.reads['test://template/7/data']?.contents[0]?.uri).toBe('test://template/7/data')
        expect(JSON.stringify(seen.gets.test_prompt_with_arguments)).toContain('two')
      })
    }
  }

  for (const client of officialSdks(NEWEST.name).filter(({ era }) => era === 'legacy')) {
    test(`serves ${client.name} over HTTP that lets go of every stream`, { timeout: 60_000 }, async () => {
      const endpoint = { ...createFixtureServer().endpoint, resume: { pollAfterMs: 20, retryMs: 30 } }
      const impatient = await openHttpDoor({ endpoint: () => endpoint })
      try {
        const seen = await client.tour({ url: `${impatient.url}/mcp` }, TOUR)
        expect(seen.calls.test_tool_with_progress?.content[0]?.text).toContain('successfully')
        expect(seen.calls.test_reconnection?.content[0]?.text).toBe('Reconnection test completed successfully')
      } finally {
        await impatient.close()
      }
    })
  }
})
