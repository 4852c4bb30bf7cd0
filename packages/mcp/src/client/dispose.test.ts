import { expect, it } from 'vitest'
import { createServer, serve } from '../server/index.ts'
import { testClient } from '../testing/index.ts'
import { fixtureServer } from '../transports/stdio/fixtures/servers.ts'
import { connect } from './client.ts'
import { connectTo } from './connect-to.ts'
import type { Connection } from './connection.ts'

const me = { client: { name: 'test', version: '1' }, killGraceMs: 100 }
const greeter = () => {
  const server = createServer({ name: 'greeter', version: '1' })
  server.tool('greet', {}, () => 'hello')
  return server
}

it.each([[false], [true]])('a client is closed where its block is left, started again or not: %s', async (restart) => {
  let connection: Connection | undefined
  {
    await using client = await connect(fixtureServer('legacy'), { ...me, restart })
    connection = client.connection
  }
  expect(await connection.closed).toMatchObject({ asked: true })
})

it('a connection is, and by an error too', async () => {
  const client = await connect(greeter(), me)
  const leave = async () => {
    await using _ = client.connection
    throw new Error('on purpose')
  }
  await expect(leave()).rejects.toThrow('on purpose')
  expect(await client.connection.closed).toMatchObject({ asked: true })
})

it('a door is, and who came through it', async () => {
  let url = ''
  {
    await using serving = await serve(greeter(), { port: 0 })
    url = serving.url ?? ''
    await using client = await connect(url, me)
    expect((await client.callTool('greet')).content).toEqual([{ type: 'text', text: 'hello' }])
  }
  await expect(connect(url, me)).rejects.toThrow('nothing listens there')
})

it('a client for tests is, with the door it came through', async () => {
  let closed: Promise<unknown> | undefined
  {
    await using client = await testClient(greeter())
    closed = client.connection.closed
  }
  expect(await closed).toMatchObject({ asked: true })
})

it('a server elsewhere is', async () => {
  const remote = connectTo(greeter())
  {
    await using _ = remote
  }
  const call = { method: 'tools/list', params: {} }
  await expect(remote.endpoint.handle(call as never)).rejects.toThrow('its connection was closed here')
})
