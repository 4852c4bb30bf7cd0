import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { recordingInterim, toCall } from '../protocol/fixtures/calls.ts'
import { freePort, officialServer, startEverythingHttp } from '../transports/stdio/fixtures/servers.ts'
import type { ConnectionOptions, Target } from './connection.ts'
import { openConnection } from './open.ts'

const options: ConnectionOptions = { client: { name: 'test', version: '1' } }

describe('server-everything', () => {
  let http: Awaited<ReturnType<typeof startEverythingHttp>>
  let sse: Awaited<ReturnType<typeof startEverythingHttp>>
  beforeAll(async () => {
    ;[http, sse] = await Promise.all([startEverythingHttp(), startEverythingHttp('sse')])
  })
  afterAll(() => Promise.all([http.stop(), sse.stop()]))

  const targets: [string, () => Target][] = [
    ['stdio', () => officialServer('everything')],
    ['HTTP', () => ({ kind: 'http', url: http.url })],
    ['HTTP+SSE', () => ({ kind: 'http', url: sse.url })],
  ]
  for (const [name, target] of targets) {
    it(`is opened, listed, called, read and listened to over ${name}`, async () => {
      const connection = await openConnection(target(), options)
      try {
        expect(connection.serverInfo?.name).toBe('mcp-servers/everything')
        const { tools } = await connection.handle(toCall('tools/list'))
        expect(tools).toEqual(expect.arrayContaining([expect.objectContaining({ name: 'echo' })]))
        const echoed = await connection.handle(toCall('tools/call', { name: 'echo', arguments: { message: 'hi' } }))
        expect(echoed).toEqual({ content: [{ type: 'text', text: 'Echo: hi' }] })

        const interim = recordingInterim({ progress: true })
        const long = { name: 'trigger-long-running-operation', arguments: { duration: 0.1, steps: 2 } }
        await connection.handle(toCall('tools/call', long, { interim }))
        expect(interim.heard.map(({ params }) => params)).toEqual([
          { progress: 1, total: 2 },
          { progress: 2, total: 2 },
        ])

        const failure = await connection.handle(toCall('resources/read', { uri: 'demo://nope' })).catch((e) => e)
        expect(failure).toMatchObject({ code: 'upstream.error', rpc: { code: -32602 } })
      } finally {
        await connection.close()
      }
      expect(await connection.closed).toEqual({ reason: 'Closed by us', asked: true })
    })
  }
})

describe('other official servers', () => {
  it('server-filesystem lists and reads a folder it was given', async () => {
    const folder = fileURLToPath(new URL('.', import.meta.url))
    const connection = await openConnection(officialServer('filesystem', folder), options)
    try {
      const { tools } = await connection.handle(toCall('tools/list'))
      expect(tools).toEqual(expect.arrayContaining([expect.objectContaining({ name: 'read_text_file' })]))
      const call = { name: 'read_text_file', arguments: { path: `${folder}open.test.ts`, head: 1 } }
      const { content } = await connection.handle(toCall('tools/call', call))
      expect(content).toMatchObject([{ type: 'text', text: expect.stringContaining('import') }])
    } finally {
      await connection.close()
    }
  })

  it('server-memory is called, and its resource listed', async () => {
    const connection = await openConnection(officialServer('memory'), options)
    try {
      const { resources } = await connection.handle(toCall('resources/list'))
      expect(resources).toHaveLength(1)
      const call = { name: 'search_nodes', arguments: { query: 'nothing is stored' } }
      expect(await connection.handle(toCall('tools/call', call))).toMatchObject({
        structuredContent: { entities: [], relations: [] },
      })
    } finally {
      await connection.close()
    }
  })

  it('server-everything asks for roots and is answered', async () => {
    const asked: string[] = []
    const connection = await openConnection(officialServer('everything'), {
      ...options,
      capabilities: { roots: {} },
      ask: async ({ method }) => {
        asked.push(method)
        return { roots: [{ uri: 'file:///workspace', name: 'workspace' }] }
      },
    })
    try {
      const call = { name: 'get-roots-list', arguments: {} }
      const { content } = await connection.handle(toCall('tools/call', call))
      expect(content).toMatchObject([{ text: expect.stringContaining('file:///workspace') }])
      expect(asked).toContain('roots/list')
    } finally {
      await connection.close()
    }
  })
})

describe('a server that cannot be reached', () => {
  it('is named, with what would help, when the command is not found', async () => {
    const failure = await openConnection({ kind: 'stdio', command: 'no-such-command' }, options).catch((e) => e)
    expect(failure).toMatchObject({
      code: 'upstream.unavailable',
      message: expect.stringContaining('Cannot start "no-such-command": not found, and its environment has no PATH'),
    })
  })

  it('is named by host and port when nothing listens', async () => {
    const port = await freePort()
    const failure = await openConnection({ kind: 'http', url: `http://127.0.0.1:${port}/mcp` }, options).catch((e) => e)
    expect(failure).toMatchObject({
      code: 'upstream.unavailable',
      message: expect.stringContaining(`Cannot reach 127.0.0.1:${port}: nothing listens there`),
    })
  })

  it.each(['http://127.0.0.1:PORT/mcp', 'unix:/nowhere/secret.sock'])(
    'abuse-50: is called what the caller calls it: %s',
    async (pattern) => {
      const url = pattern.replace('PORT', `${await freePort()}`)
      for (const transport of [undefined, 'sse'] as const) {
        const target = { kind: 'http', url, ...(transport === undefined ? {} : { transport }) } as const
        const failure = await openConnection(target, { ...options, name: 'far' }).catch((e) => e)
        expect(failure.message).toMatch(/"far"/)
        expect(failure.message).not.toMatch(/127|secret/)
      }
    },
  )
})
