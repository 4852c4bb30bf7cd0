import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { describe, expect, it, onTestFinished } from 'vitest'
import { run, start } from '../../fixtures/crosspoint.ts'
import { createLifeline } from '../../fixtures/lifeline.ts'
import { createWorkspace, EVERYTHING, RUDE, rudeServer, type Workspace } from '../../fixtures/workspace.ts'

const everything = ['--', process.execPath, ...EVERYTHING]
const rude = ['--', process.execPath, RUDE]

interface Listed {
  readonly tools: readonly { readonly name: string; readonly inputSchema: object }[]
}

function withQuickstart(more: Readonly<Record<string, object>> = {}, rest: object = {}): Workspace {
  const workspace = createWorkspace()
  workspace.write('crosspoint.json', { servers: { ...workspace.quickstart().servers, ...more }, ...rest })
  return workspace
}

describe('without a target', () => {
  it('lists all tools under the names the gateway gives them, as JSON of a stable shape', async () => {
    const { options, left } = withQuickstart()
    const { code, stdout, stderr } = await run(['ls', 'tools', '--json'], options)
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    const { tools, ...nothing } = JSON.parse(stdout) as Listed
    expect(nothing).toEqual({})
    const names = tools.map(({ name }) => name)
    expect(names).toEqual(
      expect.arrayContaining(['everything__echo', 'filesystem__read_text_file', 'memory__read_graph']),
    )
    for (const tool of tools) expect(tool.inputSchema).toBeTypeOf('object')
    expect(left()).toEqual([])
  })

  it('lists servers with what they offer, or why they do not and what would help', async () => {
    const { options, left } = withQuickstart({
      broken: { command: 'crosspoint-no-such-program' },
      off: { command: 'x', enabled: false },
    })
    const { code, stdout } = await run(['ls', '--json'], options)
    expect(code).toBe(0)
    const { servers } = JSON.parse(stdout) as { servers: readonly { name: string }[] }
    const byName = Object.fromEntries(servers.map((server) => [server.name, server]))
    expect(byName.everything).toMatchObject({
      state: 'ready',
      transport: 'stdio',
      revision: expect.stringMatching(/^\d{4}-\d\d-\d\d$/),
      counts: { tools: expect.any(Number), prompts: expect.any(Number) },
    })
    expect(byName.broken).toMatchObject({
      state: 'backing-off',
      reason: expect.stringContaining('Cannot start "broken": not found in the PATH'),
      remedy: expect.stringContaining('"crosspoint-no-such-program"'),
    })
    expect(byName.off).toMatchObject({ state: 'disabled' })
    const text = await run(['ls'], options)
    expect(text.stdout).toMatch(/^everything +ready +\S+ +\d+ tools, \d+ resources/m)
    expect(text.stdout).toMatch(/^broken +down /m)
    expect(left()).toEqual([])
  })

  it('calls, reads and gets by the gateway names', async () => {
    const { options } = withQuickstart()
    expect(await run(['call', 'everything__echo', 'message=Grüße, 世界'], options)).toMatchObject({
      code: 0,
      stdout: 'Echo: Grüße, 世界\n',
      stderr: '',
    })
    expect(await run(['read', 'demo://resource/static/document/features.md'], options)).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('# Everything Server'),
    })
    expect(await run(['prompt', 'everything__args-prompt', 'city=Bern'], options)).toMatchObject({
      code: 0,
      stdout: "user: What's weather in Bern?\n",
    })
  })

  it('sees through a view what the view shows', async () => {
    const view = { tools: { include: ['everything__echo'] }, rename: { everything__echo: 'say' } }
    const { options } = withQuickstart({}, { views: { small: view } })
    const { stdout } = await run(['ls', 'tools', '--view', 'small'], options)
    expect(stdout).toMatch(/^say +Echoes/)
    expect(stdout.trim().split('\n')).toHaveLength(1)
    expect(await run(['call', '--view', 'small', 'say', 'message=x'], options)).toMatchObject({ stdout: 'Echo: x\n' })
    expect(await run(['ls', 'tools', '--view', 'smal'], options)).toMatchObject({
      code: 1,
      stderr: 'crosspoint: No view "smal" in the configuration\n  Did you mean "small"?\n',
    })
  })

  it('says which servers a list lacks', async () => {
    const workspace = createWorkspace()
    const broken = { command: 'crosspoint-no-such-program' }
    workspace.write('crosspoint.json', { servers: { rude: rudeServer(workspace), broken } })
    const { stdout } = await run(['ls', 'tools', '--json'], workspace.options)
    expect(JSON.parse(stdout)).toEqual({
      tools: Array.from({ length: 4 }, () => expect.anything()),
      unavailable: [{ name: 'broken', state: 'backing-off', reason: expect.any(String) }],
    })
    const text = await run(['ls', 'tools'], workspace.options)
    expect(text.stderr).toMatch(/^server "broken" is down: /)
  })

  it.skipIf(process.platform === 'win32')('gives up waiting for a server on Ctrl-C', async () => {
    const line = await createLifeline()
    const workspace = createWorkspace()
    const silent = 'require("node:net").connect(process.env.LIFELINE, "127.0.0.1")'
    const server = { ...rudeServer(workspace, { LIFELINE: line.port }), args: ['-e', silent] }
    workspace.write('crosspoint.json', { servers: { silent: server } })
    const running = start(['ls', 'tools'], workspace.options)
    await Promise.race([line.connected, running.ended]) // a program that does not start says why below
    running.child.kill('SIGINT')
    expect(await running.ended).toMatchObject({ code: 130, stdout: '' })
    expect(workspace.left()).toEqual([])
  })

  it('ends with 1 for a name nothing has and with 4 for one whose server is away', async () => {
    const { options } = withQuickstart({ broken: { command: 'crosspoint-no-such-program' } })
    const typo = await run(['call', 'everything__ehco', 'message=x', '--json'], options)
    expect([typo.code, typo.stdout]).toEqual([1, ''])
    expect(JSON.parse(typo.stderr)).toEqual({
      error: {
        kind: 'usage',
        exitCode: 1,
        message: 'No tool "everything__ehco" at the configured servers',
        hint: 'Did you mean "everything__echo"?',
      },
    })
    const away = await run(['call', 'broken__tool', '--json'], options)
    expect(away.code).toBe(4)
    expect(JSON.parse(away.stderr)).toMatchObject({ error: { kind: 'unreachable', exitCode: 4 } })
  })

  it('says why a call was lost, which callers of a gateway are not told', async () => {
    const workspace = createWorkspace()
    workspace.write('crosspoint.json', { servers: { rude: rudeServer(workspace) } })
    const { code, stdout, stderr } = await run(['call', 'rude__die'], workspace.options)
    expect(code).toBe(5)
    expect(stdout).toMatch(/^The server "rude" was lost during the call/)
    expect(stdout).not.toContain('Out of cheese')
    expect(stderr).toMatch(/server "rude": .* exited with code 3; its last words: Out of cheese/)
  })

  it('proposes to list what the same target has, for a name that nothing is like', async () => {
    const { options } = withQuickstart()
    const hintOf = async (...words: string[]) => {
      const { stderr } = await run(['call', ...words, '--json'], options)
      return JSON.parse(stderr).error.hint
    }
    expect(await hintOf('zzz')).toBe('See what there is: crosspoint ls tools')
    expect(await hintOf('memory')).toBe('"memory" is a server. See what it has: crosspoint ls tools memory')
    expect(await hintOf('memory', 'zzz')).toBe('See what there is: crosspoint ls tools memory')
  })

  it('says how to begin when there is no configuration', async () => {
    const { options } = createWorkspace()
    const { code, stdout, stderr } = await run(['ls'], options)
    expect([code, stdout]).toEqual([1, ''])
    expect(stderr).toContain('No configuration was found')
    expect(stderr).toContain('Write crosspoint.yaml')
  })
})

