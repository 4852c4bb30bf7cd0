import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { ConfigError } from '../config/config-error.ts'
import { findConfig, loadConfig } from './config-file.ts'

let folder = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'crosspoint-config-'))
})
afterEach(() => rm(folder, { recursive: true }))

const at = (...parts: string[]) => join(folder, ...parts)
const ONE = 'servers: { a: { command: node } }'

test('paths start from the folder of the file', async () => {
  await writeFile(
    at('c.yaml'),
    'servers: { a: { command: node, cwd: work, envFile: .env, args: ["${configFolder}/x"] } }',
  )
  await writeFile(at('.env'), 'A=1')
  expect(loadConfig(at('c.yaml'), { env: {} }).config.servers.get('a')?.transport).toMatchObject({
    cwd: at('work'),
    env: { A: '1' },
    args: [at('x')],
  })
})

test.each<[string, () => Promise<unknown>, string]>([
  ['a missing file', async () => {}, 'there is no such file'],
  ['a folder', () => mkdir(at('c.yaml')), 'It is not a regular file'],
  ['bytes that are no UTF-8', () => writeFile(at('c.yaml'), Buffer.from([0x61, 0xff, 0xfe])), 'It is not UTF-8'],
  ['UTF-16', () => writeFile(at('c.yaml'), Buffer.from(`\uFEFF${ONE}`, 'utf16le')), 'It is not UTF-8'],
  ['too many bytes', () => writeFile(at('c.yaml'), '#'.repeat(1024 * 1024 + 1)), 'It is longer than 1048576 bytes'],
  ['a link to itself', () => symlink('c.yaml', at('c.yaml')), 'its links lead in a circle'],
])('%s is a ConfigError that names the file', async (_what, prepare, reason) => {
  await prepare()
  expect(() => loadConfig(at('c.yaml'))).toThrow(ConfigError)
  expect(() => loadConfig(at('c.yaml'))).toThrow(`${at('c.yaml')}: The configuration cannot be read: ${reason}`)
})

test('a device that never ends is not read', () => {
  expect(() => loadConfig('/dev/zero')).toThrow('It is not a regular file')
})

test('finds the file of the folder in a fixed order, then the person’s own', async () => {
  const env = { XDG_CONFIG_HOME: at('xdg'), APPDATA: at('xdg') }
  expect(await findConfig(folder, env)).toBeUndefined()
  await mkdir(at('xdg', 'crosspoint'), { recursive: true })
  const order = ['crosspoint.jsonc', 'crosspoint.json', 'crosspoint.yml', 'crosspoint.yaml']
  await writeFile(at('xdg', 'crosspoint', 'crosspoint.yaml'), ONE)
  expect(await findConfig(folder, env)).toBe(at('xdg', 'crosspoint', 'crosspoint.yaml'))
  for (const name of order) {
    await writeFile(at(name), ONE)
    expect(await findConfig(folder, env)).toBe(at(name))
  }
})

test('never picks up what was written for another tool: it would start programs nobody asked us to start', async () => {
  await writeFile(at('.mcp.json'), '{"mcpServers":{}}')
  await writeFile(at('mcp.json'), '{"mcpServers":{}}')
  await mkdir(at('crosspoint.yaml'))
  expect(await findConfig(folder, { HOME: at('home') })).toBeUndefined()
})
