import { createDeferred } from '@crosspoint/testkit'
import { afterEach, describe, expect, it } from 'vitest'
import { connectTo } from '../../client/connect-to.ts'
import type { JsonObject } from '../../jsonrpc/frame.ts'
import { toCall } from '../../protocol/fixtures/calls.ts'
import { createFakeClock } from '../../testing/index.ts'
import { createServer, type Mountable, type Server, type ServerOptions } from '../index.ts'

const ending: (() => unknown)[] = []
afterEach(async () => {
  for (const end of ending.splice(0).reverse()) await end()
})

const TRAIL = 'crosspoint/trail'
const MARKS = 'crosspoint/marks'

function empty(name: string, options: Partial<ServerOptions> = {}): Server {
  const server = createServer({ name, version: '1', log: () => {}, ...options })
  ending.push(() => server.close())
  return server
}

/** One connection that everybody shares; every request it gets is written down. */
function upstream(answer: (method: string, trail: unknown) => JsonObject | Promise<JsonObject>) {
  const asked: { readonly method: string; readonly trail: unknown }[] = []
  const target: Mountable = {
    shared: true,
    endpoint: {
      async handle({ method, meta }) {
        if (method === 'subscriptions/listen') return new Promise(() => {})
        asked.push({ method, trail: meta[TRAIL] })
        return answer(method, meta[TRAIL])
      },
    },
  }
  return { target, asked, lists: () => asked.filter(({ method }) => method === 'tools/list') }
}

const TOOLS = { tools: [{ name: 't', inputSchema: { type: 'object' } }] }

function withTrail(method: string, trail: unknown, params: JsonObject = {}) {
  return toCall(method, params, { meta: { [TRAIL]: trail } })
}

describe('abuse-45: a trail that a caller made up', () => {
  it('abuse-16: does not make us ask for a list that is kept', async () => {
    const all = empty('all')
    const { target, lists } = upstream((method) => (method === 'tools/list' ? TOOLS : {}))
    all.mount('m', target)
    await all.endpoint.handle(toCall('tools/list'))
    for (let time = 0; time < 200; time++) {
      const trail = Array.from({ length: 1 + (time % 6) }, () => crypto.randomUUID())
      expect(await all.endpoint.handle(withTrail('tools/list', trail))).toMatchObject({ tools: [{ name: 'm__t' }] })
      await all.endpoint.handle(withTrail('tools/call', trail, { name: 'm__t' }))
      await all.endpoint.handle(withTrail('server/discover', trail))
    }
    expect(lists()).toHaveLength(1)
  })

  it('abuse-16: makes us ask a bounded number of times while the list is first on its way', async () => {
    const all = empty('all')
    const listed = createDeferred<JsonObject>()
    const { target, lists } = upstream((method) => (method === 'tools/list' ? listed.promise : {}))
    all.mount('m', target)
    const answers = Array.from({ length: 200 }, () =>
      all.endpoint.handle(withTrail('tools/list', [crypto.randomUUID()])),
    )
    await new Promise(setImmediate)
    listed.resolve(TOOLS)
    for (const answer of await Promise.all(answers)) expect(answer).toMatchObject({ tools: [{ name: 'm__t' }] })
    expect(lists().length).toBeLessThanOrEqual(9)
  })

  it('tells others nothing of it: what is kept, what fails and what is said to fail stay as they are', async () => {
    const events: JsonObject[] = []
    const all = empty('all', { log: (event) => void events.push(event as never) })
    const deep = empty('deep')
    deep.tool('t', {}, () => 'x')
    const middle = empty('middle')
    middle.mount('deep', deep)
    all.mount('middle', middle)
    const list = () => all.endpoint.handle(toCall('tools/list'))
    const before = await list()
    const trail = () => Array.from({ length: 7 }, () => crypto.randomUUID())
    for (let time = 0; time < 50; time++) {
      expect(await all.endpoint.handle(withTrail('tools/list', trail()))).toMatchObject({ tools: [] })
      await expect(all.endpoint.handle(withTrail('tools/call', trail(), { name: 'middle__deep__t' }))).rejects.toThrow()
    }
    expect(await list()).toEqual(before)
    await expect(all.endpoint.handle(toCall('tools/call', { name: 'middle__x' }))).rejects.toThrow('No tool named')
    expect(events.length).toBeLessThan(5)
  })

  it.each([
    ['that is too long', Array.from({ length: 8 }, () => crypto.randomUUID())],
    ['of a million hops', Array.from({ length: 1_000_000 }, () => 'x')],
  ])('%s: only its own call fails', async (_, trail) => {
    const all = empty('all')
    all.tool('own', {}, () => 'x')
    const { target, asked } = upstream((method) => (method === 'tools/list' ? TOOLS : {}))
    all.mount('m', target)
    await expect(all.endpoint.handle(withTrail('tools/call', trail, { name: 'm__t' }))).rejects.toThrow(
      'went through 8 servers with others behind them',
    )
    expect(asked).toEqual([])
    expect(await all.endpoint.handle(toCall('tools/list'))).toMatchObject({
      tools: [{ name: 'own' }, { name: 'm__t' }],
    })
  })

  it('goes no further than it is one: what cannot be an id is not handed on', async () => {
    const all = empty('all')
    const { target, asked } = upstream((method) => (method === 'tools/list' ? TOOLS : { content: [] }))
    all.mount('m', target)
    const id = crypto.randomUUID()
    const trail = [7, null, {}, 'x'.repeat(100_000), id, id]
    await all.endpoint.handle(withTrail('tools/call', trail, { name: 'm__t' }))
    const called = asked.find(({ method }) => method === 'tools/call')
    expect(called?.trail).toEqual([id, expect.stringMatching(/^[0-9a-f-]{36}$/)])
  })
})