describe('with the name of a configured server', () => {
  it('uses the names the server itself gives', async () => {
    const { options, left } = withQuickstart()
    const { stdout } = await run(['ls', 'tools', 'everything', '--json'], options)
    expect((JSON.parse(stdout) as Listed).tools.map(({ name }) => name)).toContain('echo')
    expect(await run(['call', 'filesystem', 'list_directory', `path=${options.cwd}/files`], options)).toMatchObject({
      code: 0,
      stdout: '[FILE] greeting.txt\n',
    })
    expect(left()).toEqual([])
  })

  it('asks whether another server was meant', async () => {
    const { options } = withQuickstart()
    expect(await run(['ls', 'tools', 'everithing'], options)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('Did you mean "everything"?'),
    })
    expect(await run(['ls', 'tools', 'localhost:8360/mcp'], options)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('For a URL write http:// in front: http://localhost:8360/mcp'),
    })
  })
})

describe('with a command after --', () => {
  it('says who it is and what it offers', async () => {
    const { code, stdout } = await run(['ls', '--json', ...everything])
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({
      servers: [
        { state: 'ready', transport: 'stdio', counts: { tools: expect.any(Number) }, instructions: expect.any(String) },
      ],
    })
  })

  it('calls a tool and prints the result as the server gave it', async () => {
    const { stdout } = await run(['call', 'get-sum', 'a:=2', 'b:=3', '--json', ...everything])
    expect(JSON.parse(stdout)).toEqual({ content: [{ type: 'text', text: 'The sum of 2 and 3 is 5.' }] })
  })

  it('takes arguments from standard input and from a file', async () => {
    const { write, options } = createWorkspace()
    write('args.json', { message: 'from a file' })
    expect(await run(['call', 'echo', '-', ...everything], { stdin: '{"message":"from stdin"}' })).toMatchObject({
      stdout: 'Echo: from stdin\n',
    })
    expect(await run(['call', 'echo', '@args.json', ...everything], options)).toMatchObject({
      stdout: 'Echo: from a file\n',
    })
    expect(await run(['call', 'echo', '@none.json', ...everything], options)).toMatchObject({ code: 1, stdout: '' })
  })

  it('says that it answers no questions where a tool asks', async () => {
    const weather = fileURLToPath(new URL('../../../../examples/weather/server.mjs', import.meta.url))
    const { code, stderr } = await run(['call', 'forecast', 'city=Oslo', '--', process.execPath, weather])
    expect(code).toBe(6)
    expect(stderr).toContain('This command answers no questions of servers')
  })

  it('ends with 5 for a tool that reports an error, prints the result all the same and says what may be wrong', async () => {
    const { code, stdout, stderr } = await run(['call', 'get-sum', 'a=2', 'b:=3', '--json', ...everything])
    expect(code).toBe(5)
    expect(JSON.parse(stdout)).toMatchObject({ isError: true })
    expect(JSON.parse(stderr)).toMatchObject({
      error: { kind: 'tool', exitCode: 5, hint: 'The tool wants "a" as JSON: write a:=…' },
    })
  })

  it('reads the bytes of a resource', async () => {
    const uri = 'demo://resource/dynamic/blob/1'
    const { stdout } = await run(['read', uri, '--json', ...everything])
    const { contents } = JSON.parse(stdout) as { contents: readonly { blob: string }[] }
    const raw = await run(['read', uri, '--raw', ...everything])
    expect(raw.stdout).toContain('This is a base64 blob')
    // The server stamps the time into it: all but the time is the same.
    expect(raw.stdout.slice(0, 40)).toBe(
      Buffer.from(contents[0]?.blob ?? '', 'base64')
        .toString('utf8')
        .slice(0, 40),
    )
  })

  it('says which arguments a prompt lacks', async () => {
    const { code, stderr } = await run(['prompt', 'args-prompt', ...everything])
    expect(code).toBe(6)
    expect(stderr).toContain('It needs city=…')
  })

  it('gives the child what --env says, and no variable of ours', async () => {
    const { stdout } = await run(['call', 'get-env', '--env', 'GIVEN=yes', ...everything], {
      env: { OURS_SECRET: 'no' },
    })
    expect(stdout).toContain('"GIVEN": "yes"')
    expect(stdout).not.toContain('OURS_SECRET')
  })

  it('ends with 4 when it cannot be started, and when it is no server', async () => {
    expect(await run(['ls', 'tools', '--', 'crosspoint-no-such-program'])).toMatchObject({
      code: 4,
      stdout: '',
      stderr: expect.stringMatching(
        /^crosspoint: Cannot start .*\n {2}See what it writes: --verbose, before the "--"\n$/,
      ),
    })
    const noise = await run(['ls', 'tools', '--timeout', '2', '--', process.execPath, '-e', 'console.log("hi")'])
    expect(noise).toMatchObject({ code: 4, stdout: '' })
  })

  it('ends with 6 for a protocol error, in the words of the server', async () => {
    expect(await run(['call', 'refuse', ...rude])).toMatchObject({
      code: 6,
      stderr: 'crosspoint: Cannot call "refuse": Not \\x1b[1mtoday\n',
    })
  })

  it.each([
    ['ls', 'prompts'],
    ['ls', 'resources'],
    ['call', 'mumble'],
    ['prompt', 'p'],
    ['read', 'x://a'],
  ])('an answer of another shape than the protocol gives it is the server’s fault: %s %s', async (...words) => {
    const { code, stdout, stderr } = await run([...words, ...rude])
    expect({ code, stdout }).toEqual({ code: 6, stdout: '' })
    expect(stderr).toContain('has not the shape that the protocol gives it')
  })

  it('abuse-40: shows what a server would do to the terminal instead of letting it', async () => {
    const listed = await run(['ls', 'tools', ...rude])
    expect(listed.stdout).toContain('\\x1b[2J\\x1b[31mred\\u{202e}txt.exe')
    const called = await run(['call', 'recolour', ...rude])
    expect(called.stdout).toBe('a\\x1b]0;title\\x07b\nc\n')
    const json = await run(['call', 'recolour', '--json', ...rude])
    expect(json.stdout).not.toContain('\u001b')
    expect(JSON.parse(json.stdout)).toEqual({ content: [{ type: 'text', text: 'a\u001b]0;title\u0007b\nc' }] })
  })

  it.skipIf(process.platform === 'win32')(
    'gives up a call on Ctrl-C, ends with 130 and leaves nothing behind',
    async () => {
      const workspace = createWorkspace()
      workspace.write('crosspoint.json', { servers: { rude: rudeServer(workspace) } })
      const running = start(['call', 'rude', 'hang', '--verbose'], workspace.options)
      await running.sees('stderr', /hanging/)
      expect(workspace.left()).toHaveLength(1)
      running.child.kill('SIGINT')
      expect(await running.ended).toMatchObject({ code: 130, stdout: '' })
      expect(workspace.left()).toEqual([])
    },
  )
})

