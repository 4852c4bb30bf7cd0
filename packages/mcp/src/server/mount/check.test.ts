import { expect, it } from 'vitest'
import { connect, connectTo } from '../../client/index.ts'
import { createServer } from '../index.ts'

const who = { name: 's', version: '1' }
const me = { client: { name: 'c', version: '1' } }

it('refuses what cannot be mounted, with what can', async () => {
  const server = createServer(who)
  const coming = connect(createServer(who), me)
  const client = await coming
  const refusals: readonly (readonly [unknown, string])[] = [
    [coming, 'a promise as "x": await it; in place of connect(…), connectTo(…) gives what can be mounted'],
    [client, 'a client as "x": give the server itself, or connectTo(…) in place of connect(…)'],
    ['http://127.0.0.1:1/mcp', 'an address as "x": write connectTo(address), of "@crosspoint/mcp/client"'],
    [new URL('http://127.0.0.1:1/mcp'), 'an address as "x": write connectTo(address), of "@crosspoint/mcp/client"'],
    [undefined, 'what is missing as "x": give what createServer({ … }) or connectTo(…) made'],
    [null, 'what is null as "x": give what createServer({ … }) or connectTo(…) made'],
    [{ endpoint: {} }, 'what has no endpoint as "x": give what createServer({ … }) or connectTo(…) made'],
  ]
  for (const [target, message] of refusals) {
    expect(() => server.mount('x', target as never)).toThrow(new TypeError(`Cannot mount ${message}`))
  }
  await client.close()
})

it('takes a server and what connectTo made', async () => {
  const server = createServer(who)
  const remote = connectTo(createServer(who), me)
  server.mount('near', createServer(who)).remove()
  server.mount('far', remote).remove()
  await remote.close()
})
