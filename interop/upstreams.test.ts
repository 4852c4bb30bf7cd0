import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { HANDSHAKE_REVISIONS, NEWEST, NEWEST_HANDSHAKE } from '@crosspoint/mcp'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Running } from './child.ts'
import { officialClients, type Seen, type Tour } from './clients.ts'
import { type Announcement, startGateway, startServer } from './gateway.ts'
import { installed, node22, requireInCi, root } from './installed.ts'

const EVERYTHING = `${root}/node_modules/@modelcontextprotocol/server-everything/dist/index.js`
const PEER = `${root}/interop/peers/sdk-v2-server.mjs`
const OWN = `${root}/interop/peers/own-server.mjs`

/** Revisions with a handshake that our fixture server speaks over HTTP. */
const OLDER = HANDSHAKE_REVISIONS.filter(({ traits }) => traits.http === 'streamable').map(({ name }) => name)

const OLDEST = HANDSHAKE_REVISIONS.at(-1)?.name

requireInCi()

/** Upstreams over HTTP and stdio, of both eras, of three makers, behind one gateway. */
describe.skipIf(!installed || node22 === undefined)('servers of every era behind the gateway', () => {
  const servers: Running<string>[] = []
  let folder: string
  let gateway: Running<Announcement>

  beforeAll(async () => {
    const loopback = ['--import', `${root}/interop/peers/loopback.mjs`]
    const [everything, old, both, modern, own] = await Promise.all([
      startServer([...loopback, EVERYTHING, 'streamableHttp'], { PORT: '0' }),
      startServer([...loopback, EVERYTHING, 'sse'], { PORT: '0' }),
      startServer([PEER, 'http']),
      startServer([PEER, 'http', '--modern-only']),
      startServer([OWN, 'http']),
    ])
    servers.push(everything, old, both, modern, own)
    const upstreams = {
      everything: { url: everything.said },
      everything_sse: { url: old.said.replace('/mcp', '/sse') },
      official: { url: both.said },
      official_modern: { url: modern.said },
      official_stdio: { command: process.execPath, args: [PEER, 'stdio', '--modern-only'] },
      own: { url: own.said },
      own_sse: { url: own.said.replace('/mcp', '/sse'), type: 'sse', revision: OLDEST },
      ...Object.fromEntries(OLDER.map((revision) => [`own_${revision}`, { url: own.said, revision }])),
    }
    folder = await mkdtemp(join(tmpdir(), 'crosspoint-interop-'))
    const config = join(folder, 'crosspoint.json')
    await writeFile(config, JSON.stringify({ servers: upstreams }))
    gateway = await startGateway(config)
  }, 60_000)

  afterAll(async () => {
    expect(await gateway.stop(), 'processes left behind').toEqual([])
    await Promise.all(servers.map((server) => server.stop()))
    await rm(folder, { recursive: true, force: true })
  })

  const answers: readonly (readonly [name: string, args: Record<string, unknown>, text: string])[] = [
    ['everything__echo', { message: 'hi' }, 'Echo: hi'],
    ['everything_sse__echo', { message: 'hi' }, 'Echo: hi'],
    ['official__greet', { name: 'Ada' }, 'Hello, Ada!'],
    ['official_modern__greet', { name: 'Ada' }, 'Hello, Ada!'],
    ['official_stdio__greet', { name: 'Ada' }, 'Hello, Ada!'],
    ['official_modern__count', { text: 'four' }, '{"letters":4}'],
    ['own__test_simple_text', {}, 'This is a simple text response for testing.'],
    ['own_sse__test_simple_text', {}, 'This is a simple text response for testing.'],
    ...OLDER.map(
      (name) => [`own_${name}__test_simple_text`, {}, 'This is a simple text response for testing.'] as const,
    ),
  ]
  const tour: Tour = { calls: answers.map(([name, args]) => ({ name, arguments: args })), reads: ['note://hello'] }

  test('each is spoken to in the revision it was told, or the newest it has', () => {
    const spoken = gateway.said.servers.map(({ name, revision }) => [name, revision])
    expect(Object.fromEntries(spoken)).toEqual({
      everything: NEWEST_HANDSHAKE.name,
      // The official SDK's line 1 answers its newest over the oldest transport, too.
      everything_sse: NEWEST_HANDSHAKE.name,
      official: NEWEST.name,
      official_modern: NEWEST.name,
      official_stdio: NEWEST.name,
      own: NEWEST.name,
      own_sse: OLDEST,
      ...Object.fromEntries(OLDER.map((name) => [`own_${name}`, name])),
    })
  })

  for (const client of officialClients(NEWEST.name)) {
    test(`${client.name} lists and calls each of them`, { timeout: 90_000 }, async () => {
      const seen: Seen = await client.tour({ url: gateway.said.url }, tour)
      const names = seen.tools.map((tool) => tool.name)
      for (const [name, , text] of answers) {
        expect(names).toContain(name)
        expect(seen.calls[name]?.content, name).toContainEqual({ type: 'text', text })
      }
      expect(seen.calls.official_modern__count?.structuredContent).toEqual({ letters: 4 })
      expect(seen.reads['note://hello']?.contents).toHaveLength(1)
      expect(seen.prompts.map((prompt) => prompt.name)).toContain('official_modern__ask')
    })
  }
})