describe('with a URL', () => {
  it('ends with 4 where nobody answers and with 3 where credentials are wanted, and sends the headers it is given', async () => {
    const seen: (string | undefined)[] = []
    const server = createServer((request, response) => {
      seen.push(request.headers.authorization)
      response.writeHead(401, { 'www-authenticate': 'Bearer' }).end()
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void server.close())
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`
    const refused = await run(['ls', 'tools', url, '--json', '-H', 'Authorization: Bearer xyz'])
    expect(refused.code).toBe(3)
    expect(JSON.parse(refused.stderr)).toMatchObject({ error: { kind: 'auth', exitCode: 3 } })
    expect(new Set(seen)).toEqual(new Set(['Bearer xyz']))
    await new Promise((resolve) => server.close(resolve))
    expect(await run(['ls', 'tools', url])).toMatchObject({
      code: 4,
      stdout: '',
      stderr: expect.not.stringContaining('doctor'), // who knows configured servers only
    })
  })

  it('says where most servers are when there is nothing at the root', async () => {
    const server = createServer((_, response) => void response.writeHead(404).end())
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void server.close())
    const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    expect(await run(['ls', 'tools', origin])).toMatchObject({
      code: expect.toSatisfy((code) => code === 4 || code === 6),
      stderr: expect.stringContaining(`try ${origin}/mcp`),
    })
  })
})

describe('options that would change nothing', () => {
  it.each([
    ['--header works with a URL only', ['ls', '-H', 'A: b', ...everything]],
    ['--env works with a command', ['ls', 'http://127.0.0.1:1/mcp', '--env', 'A=b']],
    ['--view works without a target', ['ls', '--view', 'x', ...everything]],
    ['--revision works with a target', ['ls', '--revision', '2025-06-18']],
    ['No protocol revision "2025-01-01"', ['ls', '--revision', '2025-01-01', ...everything]],
  ])('are refused: %s', async (message, args) => {
    expect(await run(args)).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining(message) })
  })
})

describe('colour', () => {
  it('is there when forced, and gone when it is not wanted', async () => {
    const args = ['ls', 'tools', ...rude]
    expect((await run(args, { env: { FORCE_COLOR: '1' } })).stdout).toContain('\u001b[1m')
    expect((await run(args, { env: { NO_COLOR: '1' } })).stdout).not.toContain('\u001b')
    expect((await run(args)).stdout).not.toContain('\u001b')
  })
})
