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
      { uri: 'r:a', text: 'abc', _meta: { 'crosspoint/etag': 'v1', 'crosspoint/revision': 7 } },
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
