import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync, symlinkSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { describe, expect, it, onTestFinished } from 'vitest'
import { run, start } from '../fixtures/crosspoint.ts'
import { createWorkspace, type Workspace } from '../fixtures/workspace.ts'

const root = fileURLToPath(new URL('../../../', import.meta.url))

/** The text of the blocks of one language in a document of ours. */
function blocks(path: string, language: string): readonly string[] {
  const fence = new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, 'gms')
  return [...readFileSync(`${root}${path}`, 'utf8').matchAll(fence)].map(([, text = '']) => text)
}

/** Each command after a `$`, with the lines that follow it. */
function commands(transcript: string): readonly (readonly [command: string, output: string])[] {
  return [...transcript.matchAll(/^\$ (.*)\n((?:[^$].*\n)*)/gm)].map(([, command = '', output = '']) => [
    command,
    output,
  ])
}

/** What a shell makes of a line without quotes in it, and without `npx crosspoint`. */
function toWords(line: string): string[] {
  expect(line).toMatch(/^npx crosspoint [^'"\\$*]+$/)
  return line.split(' ').slice(2)
}

describe('the guide to servers', () => {
  const guide = 'docs/guides/server.md'
  const [source = '', ...parts] = blocks(guide, 'js')
  const [overStdio = '', overHttp = ''] = blocks(guide, 'console')

  function withServer(): Workspace {
    const workspace = createWorkspace()
    symlinkSync(`${root}node_modules`, `${workspace.folder}/node_modules`, 'junction')
    workspace.write('weather.mjs', source)
    return workspace
  }

  it.each(commands(overStdio))('shows what is printed by: %s', async (line, output) => {
    const { stdout, stderr } = await run(toWords(line), withServer().options)
    expect(stdout + stderr).toBe(output)
  })

  it('shows what is printed over HTTP', async () => {
    const { folder, options } = withServer()
    const url = await listening(spawn(process.execPath, ['weather.mjs'], { cwd: folder, env: { PORT: '0' } }))
    const [[line, output] = ['', '']] = commands(overHttp)
    expect(line).toContain('http://127.0.0.1:8123/mcp')
    const { stdout, stderr } = await run(toWords(line.replace('http://127.0.0.1:8123/mcp', url)), options)
    expect(stdout + stderr).toBe(output)
  })

  it.each(parts)('has parts that run: %s', async (part) => {
    const { folder, write } = withServer()
    const head = `import { createServer } from '@crosspoint/mcp/server'
import { z } from 'zod'
const server = createServer({ name: 'part', version: '1.0.0' })
`
    write('part.mjs', head + part)
    const child = spawn(process.execPath, ['part.mjs'], { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] })
    let complaints = ''
    child.stderr.on('data', (bytes) => {
      complaints += bytes
    })
    const code = await new Promise((resolve) => child.once('close', resolve))
    expect([code, complaints]).toEqual([0, ''])
  })

  it('puts it behind the gateway', async () => {
    const workspace = withServer()
    workspace.write('crosspoint.yaml', blocks(guide, 'yaml')[0] ?? '')
    const { code, stdout } = await run(['call', 'weather__forecast', 'city=Oslo', '--json'], workspace.options)
    expect([code, JSON.parse(stdout).structuredContent.weather]).toEqual([0, 'snow, -3 °C'])
  })
})

describe('the guide to testing', () => {
  const [server = '', ...tests] = blocks('docs/guides/testing.md', 'js')

  it.each(tests.map((source, at) => [at + 1, source] as const))(
    'has tests that pass: block %i',
    async (_at, source) => {
      const { folder, write } = createWorkspace()
      symlinkSync(`${root}node_modules`, `${folder}/node_modules`, 'junction')
      write('weather.mjs', server)
      write('weather.test.mjs', source)
      const { code, output } = await nodeTest(folder)
      expect([code, output]).toEqual([0, expect.stringMatching(/^# pass [1-9]/m)])
    },
  )
})

describe('the guide to clients', () => {
  const guide = 'docs/guides/client.md'
  const [server = '', ...programs] = blocks(guide, 'js')
  const transcripts = blocks(guide, 'console').flatMap(commands)

  it.each(transcripts.map(([line, output], at) => [line, output, programs[at] ?? ''] as const))(
    'shows what is printed by: %s',
    async (line, output, program) => {
      const { folder, write } = createWorkspace()
      symlinkSync(`${root}node_modules`, `${folder}/node_modules`, 'junction')
      write('library.mjs', server)
      const [name = ''] = /\w+\.mjs$/.exec(line) ?? []
      write(name, program)
      expect(await printed(spawn(process.execPath, [name], { cwd: folder }))).toBe(output)
    },
  )

  it('has a program in TypeScript that compiles for our target, runs, and ends by itself', async () => {
    const { folder, write } = createWorkspace()
    symlinkSync(`${root}node_modules`, `${folder}/node_modules`, 'junction')
    write('library.mjs', server)
    write('short.mts', blocks(guide, 'ts')[0] ?? '')
    const { target } = JSON.parse(readFileSync(`${root}tsconfig.base.json`, 'utf8')).compilerOptions
    const settings = ['--strict', '--types', 'node', '--module', 'nodenext', '--target', target]
    const compiler = [`${root}node_modules/typescript/bin/tsc`, ...settings, 'short.mts']
    expect(await printed(spawn(process.execPath, compiler, { cwd: folder }))).toBe('')
    expect(await printed(spawn(process.execPath, ['short.mjs'], { cwd: folder }))).toBe("[ 'Emma' ]\n")
  })
})

/** All that a program says until it ends. */
function printed(child: ChildProcess): Promise<string> {
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (bytes) => {
      output += bytes
    })
  }
  return new Promise((resolve) => child.once('close', () => resolve(output)))
}

/** Runs the tests in a folder as the guide says to. */
function nodeTest(folder: string): Promise<{ readonly code: number | null; readonly output: string }> {
  // Node tells the runs inside of a run by a variable, and would not report them on their own.
  const { NODE_TEST_CONTEXT: _, ...env } = process.env
  const child = spawn(process.execPath, ['--test', '--test-reporter=tap'], { cwd: folder, env })
  let output = ''
  child.stdout.on('data', (bytes) => {
    output += bytes
  })
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, output })))
}

