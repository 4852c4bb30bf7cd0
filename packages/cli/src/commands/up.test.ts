import { spawn, spawnSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { BIN, type Running, run, start } from '../../fixtures/crosspoint.ts'
import { createLifeline } from '../../fixtures/lifeline.ts'
import { createWorkspace, rudeServer, type Workspace } from '../../fixtures/workspace.ts'

const posix = describe.skipIf(process.platform === 'win32')

interface Announced {
  readonly url: string
  readonly config: string
  readonly views: Readonly<Record<string, string>>
  readonly servers: readonly { readonly name: string; readonly state: string }[]
}

/** Starts the gateway on a free port and resolves when it says that it serves. */
async function up(
  workspace: Workspace,
  ...args: readonly string[]
): Promise<{ running: Running; announced: Announced }> {
  const running = start(['up', '--port', '0', '--json', ...args], workspace.options)
  const [line] = await running.sees('stdout', /^\{.*\}\n/)
  return { running, announced: JSON.parse(line) as Announced }
}

function withServers(servers: (workspace: Workspace) => object, rest: object = {}): Workspace {
  const workspace = createWorkspace()
  workspace.write('crosspoint.json', { servers: servers(workspace), ...rest })
  return workspace
}

const echo = (url: string) => run(['call', url, 'everything__echo', 'message=hi'])

describe('up', () => {
  it('serves the official servers, says so in one JSON object, and answers calls over HTTP', async () => {
    const workspace = withServers((at) => at.quickstart().servers, { views: { small: { servers: ['memory'] } } })
    const { running, announced } = await up(workspace)
    expect(announced).toEqual({
      url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/mcp$/),
      admin: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/),
      views: { small: `${announced.url}/small` },
      config: 'crosspoint.json',
      servers: expect.any(Array),
    })
    expect(announced.servers.map(({ name, state }) => `${name} ${state}`)).toEqual([
      'everything ready',
      'filesystem ready',
      'memory ready',
    ])
    expect(await echo(announced.url)).toMatchObject({ code: 0, stdout: 'Echo: hi\n', stderr: '' })
    const { stdout } = await run(['ls', 'tools', `${announced.url}/small`, '--json'])
    const { tools } = JSON.parse(stdout) as { tools: readonly { name: string }[] }
    expect(tools.length).toBeGreaterThan(0)
    expect(tools.every(({ name }) => name.startsWith('memory__'))).toBe(true)
    running.child.kill('SIGTERM')
    await running.ended
  })

  it('tells people on standard error where it is and what each server offers or why not, and is silent on standard output', async () => {
    const workspace = withServers((at) => ({
      everything: at.quickstart().servers.everything,
      broken: { command: 'crosspoint-no-such-program' },
    }))
    const running = start(['up', '--port', '0'], workspace.options)
    await running.sees('stderr', /Ctrl-C stops everything/)
    expect(running.stderr()).toMatch(/^ {2}http:\/\/127\.0\.0\.1:\d+\/mcp$/m)
    expect(running.stderr()).toMatch(/^everything +ready +\S+ +\d+ tools/m)
    expect(running.stderr()).toMatch(/^broken +down +Cannot start "broken": not found/m)
    expect(running.stderr()).toContain('broken: Check that "crosspoint-no-such-program" runs by itself')
    for (const client of ['Claude Code', 'Claude Desktop', 'Cursor', 'VS Code', 'Codex']) {
      expect(running.stderr()).toMatch(new RegExp(`^ {2}${client} +\\S`, 'm'))
    }
    expect(running.stderr()).toContain(`"${workspace.folder}/crosspoint.json"`)
    expect(running.stdout()).toBe('')
    expect(
      running
        .stderr()
        .split('\n')
        .filter((line) => line.startsWith('{"')),
    ).toEqual([])
  })

  it('logs JSON lines where no screen shows them, from when it serves', async () => {
    const workspace = withServers((at) => ({ everything: at.quickstart().servers.everything }))
    const running = start(['up', '--port', '0'], workspace.options)
    const [url] = await running.sees('stderr', /http:\/\/\S+\/mcp/)
    await echo(url)
    const [line] = await running.sees('stderr', /^\{.*"tools\/call".*\}$/m)
    expect(JSON.parse(line)).toMatchObject({
      level: 'info',
      msg: 'call',
      target: 'everything__echo',
      outcome: 'complete',
    })
  })

  it('serves one view and nothing beside it when asked to', async () => {
    const views = { small: { tools: { include: ['rude__recolour'] } }, large: {} }
    const workspace = withServers((at) => ({ rude: rudeServer(at) }), { views })
    const { announced } = await up(workspace, '--view', 'small')
    expect(announced.views).toEqual({})
    expect((await run(['ls', 'tools', announced.url])).stdout).toMatch(/^rude__recolour .*\n$/)
    expect(await run(['ls', 'tools', `${announced.url}/large`])).toMatchObject({ code: 4 })
    expect(await run(['up', '--view', 'lage'], workspace.options)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('Did you mean "large"?'),
    })
  })

  it('says what to do when the port is taken', async () => {
    const workspace = withServers(() => ({}))
    const { announced } = await up(workspace)
    const { port } = new URL(announced.url)
    const second = await run(['up', '--port', port, '--json'], workspace.options)
    expect([second.code, second.stdout]).toEqual([1, ''])
    expect(JSON.parse(second.stderr.trim().split('\n').at(-1) ?? '')).toEqual({
      error: {
        kind: 'usage',
        exitCode: 1,
        code: 'EADDRINUSE',
        message: `Cannot listen on 127.0.0.1:${port}: the port is in use`,
        hint: expect.stringContaining('--port 0'),
      },
    })
  })

  it('says what to do when other gateways cannot reach it where they are to', async () => {
    const workspace = withServers(() => ({}), {
      cluster: {
        redis: 'redis://127.0.0.1:1',
        secret: 'gateways of a test trust each other by this',
        listen: { host: '192.0.2.1', port: 8362 },
      },
    })
    const { code, stderr } = await run(['up', '--port', '0', '--json'], workspace.options)
    expect(code).toBe(1)
    // The log says besides that Redis is away.
    const [told = ''] = stderr.split('\n').filter((line) => line.includes('"error":{'))
    expect(JSON.parse(told).error).toMatchObject({
      code: 'EADDRNOTAVAIL',
      hint: expect.stringContaining('cluster.listen'),
    })
    expect(stderr).not.toContain('trust each other')
  })

  it('refuses to be open to everybody', async () => {
    const workspace = withServers(() => ({}))
    const { code, stderr } = await run(['up', '--host', '0.0.0.0', '--port', '0'], workspace.options)
    expect(code).toBe(1)
    expect(stderr).toContain('without being asked who they are')
  })

  it('names file, line and column of what is wrong in a configuration', async () => {
    const workspace = createWorkspace()
    workspace.write('crosspoint.yaml', 'servers:\n  x:\n    comand: node\n')
    const { code, stdout, stderr } = await run(['up'], workspace.options)
    expect([code, stdout]).toEqual([1, ''])
    expect(stderr).toMatch(/^crosspoint\.yaml:3:\d+: error: .*comand/m)
    const json = await run(['up', '--json'], workspace.options)
    expect(JSON.parse(json.stderr)).toMatchObject({
      error: { kind: 'usage', code: 'config', details: expect.arrayContaining([expect.objectContaining({ line: 3 })]) },
    })
  })

  it('serves the fallback only when there is no configuration', async () => {
    const workspace = createWorkspace()
    const fallback = workspace.write('example.json', { servers: {} })
    const { running, announced } = await up(workspace, '--fallback-config', fallback)
    expect(announced.config).toBe(fallback)
    running.child.kill('SIGTERM')
    await running.ended
    workspace.write('crosspoint.json', { servers: {} })
    expect((await up(workspace, '--fallback-config', fallback)).announced.config).toBe('crosspoint.json')
  })
})

