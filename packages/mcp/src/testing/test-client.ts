import { type Client, type ClientOptions, connect } from '../client/client.ts'
import type { Principal } from '../protocol/call.ts'
import { serveChannel } from '../transports/duplex/serve.ts'
import type { Endpoint } from '../transports/endpoint.ts'
import { createMemoryPipe } from '../transports/memory/pipe.ts'
import { type Recording, recordChannel } from './recording.ts'

/** What `connect` takes, none of it required. `client` is `{ name: 'test', version: '1.0.0' }` by default. */
export interface TestClientOptions extends Partial<ClientOptions> {
  /** Who is calling, for access rules and handlers that ask. Default: ANONYMOUS. */
  readonly principal?: Principal
}

/** A client of a server in the same process, and a record of all that they said to each other. */
export interface TestClient extends Client {
  readonly transcript: Recording
}

/**
 * Connects to a server over a pipe in memory: real bytes, real framing, real negotiation, no socket and no process.
 * Close it at the end of the test.
 * @param server what `createServer` made, or anything with an endpoint
 * @example
 * const client = await testClient(server)
 * expect(await client.callTool('add', { a: 1, b: 2 })).toMatchObject({ structuredContent: { sum: 3 } })
 * await client.close()
 */
export async function testClient(
  server: { readonly endpoint: Endpoint },
  options: TestClientOptions = {},
): Promise<TestClient> {
  if (typeof Object(server).then === 'function') {
    throw new TypeError('Cannot connect to the promise of a server: await it, as in testClient(await makeServer())')
  }
  if (server?.endpoint === undefined) {
    throw new TypeError('Cannot connect to this: write testClient(createServer({ … }))')
  }
  const { principal, ...more } = options
  const pipe = createMemoryPipe()
  const served = serveChannel(server.endpoint, pipe.server, principal === undefined ? {} : { principal })
  const { channel, recording } = recordChannel(pipe.client)
  const client = await connect({ kind: 'channel', channel }, { client: { name: 'test', version: '1.0.0' }, ...more })
  const close = async () => {
    await client.close()
    await served.close({ drainMs: 0 })
  }
  return { ...client, transcript: recording, close, [Symbol.asyncDispose]: close }
}
