import { describe, expect, test } from 'vitest'
import type { Notification } from '../protocol/call.ts'
import type { CallToolResult } from '../protocol/features/tools.ts'
import { REVISIONS } from '../revisions/index.ts'
import { createServer } from '../server/index.ts'
import { connect } from './client.ts'
import { createRawServer, toInitialized } from './fixtures/raw-server.ts'
import { OutputCheck } from './output-check.ts'

const sum = { type: 'object', properties: { sum: { type: 'number' } }, required: ['sum'] }

function tool(name: string, outputSchema: unknown) {
  return { name, inputSchema: {}, outputSchema } as never // what a server lists is not always of the right shape
}

function result(members: Partial<CallToolResult>): CallToolResult {
  return { content: [], ...members }
}

describe('a client that calls a tool', () => {
  async function connected(options: { readonly validateOutput?: boolean; readonly faults?: string[] } = {}) {
    const { faults = [], ...rest } = options
    const server = createServer({ name: 'liar', version: '1' })
    // The check of the server is not in the way of what it lists.
    const listed = (json: object) => ({
      '~standard': {
        version: 1 as const,
        vendor: 'own',
        validate: (value: unknown) => ({ value }),
        jsonSchema: { input: () => json as never, output: () => json as never },
      },
    })
    server.tool('add', { output: listed(sum) }, () => ({ sum: 'three' }))
    server.tool('fail', { output: listed(sum) }, () => {
      throw new Error('on purpose')
    })
    server.tool('odd', { output: listed({ $ref: 'http://127.0.0.1:1/schema' }) }, () => ({ sum: 'three' }))
    return connect(server, { client: { name: 'test', version: '1' }, fault: (reason) => faults.push(reason), ...rest })
  }

  test('hears when the answer is not what the tool was listed with', async () => {
    const client = await connected()
    expect(await client.callTool('add')).toMatchObject({ structuredContent: { sum: 'three' } })
    await client.listTools().all()
    await expect(client.callTool('add')).rejects.toMatchObject({
      code: 'upstream.protocol',
      message:
        'The tool "add" answered what its own output schema forbids: /sum: expected a number, found the string "three"',
    })
    expect(await client.callTool('fail')).toMatchObject({ isError: true })
    await client.close()
  })

  test('does not when it does not want to', async () => {
    const client = await connected({ validateOutput: false })
    await client.listTools().all()
    expect(await client.callTool('add')).toMatchObject({ structuredContent: { sum: 'three' } })
    await client.close()
  })

  test('trap-27: is told once of a schema that cannot be used, and nothing is fetched', async () => {
    const faults: string[] = []
    const client = await connected({ faults })
    await client.listTools().all()
    for (let times = 0; times < 3; times++) await client.callTool('odd')
    expect(faults).toEqual([expect.stringContaining('The output of the tool "odd" is not checked')])
    await client.close()
  })
})

describe('a list that is said to have changed while nobody listens', () => {
  /** A server by hand whose tool was listed as a sum, and answers something else. */
  async function listed(revision: string) {
    const raw = createRawServer(({ method }) => {
      if (method === 'initialize') return toInitialized(revision, { tools: { listChanged: true } })
      if (method === 'server/discover') {
        const capabilities = { tools: { listChanged: true } }
        return { result: { resultType: 'complete', supportedVersions: [revision], capabilities, ttlMs: 0 } }
      }
      if (method === 'tools/list') return { result: { resultType: 'complete', ttlMs: 0, tools: [tool('add', sum)] } }
      return { result: { resultType: 'complete', content: [], structuredContent: { sum: 'three' } } }
    })
    const told: string[] = []
    const changed = ({ method }: Notification) => void told.push(method)
    const client = await connect(raw.target, { client: { name: 'test', version: '1' }, revision, changed })
    await client.listTools().all()
    await expect(client.callTool('add')).rejects.toMatchObject({ code: 'upstream.protocol' })
    raw.send({ method: 'notifications/tools/list_changed' })
    return { client, told }
  }

  test.each(REVISIONS.map(({ name }) => name))('%s: what was listed before does not count', async (revision) => {
    const { client, told } = await listed(revision)
    // The answer comes after the change, on the same pipe; what is checked, is checked when it is there.
    expect(await client.callTool('add')).toMatchObject({ structuredContent: { sum: 'three' } })
    await client.listTools().all()
    await expect(client.callTool('add')).rejects.toMatchObject({ code: 'upstream.protocol' })
    const isTold = revision !== REVISIONS[0]?.name
    expect(told).toEqual(isTold ? ['notifications/tools/list_changed'] : [])
    await client.close()
  })
})

