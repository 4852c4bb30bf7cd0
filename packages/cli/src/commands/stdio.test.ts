import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { describe, expect, it } from 'vitest'
import { run, start } from '../../fixtures/crosspoint.ts'
import { createWorkspace, rudeServer, type Workspace } from '../../fixtures/workspace.ts'

interface Message {
  readonly jsonrpc: string
  readonly id?: number
  readonly method?: string
  readonly result?: Readonly<Record<string, unknown>>
  readonly error?: { readonly code: number }
}

/** A client in plain JSON lines, as a desktop application starts its one server. */
function startClient(workspace: Workspace, ...args: readonly string[]) {
  const running = start(['stdio', ...args], workspace.options)
  const heard: Message[] = []
  const waiting = new Set<() => void>()
  createInterface({ input: running.child.stdout }).on('line', (line) => {
    heard.push(JSON.parse(line) as Message) // anything but JSON on stdout fails the test here
    for (const look of waiting) look()
  })
  const hears = (wanted: (message: Message) => boolean) =>
    new Promise<Message>((resolve) => {
      const look = () => {
        const found = heard.find(wanted)
        if (found === undefined) return
        waiting.delete(look)
        resolve(found)
      }
      waiting.add(look)
      look()
    })
  const send = (message: object) => running.child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`)
  let last = 0
  return {
    running,
    heard,
    hears,
    send,
    ask: (method: string, params: object = {}) => {
      const id = ++last
      send({ id, method, params })
      return hears((message) => message.id === id && message.method === undefined)
    },
  }
}

async function shakeHands(client: ReturnType<typeof startClient>, protocolVersion: string): Promise<Message> {
  const clientInfo = { name: 'desktop', version: '1.0.0' }
  const opened = await client.ask('initialize', { protocolVersion, capabilities: {}, clientInfo })
  client.send({ method: 'notifications/initialized' })
  return opened
}

function toNames(result: Message['result']): readonly string[] {
  return ((result?.tools ?? []) as readonly { readonly name: string }[]).map(({ name }) => name).sort()
}

describe('stdio', () => {
  it('is one server with all tools, says nothing but protocol, and ends with its standard input', async () => {
    const workspace = createWorkspace()
    workspace.write('crosspoint.json', workspace.quickstart())
    const client = startClient(workspace)
    const opened = await shakeHands(client, '2025-06-18')
    expect(opened.result).toMatchObject({ protocolVersion: '2025-06-18', serverInfo: { name: 'crosspoint' } })
    const { result } = await client.ask('tools/list')
    expect(toNames(result)).toEqual(
      expect.arrayContaining(['everything__echo', 'filesystem__list_directory', 'memory__read_graph']),
    )
    const called = await client.ask('tools/call', { name: 'everything__echo', arguments: { message: 'hi' } })
    expect(called.result).toMatchObject({ content: [{ type: 'text', text: 'Echo: hi' }] })
    client.running.child.stdin.end()
    expect(await client.running.ended).toMatchObject({ code: 0 })
    expect(client.heard.every(({ jsonrpc }) => jsonrpc === '2.0')).toBe(true)
    expect(workspace.left()).toEqual([])
  })

  it('speaks the newest revision on the same pipe', async () => {
    const workspace = createWorkspace()
    workspace.write('crosspoint.json', { servers: { rude: rudeServer(workspace) } })
    const client = startClient(workspace)
    const prefix = 'io.modelcontextprotocol/'
    const _meta = { [`${prefix}protocolVersion`]: '2026-07-28', [`${prefix}clientCapabilities`]: {} }
    const { result } = await client.ask('tools/list', { _meta })
    expect(result).toMatchObject({ resultType: 'complete', ttlMs: expect.any(Number) })
    expect(await client.ask('ping', { _meta })).toMatchObject({ error: { code: -32601 } })
  })

  it('tells the client when a changed configuration changes what there is', async () => {
    const workspace = createWorkspace()
    const rude = rudeServer(workspace)
    workspace.write('crosspoint.json', { servers: { rude } })
    const client = startClient(workspace)
    await shakeHands(client, '2025-06-18')
    workspace.write('crosspoint.json', { servers: { rude, ruder: rude } })
    client.running.child.kill('SIGHUP')
    await client.hears(({ method }) => method === 'notifications/tools/list_changed')
    const { result } = await client.ask('tools/list')
    expect(toNames(result)).toEqual(expect.arrayContaining(['rude__hang', 'ruder__hang']))
  })

  it('shows one view when asked to', async () => {
    const workspace = createWorkspace()
    const view = { tools: { include: ['rude__recolour'] } }
    workspace.write('crosspoint.json', { servers: { rude: rudeServer(workspace) }, views: { one: view } })
    const client = startClient(workspace, '--view', 'one')
    await shakeHands(client, '2025-06-18')
    const { result } = await client.ask('tools/list')
    expect(result?.tools).toEqual([expect.objectContaining({ name: 'rude__recolour' })])
  })

  it('is used by whoever the configuration says, and asks nobody for a key', async () => {
    const workspace = createWorkspace()
    workspace.write('crosspoint.json', {
      servers: { rude: rudeServer(workspace) },
      auth: { stdio: { principal: 'alice' } },
      store: { path: 'none/store.db' },
    })
    const client = startClient(workspace, '--json', '--verbose')
    await shakeHands(client, '2025-06-18')
    await client.ask('tools/list')
    await client.running.sees('stderr', /"principal":"alice"/)
    client.running.child.stdin.end()
    expect(await client.running.ended).toMatchObject({ code: 0 })
    expect(existsSync(join(workspace.folder, 'none'))).toBe(false)
  })

  it('writes nothing on standard output when it cannot begin', async () => {
    const workspace = createWorkspace()
    workspace.write('crosspoint.yaml', 'servers: [')
    expect(await run(['stdio'], workspace.options)).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(/crosspoint\.yaml:1:\d+: error/),
    })
  })

  it.skipIf(process.platform === 'win32')('ends with 0 after SIGTERM and leaves nothing behind', async () => {
    const workspace = createWorkspace()
    workspace.write('crosspoint.json', { servers: { rude: rudeServer(workspace) } })
    const client = startClient(workspace)
    await shakeHands(client, '2025-06-18')
    expect(workspace.left()).toHaveLength(1)
    client.running.child.kill('SIGTERM')
    expect(await client.running.ended).toMatchObject({ code: 0 })
    expect(workspace.left()).toEqual([])
  })
})
