import { type Handle, McpError, type ServerCapabilities } from '@crosspoint/mcp'
import type { Closed, Connection } from '@crosspoint/mcp/client'
import type { Endpoint } from '@crosspoint/mcp/transports'
import { recordCall } from './call.ts'

/** A connection without a wire: straight to the handle of a server, and breakable at will. */
export interface DirectConnection extends Connection {
  /** Calls at work. */
  readonly inFlight: number
  readonly isClosed: boolean
  /** The server is gone: calls at work fail, later ones too. */
  break(reason: string): void
}

export async function connectDirectly(endpoint: Endpoint): Promise<DirectConnection> {
  const { capabilities, instructions, supportedVersions } = await endpoint.handle(recordCall('server/discover').call)
  let inFlight = 0
  let isClosed = false
  let end: (closed: Closed) => void = () => {}
  const closed = new Promise<Closed>((resolve) => {
    end = resolve
  })
  const gone = closed.then(({ reason }) => {
    throw new McpError('upstream.closed', reason)
  })
  gone.catch(() => {}) // only calls that wait for it are to fail
  const handle: Handle = async (call) => {
    inFlight++
    try {
      return await Promise.race([gone, endpoint.handle(call)])
    } finally {
      inFlight--
    }
  }
  const close = async () => {
    isClosed = true
    end({ reason: 'Closed', asked: true })
  }
  return {
    handle,
    verdict: { revision: (supportedVersions as readonly string[])[0] ?? '', at: new Date(0).toISOString() },
    serverInfo: endpoint.serverInfo,
    capabilities: capabilities as ServerCapabilities,
    instructions: instructions as string | undefined,
    closed,
    get inFlight() {
      return inFlight
    },
    get isClosed() {
      return isClosed
    },
    break: (reason) => end({ reason, asked: false }),
    async tell() {},
    close,
    [Symbol.asyncDispose]: close,
  }
}