describe('a list made for a server behind the mount', () => {
  it('is without what leads back, is kept too, and others get the whole', async () => {
    const clock = createFakeClock()
    const all = empty('all', { clock })
    const other = empty('other', { clock })
    other.tool('own', {}, () => 'x')
    all.tool('mine', {}, () => 'x')
    const requests: string[] = []
    const counting = (server: Server): Mountable => ({
      shared: true,
      endpoint: {
        handle(call) {
          if (call.method === 'tools/list') requests.push(String((call.meta[TRAIL] as unknown[]).length))
          return server.endpoint.handle(call)
        },
      },
    })
    all.mount('other', counting(other))
    other.mount('all', counting(all))
    const names = async (server: Server, meta: JsonObject = {}) =>
      ((await server.endpoint.handle(toCall('tools/list', {}, { meta }))).tools as { name: string }[]).map(
        ({ name }) => name,
      )
    for (let minute = 0; minute < 5; minute++) {
      expect(await names(all)).toEqual(['mine', 'other__own'])
      expect(await names(other)).toEqual(['own', 'all__mine'])
      clock.advance(60_000)
    }
    const before = requests.length
    expect(before).toBeLessThan(40)
    for (let time = 0; time < 100; time++) await names(all, { [TRAIL]: [crypto.randomUUID()] })
    expect(requests.length).toBeLessThan(before + 12)
  })

  it('says which servers it was made of to callers with a trail, by marks that are no ids', async () => {
    const all = empty('all')
    let id: unknown
    const { target } = upstream((method, trail) => {
      if (method !== 'tools/list') return {}
      id = (trail as unknown[]).at(-1)
      return { ...TOOLS, _meta: { [MARKS]: ['0'.repeat(32), 7, 'x', 'f'.repeat(1_000)] } }
    })
    all.mount('m', target)
    expect((await all.endpoint.handle(toCall('tools/list')))._meta).toBeUndefined()
    const { _meta } = await all.endpoint.handle(withTrail('tools/list', []))
    expect(_meta).toEqual({ [MARKS]: [expect.stringMatching(/^[0-9a-f]{32}$/), '0'.repeat(32)] })
    expect(JSON.stringify(_meta)).not.toContain(String(id))
  })

  it('abuse-16: is one of a bounded number, also where the mount says that every server is behind it', async () => {
    const all = empty('all')
    const ids = Array.from({ length: 6 }, () => crypto.randomUUID())
    const marks = await Promise.all(
      ids.map(async (id) => {
        const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(`${TRAIL} ${id}`))
        return Buffer.from(digest).subarray(0, 16).toString('hex')
      }),
    )
    const { target, lists } = upstream((method) =>
      method === 'tools/list' ? { ...TOOLS, _meta: { [MARKS]: marks } } : {},
    )
    all.mount('m', target)
    await all.endpoint.handle(toCall('tools/list'))
    for (let set = 1; set < 64; set++) {
      for (let time = 0; time < 3; time++) {
        const trail = ids.filter((_, at) => (set >> at) % 2 === 1)
        await all.endpoint.handle(withTrail('tools/list', trail))
      }
    }
    expect(lists()).toHaveLength(17)
    expect(await all.endpoint.handle(toCall('tools/list'))).toMatchObject({ tools: [{ name: 'm__t' }] })
  })
})

it('abuse-45: three servers in a circle list each other once, however often they are asked and by whom first', async () => {
  const servers = ['a', 'b', 'c'].map((name) => {
    const server = empty(name)
    server.tool('own', {}, () => name)
    return server
  })
  for (const [at, server] of servers.entries()) {
    const next = servers[(at + 1) % servers.length]
    if (next === undefined) throw new Error('No server')
    const remote = connectTo({ endpoint: next.endpoint })
    ending.push(() => remote.close())
    server.mount('next', remote)
  }
  for (let round = 0; round < 3; round++) {
    const lists = await Promise.all(servers.map(({ endpoint }) => endpoint.handle(toCall('tools/list'))))
    for (const { tools } of lists) {
      const names = (tools as { name: string }[]).map(({ name }) => name)
      expect(names).toEqual(['own', 'next__own', 'next__next__own'])
    }
  }
})