describe('what is checked', () => {
  test('trap-26: any JSON that conforms, by presence and not by truth', () => {
    const check = new OutputCheck()
    check.note({ tools: [tool('any', {}), tool('null', { type: 'null' })] }, true)
    for (const structuredContent of [null, 0, '', [], false]) {
      expect(() => check.check('any', result({ structuredContent }))).not.toThrow()
    }
    expect(() => check.check('null', result({ structuredContent: null }))).not.toThrow()
    expect(() => check.check('null', result({ structuredContent: 0 }))).toThrow('expected null, found the number 0')
    expect(() => check.check('any', result({}))).toThrow('there is no structured content')
  })

  test('nothing of a result that says it failed, or that asks for something first', () => {
    const check = new OutputCheck()
    check.note({ tools: [tool('add', sum)] }, true)
    expect(() => check.check('add', result({ isError: true }))).not.toThrow()
    expect(() => check.check('add', result({ resultType: 'input_required' }))).not.toThrow()
    expect(() => check.check('add', result({ resultType: 'complete' }))).toThrow()
  })

  test('by what was listed last, over all pages of the list', () => {
    const check = new OutputCheck()
    const text = result({ structuredContent: 'x' })
    check.note({ tools: [tool('a', sum)] }, true)
    check.note({ tools: [tool('b', sum)] }, false)
    for (const name of ['a', 'b']) expect(() => check.check(name, text)).toThrow('expected an object')
    check.note({ tools: [tool('a', { type: 'string' })] }, true)
    for (const name of ['a', 'b']) expect(() => check.check(name, text)).not.toThrow()
  })

  test('nothing once the list is said to have changed, until it was seen again', () => {
    const check = new OutputCheck()
    const text = result({ structuredContent: 'x' })
    check.note({ tools: [tool('a', sum)] }, true)
    check.hear({ method: 'notifications/tools/list_changed', params: {} })
    expect(() => check.check('a', text)).not.toThrow()
    check.note({ tools: [tool('a', sum)] }, true)
    expect(() => check.check('a', text)).toThrow('expected an object')
  })

  test('nothing of a page that was on its way while the list changed', () => {
    const check = new OutputCheck()
    const since = check.changes
    check.hear({ method: 'notifications/tools/list_changed', params: {} })
    check.note({ tools: [tool('a', sum)] }, true, since)
    expect(() => check.check('a', result({ structuredContent: 'x' }))).not.toThrow()
  })

  test('a list that is no list, and tools that are no tools, are passed over', () => {
    const check = new OutputCheck()
    check.note({ tools: 'none' } as never, true) // what a server may send
    check.note({ tools: [null, 5, { name: 5, outputSchema: {} }, tool('a', 'odd')] } as never, false)
    expect(() => check.check('a', result({}))).not.toThrow()
  })

  test('schemas are held up to 16 MiB of one list', () => {
    const check = new OutputCheck()
    const large = { type: 'object', description: 'x'.repeat(6 * 2 ** 20) }
    check.note({ tools: [tool('a', large), tool('b', large), tool('c', large)] }, true)
    const text = result({ structuredContent: 'x' })
    for (const name of ['a', 'b']) expect(() => check.check(name, text)).toThrow()
    expect(() => check.check('c', text)).not.toThrow()
  })
})
