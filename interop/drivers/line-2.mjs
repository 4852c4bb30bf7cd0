// The official SDK, line 2, in each of its modes.
import { Client, SSEClientTransport, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'

export async function connect({ target, mode, capabilities = {}, revision }, prepare) {
  const client = new Client(
    { name: 'sdk-v2', version: '2.4.0' },
    {
      capabilities,
      versionNegotiation: { mode },
      ...(revision === undefined ? {} : { supportedProtocolVersions: [revision] }),
    },
  )
  prepare?.(client, (method, answer) => client.setRequestHandler(method, answer))
  const transport = toTransport(target)
  try {
    await client.connect(transport)
  } catch (error) {
    await client.close()
    throw error
  }
  const era = client.getProtocolEra()
  const close = async () => {
    if (era === 'legacy') await transport.terminateSession?.()
    await client.close()
  }
  return { client, about: { revision: client.getNegotiatedProtocolVersion(), era }, close, pid: transport.pid }
}

function toTransport(target) {
  if (target.url === undefined) return new StdioClientTransport({ ...target, stderr: 'inherit' })
  return target.transport === 'sse'
    ? new SSEClientTransport(new URL(target.url))
    : new StreamableHTTPClientTransport(new URL(target.url))
}
