import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { type CallToolResult, NEWEST_HANDSHAKE } from '@crosspoint/mcp'
import { connect } from '@crosspoint/mcp/client'
import { createServer, serve } from '@crosspoint/mcp/server'
import { openWireSession, recordCall, type WireSession } from '@crosspoint/testkit'
import { expect, onTestFinished, test } from 'vitest'
import { parseConfig } from './config/parse.ts'
import { openFrontDoor } from './front/door.ts'
import { createGateway, type Gateway } from './gateway.ts'
import type { Log } from './log.ts'

/** Real servers in real processes. */

const crashing = {
  command: process.execPath,
  args: [fileURLToPath(new URL('../fixtures/crashing-server.mjs', import.meta.url))],
  restart: { minDelayMs: 10, maxDelayMs: 20 },
}

function open(servers: object, more: object = {}, log?: Log): Gateway {
  const info = { name: 'crosspoint', version: '0.0.0' }
  const gateway = createGateway({ config: toConfig(servers, more), info, ...(log === undefined ? {} : { log }) })
  onTestFinished(() => gateway.close({ graceMs: 0 }))
  return gateway
}

function toConfig(servers: object, more: object = {}) {
  return parseConfig(JSON.stringify({ servers, ...more }), { path: 'crosspoint.json', baseDir: tmpdir() }).config
}

function bin(name: string): string {
  const require = createRequire(import.meta.url)
  return join(dirname(require.resolve(`${name}/package.json`)), 'dist', 'index.js')
}

async function call(gateway: Gateway, name: string, args = {}): Promise<CallToolResult> {
  const result = await gateway.endpoint()?.handle(recordCall('tools/call', { name, arguments: args }).call)
  return result as CallToolResult
}

const textOf = ({ content }: CallToolResult) => content.map((block) => (block.type === 'text' ? block.text : '')).join()

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

test('three official servers and a missing one: everything there is works, the rest says why', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'crosspoint-gateway-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  writeFileSync(join(folder, 'note.txt'), 'remember the milk')
  const node = process.execPath
  const gateway = open({
    everything: { command: node, args: [bin('@modelcontextprotocol/server-everything')] },
    files: { command: node, args: [bin('@modelcontextprotocol/server-filesystem'), folder] },
    memory: {
      command: node,
      args: [bin('@modelcontextprotocol/server-memory')],
      env: { MEMORY_FILE_PATH: join(folder, 'memory.json') },
    },
    missing: { command: join(folder, 'no-such-program') },
  })
  await gateway.start()
  expect(gateway.status()).toMatchObject([
    { name: 'everything', state: 'ready' },
    { name: 'files', state: 'ready' },
    { name: 'memory', state: 'ready' },
    { name: 'missing', state: 'backing-off', remedy: expect.stringContaining('"no-such-program"') },
  ])
  const endpoint = gateway.endpoint()
  if (endpoint === undefined) throw new Error('There is always an endpoint of everything')
  const client = await connect({ endpoint }, { client: { name: 'test', version: '1.0.0' } })
  onTestFinished(() => client.close())
  const tools = (await client.listTools().all()).map(({ name }) => name)
  // What it offers to clients that can be asked is among them: it works for those.
  expect(tools.filter((name) => name.startsWith('everything__'))).toHaveLength(17)
  expect(textOf(await client.callTool('everything__echo', { message: 'hi' }))).toBe('Echo: hi')
  expect(textOf(await client.callTool('files__read_text_file', { path: join(folder, 'note.txt') }))).toBe(
    'remember the milk',
  )
  // Once it is known what the session of this client has.
  let gated = await client.callTool('everything__trigger-sampling-request', { prompt: 'hi' })
  while (!textOf(gated).includes('this client declares')) {
    gated = await client.callTool('everything__trigger-sampling-request', { prompt: 'hi' })
  }
  expect(textOf(gated)).toContain('offers the tool "trigger-sampling-request" only to clients that it can ask')
  expect(textOf(await client.callTool('memory__read_graph'))).toContain('entities')
  expect((await client.readResource('demo://resource/dynamic/text/4')).contents[0]?.uri).toBe(
    'demo://resource/dynamic/text/4',
  )
  const prompt = await client.getPrompt('everything__args-prompt', { city: 'Paris' })
  expect(JSON.stringify(prompt.messages)).toContain('Paris')
  const { completion } = await client.complete({
    ref: { type: 'ref/prompt', name: 'everything__completable-prompt' },
    argument: { name: 'department', value: 'E' },
  })
  expect(completion.values).toEqual(['Engineering'])
})

