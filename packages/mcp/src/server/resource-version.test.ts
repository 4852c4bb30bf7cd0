import { afterEach, describe, expect, it } from 'vitest'
import { IF_NONE_MATCH } from '../protocol/resource-version.ts'
import { REVISIONS } from '../revisions/index.ts'
import { type TestClient, testClient } from '../testing/index.ts'
import { createServer, type Server } from './index.ts'

const open: TestClient[] = []
afterEach(async () => {
  for (const client of open.splice(0)) await client.close()
})

async function connected(server: Server, revision?: string): Promise<TestClient> {
  const client = await testClient(server, revision === undefined ? {} : { revision })
  open.push(client)
  return client
}

describe.each(REVISIONS.map(({ name }) => name))('to a caller of %s', (revision) => {
  it('a resource says which state it is in, listed and read', async () => {
    const server = createServer({ name: 's', version: '1' })
    const version = { etag: 'v1', revision: 7, lastModified: new Date(0), size: 3 }
    server.resource('r:a', { name: 'a', annotations: { priority: 1 }, _meta: { mine: true }, ...version }, () => 'abc')
    const client = await connected(server, revision)
    expect(await client.listResources().all()).toEqual([
      {
        uri: 'r:a',
        name: 'a',
        size: 3,
        annotations: { priority: 1, lastModified: '1970-01-01T00:00:00.000Z' },
        _meta: { mine: true, 'crosspoint/etag': 'v1', 'crosspoint/revision': 7 },
      },
    ])
    expect((await client.readResource('r:a')).contents).toEqual([
      {
        uri: 'r:a',
        text: 'abc',
        _meta: {
          'crosspoint/etag': 'v1',
          'crosspoint/revision': 7,
          'crosspoint/lastModified': '1970-01-01T00:00:00.000Z',
        },
      },
    ])
  })
})

describe('a caller who names the state it has', () => {
  function fixture(): { server: Server; reads: string[]; change: (etag: string) => void } {
    const reads: string[] = []
    const server = createServer({ name: 's', version: '1' })
    const resource = server.resource('r:a', { name: 'a', mimeType: 'text/plain', etag: 'v1' }, (uri) => {
      reads.push(uri)
      return 'abc'
    })
    server.resource('r:plain', { name: 'plain' }, () => 'plain')
    return { server, reads, change: (etag) => resource.update({ etag }) }
  }

  it('is spared the contents while they are those, and the handler is not asked', async () => {
    const { server, reads } = fixture()
    const client = await connected(server)
    expect((await client.readResource('r:a', { meta: { [IF_NONE_MATCH]: 'v1' } })).contents).toEqual([
      {
        uri: 'r:a',
        mimeType: 'text/plain',
        text: '',
        _meta: { 'crosspoint/etag': 'v1', 'crosspoint/notModified': true },
      },
    ])
    expect(reads).toEqual([])
  })

  it('gets the contents once they changed', async () => {
    const { server, change } = fixture()
    const client = await connected(server)
    change('v2')
    expect(await client.readResource('r:a', { meta: { [IF_NONE_MATCH]: 'v1' } })).toMatchObject({
      contents: [{ text: 'abc', _meta: { 'crosspoint/etag': 'v2' } }],
    })
  })

  it('gets the contents of a resource that says no state', async () => {
    const client = await connected(fixture().server)
    for (const known of ['v1', null, {}]) {
      const { contents } = await client.readResource('r:plain', { meta: { [IF_NONE_MATCH]: known } })
      expect(contents).toEqual([{ uri: 'r:plain', text: 'plain' }])
    }
  })
})

it('leaves what contents say of themselves', async () => {
  const server = createServer({ name: 's', version: '1' })
  server.resource('r:a', { name: 'a', etag: 'listed' }, (uri) => [
    { uri, text: 'one', _meta: { 'crosspoint/etag': 'own', more: 1 } },
    { uri: `${uri}/2`, text: 'two' },
  ])
  const { contents } = await (await connected(server)).readResource('r:a')
  expect(contents.map(({ _meta }) => _meta)).toEqual([
    { 'crosspoint/etag': 'own', more: 1 },
    { 'crosspoint/etag': 'listed' },
  ])
})

it('refuses a time that is none', () => {
  const server = createServer({ name: 's', version: '1' })
  expect(() => server.resource('r:a', { name: 'a', lastModified: 'yesterday' }, () => '')).toThrow('it is no time')
})

it('trap-22: a resource that is not there is an error, and never an answer without contents', async () => {
  const server = createServer({ name: 's', version: '1' })
  server.resource('r:gone', { name: 'gone', etag: 'v1' }, () => undefined)
  server.resource('r:empty', { name: 'empty' }, () => [])
  const client = await connected(server)
  for (const uri of ['r:gone', 'r:empty', 'r:never']) {
    await expect(client.readResource(uri)).rejects.toMatchObject({ rpc: { code: -32602, data: { uri } } })
  }
})

