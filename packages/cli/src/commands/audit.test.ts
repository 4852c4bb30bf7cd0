import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { sendEnveloped } from '@crosspoint/testkit'
import { describe, expect, it, onTestFinished } from 'vitest'
import { run, start } from '../../fixtures/crosspoint.ts'
import { createWorkspace, rudeServer } from '../../fixtures/workspace.ts'

/** A folder with a configuration whose evidence is in it, and a gateway that ran on it for a few requests. */
async function ran(audit: object = {}) {
  const workspace = createWorkspace()
  workspace.write('crosspoint.json', {
    servers: { rude: rudeServer(workspace) },
    store: { path: 'data/store.db' },
    audit: { anchor: 'checkpoints', keyFile: 'keys/audit.key', ...audit },
    auth: {},
  })
  const command = (...words: readonly string[]) => run(words, workspace.options)
  const key = JSON.parse((await command('keys', 'create', '--principal', 'alice', '--json')).stdout)
  const running = start(['up', '--port', '0', '--json'], workspace.options)
  const [, url = ''] = await running.sees('stdout', /"url":"([^"]+)"/)
  await sendEnveloped(url, 'tools/list', {})
  await sendEnveloped(url, 'tools/list', {}, { headers: { 'x-api-key': key.key } })
  await sendEnveloped(
    url,
    'tools/call',
    { name: 'no such tool', arguments: { password: 'hunter2' } },
    { headers: { 'x-api-key': key.key } },
  )
  const whileOpen = await command('audit', 'verify', '--json')
  running.child.kill('SIGTERM')
  expect((await running.ended).code).toBe(0)
  const anchor = join(workspace.folder, 'checkpoints')
  return { workspace, command, key, whileOpen, anchor }
}

// Each command is a process.
describe('audit', { timeout: 60_000 }, () => {
  it('finds and exports who did what, refusals at the door among it, and nothing that is secret', async () => {
    const { command, key } = await ran()
    const { stdout } = await command('audit', 'search', '--json')
    const { rows } = JSON.parse(stdout)
    expect(rows.map(({ record }: { record: { method: string } }) => record.method).reverse()).toEqual([
      ...['gateway.started', 'key.created', 'gateway.stopped'], // by the command that made the key
      'gateway.started',
      'door.refused',
      'tools/list',
      'tools/call',
      'gateway.stopped',
    ])
    expect(rows.at(-5).record).toMatchObject({ outcome: 'caller.unauthenticated' })
    expect(rows[1].record).toMatchObject({
      tenant: 'default',
      principal: 'alice',
      credential: { kind: 'key', id: key.id },
      arguments: { shape: { password: 'string' } },
      outcome: 'caller.invalid_params',
    })
    expect(stdout).not.toContain('hunter2')
    expect(stdout).not.toContain(key.key.slice(-43))
    const found = await command('audit', 'search', '--principal', 'alice', '--method', 'tools/call', '--since', '1h')
    expect(found.stdout.trimEnd().split('\n')).toHaveLength(2)
    expect(found.stdout).toContain('no such tool')
    const none = await command('audit', 'search', '--until', '1h')
    expect(none).toMatchObject({ code: 0, stdout: '', stderr: expect.stringContaining('no such records') })

    const { stdout: line } = await command('audit', 'export', '--method', 'tools/call')
    expect(JSON.parse(line)).toMatchObject({ seq: 4, record: expect.stringContaining('"principal":"alice"') })
    const bodies: string[] = []
    const collector = createServer(async (request, response) => {
      let body = ''
      for await (const chunk of request) body += String(chunk)
      bodies.push(body)
      response.end('{}')
    }).listen(0, '127.0.0.1')
    onTestFinished(() => void collector.close())
    await once(collector, 'listening')
    const url = `http://127.0.0.1:${(collector.address() as AddressInfo).port}/v1/logs`
    expect((await command('audit', 'export', '--format', 'otlp', '--to', url)).code).toBe(0)
    expect(bodies).toHaveLength(1)
    expect(JSON.parse(bodies[0] ?? '').resourceLogs[0].scopeLogs[0].logRecords).toHaveLength(8)
    expect(await command('audit', 'export', '--to', url)).toMatchObject({ code: 1 })
  })

  it('verifies with the public key alone, and ends with 7 where an anchor says something else or is damaged', async () => {
    const { command, whileOpen, anchor, workspace } = await ran()
    expect(whileOpen.code).toBe(0)
    const pem = (await command('audit', 'key')).stdout
    expect(pem).toMatch(/^-----BEGIN PUBLIC KEY-----/)
    workspace.write('audit.pem', pem)
    const verified = await command('audit', 'verify', '--anchor', anchor, '--key', 'audit.pem', '--json')
    expect(verified.code).toBe(0)
    expect(JSON.parse(verified.stdout)).toMatchObject({
      whole: true,
      chains: expect.arrayContaining(
        [3, 5].map((last) => expect.objectContaining({ first: 1, last, signed: last, end: 'stopped' })),
      ),
    })

    const line = readFileSync(anchor, 'utf8')
    const forged = workspace.write('forged', line.replace(/"seq":\d+/, '"seq":9'))
    const told = await command('audit', 'verify', '--anchor', forged)
    expect(told).toMatchObject({ code: 7, stdout: expect.stringContaining('forged at 9') })
    const damaged = workspace.write('damaged', line.slice(0, 90))
    expect((await command('audit', 'verify', '--anchor', damaged)).code).toBe(7)
  })

  it('says what is wrong with what was typed', async () => {
    const { options } = createWorkspace()
    const command = (...words: readonly string[]) => run(words, options)
    expect(await command('audit', 'search', '--since', 'yesterday')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('is not a time'),
    })
  })
})
