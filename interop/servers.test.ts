import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { NEWEST, NEWEST_HANDSHAKE } from '@crosspoint/mcp'
import { type Client, connect } from '@crosspoint/mcp/client'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startServer } from './gateway.ts'
import { installed, requireInCi, root } from './installed.ts'

requireInCi()

/** Our client library with servers that people run, each as it is installed. */
describe.skipIf(!installed)('our client with servers of other makers', () => {
  let folder: string
  const faults: string[] = []

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'crosspoint-servers-'))
  })

  afterAll(async () => {
    await rm(folder, { recursive: true, force: true })
  })

  const here = (path: string) => `${root}/node_modules/${path}`
  const referee = (path: string) => `${root}/interop/node_modules/${path}`

  async function use(
    args: readonly string[],
    work: (client: Client) => Promise<void>,
    env: Record<string, string> = {},
  ) {
    faults.length = 0
    const client = await connect(
      { command: process.execPath, args, env: { PATH: process.env.PATH ?? '', HOME: folder, ...env } },
      { client: { name: 'crosspoint', version: '0' }, fault: (reason) => faults.push(reason) },
    )
    try {
      await work(client)
    } finally {
      await client.close()
    }
    expect(faults).toEqual([])
  }

  const namesOf = async (client: Client) => (await client.listTools().all()).map((tool) => tool.name)

  test('server-filesystem writes a file and reads it back', async () => {
    await use([here('@modelcontextprotocol/server-filesystem/dist/index.js'), folder], async (client) => {
      expect(await namesOf(client)).toHaveLength(14)
      const path = join(folder, 'note.txt')
      await client.callTool('write_file', { path, content: 'hello' })
      const read = await client.callTool('read_text_file', { path })
      expect(read).toMatchObject({ content: [{ text: 'hello' }], structuredContent: { content: 'hello' } })
      expect(await client.callTool('read_text_file', { path: '/etc/passwd' })).toMatchObject({ isError: true })
    })
  })

  test('server-memory remembers what it was told', async () => {
    const env = { MEMORY_FILE_PATH: join(folder, 'memory.jsonl') }
    const server = here('@modelcontextprotocol/server-memory/dist/index.js')
    await use(
      [server],
      async (client) => {
        expect(await namesOf(client)).toHaveLength(9)
        const entities = [{ name: 'Ada', entityType: 'person', observations: ['wrote programs'] }]
        await client.callTool('create_entities', { entities })
        expect((await client.callTool('read_graph')).structuredContent).toMatchObject({ entities })
      },
      env,
    )
  })

  test('server-everything over stdio answers calls, reads and prompts, and reports progress', async () => {
    await use([here('@modelcontextprotocol/server-everything/dist/index.js'), 'stdio'], everything)
  })

  test.each([
    ['Streamable HTTP', 'streamableHttp', '/mcp', undefined],
    ['HTTP+SSE', 'sse', '/sse', 'sse'],
  ])('server-everything over %s answers the same', async (_, mode, path, transport) => {
    const loopback = ['--import', `${root}/interop/peers/loopback.mjs`]
    const program = here('@modelcontextprotocol/server-everything/dist/index.js')
    const server = await startServer([...loopback, program, mode], { PORT: '0' })
    try {
      const client = await connect(new URL(path, server.said))
      try {
        expect(client.connection.verdict.transport).toBe(transport)
        await everything(client)
      } finally {
        await client.close()
      }
    } finally {
      expect(await server.stop()).toEqual([])
    }
  })

  async function everything(client: Client): Promise<void> {
    expect(client.connection.verdict.revision).toBe(NEWEST_HANDSHAKE.name)
    expect(await namesOf(client)).toContain('echo')
    expect(await client.callTool('echo', { message: 'hi' })).toMatchObject({ content: [{ text: 'Echo: hi' }] })
    const heard: number[] = []
    await client.callTool(
      'trigger-long-running-operation',
      { duration: 0.4, steps: 4 },
      { onProgress: ({ progress }) => heard.push(progress) },
    )
    expect(heard.slice(0, 3)).toEqual([1, 2, 3])
    const [resource] = await client.listResources().all()
    expect((await client.readResource(resource?.uri ?? '')).contents).toHaveLength(1)
    const [prompt] = await client.listPrompts().all()
    expect((await client.getPrompt(prompt?.name ?? '')).messages.length).toBeGreaterThan(0)
  }

  test('@playwright/mcp lists its tools, and says what it lacks where there is no browser', async () => {
    const args = [referee('@playwright/mcp/cli.js'), '--headless', '--isolated', '--executable-path', '/nowhere']
    await use(args, async (client) => {
      expect(await namesOf(client)).toContain('browser_navigate')
      expect(await client.callTool('browser_tabs', { action: 'list' })).toMatchObject({ isError: true })
    })
  })

  test('@upstash/context7-mcp is spoken to in the newest revision', async () => {
    await use([referee('@upstash/context7-mcp/dist/index.js')], async (client) => {
      expect(client.connection.verdict.revision).toBe(NEWEST.name)
      expect(await namesOf(client)).toHaveLength(2)
      await expect(client.callTool('no_such_tool')).rejects.toMatchObject({ rpc: { code: -32602 } })
    })
  })

  test('chrome-devtools-mcp lists its tools', async () => {
    const program = referee('chrome-devtools-mcp/build/src/bin/chrome-devtools-mcp.js')
    await use([program, '--headless', '--no-usage-statistics'], async (client) => {
      expect(await namesOf(client)).toHaveLength(32)
    })
  })

  test('@notionhq/notion-mcp-server lists its tools', async () => {
    const program = referee('@notionhq/notion-mcp-server/bin/cli.mjs')
    await use(
      [program],
      async (client) => {
        expect(await namesOf(client)).toHaveLength(24)
      },
      { NOTION_TOKEN: 'ntn_none' },
    )
  })
})
