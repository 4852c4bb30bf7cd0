import { NEWEST } from '@crosspoint/mcp'
import { type Connection, openConnection } from '@crosspoint/mcp/client'
import { recordCall } from '@crosspoint/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Running } from './child.ts'
import { startServer } from './gateway.ts'
import { installed, requireInCi, root } from './installed.ts'

const PEER = `${root}/interop/peers/sdk-v2-server.mjs`

requireInCi()

/** Our client side, judged by the official SDK's server: the only one that speaks the newest revision and is not ours. */
describe.skipIf(!installed)('our client with a server on the official SDK, line 2', () => {
  const servers: Running<string>[] = []
  let both = ''
  let modern = ''

  beforeAll(async () => {
    servers.push(...(await Promise.all([startServer([PEER, 'http']), startServer([PEER, 'http', '--modern-only'])])))
    both = servers[0]?.said ?? ''
    modern = servers[1]?.said ?? ''
  }, 30_000)

  afterAll(async () => {
    for (const server of servers) expect(await server.stop()).toEqual([])
  })

  const stdio = (...more: string[]) => ({
    kind: 'stdio' as const,
    command: process.execPath,
    args: [PEER, 'stdio', ...more],
  })
  const targets = {
    'HTTP, both eras': () => ({ kind: 'http' as const, url: both }),
    'HTTP, newest only': () => ({ kind: 'http' as const, url: modern }),
    'stdio, both eras': () => stdio(),
    'stdio, newest only': () => stdio('--modern-only'),
  }
  for (const [name, target] of Object.entries(targets)) {
    test(`speaks the newest revision and gets every kind of answer (${name})`, async () => {
      const connection = await openConnection(target(), { client: { name: 'crosspoint', version: '0' } })
      try {
        expect(connection.verdict.revision).toBe(NEWEST.name)
        expect(connection.serverInfo?.name).toBe('sdk-v2-peer')
        await expectAnswers(connection)
      } finally {
        await connection.close()
      }
    })
  }

  // The peer serves older revisions over HTTP without a session, each request by a new server.
  test.each(['HTTP, both eras', 'stdio, both eras'] as const)(
    'speaks an older revision when told to (%s)',
    async (name) => {
      const options = { client: { name: 'crosspoint', version: '0' }, revision: '2025-06-18' }
      const connection = await openConnection(targets[name](), options)
      try {
        expect(connection.verdict.revision).toBe('2025-06-18')
        await expectAnswers(connection)
      } finally {
        await connection.close()
      }
    },
  )
})

async function expectAnswers({ handle }: Connection): Promise<void> {
  const ask = (method: string, params = {}) => handle(recordCall(method, params).call)
  expect(await ask('tools/list')).toMatchObject({ tools: [{ name: 'greet' }, { name: 'count' }] })
  expect(await ask('tools/call', { name: 'greet', arguments: { name: 'Ada' } })).toMatchObject({
    content: [{ type: 'text', text: 'Hello, Ada!' }],
  })
  expect(await ask('tools/call', { name: 'count', arguments: { text: 'four' } })).toMatchObject({
    structuredContent: { letters: 4 },
  })
  expect(await ask('tools/call', { name: 'greet', arguments: {} })).toMatchObject({ isError: true })
  expect(await ask('resources/list')).toMatchObject({ resources: [{ uri: 'note://hello' }] })
  expect(await ask('resources/read', { uri: 'note://hello' })).toMatchObject({ contents: [{ text: 'hello' }] })
  expect(await ask('prompts/get', { name: 'ask' })).toMatchObject({ messages: [{ role: 'user' }] })
  await expect(ask('tools/call', { name: 'nobody', arguments: {} })).rejects.toMatchObject({ rpc: { code: -32602 } })
  await expect(ask('resources/read', { uri: 'note://none' })).rejects.toMatchObject({ rpc: { code: -32602 } })
}