/** The address a server says it listens at. It is ended with the test. */
function listening(child: ChildProcess): Promise<string> {
  const ended = new Promise((resolve) => child.once('close', resolve))
  onTestFinished(async () => {
    child.kill('SIGKILL')
    await ended
  })
  return new Promise((resolve, reject) => {
    if (child.stderr === null) throw new Error('Started without a pipe')
    createInterface(child.stderr).on('line', (line) => {
      const [url] = /http:\S+/.exec(line) ?? []
      if (url !== undefined) resolve(url)
    })
    void ended.then(() => reject(new Error('It ended without listening')))
  })
}

describe('the guide to observing', () => {
  it('has a first minute that works', async () => {
    const { options, quickstart, write } = createWorkspace()
    const [first = '', ...more] = blocks('docs/guides/observing.md', 'yaml')
    expect(first).toContain('prometheus: {}')
    write('crosspoint.json', { ...quickstart(), telemetry: { metrics: { prometheus: { port: 0 } } } })
    const running = start(['up', '--port', '0', '--json'], options)
    const [announced] = await running.sees('stdout', /^\{.*\}\n/)
    const { metrics } = JSON.parse(announced) as { metrics: string }
    const [line = ''] = blocks('docs/guides/observing.md', 'console').flatMap((block) => block.match(/http\S+/g) ?? [])
    expect(new URL(metrics).pathname).toBe(new URL(line).pathname)
    expect(await (await fetch(metrics)).text()).toContain('crosspoint_upstream_state')
    for (const [at, text] of [first, ...more].entries()) {
      write(`crosspoint-${at}.yaml`, text)
      const validated = await run(['config', 'validate', '--config', `crosspoint-${at}.yaml`], options)
      expect(validated, text).toMatchObject({ code: 0 })
    }
  })
})