test('a server gets the environment it is given, and nothing of ours', async () => {
  process.env.CROSSPOINT_TEST_SECRET = 'do not pass on'
  onTestFinished(() => {
    delete process.env.CROSSPOINT_TEST_SECRET
  })
  const everything = bin('@modelcontextprotocol/server-everything')
  const gateway = open({ everything: { command: process.execPath, args: [everything], env: { GIVEN: 'this' } } })
  await gateway.start()
  const environment = textOf(await call(gateway, 'everything__get-env'))
  expect(JSON.parse(environment)).toMatchObject({ GIVEN: 'this' })
  expect(environment).not.toContain('do not pass on')
})

test('abuse-50: a server that crashes in a call is an error of that call; what it said last is for the log', async () => {
  const lines: unknown[] = []
  const keep = (details: unknown) => lines.push(details)
  const gateway = open({ one: crashing }, {}, { debug: keep, info: keep, warn: keep, error: keep })
  await gateway.start()
  const crash = await call(gateway, 'one__crash')
  expect(crash.isError).toBe(true)
  expect(textOf(crash)).toBe(
    'The server "one" was lost during the call, whose outcome is unknown; check what it did before calling again. The log of the gateway says why.',
  )
  expect(lines).toContainEqual({
    upstream: 'one',
    method: 'tools/call',
    reason: expect.stringMatching(/exited with code 7; its last words: Out of cheese$/),
  })
  expect(textOf(await call(gateway, 'one__echo', { again: true }))).toBe('{"again":true}')
  expect(gateway.status()).toMatchObject([{ restarts: 1, state: 'ready' }])
})

test('abuse-50: callers are told of no address that cannot be reached, whatever they ask for', async () => {
  const served = createServer({ name: 'far', version: '1.0.0' })
  served.tool('hi', {}, () => 'hi')
  served.prompt('greet', {}, () => 'hi')
  served.resource('far://note', { name: 'note' }, () => 'hi')
  const serving = await serve(served, { port: 0 })
  const where = new URL(serving.url).host
  const gateway = open({ far: { url: serving.url, restart: { minDelayMs: 60_000, maxDelayMs: 60_000 } } })
  await gateway.start()
  await serving.close()
  const said: string[] = []
  const asked = [
    ['prompts/get', { name: 'far__greet' }],
    ['resources/read', { uri: 'far://note' }],
    ['tools/call', { name: 'far__hi', arguments: {} }],
  ] as const
  while (!said.some((text) => text.includes('is not available'))) {
    for (const [method, params] of asked) {
      const told = gateway.endpoint()?.handle(recordCall(method, params).call)
      said.push(
        await Promise.resolve(told).then(
          (result) => JSON.stringify(result),
          ({ message }) => message,
        ),
      )
    }
  }
  expect(said[0]).toMatch(/^The server "far" (could not be reached|is not available)/)
  expect(said.join()).not.toContain(where)
  expect(gateway.status()).toMatchObject([{ remedy: expect.stringContaining(where) }])
})

test('a server that works in the folders of a client works in others once those are', async () => {
  const folders = ['one', 'two'].map((name) => realpathSync(mkdtempSync(join(tmpdir(), `crosspoint-${name}-`))))
  onTestFinished(() => {
    for (const folder of folders) rmSync(folder, { recursive: true, force: true })
  })
  const gateway = open({
    files: { command: process.execPath, args: [bin('@modelcontextprotocol/server-filesystem'), tmpdir()] },
  })
  await gateway.start()
  const endpoint = gateway.endpoint()
  if (endpoint === undefined) throw new Error('There is always an endpoint of everything')
  let [folder = ''] = folders
  const roots = () => [{ uri: pathToFileURL(folder).href }]
  const options = { client: { name: 'test', version: '1.0.0' }, revision: NEWEST_HANDSHAKE.name, handlers: { roots } }
  const client = await connect({ endpoint }, options)
  onTestFinished(() => client.close())
  const allowed = async () => textOf(await client.callTool('files__list_allowed_directories', {}))
  expect(await allowed()).toContain(folder)
  folder = folders[1] ?? ''
  await client.rootsChanged()
  let said = await allowed()
  while (!said.includes(folder)) said = await allowed() // it asks whenever it has heard
  expect(said).not.toContain(folders[0])
})

test('whoever runs the gateway is told the program of a server at most', async () => {
  const args = ['secret', '--token', 'secret']
  const gateway = open({
    typo: { command: '/opt/folder/fiels-server', args },
    whole: { command: 'TOKEN=secret fiels-server secret' },
    away: { command: 'fiels-server', args, cwd: '/no/secret/folder' },
    silent: { command: process.execPath, args: ['-e', 'process.exit(3)', ...args], restart: { minDelayMs: 60_000 } },
  })
  await gateway.start()
  expect(JSON.stringify(gateway.status())).not.toMatch(/secret|folder/)
  expect(gateway.status()).toMatchObject([
    { reason: 'Cannot start "typo": no such file; check the path', remedy: expect.stringContaining('"fiels-server"') },
    { reason: expect.stringMatching(/^Cannot start "whole": /), remedy: expect.stringContaining('"fiels-server"') },
    { reason: 'Cannot start "away": its directory does not exist' },
    { reason: 'The server "silent" exited with code 3', remedy: expect.stringContaining('"node"') },
  ])
})