posix('stopping', () => {
  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 0],
  ] as const)('after %s ends with %i and leaves no server behind', async (signal, code) => {
    const workspace = withServers((at) => at.quickstart().servers)
    const { running } = await up(workspace)
    expect(workspace.left()).toHaveLength(3)
    running.child.kill(signal)
    expect(await running.ended).toMatchObject({ code, signal: null })
    expect(workspace.left()).toEqual([])
  })

  it('while servers are still starting, waits for none of them', async () => {
    const line = await createLifeline()
    const silent = 'require("node:net").connect(process.env.LIFELINE, "127.0.0.1")'
    const workspace = withServers((at) => ({
      silent: { ...rudeServer(at, { LIFELINE: line.port }), args: ['-e', silent] },
    }))
    const running = start(['up', '--port', '0'], workspace.options)
    await Promise.race([line.connected, running.ended]) // a program that does not start says why below
    running.child.kill('SIGINT')
    expect(await running.ended).toMatchObject({ code: 130, stdout: '' })
    expect(workspace.left()).toEqual([])
  })

  it('lets a call under way finish first', async () => {
    const workspace = withServers((at) => ({ everything: at.quickstart().servers.everything }))
    const { running, announced } = await up(workspace)
    const call = start(['call', announced.url, 'everything__trigger-long-running-operation', 'duration:=1', 'steps:=4'])
    await call.sees('stderr', /… 1\/4/)
    running.child.kill('SIGTERM')
    expect(await call.ended).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('Long running operation completed'),
    })
    expect(await running.ended).toMatchObject({ code: 0 })
    expect(workspace.left()).toEqual([])
  })

  it('ends at once with a second signal, and its servers end too', async () => {
    const line = await createLifeline()
    const workspace = withServers((at) => ({ rude: rudeServer(at, { LIFELINE: line.port, STUBBORN: '1' }) }))
    const { running, announced } = await up(workspace)
    const gone = line.gone(await line.connected)
    const call = start(['call', announced.url, 'rude__hang'])
    await running.sees('stderr', /hanging/)
    running.child.kill('SIGINT')
    await running.sees('stderr', /press Ctrl-C again/)
    running.child.kill('SIGTERM')
    expect(await running.ended).toMatchObject({ code: 143 })
    await gone
    expect(await call.ended).toMatchObject({ code: 4 })
  })

  it('takes its servers with it even when it is killed', async () => {
    const line = await createLifeline()
    const workspace = withServers((at) => ({ rude: rudeServer(at, { LIFELINE: line.port, STUBBORN: '1' }) }))
    const { running } = await up(workspace)
    const gone = line.gone(await line.connected)
    running.child.kill('SIGKILL')
    expect(await running.ended).toMatchObject({ signal: 'SIGKILL' })
    await gone
  })
})

