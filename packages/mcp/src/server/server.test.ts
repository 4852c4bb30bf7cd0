import { recordCall } from '@crosspoint/testkit'
import { expect, test } from 'vitest'
import { METHODS } from '../protocol/methods.ts'
import { REVISIONS } from '../revisions/index.ts'
import { createServer, type Server } from './index.ts'

const who = { name: 'test', version: '1.0.0' }

function discover(server: Server) {
  return server.endpoint.handle(recordCall('server/discover').call)
}

test('an empty server announces logging and nothing else', async () => {
  expect(await discover(createServer(who))).toEqual({
    supportedVersions: REVISIONS.map((revision) => revision.name),
    capabilities: { logging: {} },
  })
})

test('what is registered is what is announced', async () => {
  const server = createServer({ ...who, instructions: 'Use with care', extensions: { 'example.com/x': {} } })
  server.tool('t', {}, () => 'x')
  server.template('app://{id}', { name: 't' }, () => 'x')
  server.prompt('p', { arguments: { a: { complete: () => [] } } }, () => 'x')
  expect(await discover(server)).toEqual({
    supportedVersions: REVISIONS.map((revision) => revision.name),
    capabilities: {
      tools: { listChanged: true },
      resources: { listChanged: true, subscribe: true },
      prompts: { listChanged: true },
      completions: {},
      logging: {},
      extensions: { 'example.com/x': {} },
    },
    instructions: 'Use with care',
  })
})

test('what was announced once stays announced when the last of it is removed', async () => {
  const server = createServer(who)
  server.tool('t', {}, () => 'x').remove()
  expect(await discover(server)).toMatchObject({ capabilities: { tools: { listChanged: true } } })
  expect(await server.endpoint.handle(recordCall('tools/list').call)).toEqual({ tools: [] })
})

test('features may be announced before anything is registered', async () => {
  const server = createServer({ ...who, features: ['tools', 'resources', 'prompts', 'completions'], logging: false })
  expect(await discover(server)).toMatchObject({
    capabilities: {
      tools: { listChanged: true },
      resources: { listChanged: true, subscribe: true },
      prompts: { listChanged: true },
      completions: {},
    },
  })
  expect(await server.endpoint.handle(recordCall('resources/templates/list').call)).toEqual({ resourceTemplates: [] })
})

test('only the revisions offered are announced', async () => {
  const [newest] = REVISIONS.map((revision) => revision.name)
  const server = createServer({ ...who, revisions: newest === undefined ? [] : [newest] })
  expect(await discover(server)).toMatchObject({ supportedVersions: [newest] })
  expect(server.endpoint.revisions).toEqual([newest])
})

test('who the server is stands on its endpoint, without members nobody gave', () => {
  expect(createServer(who).endpoint.serverInfo).toEqual(who)
  const full = { ...who, title: 'T', description: 'D', websiteUrl: 'https://example.com', icons: [{ src: 'data:,' }] }
  expect(createServer(full).endpoint.serverInfo).toEqual(full)
})

test('settings of the doors stand on the endpoint', () => {
  const authenticate = () => ({ id: 'a', tenant: 't' })
  expect(createServer({ ...who, maxConcurrent: 3, authenticate }).endpoint).toMatchObject({
    maxConcurrent: 3,
    authenticate,
  })
})

test('how streams are kept, and how many there may be, is said where the server is made', () => {
  const settings = { resume: { retryMs: 5 }, maxStreams: 2 }
  expect(createServer({ ...who, ...settings }).endpoint).toMatchObject(settings)
  expect(createServer({ ...who, resume: false }).endpoint.resume).toBe(false)
})

test.each([
  'tools/list',
  'tools/call',
  'resources/list',
  'resources/templates/list',
  'resources/read',
  'prompts/list',
  'prompts/get',
  'completion/complete',
  'subscriptions/listen',
])('a server without the feature answers -32601 for %s', async (method) => {
  await expect(createServer(who).endpoint.handle(recordCall(method).call)).rejects.toMatchObject({
    code: 'caller.unknown_method',
  })
})

test.each(['initialize', 'ping', 'logging/setLevel', 'no/such', '__proto__', 'constructor'])(
  'the handle itself does not have %s',
  async (method) => {
    const server = createServer(who)
    server.tool('t', {}, () => 'x')
    await expect(server.endpoint.handle(recordCall(method).call)).rejects.toMatchObject({
      code: 'caller.unknown_method',
    })
  },
)

test('every method of the newest revision that a client may call is answered by a full server', async () => {
  const server = createServer({ ...who, features: ['tools', 'resources', 'prompts', 'completions'] })
  for (const name of REVISIONS[0]?.methods.keys() ?? []) {
    const descriptor = METHODS.get(name)
    if (descriptor?.kind !== 'request' || 'extension' in descriptor) continue
    const { call, abort } = recordCall(name, { notifications: {} })
    if (name === 'subscriptions/listen') abort()
    const code = await server.endpoint.handle(call).then(
      () => 'answered',
      (error: { code: string }) => error.code,
    )
    expect([name, code]).not.toEqual([name, 'caller.unknown_method'])
  }
})

test.each([[undefined], [{}], [{ name: 'weather' }], [{ name: '', version: '1.0.0' }]])(
  'a server is not created from %j, and told how it is',
  (options) => {
    expect(() => createServer(options as never)).toThrow(
      /write createServer\(\{ name: 'weather', version: '1\.0\.0' \}\)/,
    )
  },
)

test('what plain JavaScript forgets is refused where it registers, not at the first call', () => {
  const server = createServer({ name: 'forgetful', version: '1.0.0' })
  const handler = () => 'ok'
  expect(() => server.resource('notes://a', {} as never, handler)).toThrow('without a name')
  expect(() => server.template('notes://{id}', {} as never, handler)).toThrow('without a name')
  expect(() => server.resource('notes://a', { name: 'A' }, undefined as never)).toThrow('its third argument')
  expect(() => server.prompt('brief', {}, 'text' as never)).toThrow('its third argument')
  expect(() => server.prompt('brief', handler as never, handler)).toThrow('its second argument')
  const schema = { '~standard': { version: 1, vendor: 'any', validate: (value: unknown) => ({ value }) } }
  expect(() => server.prompt('brief', { arguments: schema as never }, handler)).toThrow('with a schema')
})
