import { afterEach, expect, it } from 'vitest'
import { z } from 'zod'
import type { McpError } from '../errors.ts'
import type { Handle } from '../protocol/call.ts'
import { toCall } from '../protocol/fixtures/calls.ts'
import { HANDSHAKE_REVISIONS } from '../revisions/index.ts'
import { createServer, type Server } from '../server/index.ts'
import { createFakeClock } from '../testing/index.ts'
import { serveChannel } from '../transports/duplex/serve.ts'
import { openHttpDoor } from '../transports/http/door.ts'
import { createMemoryPipe } from '../transports/memory/pipe.ts'
import { connect } from './client.ts'
import { connectTo } from './connect-to.ts'

const ending: (() => unknown)[] = []
afterEach(async () => {
  for (const end of ending.splice(0).reverse()) await end()
})

function greeter(): { readonly server: Server; readonly opened: () => number } {
  let opened = 0
  const server = createServer({ name: 'greeter', version: '3' })
  server.use('server/discover', (call, next) => {
    opened++
    return next(call)
  })
  server.tool('greet', {}, () => 'hello')
  return { server, opened: () => opened }
}

const GREET = () => toCall('tools/call', { name: 'greet', arguments: {} })

it('connects with the first call, and once for all', async () => {
  const { server, opened } = greeter()
  const remote = connectTo({ endpoint: server.endpoint })
  ending.push(() => remote.close())
  expect([opened(), remote.endpoint.serverInfo.name]).toEqual([0, 'remote'])
  const answers = await Promise.all([1, 2, 3].map(() => remote.endpoint.handle(GREET())))
  expect(answers[2]).toMatchObject({ content: [{ text: 'hello' }] })
  expect([opened(), remote.endpoint.serverInfo]).toEqual([1, { name: 'greeter', version: '3' }])
})

it('connects again when the connection is gone', async () => {
  const { server, opened } = greeter()
  const ends: { close(): Promise<void> }[] = []
  const target = {
    kind: 'channel' as const,
    /** A new one each time. */
    get channel() {
      const pipe = createMemoryPipe()
      ends.push(serveChannel(server.endpoint, pipe.server))
      return pipe.client
    },
  }
  const remote = connectTo(target)
  ending.push(() => remote.close())
  await remote.endpoint.handle(GREET())
  await ends[0]?.close()
  expect(await remote.endpoint.handle(GREET())).toMatchObject({ content: [{ text: 'hello' }] })
  expect(opened()).toBe(2)
})

it('fails at once while the server is away, and tries again after longer and longer pauses', async () => {
  const { server } = greeter()
  const door = await openHttpDoor({ endpoint: () => server.endpoint })
  const { port } = new URL(door.url)
  await door.close({ drainMs: 0 })
  const clock = createFakeClock()
  const remote = connectTo(`http://127.0.0.1:${port}/mcp`, { clock, minRetryMs: 1_000, maxRetryMs: 2_000 })
  ending.push(() => remote.close())
  /** The cause is the failure of the last attempt, as long as there was no other. */
  const failure = () => remote.endpoint.handle(GREET()).catch(({ cause }: McpError) => cause)
  const first = await failure()
  expect(first).toMatchObject({ code: 'upstream.unavailable' })
  expect(await failure()).toBe(first)
  clock.advance(1_000)
  const second = await failure()
  expect(second).not.toBe(first)
  clock.advance(1_999)
  expect(await failure()).toBe(second)
  const again = await openHttpDoor({ port: Number(port), endpoint: () => server.endpoint })
  ending.push(() => again.close({ drainMs: 0 }))
  clock.advance(1)
  expect(await remote.endpoint.handle(GREET())).toMatchObject({ content: [{ text: 'hello' }] })
})

it('reaches nothing any more once it is closed', async () => {
  const { server } = greeter()
  const remote = connectTo({ endpoint: server.endpoint })
  await remote.endpoint.handle(GREET())
  await remote.close()
  await expect(remote.endpoint.handle(GREET())).rejects.toThrow('its connection was closed here')
})

it('can be served on', async () => {
  const remote = connectTo({ endpoint: greeter().server.endpoint })
  ending.push(() => remote.close())
  const door = await openHttpDoor({ endpoint: () => remote.endpoint })
  ending.push(() => door.close({ drainMs: 0 }))
  const through = connectTo(`${door.url}/mcp`)
  ending.push(() => through.close())
  expect(await through.endpoint.handle(GREET())).toMatchObject({ content: [{ text: 'hello' }] })
})

it.each(HANDSHAKE_REVISIONS.filter(({ methods }) => methods.has('elicitation/create')).map(({ name }) => name))(
  'a caller of the newest revision is asked what a mounted server of %s asks',
  async (revision) => {
    const older = createServer({ name: 'older', version: '1' })
    older.tool('greet', {}, async (_, ctx) => {
      const answer = await ctx.elicit('Who?', z.object({ name: z.string() }))
      return JSON.stringify(answer)
    })
    const remote = connectTo({ endpoint: { ...older.endpoint, revisions: [revision] } })
    const server = createServer({ name: 'all', version: '1' })
    server.mount('in', remote)
    const client = await connect(
      { endpoint: server.endpoint },
      { handlers: { elicit: () => ({ action: 'accept', content: { name: 'Ada' } }) } },
    )
    ending.push(
      () => client.close(),
      () => remote.close(),
      () => server.close(),
    )
    expect(await client.callTool('in__greet')).toMatchObject({ content: [{ text: expect.stringContaining('Ada') }] })
  },
)

it.each([
  ['an address', 'http://127.0.0.1:9/inner?key=secret', '127.0.0.1:9'],
  ['a socket', 'unix:/nowhere/secret.sock', '/nowhere/secret.sock'],
  ['a command', { command: '/nowhere/secret', args: ['--token', 'secret'] }, '"secret": no such file'],
] as const)('abuse-50: tells no caller of %s that cannot be reached; the cause does', async (_, target, hidden) => {
  const events: unknown[] = []
  const remote = connectTo(target)
  const server = createServer({ name: 'all', version: '1', log: (event) => void events.push(event) })
  server.mount('in', remote)
  ending.push(
    () => remote.close(),
    () => server.close(),
  )
  const toFailure = (handle: Handle) =>
    handle(GREET()).then(
      () => undefined,
      (error: McpError) => error,
    )
  const direct = await toFailure(remote.endpoint.handle)
  expect(direct).toMatchObject({
    code: 'upstream.unavailable',
    message: 'The server behind this one cannot be reached',
  })
  expect(String(direct?.cause)).toContain(hidden)
  const call = toCall('tools/call', { name: 'in__greet' })
  const mounted = await server.endpoint.handle(call).catch((error: McpError) => error)
  expect(mounted).toMatchObject({ code: 'upstream.unavailable', message: expect.not.stringMatching(/secret|127/) })
  expect(events).toContainEqual(expect.objectContaining({ event: 'mount_left_out', error: expect.anything() }))
})

it.each([
  [
    { minRetry: 1 },
    'Cannot connect with the option "minRetry": there is none; did you mean "minRetryMs" (in milliseconds)?',
  ],
  [{ url: 'x' }, 'Cannot connect with the option "url": there is none'],
])('refuses options that nobody reads, when it is made', (options, message) => {
  expect(() => connectTo('http://127.0.0.1:9', options as never)).toThrow(new TypeError(message))
})

it('refuses a target that is none, when it is made', () => {
  expect(() => connectTo({ url: 'http://127.0.0.1:9' } as never)).toThrow(
    'Cannot connect to an object without a "command"',
  )
})
