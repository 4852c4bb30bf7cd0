import { describe, expect, it } from 'vitest'
import { run } from '../../fixtures/crosspoint.ts'
import { createWorkspace } from '../../fixtures/workspace.ts'

describe('config validate', () => {
  it('accepts what can be used, without starting it', async () => {
    const { write, options } = createWorkspace()
    write(
      'crosspoint.yaml',
      'servers:\n  a:\n    command: crosspoint-no-such-program\nviews:\n  v:\n    servers: [a]\n',
    )
    expect(await run(['config', 'validate'], options)).toEqual({
      code: 0,
      signal: null,
      stdout: '',
      stderr: 'valid crosspoint.yaml: 1 server, 1 view\n',
    })
    const { stdout } = await run(['config', 'validate', '--json'], options)
    expect(JSON.parse(stdout)).toEqual({
      valid: true,
      file: 'crosspoint.yaml',
      servers: ['a'],
      views: ['v'],
      errors: [],
      warnings: [],
    })
  })

  it('accepts a map of servers as other tools write it', async () => {
    const { write, options } = createWorkspace()
    write('.mcp.json', { mcpServers: { a: { command: 'node', args: ['x.js'] } } })
    expect(await run(['config', 'validate', '.mcp.json'], options)).toMatchObject({ code: 0 })
  })

  it('prints every problem with its place, as data, and ends with 1', async () => {
    const { write, options } = createWorkspace()
    write('crosspoint.yaml', 'servers:\n  a:\n    comand: node\n  b:\n    url: "not a url"\n')
    const { code, stdout } = await run(['config', 'validate'], options)
    expect(code).toBe(1)
    expect(stdout).toMatch(/^crosspoint\.yaml:3:\d+: error: servers\.a\.comand: .*\(.*command/m)
    expect(stdout).toMatch(/^crosspoint\.yaml:5:\d+: error: servers\.b\.url: /m)
    const json = await run(['config', 'validate', '--json'], options)
    expect([json.code, json.stderr]).toEqual([1, ''])
    expect(JSON.parse(json.stdout)).toMatchObject({
      valid: false,
      errors: expect.arrayContaining([
        expect.objectContaining({
          file: 'crosspoint.yaml',
          line: 5,
          column: expect.any(Number),
          path: 'servers.b.url',
        }),
      ]),
    })
  })

  it('says that a file is not there', async () => {
    const { options } = createWorkspace()
    const { code, stdout } = await run(['config', 'validate', 'nowhere.yaml'], options)
    expect(code).toBe(1)
    expect(stdout).toContain('nowhere.yaml: error: The configuration cannot be read: there is no such file')
  })
})

describe('config explain', () => {
  it('says of every setting what it is and where it comes from, and shows no secret', async () => {
    const { write, options } = createWorkspace()
    write('crosspoint.yaml', 'servers:\n  a:\n    command: node\n    env:\n      TOKEN: ${SECRET}\n')
    const env = { ...options.env, SECRET: 'hunter2', CROSSPOINT_LISTEN_PORT: '9001' }
    const { code, stdout } = await run(['config', 'explain', '--json'], { ...options, env })
    expect(code).toBe(0)
    const { file, settings } = JSON.parse(stdout) as { file: string; settings: readonly { path: string }[] }
    expect(file).toBe('crosspoint.yaml')
    const byPath = Object.fromEntries(settings.map((setting) => [setting.path, setting]))
    expect(byPath['listen.port']).toMatchObject({ value: 9001, source: 'env', place: 'CROSSPOINT_LISTEN_PORT' })
    expect(byPath['listen.host']).toMatchObject({ value: '127.0.0.1', source: 'default' })
    expect(byPath['servers.a.command']).toMatchObject({ value: 'node', source: 'file', place: 'crosspoint.yaml:3:14' })
    const text = await run(['config', 'explain'], { ...options, env })
    expect(text.stdout).toMatch(/^listen\.port +9001 +env: CROSSPOINT_LISTEN_PORT$/m)
    expect(text.stdout).toMatch(/^servers\.a\.env\.TOKEN /m)
    for (const output of [stdout, text.stdout]) expect(output).not.toContain('hunter2')
  })
})
