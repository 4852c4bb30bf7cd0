import { recordCall } from '@crosspoint/testkit'
import { expect, test } from 'vitest'
import { createServer, type Server, type ServerOptions } from './index.ts'

const everything = { toolsListChanged: true, promptsListChanged: true, resourcesListChanged: true }

function createListened(options: Partial<ServerOptions> = {}) {
  const server = createServer({ name: 'test', version: '1.0.0', ...options })
  const tool = server.tool('t', {}, () => 'x')
  const resource = server.resource('app://r', { name: 'r' }, () => 'x')
  const prompt = server.prompt('p', {}, () => 'x')
  server.template('app://notes/{id}', { name: 'n' }, () => 'x')
  return { server, tool, resource, prompt }
}

function listen(server: Server, notifications: unknown) {
  const recorded = recordCall('subscriptions/listen', { notifications })
  return { ...recorded, ended: server.endpoint.handle(recorded.call) }
}

const acknowledged = (notifications: object) => ({
  method: 'notifications/subscriptions/acknowledged',
  params: { notifications },
})

test('trap-19: acknowledges first, and then tells of each list that changes', async () => {
  const { server, tool, resource, prompt } = createListened()
  const { heard, untilHeard } = listen(server, everything)
  expect(heard).toEqual([acknowledged(everything)])
  tool.update({ title: 'New' })
  await untilHeard(2)
  resource.disable()
  await untilHeard(3)
  prompt.remove()
  await untilHeard(4)
  server.template('app://more/{id}', { name: 'm' }, () => 'x')
  await untilHeard(5)
  expect(heard.slice(1).map((notification) => notification.method)).toEqual([
    'notifications/tools/list_changed',
    'notifications/resources/list_changed',
    'notifications/prompts/list_changed',
    'notifications/resources/list_changed',
  ])
})

test('trap-19: tells only of what was asked for', async () => {
  const { server, tool, prompt } = createListened()
  const { heard, untilHeard } = listen(server, { promptsListChanged: true, toolsListChanged: false })
  tool.remove()
  prompt.remove()
  await untilHeard(2)
  expect(heard).toEqual([
    acknowledged({ promptsListChanged: true }),
    { method: 'notifications/prompts/list_changed', params: {} },
  ])
})

test('many changes in one turn are told once', async () => {
  const { server } = createListened()
  const { heard, untilHeard } = listen(server, everything)
  for (let i = 0; i < 100; i++) server.tool(`more${i}`, {}, () => 'x')
  await untilHeard(2)
  await new Promise(setImmediate)
  expect(heard.length).toBe(2)
})

test('a change nobody can see is not told', async () => {
  const { server, tool } = createListened()
  tool.disable()
  const { heard } = listen(server, everything)
  tool.disable()
  tool.update({ title: 'Hidden' })
  tool.remove()
  await new Promise(setImmediate)
  expect(heard.length).toBe(1)
})

test('acknowledges only what the server has', () => {
  const server = createServer({ name: 'test', version: '1.0.0' })
  server.tool('t', {}, () => 'x')
  const { heard } = listen(server, { ...everything, taskIds: ['x'], resourceSubscriptions: ['app://r'] })
  expect(heard).toEqual([acknowledged({ toolsListChanged: true })])
})

test('tells of updates of the watched resources that exist, and acknowledges those only', () => {
  const { server } = createListened()
  const { heard } = listen(server, { resourceSubscriptions: ['app://r', 'app://notes/1', 'app://never'] })
  for (const uri of ['app://r', 'app://notes/1', 'app://notes/2', 'app://never']) server.resourceUpdated(uri)
  expect(heard).toEqual([
    acknowledged({ resourceSubscriptions: ['app://r', 'app://notes/1'] }),
    { method: 'notifications/resources/updated', params: { uri: 'app://r' } },
    { method: 'notifications/resources/updated', params: { uri: 'app://notes/1' } },
  ])
})

test('a server that does not let resources be watched says so', async () => {
  const { server } = createListened({ watching: false })
  const { heard } = listen(server, { resourceSubscriptions: ['app://r'] })
  expect(heard).toEqual([acknowledged({})])
  expect(await server.endpoint.handle(recordCall('server/discover').call)).toMatchObject({
    capabilities: { resources: { listChanged: true } },
  })
})

test('a listener that goes away hears nothing more, and its call ends', async () => {
  const { server, tool } = createListened()
  const { heard, abort, ended } = listen(server, everything)
  abort()
  expect(await ended).toEqual({})
  tool.remove()
  server.resourceUpdated('app://r')
  await new Promise(setImmediate)
  expect(heard.length).toBe(1)
})

test('a listener that was gone before it began ends at once', async () => {
  const { server } = createListened()
  const { call, abort } = recordCall('subscriptions/listen', { notifications: everything })
  abort()
  expect(await server.endpoint.handle(call)).toEqual({})
})

test('closing the server ends every listener, and those that come later', async () => {
  const { server } = createListened()
  const first = listen(server, everything)
  const second = listen(server, {})
  server.close()
  expect(await Promise.all([first.ended, second.ended])).toEqual([{}, {}])
  const late = listen(server, everything)
  expect(await late.ended).toEqual({})
})

test('more listeners than allowed are refused, until one leaves', async () => {
  const { server } = createListened({ maxListeners: 2 })
  const first = listen(server, everything)
  listen(server, everything)
  const third = listen(server, everything)
  await expect(third.ended).rejects.toMatchObject({ code: 'policy.limit' })
  expect(third.heard).toEqual([])
  first.abort()
  await first.ended
  expect(listen(server, everything).heard.length).toBe(1)
})

test('more watched resources than allowed are refused', async () => {
  const { server } = createListened({ maxWatched: 2 })
  const { ended } = listen(server, { resourceSubscriptions: ['app://a', 'app://b', 'app://c'] })
  await expect(ended).rejects.toMatchObject({ code: 'policy.limit' })
})

test.each([[undefined], [null], [[]], ['x'], [{ resourceSubscriptions: 'app://r' }], [{ resourceSubscriptions: [1] }]])(
  'the filter %j is answered with -32602',
  async (notifications) => {
    const { server } = createListened()
    const { ended } = listen(server, notifications)
    await expect(ended).rejects.toMatchObject({ code: 'caller.invalid_params' })
  },
)
