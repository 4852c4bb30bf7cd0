import { afterEach, describe, expect, expectTypeOf, it } from 'vitest'
import type { CallToolParams, CallToolResult } from '../protocol/features/tools.ts'
import { type TestClient, testClient } from '../testing/index.ts'
import { createServer, type Server } from './index.ts'

const open: TestClient[] = []
afterEach(async () => {
  for (const client of open.splice(0)) await client.close()
})

async function connected(server: Server): Promise<TestClient> {
  const client = await testClient(server)
  open.push(client)
  return client
}

function fixture(): Server {
  const server = createServer({ name: 's', version: '1', log: () => {} })
  server.tool('echo', { input: { type: 'object' } }, (args) => JSON.stringify(args))
  server.tool('fail', {}, () => {
    throw new Error('on purpose')
  })
  server.prompt('greet', {}, () => 'Hello')
  return server
}

describe('middleware', () => {
  it('stands around the methods its pattern fits, the first registered outermost', async () => {
    const server = fixture()
    const seen: string[] = []
    for (const pattern of ['*', 'tools/*', 'tools/call', 'prompts/*']) {
      server.use(pattern, async (call, next) => {
        seen.push(`${pattern} before ${call.method}`)
        const result = await next(call)
        seen.push(`${pattern} after`)
        return result
      })
    }
    const client = await connected(server)
    seen.length = 0
    await client.callTool('echo')
    expect(seen).toEqual([
      '* before tools/call',
      'tools/* before tools/call',
      'tools/call before tools/call',
      'tools/call after',
      'tools/* after',
      '* after',
    ])
    seen.length = 0
    await client.getPrompt('greet')
    expect(seen).toEqual(['* before prompts/get', 'prompts/* before prompts/get', 'prompts/* after', '* after'])
  })

  it('changes what is asked and what is answered', async () => {
    const server = fixture()
    server.use('tools/call', async (call, next) => {
      const result = await next({ ...call, params: { ...call.params, arguments: { changed: true } } })
      return { ...result, _meta: { seen: true } }
    })
    const client = await connected(server)
    expect(await client.callTool('echo', { changed: false })).toMatchObject({
      content: [{ text: '{"changed":true}' }],
      _meta: { seen: true },
    })
  })

  it('answers without asking further', async () => {
    const server = fixture()
    server.use('tools/call', () => ({ content: [{ type: 'text', text: 'from memory' }] }))
    const client = await connected(server)
    expect(await client.callTool('fail')).toMatchObject({ content: [{ text: 'from memory' }] })
  })

  it('sees errors, and may answer in their place or throw its own', async () => {
    const server = fixture()
    const seen: unknown[] = []
    server.use('tools/call', async (call, next) => {
      try {
        return await next(call)
      } catch (error) {
        seen.push(error)
        return { content: [], isError: true }
      }
    })
    server.use('prompts/get', () => {
      throw new Error('closed today')
    })
    const client = await connected(server)
    expect(await client.callTool('nothing')).toMatchObject({ isError: true })
    expect(seen).toMatchObject([{ code: 'caller.invalid_params' }])
    await expect(client.getPrompt('greet')).rejects.toThrow('Internal error')
  })

  it('may ask again', async () => {
    const server = fixture()
    let calls = 0
    server.tool('flaky', {}, () => {
      if (++calls === 1) throw new Error('once')
      return 'twice'
    })
    server.use('tools/call', async (call, next) => {
      const result = await next(call)
      return result.isError === true ? next(call) : result
    })
    expect(await (await connected(server)).callTool('flaky')).toMatchObject({ content: [{ text: 'twice' }] })
  })

  it('stands around what is registered after it, too, and counts from the next call on', async () => {
    const server = fixture()
    const client = await connected(server)
    await client.callTool('echo')
    let count = 0
    server.use('tools/call', (call, next) => {
      count++
      return next(call)
    })
    server.tool('later', {}, () => 'x')
    await client.callTool('later')
    await client.callTool('echo')
    expect(count).toBe(2)
  })

  it('is composed when something changes, and not per call', async () => {
    const server = fixture()
    const nexts = new Set<unknown>()
    server.use('tools/call', (call, next) => {
      nexts.add(next)
      return next(call)
    })
    const client = await connected(server)
    for (let i = 0; i < 3; i++) await client.callTool('echo')
    expect(nexts.size).toBe(1)
  })

  it('is refused for a method that does not exist', () => {
    const server = fixture()
    expect(() => server.use('tool/call', (call, next) => next(call))).toThrow(
      'Cannot stand around "tool/call": there is no such method; did you mean "tools/call"?',
    )
    expect(() => server.use('tool/*', (call, next) => next(call))).toThrow('no such method')
  })

  it('knows parameters and results by the method', () => {
    const server = fixture()
    server.use('tools/call', async (call, next) => {
      expectTypeOf(call.params).toMatchTypeOf<CallToolParams>()
      expectTypeOf(await next(call)).toMatchTypeOf<CallToolResult>()
      return next(call)
    })
    server.use('*', (call, next) => {
      expectTypeOf(call.params.anything).toBeUnknown()
      return next(call)
    })
  })
})
