// The official SDK, line 2, in each of its modes.
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'

export async function connect({ target, mode }) {
  const client = new Client({ name: 'sdk-v2', version: '2.4.0' }, { capabilities: {}, versionNegotiation: { mode } })
  const transport =
    target.url === undefined
      ? new StdioClientTransport({ ...target, stderr: 'inherit' })
      : new StreamableHTTPClientTransport(new URL(target.url))
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
  return { client, about: { revision: client.getNegotiatedProtocolVersion(), era }, close }
}
