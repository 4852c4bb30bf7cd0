import { createDoors, sendEnveloped } from '@crosspoint/testkit'
import { afterEach, describe, expect, it } from 'vitest'
import { connectTo } from '../../client/connect-to.ts'
import type { JsonObject } from '../../jsonrpc/frame.ts'
import { createServer, type Mountable, type Server, type ServerOptions } from '../index.ts'

const doors = createDoors()
const ending: (() => unknown)[] = []
afterEach(async () => {
  await doors.closeAll()
  for (const end of ending.splice(0).reverse()) await end()
})

const INPUT = { type: 'object', properties: { region: { type: 'string', 'x-mcp-header': 'Region' } } }

function fixture(name: string, options: Partial<ServerOptions> = {}): { server: Server; reached: string[] } {
  const reached: string[] = []
  const server = createServer({ name, version: '1', log: () => {}, ...options })
  ending.push(() => server.close())
  // The second would be called the same here, and so one of them is called otherwise.
  for (const tool of ['go', 'g.o', 'g_o']) server.tool(tool, { input: INPUT }, () => void reached.push(tool))
  return { server, reached }
}

/**
 * How a server is mounted, and how often it is asked for its list while three calls are made, of which one is sound. In
 * this process only that one asks: the check finds what it needs at hand.
 */
const ways: Record<string, { mount: (server: Server) => Mountable; lists: number }> = {
  'in this process': { mount: (server) => server, lists: 1 },
  'over a connection': {
    mount(server) {
      const remote = connectTo({ endpoint: server.endpoint })
      ending.push(() => remote.close())
      return remote
    },
    lists: 1,
  },
  'as a handle of its own for each caller': {
    mount: ({ endpoint: { handle } }) => ({ endpoint: { handle } }),
    lists: 3,
  },
  'inside of another': {
    mount(server) {
      const outer = createServer({ name: 'outer', version: '1', log: () => {} })
      ending.push(() => outer.close())
      outer.mount('in', { endpoint: { handle: server.endpoint.handle } })
      return outer
    },
    lists: 4, // the one in between asks once more, to know where the call goes
  },
}

describe.each(Object.keys(ways))('abuse-17: the headers of a tool mounted %s', (way) => {
  const { mount, lists } = ways[way] as (typeof ways)[string] // a key of it
  const prefix = way === 'inside of another' ? 'm__in__' : 'm__'

  async function open() {
    const { server, reached } = fixture('inner')
    let listed = 0
    server.use('tools/list', (call, next) => {
      listed++
      return next(call)
    })
    const all = createServer({ name: 'all', version: '1', log: () => {} })
    ending.push(() => all.close())
    all.mount('m', mount(server))
    const { url } = await doors.open(all.endpoint.handle, all.endpoint)
    const call = async (name: string, given: JsonObject, headers: Record<string, string> = {}) => {
      const answer = await sendEnveloped(url, 'tools/call', { name, arguments: given }, { headers })
      return [answer.status, answer.messages[0].error?.code ?? answer.messages[0].result?.isError ?? 'done']
    }
    return { call, reached, listed: () => listed }
  }

  it('are checked before anybody has listed it, and it is not listed for more than the call itself needs', async () => {
    const { call, reached, listed } = await open()
    expect(await call(`${prefix}go`, { region: 'eu' })).toEqual([400, -32020])
    expect(await call(`${prefix}go`, { region: 'eu' }, { 'mcp-param-region': 'us' })).toEqual([400, -32020])
    expect(reached).toEqual([])
    expect(await call(`${prefix}go`, { region: 'eu' }, { 'mcp-param-region': 'eu' })).toEqual([200, 'done'])
    expect(reached).toEqual(['go'])
    expect(listed()).toBe(lists)
  })

  it('are checked of a tool whose name had to be changed', async () => {
    const { call, reached } = await open()
    expect(await call(`${prefix}g_o`, { region: 'eu' })).toEqual([400, -32020])
    const digest = await call(`${prefix}g_o`, { region: 'eu' }, { 'mcp-param-region': 'eu' })
    expect(digest).toEqual([200, 'done'])
    expect(reached).toEqual(['g_o'])
  })

  it('are no way to learn of a tool that is not there', async () => {
    const { call } = await open()
    expect(await call(`${prefix}none`, { region: 'eu' })).toEqual([200, -32602])
  })
})

it('abuse-17: the schema is that of what the caller would reach, whoever listed what before', async () => {
  const ada = { id: 'ada', tenant: 't' }
  const bob = { id: 'bob', tenant: 't' }
  const inner = createServer({ name: 'inner', version: '1' })
  inner.tool('x.y', { input: INPUT }, () => 'dotted')
  inner.tool('x_y', { access: ({ id }) => id === 'ada' }, () => 'plain')
  const all = createServer({ name: 'all', version: '1' })
  ending.push(() => all.close())
  all.mount('m', inner)
  const authenticate = ({ who }: Readonly<Record<string, string | undefined>>) => (who === 'ada' ? ada : bob)
  const { url } = await doors.open(all.endpoint.handle, { ...all.endpoint, authenticate })
  const call = (who: string, headers: Record<string, string>) =>
    sendEnveloped(url, 'tools/call', { name: 'm__x_y', arguments: { region: 'eu' } }, { headers: { who, ...headers } })
  for (let time = 0; time < 2; time++) {
    expect((await call('bob', {})).status).toBe(400)
    // To her the name means another tool, which mirrors nothing and takes nothing.
    expect((await call('ada', {})).status).toBe(200)
  }
})

it('abuse-41: a call that is given up while it waits to be checked is not made', async () => {
  const { server, reached } = fixture('inner')
  let answer: () => void = () => {}
  const asked = new Promise<void>((resolve) => {
    server.use('tools/list', async (call, next) => {
      resolve()
      await new Promise<void>((go) => (answer = go))
      return next(call)
    })
  })
  const all = createServer({ name: 'all', version: '1', log: () => {} })
  ending.push(() => all.close())
  let leave: () => void = () => {}
  const gone = new Promise<void>((resolve) => {
    leave = resolve
  })
  all.mount('m', {
    endpoint: {
      handle(call) {
        call.cancellation.watch({ cancelled: leave })
        return server.endpoint.handle(call)
      },
    },
  })
  const { url } = await doors.open(all.endpoint.handle, all.endpoint)
  const _meta = {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientCapabilities': {},
  }
  const params = { name: 'm__go', arguments: { region: 'eu' }, _meta }
  const givenUp = new AbortController()
  const first = fetch(url, {
    method: 'POST',
    headers: {
      accept: 'application/json, text/event-stream',
      'content-type': 'application/json',
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': 'tools/call',
      'mcp-name': 'm__go',
      'mcp-param-region': 'eu',
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params }),
    signal: givenUp.signal,
  })
  await asked
  givenUp.abort()
  await expect(first).rejects.toThrow()
  await gone
  answer()
  await new Promise(setImmediate)
  expect(reached).toEqual([])
})
