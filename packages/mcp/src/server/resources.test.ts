import { recordCall } from '@crosspoint/testkit'
import { expect, test } from 'vitest'
import { createServer, type Server } from './index.ts'

const who = { name: 'test', version: '1.0.0' }

function read(server: Server, uri: unknown) {
  return server.endpoint.handle(recordCall('resources/read', uri === undefined ? {} : { uri }).call)
}

test('lists resources and templates as they were defined', async () => {
  const server = createServer(who)
  server.resource('app://a', { name: 'a', mimeType: 'text/plain', size: 1, annotations: { priority: 1 } }, () => 'x')
  server.template('app://{id}', { name: 'any', description: 'By id', complete: { id: () => ['1'] } }, () => 'y')
  expect(await server.endpoint.handle(recordCall('resources/list').call)).toEqual({
    resources: [{ uri: 'app://a', name: 'a', mimeType: 'text/plain', size: 1, annotations: { priority: 1 } }],
  })
  expect(await server.endpoint.handle(recordCall('resources/templates/list').call)).toEqual({
    resourceTemplates: [{ uriTemplate: 'app://{id}', name: 'any', description: 'By id' }],
  })
})

test('text, bytes, contents, lists of contents and full results are all read results', async () => {
  const server = createServer(who)
  const contents = { uri: 'app://other', text: 'c' }
  server.resource('app://text', { name: 't', mimeType: 'text/plain' }, () => 'hello')
  server.resource('app://bytes', { name: 'b', mimeType: 'image/png' }, async () => new Uint8Array([1, 2, 255]))
  server.resource('app://one', { name: 'o' }, () => contents)
  server.resource('app://many', { name: 'm' }, () => [contents, contents])
  server.resource('app://full', { name: 'f' }, () => ({ contents: [contents], ttlMs: 1000 }))
  expect(await read(server, 'app://text')).toEqual({
    contents: [{ uri: 'app://text', mimeType: 'text/plain', text: 'hello' }],
  })
  expect(await read(server, 'app://bytes')).toEqual({
    contents: [{ uri: 'app://bytes', mimeType: 'image/png', blob: 'AQL/' }],
  })
  expect(await read(server, 'app://one')).toEqual({ contents: [contents] })
  expect(await read(server, 'app://many')).toEqual({ contents: [contents, contents] })
  expect(await read(server, 'app://full')).toEqual({ contents: [contents], ttlMs: 1000 })
})

test('a slice of a larger buffer is sent as that slice only', async () => {
  const server = createServer(who)
  server.resource('app://x', { name: 'x' }, () => new Uint8Array([9, 9, 1, 2, 255, 9]).subarray(2, 5))
  expect(await read(server, 'app://x')).toEqual({ contents: [{ uri: 'app://x', blob: 'AQL/' }] })
})

test('an empty text is a resource with nothing in it, not a missing one', async () => {
  const server = createServer(who)
  server.resource('app://x', { name: 'x' }, () => '')
  expect(await read(server, 'app://x')).toEqual({ contents: [{ uri: 'app://x', text: '' }] })
})

test('trap-22: a resource that is not there is an error with its URI, never an empty answer', async () => {
  const server = createServer(who)
  server.resource('app://gone', { name: 'g' }, () => undefined)
  server.resource('app://empty', { name: 'e' }, () => [])
  server.resource('app://hollow', { name: 'h' }, () => ({ contents: [] }))
  for (const uri of ['app://never', 'app://gone', 'app://empty', 'app://hollow']) {
    await expect(read(server, uri)).rejects.toMatchObject({ code: 'caller.resource_not_found', data: { uri } })
  }
})

test('a read without a URI is answered with -32602', async () => {
  const server = createServer(who)
  server.resource('app://x', { name: 'x' }, () => '')
  await expect(read(server, undefined)).rejects.toMatchObject({ code: 'caller.invalid_params' })
  await expect(read(server, 3)).rejects.toMatchObject({ code: 'caller.invalid_params' })
})

test('a template reads what matches it, with decoded variables', async () => {
  const server = createServer(who)
  server.template('app://notes/{id}', { name: 'note', mimeType: 'text/plain' }, (uri, { id }) => `${uri} is ${id}`)
  expect(await read(server, 'app://notes/a%20b')).toEqual({
    contents: [{ uri: 'app://notes/a%20b', mimeType: 'text/plain', text: 'app://notes/a%20b is a b' }],
  })
  await expect(read(server, 'app://notes/a/b')).rejects.toMatchObject({ code: 'caller.resource_not_found' })
})

test('a resource wins over templates, and an earlier template over a later one', async () => {
  const server = createServer(who)
  server.template('app://{+any}', { name: 'first' }, () => 'first template')
  server.template('app://{id}', { name: 'second' }, () => 'second template')
  const exact = server.resource('app://x', { name: 'x' }, () => 'resource')
  expect(await read(server, 'app://x')).toMatchObject({ contents: [{ text: 'resource' }] })
  exact.disable()
  expect(await read(server, 'app://x')).toMatchObject({ contents: [{ text: 'first template' }] })
})

test('a failing read names the author’s reason, and nothing of the system’s', async () => {
  const server = createServer(who)
  server.resource('app://author', { name: 'a' }, () => {
    throw new Error('The archive is closed')
  })
  const enoent = Object.assign(new Error("ENOENT: no such file, open '/etc/x'"), { errno: -2, syscall: 'open' })
  server.resource('app://system', { name: 's' }, () => Promise.reject(enoent))
  await expect(read(server, 'app://author')).rejects.toMatchObject({
    code: 'internal.error',
    message: 'Cannot read "app://author": The archive is closed',
  })
  await expect(read(server, 'app://system')).rejects.toBe(enoent)
})

test('a URI without a scheme and a broken template are refused when registering', () => {
  const server = createServer(who)
  expect(() => server.resource('/etc/passwd', { name: 'x' }, () => '')).toThrow('a URI starts with a scheme')
  expect(() => server.template('app://{', { name: 'x' }, () => '')).toThrow('Cannot read the URI template')
  expect(() => server.template('app://{a}', { name: 'x', complete: { b: () => [] } }, () => '')).toThrow('"b"')
})

test('gives a template its lists and maps, and nothing for two values of one variable', async () => {
  const server = createServer({ name: 's', version: '1' })
  server.template('a://t/{id}{?q,r*}', { name: 't' }, (_uri, variables) => JSON.stringify(variables))
  server.template('a://p{/path*}', { name: 'p' }, (_uri, { path }) => path.join('|'))
  server.template('a://u/{a}/{a}', { name: 'u' }, (_uri, { a }) => a)
  const textOf = async (uri: string) => (await read(server, uri)).contents
  expect(await textOf('a://t/1?r=2&r=3')).toMatchObject([{ text: '{"id":"1","r":["2","3"]}' }])
  expect(await textOf('a://t/1?q=2&s=3')).toMatchObject([{ text: '{"id":"1","q":"2","r":{"s":"3"}}' }])
  expect(await textOf('a://p/x/y%2Fz')).toMatchObject([{ text: 'x|y/z' }])
  await expect(read(server, 'a://u/1/2')).rejects.toMatchObject({ code: 'caller.resource_not_found' })
})
