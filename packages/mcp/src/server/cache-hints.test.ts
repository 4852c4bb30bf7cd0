import { afterEach, describe, expect, it } from 'vitest'
import { type Client, connect } from '../client/index.ts'
import { toCall } from '../protocol/fixtures/calls.ts'
import { REVISIONS } from '../revisions/index.ts'
import { createServer, type Server, type ServerOptions } from './index.ts'

const open: Client[] = []
afterEach(async () => {
  for (const client of open.splice(0)) await client.close()
})

async function connected(server: Server, revision?: string): Promise<Client> {
  const more = revision === undefined ? {} : { revision }
  const client = await connect(server, { client: { name: 'c', version: '1' }, ...more })
  open.push(client)
  return client
}

const PUBLIC = { ttlMs: 60_000, scope: 'public' } as const
const ALL = { lists: PUBLIC, reads: PUBLIC, discover: PUBLIC }
const METHODS = [
  ['server/discover'],
  ['tools/list'],
  ['prompts/list'],
  ['resources/list'],
  ['resources/templates/list'],
  ['resources/read', { uri: 'r:a' }],
  ['resources/read', { uri: 't:a' }],
  ['skills/list'],
  ['skills/get', { uri: 'skill://s/SKILL.md' }],
] as const

/** A server that has one of each. */
function fill(options: Partial<ServerOptions> = {}): Server {
  const server = createServer({ name: 's', version: '1', ...options })
  server.tool('t', {}, () => '')
  server.prompt('p', { template: 'x' })
  server.resource('r:a', { name: 'a' }, () => 'a')
  server.template('t:{id}', { name: 't' }, (_uri, { id }) => id)
  server.skill('s', { files: { 'SKILL.md': '---\nname: s\ndescription: d\n---\n' } })
  return server
}

async function hintsOf(server: Server, method: string, params = {}) {
  const { ttlMs, cacheScope } = await server.endpoint.handle(toCall(method, params))
  return { ttlMs, cacheScope }
}

async function scopesOf(server: Server, which: readonly (readonly [string, object?])[] = METHODS) {
  const scopes: unknown[] = []
  for (const [method, params] of which) scopes.push((await hintsOf(server, method, params)).cacheScope)
  return scopes
}

describe('what callers may keep', () => {
  it.each(METHODS)('is said of %s %j', async (method, params?: object) => {
    expect(await hintsOf(fill({ cache: ALL }), method, params)).toEqual({ ttlMs: 60_000, cacheScope: 'public' })
    expect(await hintsOf(fill(), method, params)).toEqual({})
    const cache = { lists: { ttlMs: 1 }, reads: { ttlMs: 1 }, discover: { ttlMs: 1 } }
    expect(await hintsOf(fill({ cache }), method, params)).toEqual({ ttlMs: 1, cacheScope: 'private' })
  })

  it('is what one resource or template says, and before that what its handler does', async () => {
    const server = fill({ cache: { reads: { ttlMs: 1 } } })
    server.resource('r:own', { name: 'own', cache: PUBLIC }, () => '')
    server.template('u:{id}', { name: 'u', cache: { ttlMs: 5 } }, (uri, { id }) =>
      id === 'now' ? { contents: [{ uri, text: '' }], ttlMs: 9 } : '',
    )
    expect(await hintsOf(server, 'resources/read', { uri: 'r:own' })).toEqual({ ttlMs: 60_000, cacheScope: 'public' })
    expect(await hintsOf(server, 'resources/read', { uri: 'u:1' })).toEqual({ ttlMs: 5, cacheScope: 'private' })
    expect(await hintsOf(server, 'resources/read', { uri: 'u:now' })).toEqual({ ttlMs: 9, cacheScope: 'private' })
    expect(await server.endpoint.handle(toCall('resources/templates/list'))).toEqual({
      resourceTemplates: [
        { uriTemplate: 't:{id}', name: 't' },
        { uriTemplate: 'u:{id}', name: 'u' },
      ],
    })
  })

  it.each(REVISIONS.map(({ name, traits }) => [name, traits.cacheHints] as const))(
    'goes to callers of %s only if their revision knows it: %s',
    async (revision, isKnown) => {
      const client = await connected(fill({ cache: ALL }), revision)
      for await (const page of client.listTools()) expect(page.ttlMs).toBe(isKnown ? 60_000 : undefined)
      expect((await client.readResource('r:a')).cacheScope).toBe(isKnown ? 'public' : undefined)
    },
  )

  it.each([
    ['no time', { lists: {} }],
    ['a negative one', { reads: { ttlMs: -1 } }],
    ['half a millisecond', { discover: { ttlMs: 0.5 } }],
    ['another scope', { lists: { ttlMs: 1, scope: 'shared' } }],
    ['another name', { list: { ttlMs: 1 } }],
  ])('cannot be %s', (_, cache) => {
    expect(() => createServer({ name: 's', version: '1', cache: cache as never })).toThrow('Cannot create a server')
  })

  it('cannot be nonsense for one resource', () => {
    expect(() => fill().resource('r:b', { name: 'b', cache: { ttlMs: Number.NaN } }, () => '')).toThrow(
      'Cannot register the resource "r:b"',
    )
  })
})