describe('the guide to the admin API', () => {
  const guide = 'docs/guides/admin.md'
  const [here = '', elsewhere = ''] = blocks(guide, 'console')
  const [program = ''] = blocks(guide, 'js')

  async function up(workspace: Workspace, env: Readonly<Record<string, string>> = {}) {
    const { servers } = workspace.quickstart()
    const kept = { auth: {}, audit: { keyFile: 'audit.key' }, store: { path: 'store.db' } }
    workspace.write('crosspoint.json', { servers: { everything: servers.everything }, ...kept })
    const options = { ...workspace.options, env: { ...workspace.options.env, ...env } }
    const running = start(['up', '--port', '0', '--json'], options)
    const [announced] = await running.sees('stdout', /^\{.*\}\n/)
    return (JSON.parse(announced) as { readonly admin: string }).admin
  }

  it('has commands that work on a gateway that runs', { timeout: 60_000 }, async () => {
    const workspace = createWorkspace()
    await up(workspace)
    const lines = commands(here)
    expect(lines.length).toBeGreaterThan(4)
    for (const [line] of lines) {
      const { code, stdout } = await run(toWords(line), workspace.options)
      expect([line, code, stdout]).toEqual([line, 0, expect.stringMatching(/\S/)])
    }
  })

  it('has a program that works, and a command that asks from elsewhere', { timeout: 60_000 }, async () => {
    const token = '0123456789abcdef0123456789abcdef'
    const workspace = createWorkspace()
    const url = await up(workspace, { CROSSPOINT_ADMIN_TOKEN: token })
    symlinkSync(`${root}node_modules`, `${workspace.folder}/node_modules`, 'junction')
    workspace.write('look.mjs', program)
    const env = { PATH: process.env.PATH, ADMIN_URL: url, ADMIN_TOKEN: token }
    const looking = spawn(process.execPath, ['look.mjs'], { cwd: workspace.folder, env })
    expect(await printed(looking)).toMatch(/^everything is ready\n\[ 'everything__echo' \]\nnot_found .*lists them\n$/)
    const [[line = ''] = []] = commands(elsewhere)
    const words = line.replace('CROSSPOINT_ADMIN_TOKEN=… ', '').replace(/https:\S+/, url)
    const asked = { cwd: createWorkspace().folder, env: { CROSSPOINT_ADMIN_TOKEN: token } }
    expect(await run(toWords(words), asked)).toMatchObject({ code: 0, stdout: expect.stringContaining('everything') })
  })
})

describe('the README', () => {
  const lines = blocks('README.md', 'sh').flatMap((block) => block.trimEnd().split('\n'))

  it('has a first minute that works, at the address a gateway has by itself', async () => {
    const { options, quickstart, write } = createWorkspace()
    write('crosspoint.json', { ...quickstart(), listen: {} })
    const explained = await run(['config', 'explain', '--json'], options)
    const { settings } = JSON.parse(explained.stdout) as { settings: { path: string; value: unknown }[] }
    const port = settings.find(({ path }) => path === 'listen.port')?.value
    const running = start(['up', '--port', '0', '--json'], options)
    const [announced] = await running.sees('stdout', /^\{.*\}\n/)
    const firstMinute = lines.filter((line) => line.includes('http://'))
    expect(firstMinute).toHaveLength(2)
    for (const line of firstMinute) {
      expect(line).toContain(`http://127.0.0.1:${port}/mcp`)
      const words = toWords(line.replace(/http:\S+/, JSON.parse(announced).url as string))
      expect(await run(words, options), line).toMatchObject({ code: 0, stdout: expect.stringMatching(/echo/i) })
    }
  })

  it('has a configuration that can be used once its variable is set, and commands that exist', async () => {
    const { options, write } = createWorkspace()
    write('crosspoint.yaml', blocks('README.md', 'yaml')[0] ?? '')
    const env = { ...options.env, SEARCH_TOKEN: 'x' }
    const own = lines.filter((line) => line.startsWith('npx ') && !line.includes('http'))
    expect(own.length).toBeGreaterThanOrEqual(4)
    for (const line of own) {
      const [command = ''] = line.split(/ +#/)
      expect(await run([...toWords(command), '--help'], options), line).toMatchObject({ code: 0 })
    }
    expect(await run(['config', 'validate'], { ...options, env })).toMatchObject({ code: 0 })
    expect(await run(['config', 'validate'], options)).toMatchObject({ code: 1 })
  })
})
