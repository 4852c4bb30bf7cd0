import { NEWEST, NEWEST_HANDSHAKE } from '@crosspoint/mcp'
import { describe, expect, test } from 'vitest'
import { officialClients, type Target } from './clients.ts'
import { installed, node22, root } from './installed.ts'

/** The drivers judge the gateway, so they are first judged themselves, on a server that is not ours. */
describe.skipIf(!installed || node22 === undefined)('the official clients without the gateway', () => {
  const everything: Target = {
    command: process.execPath,
    args: [`${root}/node_modules/@modelcontextprotocol/server-everything/dist/index.js`, 'stdio'],
  }
  const tour = { calls: [{ name: 'echo', arguments: { message: 'hello' } }] }

  for (const client of officialClients(NEWEST.name)) {
    if (client.era === 'legacy') {
      test(`${client.name} lists and calls server-everything`, { timeout: 60_000 }, async () => {
        const seen = await client.tour(everything, tour)
        expect(seen.tools.length).toBeGreaterThan(10)
        expect(seen.resources.length).toBeGreaterThan(0)
        expect(seen.prompts.length).toBeGreaterThan(0)
        expect(seen.calls.echo?.content).toEqual([{ type: 'text', text: 'Echo: hello' }])
      })
    }
  }

  test('SDK v2 in auto mode falls back where the server is older', async () => {
    const auto = officialClients(NEWEST.name).find((client) => client.name.includes('auto'))
    const seen = await auto?.tour(everything, tour)
    expect(seen).toMatchObject({ era: 'legacy', revision: NEWEST_HANDSHAKE.name })
  })

  test('a client pinned to the newest revision refuses a server that is older', async () => {
    const pinned = officialClients(NEWEST.name).find((client) => client.name.includes('pinned'))
    await expect(pinned?.tour(everything, tour)).rejects.toThrow('did not offer pinned protocol version')
  })
})
