import { NEWEST } from '@crosspoint/mcp'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Running } from './child.ts'
import { officialClients, type Seen, type Target, type Tour } from './clients.ts'
import { type Announcement, CROSSPOINT, startGateway } from './gateway.ts'
import { installed, node22, requireInCi, root } from './installed.ts'

const CONFIG = `${root}/examples/quickstart/crosspoint.yaml`
const FILES = `${root}/examples/quickstart/files`

/** The quickstart's servers, started without the gateway: what they offer by themselves is what has to come through. */
const SERVERS: Readonly<Record<string, readonly string[]>> = {
  everything: ['server-everything/dist/index.js', 'stdio'],
  filesystem: ['server-filesystem/dist/index.js', FILES],
  memory: ['server-memory/dist/index.js'],
}

const TOUR: Tour = {
  calls: [
    { name: 'everything__echo', arguments: { message: 'Grüße, 世界' } },
    { name: 'filesystem__list_directory', arguments: { path: FILES } },
    { name: 'memory__read_graph', arguments: {} },
  ],
  reads: ['demo://resource/static/document/architecture.md'],
  prompts: [{ name: 'everything__args-prompt', arguments: { city: 'Bern' } }],
}

requireInCi()

describe.skipIf(!installed || node22 === undefined)('the quickstart through the gateway', () => {
  const clients = officialClients(NEWEST.name)
  const alone = new Map<string, Seen>()
  let gateway: Running<Announcement>

  beforeAll(async () => {
    const [plain] = clients
    for (const [name, [script, ...args]] of Object.entries(SERVERS)) {
      const target = {
        command: process.execPath,
        args: [`${root}/node_modules/@modelcontextprotocol/${script}`, ...args],
      }
      if (plain !== undefined) alone.set(name, await plain.tour(target, {}))
    }
    gateway = await startGateway(CONFIG)
  }, 60_000)

  afterAll(async () => {
    expect(await gateway.stop(), 'processes left behind').toEqual([])
  })

  const doors: Readonly<Record<string, () => Target>> = {
    'over HTTP': () => ({ url: gateway.said.url }),
    'over the stdio door': () => ({ command: process.execPath, args: [CROSSPOINT, 'stdio', '--config', CONFIG] }),
  }
  for (const [door, target] of Object.entries(doors)) {
    for (const client of clients) {
      test(`${client.name} lists everything and calls a tool of each server ${door}`, { timeout: 90_000 }, async () => {
        const seen = await client.tour(target(), TOUR)
        expect(seen.era).toBe(client.era)
        expectEverything(seen, alone)
        expectAnswers(seen)
      })
    }
  }
})

/** What each server offers by itself is there, under its server's name, and nothing else is. */
function expectEverything(seen: Seen, alone: ReadonlyMap<string, Seen>): void {
  const tools = seen.tools.map((tool) => tool.name)
  const prompts = seen.prompts.map((prompt) => prompt.name)
  const resources = seen.resources.map((resource) => resource.uri)
  for (const [server, own] of alone) {
    expect(tools).toEqual(expect.arrayContaining(own.tools.map((tool) => `${server}__${tool.name}`)))
    expect(prompts).toEqual(expect.arrayContaining(own.prompts.map((prompt) => `${server}__${prompt.name}`)))
    expect(resources).toEqual(expect.arrayContaining(own.resources.map((resource) => resource.uri)))
  }
  const prefixes = [...alone.keys()].map((server) => `${server}__`)
  expect([...tools, ...prompts].filter((name) => !prefixes.some((prefix) => name.startsWith(prefix)))).toEqual([])
  expect(new Set(tools).size).toBe(tools.length)
}

function expectAnswers(seen: Seen): void {
  expect(seen.calls.everything__echo?.content).toEqual([{ type: 'text', text: 'Echo: Grüße, 世界' }])
  expect(seen.calls.filesystem__list_directory?.isError ?? false).toBe(false)
  expect(seen.calls.filesystem__list_directory?.content[0]?.text).toContain('[FILE]')
  expect(seen.calls.memory__read_graph?.structuredContent).toMatchObject({ entities: expect.any(Array) })
  expect(seen.reads['demo://resource/static/document/architecture.md']?.contents[0]?.uri).toContain('architecture.md')
  expect(seen.gets['everything__args-prompt']?.messages).toHaveLength(1)
}
