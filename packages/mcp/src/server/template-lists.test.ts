import { recordCall } from '@crosspoint/testkit'
import { expect, it } from 'vitest'
import type { Principal } from '../protocol/call.ts'
import { testClient } from '../testing/index.ts'
import type { EndpointEvent } from '../transports/endpoint.ts'
import { createServer, type Server, type ServerOptions, type TemplateLister } from './index.ts'

const read = () => 'contents'

function withEvents(options: Partial<ServerOptions> = {}) {
  const events: EndpointEvent[] = []
  return {
    events,
    server: createServer({ name: 's', version: '1', log: (event) => void events.push(event), ...options }),
  }
}

async function urisOf(server: Server, principal?: Principal) {
  const client = await testClient(server, principal === undefined ? {} : { principal })
  const resources = await client.listResources().all()
  await client.close()
  return resources.map(({ uri }) => uri)
}

it('lists what its templates say there is, behind what is registered by its URI', async () => {
  const { server } = withEvents()
  const list: TemplateLister = async () => [
    { uri: 'user://ada', name: 'Ada', title: 'Countess' },
    { uri: 'user://root', name: 'not this one' },
    { uri: 'user://bob', name: 'Bob', mimeType: 'text/html' },
  ]
  server.template('user://{id}', { name: 'User', mimeType: 'text/plain', list }, read)
  server.resource('user://root', { name: 'Root' }, read)
  const client = await testClient(server)
  expect(await client.listResources().all()).toEqual([
    { uri: 'user://root', name: 'Root' },
    { uri: 'user://ada', name: 'Ada', title: 'Countess', mimeType: 'text/plain' },
    { uri: 'user://bob', name: 'Bob', mimeType: 'text/html' },
  ])
  expect((await client.listResourceTemplates().all()).map((template) => Object.keys(template))).toEqual([
    ['uriTemplate', 'name', 'mimeType'],
  ])
  await client.close()
})

it('pages through all of them, and goes on behind the last one when some are gone meanwhile', async () => {
  const { server } = withEvents({ pageSize: 2 })
  let ids = ['a', 'b', 'c', 'd', 'e']
  server.resource('memo:1', { name: '1' }, read)
  server.resource('memo:2', { name: '2' }, read)
  server.resource('memo:3', { name: '3' }, read)
  server.template(
    'user://{id}',
    { name: 'User', list: () => ids.map((id) => ({ uri: `user://${id}`, name: id })) },
    read,
  )
  expect(await urisOf(server)).toEqual([
    ...['1', '2', '3'].map((id) => `memo:${id}`),
    ...ids.map((id) => `user://${id}`),
  ])

  const page = async (cursor?: unknown) =>
    (await server.endpoint.handle(recordCall('resources/list', cursor === undefined ? {} : { cursor }).call)) as {
      resources: { uri: string }[]
      nextCursor?: string
    }
  const second = await page((await page()).nextCursor)
  expect(second.resources.map(({ uri }) => uri)).toEqual(['memo:3', 'user://a'])
  ids = ['0', 'a', 'c']
  const third = await page(second.nextCursor)
  expect([third.resources.map(({ uri }) => uri), third.nextCursor]).toEqual([['user://c'], undefined])
  for (const cursor of ['x', '', 7, btoa('resource:1')]) {
    await expect(page(cursor)).rejects.toMatchObject({ code: 'caller.invalid_params' })
  }
})

it('asks with who is calling, and shows nothing of a template that this caller does not see', async () => {
  const { server } = withEvents()
  const list: TemplateLister = ({ principal }) => [{ uri: `user://${principal.id}`, name: 'Me' }]
  server.template('user://{id}', { name: 'Own', list }, read)
  server.template(
    'admin://{id}',
    { name: 'A', access: ({ id }) => id === 'root', list: () => [{ uri: 'admin://1', name: 'x' }] },
    read,
  )
  expect(await urisOf(server, { id: 'ada', tenant: 't' })).toEqual(['user://ada'])
  expect(await urisOf(server, { id: 'root', tenant: 't' })).toEqual(['user://root', 'admin://1'])
})

it('leaves out what fails and what nobody could read, and the log says so', async () => {
  const { server, events } = withEvents()
  server.template(
    'bad://{id}',
    {
      name: 'Bad',
      list: () => {
        throw new Error('no database')
      },
    },
    read,
  )
  server.template('odd://{id}', { name: 'Odd', list: (() => ({ resources: [] })) as never }, read)
  server.template(
    'user://{id}',
    {
      name: 'User',
      list: () => [
        { uri: 'other://1', name: 'x' },
        { uri: 'user://1' } as never,
        null as never,
        { uri: `user://${'1'.repeat(2_000)}`, name: 'long' },
        { uri: 'user://2', name: '2' },
      ],
    },
    read,
  )
  expect(await urisOf(server)).toEqual(['user://2'])
  expect(events.map(({ event, template, error }) => [event, template, (error as Error).message])).toEqual([
    ['template_list_failed', 'bad://{id}', 'no database'],
    ['template_list_failed', 'odd://{id}', 'The list of a template is to be a list, as in [{ uri, name }]'],
    ['template_list_failed', 'user://{id}', '4 of 5 entries have no name, no URI of the template, or are too many'],
  ])
})