describe('trap-17: what differs from caller to caller is never public', () => {
  const isPrivate = (which: number = METHODS.length) => Array.from({ length: which }, () => 'private')

  it('where the server has a rule, from the moment it has it', async () => {
    const server = fill({ cache: ALL })
    expect(new Set(await scopesOf(server))).toEqual(new Set(['public']))
    server.access(() => true)
    const [discover, ...others] = await scopesOf(server)
    expect(discover).toBe('public')
    expect(others).toEqual(isPrivate(METHODS.length - 1))
  })

  it('where one thing has a rule: its list and, of what is read, everything', async () => {
    const server = fill({ cache: ALL })
    const guarded = server.resource('r:b', { name: 'b', cache: PUBLIC, access: () => true }, (uri) => ({
      contents: [{ uri, text: '' }],
      cacheScope: 'public',
    }))
    expect(await scopesOf(server, [['tools/list'], ['resources/templates/list']])).toEqual(['public', 'public'])
    const others = [['resources/list'], ['resources/read', { uri: 'r:a' }], ['resources/read', { uri: 'r:b' }]] as const
    expect(await scopesOf(server, others)).toEqual(isPrivate(3))
    guarded.remove()
    expect(await scopesOf(server, others.slice(0, 2))).toEqual(['public', 'public'])
  })

  it('on every page of a list', async () => {
    const server = fill({ cache: ALL, pageSize: 1 })
    server.tool('u', {}, () => '')
    for (const scope of ['public', 'private']) {
      const first = await server.endpoint.handle(toCall('tools/list'))
      const second = await server.endpoint.handle(toCall('tools/list', { cursor: first.nextCursor }))
      expect([first.cacheScope, second.cacheScope]).toEqual([scope, scope])
      server.tool(`guarded-${scope}`, { access: () => true }, () => '')
    }
  })

  it('where a middleware may change it, unless that says so', async () => {
    const server = fill({ cache: ALL })
    server.use('tools/list', async (call, next) => ({ ...(await next(call)) }))
    server.use('prompts/list', async (call, next) => ({ ...(await next(call)), cacheScope: 'public' }))
    expect(await scopesOf(server, [['tools/list'], ['prompts/list'], ['resources/list']])).toEqual([
      'private',
      'public',
      'public',
    ])
  })

  it('where a template lists what there is to each caller', async () => {
    const server = fill({ cache: ALL })
    server.template('u:{id}', { name: 'u', list: () => [] }, () => '')
    expect(await scopesOf(server, [['resources/list']])).toEqual(['private'])
  })

  it('where servers are mounted', async () => {
    const server = fill({ cache: ALL })
    const other = createServer({ name: 'o', version: '1', cache: ALL })
    other.resource('o:a', { name: 'a' }, () => 'a')
    server.mount('other', other)
    expect(await scopesOf(server)).toEqual(isPrivate())
    expect(await hintsOf(server, 'resources/read', { uri: 'o:a' })).toEqual({ ttlMs: 60_000, cacheScope: 'private' })
    expect(await hintsOf(other, 'resources/read', { uri: 'o:a' })).toEqual({ ttlMs: 60_000, cacheScope: 'public' })
  })

  it('and an answer that spares contents is nobody else’s', async () => {
    const server = fill({ cache: ALL })
    server.resource('r:b', { name: 'b', etag: 'v1' }, () => 'b')
    const call = { ...toCall('resources/read', { uri: 'r:b' }), meta: { 'crosspoint/ifNoneMatch': 'v1' } }
    expect(await server.endpoint.handle(call)).toMatchObject({ ttlMs: 0, cacheScope: 'private' })
  })
})

describe('our client', () => {
  it('asks for a list once, and again when it hears of a change', async () => {
    let asked = 0
    const server = fill({ cache: { lists: { ttlMs: 60_000 } } })
    server.use('tools/list', (call, next) => {
      asked++
      return next(call)
    })
    const client = await connected(server)
    const names = async () => (await client.listTools().all()).map(({ name }) => name)
    const changes = client.listen({ toolsListChanged: true })
    await changes.acknowledged
    expect([await names(), await names()]).toEqual([['t'], ['t']])
    expect(asked).toBe(1)
    server.tool('u', {}, () => '')
    for await (const { method } of changes) {
      expect(method).toBe('notifications/tools/list_changed')
      break
    }
    expect([await names(), await names()]).toEqual([
      ['t', 'u'],
      ['t', 'u'],
    ])
    expect(asked).toBe(2)
  })

  it('reads once what may be kept, until it is updated', async () => {
    let reads = 0
    const server = fill()
    server.resource('r:b', { name: 'b', cache: { ttlMs: 60_000 } }, () => `${++reads}`)
    const client = await connected(server)
    const changes = client.listen({ resourceSubscriptions: ['r:b'] })
    await changes.acknowledged
    const textOf = async () => (await client.readResource('r:b')).contents[0]?.text
    expect([await textOf(), await textOf()]).toEqual(['1', '1'])
    server.resourceUpdated('r:b')
    for await (const _ of changes) break
    expect(await textOf()).toBe('2')
  })
})

it('a list with a hint is written down once, until it changes', async () => {
  let written = 0
  const server = createServer({ name: 's', version: '1', cache: ALL })
  const _meta = { note: { toJSON: () => ++written } }
  server.tool('one', { _meta }, () => '1')
  for (let time = 0; time < 3; time++) await (await connected(server)).listTools().all()
  expect(written).toBe(1)
  server.tool('two', {}, () => '2')
  await (await connected(server)).listTools().all()
  expect(written).toBe(2)
})