test('callers are told the name of a server and nothing of what is run', async () => {
  const args = [...crashing.args, 'secret', '--token', 'secret']
  const gateway = open({
    one: { ...crashing, args, sessions: 'shared', restart: { minDelayMs: 60_000, maxDelayMs: 60_000 } },
  })
  await gateway.start()
  const crash = textOf(await call(gateway, 'one__crash'))
  expect(crash).toContain('The server "one" was lost')
  let said = ''
  while (!said.includes('is not available')) said = textOf(await call(gateway, 'one__echo'))
  expect(said).toContain('Check that "one" runs by itself')
  expect(crash + said).not.toMatch(/secret|node|server\.mjs/)
})

test('the process that was started for a client who can be asked ends with its session', async () => {
  const gateway = open({ one: crashing })
  await gateway.start()
  const door = await openFrontDoor(gateway)
  onTestFinished(() => door.close({ drainMs: 0 }))
  const pidIn = async (session: WireSession) => {
    const { messages } = await session.request('tools/call', { name: 'one__pid', arguments: {} })
    return Number(textOf(messages.at(-1).result))
  }
  const begin = () => openWireSession(door.url, { capabilities: { elicitation: {} } })
  const [left, stays] = [await begin(), await begin()]
  const [ends, lives] = [await pidIn(left), await pidIn(stays)]
  expect([ends, lives].filter(isAlive)).toHaveLength(2)
  await left.end()
  while (isAlive(ends)) await new Promise((resolve) => setImmediate(resolve))
  expect(await pidIn(stays)).toBe(lives)
})

const cycles = Number(process.env.KILL_CYCLES ?? 25)

test('servers killed over and over come back, and no call of another is lost', { timeout: cycles * 1000 }, async () => {
  const gateway = open({ victim: crashing, bystander: crashing })
  await gateway.start()
  const pids = new Set<number>()
  let answered = 0
  for (let cycle = 1; cycle <= cycles; cycle++) {
    // A call that comes before the death is known is an error that says so.
    let said = await call(gateway, 'victim__pid')
    while (said.isError === true) said = await call(gateway, 'victim__pid')
    const pid = Number(textOf(said))
    pids.add(pid)
    const calls = Array.from({ length: 10 }, (_, n) => call(gateway, 'bystander__echo', { n }))
    process.kill(pid, 'SIGKILL')
    for (const [n, result] of (await Promise.all(calls)).entries()) if (textOf(result) === `{"n":${n}}`) answered++
  }
  expect(answered).toBe(cycles * 10)
  expect(pids.size).toBe(cycles)
  expect(gateway.status()[0]?.restarts).toBe(cycles - 1)
  expect(gateway.status()[1]).toMatchObject({ name: 'bystander', restarts: 0 })
  await gateway.close({ graceMs: 0 })
  expect([...pids].filter(isAlive)).toEqual([])
})

test('closing leaves no process, not even one that ignores the end of its stdin', async () => {
  const gateway = open({ polite: crashing, deaf: crashing }, { timeouts: { killGraceMs: 200 } })
  await gateway.start()
  await call(gateway, 'deaf__deaf')
  const pids = [Number(textOf(await call(gateway, 'polite__pid'))), Number(textOf(await call(gateway, 'deaf__pid')))]
  expect(pids.filter(isAlive)).toHaveLength(2)
  await gateway.close({ graceMs: 0 })
  expect(pids.filter(isAlive)).toEqual([])
})

test('reloads under load lose no call of a server they do not touch', { timeout: 60_000 }, async () => {
  const gateway = open({ kept: crashing, coming: crashing })
  await gateway.start()
  const before = textOf(await call(gateway, 'kept__pid'))
  for (let n = 0; n < 10; n++) {
    const calls = Array.from({ length: 20 }, (_, at) => call(gateway, 'kept__echo', { at }))
    await gateway.apply(toConfig(n % 2 === 0 ? { kept: crashing } : { kept: crashing, coming: crashing }))
    for (const [at, result] of (await Promise.all(calls)).entries()) expect(textOf(result)).toBe(`{"at":${at}}`)
  }
  expect(textOf(await call(gateway, 'kept__pid'))).toBe(before)
})
