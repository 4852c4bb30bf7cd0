import { afterEach, describe, expect, it } from 'vitest'
import { connectTo } from '../../client/connect-to.ts'
import type { Notification } from '../../protocol/call.ts'
import { REVISIONS } from '../../revisions/index.ts'
import { type TestClient, testClient } from '../../testing/index.ts'
import { createServer, type Mountable, type Server } from '../index.ts'

const ending: (() => unknown)[] = []
afterEach(async () => {
  for (const end of ending.splice(0).reverse()) await end()
})

/** A server with a resource, which counts who listens to it, and to which resources. */
function counted() {
  const server = createServer({ name: 'inner', version: '1', log: () => {} })
  server.resource('r:a', { name: 'a' }, () => 'a')
  server.tool('t', {}, () => 'x')
  let listens = 0
  const watched: string[] = []
  server.use('subscriptions/listen', async (call, next) => {
    const { resourceSubscriptions = [] } = call.params.notifications as { resourceSubscriptions?: string[] }
    listens++
    watched.push(...resourceSubscriptions)
    try {
      return await next(call)
    } finally {
      listens--
      for (const uri of resourceSubscriptions) watched.splice(watched.indexOf(uri), 1)
    }
  })
  ending.push(() => server.close())
  return { server, listens: () => listens, watched: () => [...watched] }
}

const ways: Record<string, (server: Server) => Mountable> = {
  'in this process': (server) => server,
  'as a handle': ({ endpoint: { handle } }) => ({ endpoint: { handle } }),
  ...Object.fromEntries(
    REVISIONS.map(({ name }) => [
      `over a connection of ${name}`,
      (server: Server) => {
        const remote = connectTo({ endpoint: server.endpoint }, { revision: name })
        ending.push(() => remote.close())
        return remote
      },
    ]),
  ),
}

async function until(holds: () => boolean): Promise<void> {
  for (let turn = 0; turn < 1_000 && !holds(); turn++) await new Promise(setImmediate)
}

describe.each(Object.keys(ways))('a mount %s that is taken out', (way) => {
  const mount = ways[way] as (typeof ways)[string] // a key of it

  async function open(): Promise<ReturnType<typeof counted> & { all: Server; clients: TestClient[] }> {
    const inner = counted()
    const all = createServer({ name: 'all', version: '1', log: () => {} })
    all.resource('r:own', { name: 'own' }, () => 'x')
    ending.push(() => all.close())
    const clients = await Promise.all([testClient(all), testClient(all)])
    for (const client of clients) ending.push(() => client.close())
    return { ...inner, all, clients }
  }

  it('abuse-41: leaves nothing open there, and who watches is told that the lists changed', async () => {
    const { all, clients, server, listens, watched } = await open()
    for (let round = 0; round < 3; round++) {
      const mounted = all.mount('m', mount(server))
      const before = listens() // of connections of earlier rounds, which stay open
      const listenings = clients.map((client) =>
        client.listen({ resourceSubscriptions: ['r:a', 'r:own'], toolsListChanged: true, resourcesListChanged: true }),
      )
      for (const listening of listenings) {
        expect((await listening.acknowledged).resourceSubscriptions).toEqual(['r:own', 'r:a'])
      }
      await until(() => watched().length > 0)
      expect(watched()).toContain('r:a')
      mounted.remove()
      mounted.remove()
      for (const listening of listenings) {
        const heard = new Set<string>()
        for await (const { method } of listening) {
          heard.add(method)
          if (heard.size === 2) break
        }
        expect([...heard].sort()).toEqual(['notifications/resources/list_changed', 'notifications/tools/list_changed'])
      }
      await until(() => watched().length === 0 && listens() <= before + 1)
      expect(watched()).toEqual([])
      // A session with a handshake hears of lists as long as it lives; everything else is over.
      expect(listens()).toBeLessThanOrEqual(way.startsWith('over') ? before + 1 : 0)
      expect(await clients[0]?.listTools().all()).toEqual([])
    }
  })

  it('is heard of no more, and the subscriptions of its watchers go on', async () => {
    const { all, clients, server, watched } = await open()
    const mounted = all.mount('m', mount(server))
    const [client] = clients as [TestClient]
    const listening = client.listen({ resourceSubscriptions: ['r:a', 'r:own'] })
    await listening.acknowledged
    mounted.remove()
    await until(() => watched().length === 0)
    server.resourceUpdated('r:a')
    all.resourceUpdated('r:own')
    const heard: Notification[] = []
    for await (const notification of listening) {
      heard.push(notification)
      break
    }
    expect(heard.map(({ params }) => params.uri)).toEqual(['r:own'])
  })
})

it('abuse-41: a watch that is on its way when its mount is taken out is not opened', async () => {
  const all = createServer({ name: 'all', version: '1', log: () => {} })
  ending.push(() => all.close())
  const inner = counted()
  let list: () => void = () => {}
  const asked = new Promise<void>((resolve) => {
    inner.server.use('resources/list', async (call, next) => {
      resolve()
      await new Promise<void>((go) => (list = go))
      return next(call)
    })
  })
  const mounted = all.mount('m', { endpoint: { handle: inner.server.endpoint.handle } })
  const client = await testClient(all)
  ending.push(() => client.close())
  const listening = client.listen({ resourceSubscriptions: ['r:a'], toolsListChanged: true })
  await asked
  mounted.remove()
  list()
  expect(await listening.acknowledged).toEqual({ toolsListChanged: true })
  expect(inner.listens()).toBe(0)
})