it('has a bound for what one list holds', async () => {
  const { server } = withEvents()
  const list: TemplateLister = () => Array.from({ length: 20_000 }, (_, id) => ({ uri: `user://${id}`, name: `${id}` }))
  server.template('user://{id}', { name: 'User', list }, read)
  expect(await urisOf(server)).toHaveLength(10_000)
})

/** Entries that count how often they are looked at. */
function createCounted(length: number) {
  const counted = { lists: 0, looks: 0 }
  const { server, events } = withEvents({ pageSize: 50 })
  const entries = Array.from({ length }, (_, id) => ({
    uri: `user://${id}`,
    get name() {
      counted.looks++
      return `${id}`
    },
  }))
  const list: TemplateLister = () => {
    counted.lists++
    return entries.map((entry) => entry)
  }
  server.template('user://{id}', { name: 'User', list }, read)
  const page = async (cursor?: unknown) =>
    (await server.endpoint.handle(recordCall('resources/list', cursor === undefined ? {} : { cursor }).call)) as {
      resources: { uri: string }[]
      nextCursor?: string
    }
  return { counted, events, page, entries }
}

it('abuse-14: looks at no more entries than a page has, wherever it is in the list', async () => {
  const { counted, page } = createCounted(10_000)
  await page()
  const ofOne = counted.looks
  expect(ofOne).toBeLessThan(50 * 6)
  const late = btoa(encodeURIComponent(JSON.stringify(['resource', 9_000, 'user://8999'])))
  expect((await page(late)).resources[0]?.uri).toBe('user://9000')
  const made = btoa(encodeURIComponent(JSON.stringify(['resource', 5_000, 'user://gone'])))
  expect((await page(made)).resources[0]?.uri).toBe('user://5000')
  expect(counted.looks).toBe(3 * ofOne)
})

it('abuse-14: asks no template for a cursor that is none', async () => {
  const { counted, page } = createCounted(10)
  const others = ['{}', '["resource",-5,"x"]', '["resource",0.5,"x"]', '["resource",1,null]', '["tool",1,"x"]', '%']
  for (const cursor of ['x', 7, {}, 'QUFB'.repeat(100_000), ...others.map((text) => btoa(encodeURIComponent(text)))]) {
    await expect(page(cursor)).rejects.toMatchObject({ code: 'caller.invalid_params' })
  }
  expect(counted).toEqual({ lists: 0, looks: 0 })
})

it('goes through a list to its end, also where entries are there twice or cannot be read', async () => {
  const { events, page, entries } = createCounted(130)
  entries.splice(60, 0, ...entries.slice(10, 30)) // once more
  entries.splice(20, 0, ...Array.from({ length: 5 }, () => ({ uri: 'other://x', name: 'x' })))
  entries.push({ uri: 'user://0', name: '' })
  const uris: string[] = []
  let pages = 0
  for (let cursor: string | undefined; pages === 0 || cursor !== undefined; pages++) {
    const { resources, nextCursor } = await page(cursor)
    uris.push(...resources.map(({ uri }) => uri))
    cursor = nextCursor
  }
  expect(uris).toEqual(Array.from({ length: 130 }, (_, id) => `user://${id}`))
  expect(pages).toBe(3)
  expect(events.map(({ error }) => (error as Error).message.slice(0, 20))).toEqual([
    '5 of 156 entries hav',
    '1 of 156 entries hav',
  ])
})

it('what one template cannot list does not hide it in another', async () => {
  const { server } = withEvents()
  const user = { uri: 'user://1', name: 'One' }
  server.template('odd://{id}', { name: 'Odd', list: () => [user] }, read)
  server.template('user://{id}', { name: 'User', list: () => [user] }, read)
  server.template('{+any}', { name: 'Any', list: () => [user, { uri: 'x:1', name: 'x', etag: 7 as never }] }, read)
  expect(await urisOf(server)).toEqual(['user://1'])
})

it('is listed through a mount, and a change is told by an update of nothing', async () => {
  const { server } = withEvents()
  const ids = ['1']
  const inner = createServer({ name: 'inner', version: '1' })
  const users = inner.template(
    'user://{id}',
    { name: 'User', list: () => ids.map((id) => ({ uri: `user://${id}`, name: id })) },
    read,
  )
  server.mount('inner', inner)
  const client = await testClient(server)
  const uris = async () => (await client.listResources({ fresh: true }).all()).map(({ uri }) => uri)
  expect(await uris()).toEqual(['user://1'])
  const subscription = client.listen({ resourcesListChanged: true })
  const heard = subscription[Symbol.asyncIterator]()
  const next = heard.next()
  await subscription.acknowledged
  ids.push('2')
  users.update({})
  expect((await next).value).toMatchObject({ method: 'notifications/resources/list_changed' })
  expect(await uris()).toEqual(['user://1', 'user://2'])
  await client.close()
})

it('refuses a list that is no function', () => {
  const { server } = withEvents()
  expect(() => server.template('a:{b}', { name: 'b', list: [] as never }, read)).toThrow('its "list" is the function')
})
