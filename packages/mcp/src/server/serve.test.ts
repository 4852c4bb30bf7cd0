import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { PassThrough } from 'node:stream'
import { openWireSession, sendEnveloped, withEnvelope } from '@crosspoint/testkit'
import { afterEach, expect, expectTypeOf, test, vi } from 'vitest'
import { NEWEST } from '../revisions/index.ts'
import { createServer, type ServeOptions, type Serving, serve } from './index.ts'

function createEcho() {
  const server = createServer({ name: 'echo', version: '1.0.0' })
  const input = { type: 'object', properties: { text: { type: 'string', 'x-mcp-header': 'Text' } } }
  server.tool('echo', { input }, ({ text }) => String(text))
  return server
}

let serving: Serving | undefined
afterEach(async () => {
  await serving?.close()
  serving = undefined
})

async function serveHttp(options: ServeOptions = {}): Promise<{ readonly url: string; readonly serving: Serving }> {
  serving = await serve(createEcho(), { port: 0, ...options })
  return { url: serving.url ?? 'none', serving }
}

test('a port means HTTP on loopback at /mcp, for both eras', async () => {
  const { url } = await serveHttp()
  expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/mcp$/)
  const modern = await sendEnveloped(url, 'tools/list')
  expect(modern.messages[0].result.tools).toMatchObject([{ name: 'echo' }])
  const session = await openWireSession(url)
  const legacy = await session.request('tools/list')
  expect(legacy.messages[0].result.tools).toMatchObject([{ name: 'echo' }])
})

test('says where it listens when asked to, and by itself only to a terminal', async () => {
  const said = vi.spyOn(console, 'error').mockImplementation(() => {})
  await serveHttp()
  expect(said.mock.calls).toEqual([])
  await serving?.close()
  const { url } = await serveHttp({ announce: true })
  expect(said.mock.calls).toEqual([[`Listening at ${url}`]])
})

test('another path is served when asked for, and nothing else then', async () => {
  const { url } = await serveHttp({ path: '/tools' })
  expect(url).toMatch(/\/tools$/)
  expect((await sendEnveloped(url, 'tools/list')).status).toBe(200)
  expect((await sendEnveloped(url.replace('/tools', '/mcp'), 'tools/list')).status).toBe(404)
})

test('headers that mirror arguments are held against the schema of the tool', async () => {
  const { url } = await serveHttp()
  const call = { name: 'echo', arguments: { text: 'hi' } }
  const missing = await sendEnveloped(url, 'tools/call', call)
  expect([missing.status, missing.messages[0].error.code]).toEqual([400, -32020])
  const there = await sendEnveloped(url, 'tools/call', call, { headers: { 'mcp-param-text': 'hi' } })
  expect(there.messages[0].result.content).toEqual([{ type: 'text', text: 'hi' }])
})

test('an address others can reach is refused without authentication', async () => {
  await expect(serve(createEcho(), { port: 0, host: '0.0.0.0' })).rejects.toThrow('without authentication')
})

test('the server’s own authentication says who is calling', async () => {
  const server = createServer({
    name: 'secret',
    version: '1.0.0',
    authenticate: (headers) => ({ id: headers.authorization ?? 'nobody', tenant: 't' }),
  })
  server.tool('who', {}, (_args, { principal }) => principal.id)
  serving = await serve(server, { port: 0 })
  const headers = { authorization: 'Bearer x' }
  const answer = await sendEnveloped(serving.url ?? '', 'tools/call', { name: 'who' }, { headers })
  expect(answer.messages[0].result.content).toEqual([{ type: 'text', text: 'Bearer x' }])
})

test('closing shuts the port and says so', async () => {
  const { url, serving } = await serveHttp()
  await serving.close()
  await serving.closed
  await expect(sendEnveloped(url, 'tools/list')).rejects.toThrow('ECONNREFUSED')
})

test('without a port the server speaks on stdin and stdout, and ends with stdin', async () => {
  const [stdin, stdout] = [new PassThrough(), new PassThrough()]
  serving = await serve(createEcho(), { stdio: { stdin, stdout } })
  expect(serving.url).toBeUndefined()
  const lines = createInterface(stdout)
  const params = withEnvelope({ name: 'echo', arguments: { text: 'hi' } })
  stdin.write(`${JSON.stringify({ jsonrpc: '2.0', id: 'a', method: 'tools/call', params })}\n`)
  const [line] = await once(lines, 'line')
  expect(JSON.parse(line)).toMatchObject({ id: 'a', result: { content: [{ type: 'text', text: 'hi' }] } })
  stdin.end()
  await serving.closed
})

test('a terminal is refused, with what would work', async () => {
  const stdin = Object.assign(new PassThrough(), { isTTY: true })
  await expect(serve(createEcho(), { stdio: { stdin } })).rejects.toThrow('give a port to serve over HTTP')
})

test('only the revisions offered are spoken', async () => {
  const server = createServer({ name: 'new', version: '1.0.0', revisions: [NEWEST.name] })
  serving = await serve(server, { port: 0 })
  const { initialized } = await openWireSession(serving.url ?? '', { confirm: false })
  expect(initialized.messages[0].error).toMatchObject({ code: -32022, data: { supported: [NEWEST.name] } })
})

test.each([['3000x'], [Number.NaN], [65_536], [1.5]])(
  'the port %s is refused, and no pipe made of it',
  async (port) => {
    await expect(serve(createEcho(), { port: port as number })).rejects.toThrow('a port is a whole number from 0')
  },
)

test('a port that is taken is told with what would help, and an option that is undefined is none', async () => {
  const first = await serve(createEcho(), { port: 0, host: undefined, path: undefined, socket: undefined })
  const port = Number(new URL(first.url ?? '').port)
  await expect(serve(createEcho(), { port })).rejects.toMatchObject({
    code: 'EADDRINUSE',
    message: `Cannot listen on 127.0.0.1:${port} (EADDRINUSE): another program listens there; stop it, or choose another port (0 takes any free one)`,
  })
  await first.close()
})

test('what is no server is not served', async () => {
  await expect(serve({ port: 0 } as never)).rejects.toThrow('write serve(createServer({ … }), options)')
})

test('an option nobody reads is refused before anything is opened, with the one that was meant', async () => {
  const message = 'Cannot serve with the option "prot": there is none; did you mean "port"?'
  await expect(serve(createEcho(), { prot: 0 } as never)).rejects.toThrow(new TypeError(message))
})

test('a port or a socket promises a URL, in types too, and what may be stdio promises none', () => {
  const served = {
    port: () => serve(createEcho(), { port: 0 }),
    socket: () => serve(createEcho(), { socket: '/run/x' }),
    stdio: () => serve(createEcho()),
    either: (port: string | undefined) => serve(createEcho(), port === undefined ? {} : { port: Number(port) }),
  }
  expectTypeOf(served.port).returns.resolves.toHaveProperty('url').toEqualTypeOf<string>()
  expectTypeOf(served.socket).returns.resolves.toHaveProperty('url').toEqualTypeOf<string>()
  expectTypeOf(served.stdio).returns.resolves.toHaveProperty('url').toEqualTypeOf<string | undefined>()
  expectTypeOf(served.either).returns.resolves.toHaveProperty('url').toEqualTypeOf<string | undefined>()
})
