import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { run } from '../../fixtures/crosspoint.ts'
import { createWorkspace, rudeServer } from '../../fixtures/workspace.ts'

interface Report {
  readonly ok: boolean
  readonly checks: readonly {
    readonly about: string
    readonly name: string
    readonly status: string
    readonly fix?: string
  }[]
}

async function listen(status: number): Promise<number> {
  const server = createServer((_, response) => void response.writeHead(status).end())
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  return (server.address() as AddressInfo).port
}

describe('doctor', () => {
  it('finds nothing wrong where nothing is', async () => {
    const workspace = createWorkspace()
    workspace.write('crosspoint.json', {
      listen: { port: 0 },
      servers: { memory: workspace.quickstart().servers.memory },
    })
    const { code, stdout } = await run(['doctor', '--json'], workspace.options)
    expect(code).toBe(0)
    const { ok, checks } = JSON.parse(stdout) as Report
    expect(ok).toBe(true)
    expect(checks.map(({ about, status }) => `${about} ${status}`)).toEqual([
      'node ok',
      'config ok',
      'port ok',
      'server ok',
    ])
    expect(workspace.left()).toEqual([])
  })

  it('says of each server that is away why, and what to do', async () => {
    const workspace = createWorkspace()
    const busy = await listen(404)
    workspace.write('crosspoint.json', {
      listen: { port: busy },
      servers: {
        missing: { command: 'crosspoint-no-such-program' },
        off: { command: 'x', enabled: false },
        crashing: { command: process.execPath, args: ['-e', 'process.exit(3)'] },
      },
    })
    const { code, stdout } = await run(['doctor', '--json'], workspace.options)
    expect(code).toBe(4)
    const { ok, checks } = JSON.parse(stdout) as Report
    expect(ok).toBe(false)
    expect(checks).toEqual([
      expect.objectContaining({ about: 'node', status: 'ok' }),
      expect.objectContaining({ about: 'config', status: 'ok' }),
      {
        about: 'port',
        name: `127.0.0.1:${busy}`,
        status: 'warn',
        message: expect.any(String),
        fix: expect.any(String),
      },
      {
        about: 'server',
        name: 'missing',
        status: 'fail',
        message: expect.stringContaining('Cannot start "missing": not found'),
        fix: expect.stringContaining('crosspoint-no-such-program'),
      },
      { about: 'server', name: 'off', status: 'skip', message: 'It is disabled' },
      { about: 'server', name: 'crashing', status: 'fail', message: expect.any(String), fix: expect.any(String) },
    ])
    const text = await run(['doctor'], workspace.options)
    expect(text.stdout).toMatch(/^fail {2}server missing: .*\n {6}\S/m)
  })

  it('says of a server that never answers that it does not, however long it takes to end it', async () => {
    const workspace = createWorkspace()
    const deaf = 'process.on("SIGTERM", () => {}); setInterval(() => {}, 1000)'
    workspace.write('crosspoint.json', {
      listen: { port: 0 },
      timeouts: { killGraceMs: 1_500 },
      servers: { deaf: { ...rudeServer(workspace), args: ['-e', deaf], connectTimeoutMs: 200 } },
    })
    const { code, stdout } = await run(['doctor', '--json'], workspace.options)
    expect(code).toBe(4)
    expect((JSON.parse(stdout) as Report).checks.at(-1)).toMatchObject({
      name: 'deaf',
      status: 'fail',
      message: expect.stringContaining('no answer within'),
      fix: expect.any(String),
    })
    expect(workspace.left()).toEqual([])
  })

  it('ends with 3 when a server wants credentials', async () => {
    const { write, options } = createWorkspace()
    write('crosspoint.json', {
      listen: { port: 0 },
      servers: { closed: { url: `http://127.0.0.1:${await listen(401)}/mcp` } },
    })
    const { code, stdout } = await run(['doctor', '--json'], options)
    expect(code).toBe(3)
    expect((JSON.parse(stdout) as Report).checks.at(-1)).toMatchObject({ name: 'closed', status: 'fail' })
  })

  it('ends with 1 when the configuration cannot be used, or is not there', async () => {
    const { write, options } = createWorkspace()
    const none = await run(['doctor', '--json'], options)
    expect(none.code).toBe(1)
    expect((JSON.parse(none.stdout) as Report).checks.at(-1)).toMatchObject({ about: 'config', status: 'fail' })
    const printed = await run(['doctor'], options)
    expect(printed.stdout).toMatch(/^ {6}Write crosspoint\.yaml, for example\n {8}servers:\n {10}memory:\n/m)
    expect(printed.stdout).not.toContain('\\n')
    write('crosspoint.yaml', 'servers: 5\n')
    const bad = await run(['doctor'], options)
    expect(bad.code).toBe(1)
    expect(bad.stdout).toMatch(/^fail {2}config crosspoint\.yaml: /m)
  })
})

describe('pipeline', () => {
  it('prints the places a call passes in their order', async () => {
    const { stdout } = await run(['pipeline', '--explain'])
    expect(stdout).toMatch(/trace.*audit.*route.*deadline/s)
    const json = await run(['pipeline', '--json'])
    const { pipeline } = JSON.parse(json.stdout) as { pipeline: readonly { name: string; inForce: boolean }[] }
    expect(pipeline.filter(({ inForce }) => inForce).map(({ name }) => name)).toEqual(
      expect.arrayContaining(['trace', 'audit', 'route', 'deadline']),
    )
  })
})