const hasScript = process.platform === 'linux' && spawnSync('script', ['--version']).status === 0

describe.skipIf(!hasScript)('a terminal that is closed', () => {
  it('ends it and its servers, although SIGHUP otherwise asks to read the configuration again', async () => {
    const line = await createLifeline()
    const workspace = withServers((at) => ({ rude: rudeServer(at, { LIFELINE: line.port }) }))
    const command = `'${process.execPath}' '${BIN}' up --port 0`
    const terminal = spawn('script', ['-qfec', command, '/dev/null'], { cwd: workspace.folder, stdio: 'ignore' })
    const ended = new Promise((resolve) => terminal.on('close', resolve))
    const gone = line.gone(await line.connected)
    terminal.kill('SIGKILL')
    await Promise.all([ended, gone])
  })
})

posix('the configuration, when it changes', () => {
  const rude = (at: Workspace) => ({ rude: rudeServer(at) })

  it('is read again on SIGHUP', async () => {
    const workspace = withServers((at) => ({ everything: at.quickstart().servers.everything }))
    const { running, announced } = await up(workspace, '--no-watch')
    const { everything } = workspace.quickstart().servers
    workspace.write('crosspoint.json', { servers: { everything, ...rude(workspace) } })
    running.child.kill('SIGHUP')
    await running.sees('stderr', /Read crosspoint\.json again: added: rude/)
    expect(await run(['call', announced.url, 'rude__recolour'])).toMatchObject({ code: 0 })
    expect(await echo(announced.url)).toMatchObject({ stdout: 'Echo: hi\n' })
  })

  it.each([
    ['allowedHosts', { allowedHosts: ['gate.example'] }, 'other allowed hosts or origins take effect after a restart'],
    [
      'allowedOrigins',
      { allowedOrigins: ['https://a.b'] },
      'other allowed hosts or origins take effect after a restart',
    ],
    ['an address', { host: 'localhost' }, 'another address or number of connections takes effect after a restart'],
  ])('says that %s takes a restart', async (_, listen, told) => {
    const workspace = withServers(() => ({}))
    const { running } = await up(workspace, '--no-watch')
    workspace.write('crosspoint.json', { servers: {}, listen })
    running.child.kill('SIGHUP')
    await running.sees('stderr', new RegExp(`Read crosspoint\\.json again: ${told}`))
  })

  it('is followed without being asked', async () => {
    const workspace = withServers(rude)
    const { running, announced } = await up(workspace)
    workspace.write('crosspoint.json', { servers: {} })
    await running.sees('stderr', /Read crosspoint\.json again: removed: rude/)
    expect(await run(['ls', 'tools', announced.url])).toMatchObject({ code: 0, stdout: '' })
    expect(workspace.left()).toEqual([])
  })

  it.each([['--no-watch'], ['--json']])('is told and not used when it is bad (%s)', async (flag) => {
    const workspace = withServers((at) => ({ everything: at.quickstart().servers.everything }))
    const { running, announced } = await up(workspace, flag)
    workspace.write('crosspoint.json', '{\n  "servers": {\n    "x": { "comand": "node" }\n  }\n}')
    running.child.kill('SIGHUP')
    await running.sees('stderr', /crosspoint\.json:3:\d+: error/)
    expect(await echo(announced.url)).toMatchObject({ code: 0, stdout: 'Echo: hi\n' })
  })
})