describe('of a template, what is read', () => {
  it.each(REVISIONS.map(({ name }) => name))(
    'says which state it is in, as it was returned, to a caller of %s',
    async (name) => {
      const server = createServer({ name: 's', version: '1' })
      const state = { etag: 'v1', revision: 7, lastModified: new Date(0) }
      server.template('r:own/{id}', { name: 'a', mimeType: 'text/plain' }, (_uri, { id }) => ({
        text: `${id}`,
        ...state,
      }))
      server.template('r:one/{id}', { name: 'b' }, (uri) => ({ uri, text: 'b', ...state, _meta: { mine: true } }))
      server.template('r:all/{id}', { name: 'c' }, (uri) => ({ contents: [{ uri, text: 'c' }], ...state }))
      server.template('r:none/{id}', { name: 'd' }, (uri) => [{ uri, text: 'd' }])
      const client = await connected(server, name)
      const _meta = {
        'crosspoint/etag': 'v1',
        'crosspoint/revision': 7,
        'crosspoint/lastModified': '1970-01-01T00:00:00.000Z',
      }
      const read = async (uri: string) => {
        const result = await client.readResource(uri)
        expect(Object.keys(result)).not.toContain('etag')
        return result.contents
      }
      expect(await read('r:own/1')).toEqual([{ uri: 'r:own/1', mimeType: 'text/plain', text: '1', _meta }])
      expect(await read('r:one/1')).toEqual([{ uri: 'r:one/1', text: 'b', _meta: { ..._meta, mine: true } }])
      expect(await read('r:all/1')).toEqual([{ uri: 'r:all/1', text: 'c', _meta }])
      expect(await read('r:none/1')).toEqual([{ uri: 'r:none/1', text: 'd' }])
    },
  )

  it('is not sent to a caller who names the state that was returned', async () => {
    const server = createServer({ name: 's', version: '1' })
    server.template('r:{id}', { name: 'a' }, () => ({ blob: 'AAAA', mimeType: 'image/png', etag: 'v1' }))
    const client = await connected(server)
    const { contents } = await client.readResource('r:1', { meta: { [IF_NONE_MATCH]: 'v1' } })
    expect(contents).toEqual([
      {
        uri: 'r:1',
        mimeType: 'image/png',
        text: '',
        _meta: { 'crosspoint/etag': 'v1', 'crosspoint/notModified': true },
      },
    ])
    expect((await client.readResource('r:1', { meta: { [IF_NONE_MATCH]: 'v0' } })).contents[0]?.blob).toBe('AAAA')
  })

  it('is not even read for a caller who has the state that "version" says', async () => {
    const reads: string[] = []
    const states = new Map([['1', 'v1']])
    const server = createServer({ name: 's', version: '1' })
    const version = async (_uri: string, { id }: { id?: unknown }) => ({ etag: states.get(String(id)) ?? 'new' })
    server.template('r:{id}', { name: 'a', version }, (uri) => {
      reads.push(uri)
      return 'abc'
    })
    const client = await connected(server)
    const read = async (uri: string, known: string) =>
      (await client.readResource(uri, { meta: { [IF_NONE_MATCH]: known } })).contents[0]
    expect(await read('r:1', 'v1')).toMatchObject({ text: '', _meta: { 'crosspoint/notModified': true } })
    expect(reads).toEqual([])
    expect(await read('r:2', 'v1')).toEqual({ uri: 'r:2', text: 'abc', _meta: { 'crosspoint/etag': 'new' } })
    states.set('1', 'v2')
    expect(await read('r:1', 'v1')).toMatchObject({ text: 'abc', _meta: { 'crosspoint/etag': 'v2' } })
    expect(reads).toEqual(['r:2', 'r:1'])
    expect(await client.listResourceTemplates().all()).toEqual([{ uriTemplate: 'r:{id}', name: 'a' }])
  })

  it('fails as a read does where "version" does', async () => {
    const server = createServer({ name: 's', version: '1', log() {} })
    server.template(
      'r:{id}',
      {
        name: 'a',
        version: () => {
          throw new Error('no such shelf')
        },
      },
      () => 'x',
    )
    await expect((await connected(server)).readResource('r:1')).rejects.toThrow('no such shelf')
    expect(() => server.template('r:b/{id}', { name: 'b', version: 'v1' as never }, () => 'x')).toThrow('"version"')
  })

  it('is listed with the state its list says', async () => {
    const server = createServer({ name: 's', version: '1' })
    const list = () => [{ uri: 'r:1', name: 'One', etag: 'v1', lastModified: new Date(0) }]
    server.template('r:{id}', { name: 'a', list }, () => 'x')
    expect(await (await connected(server)).listResources().all()).toEqual([
      {
        uri: 'r:1',
        name: 'One',
        annotations: { lastModified: '1970-01-01T00:00:00.000Z' },
        _meta: { 'crosspoint/etag': 'v1' },
      },
    ])
  })
})

it('refuses a state that is no text', async () => {
  const server = createServer({ name: 's', version: '1', log() {} })
  expect(() => server.resource('r:a', { name: 'a', etag: 1 as never }, () => '')).toThrow('it is to be a text')
  server.template('r:{id}', { name: 'b' }, () => ({ text: 'x', etag: 1 as never }))
  await expect((await connected(server)).readResource('r:1')).rejects.toMatchObject({ rpc: { code: -32603 } })
})
