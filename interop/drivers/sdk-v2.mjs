// The official SDK, line 2, in each of its modes: "legacy", "auto", or pinned to the revision named in `mode.pin`.
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import { drive, take, tour } from './tour.mjs'

await drive(async () => {
  const client = new Client(
    { name: 'sdk-v2', version: '2.4.0' },
    { capabilities: {}, versionNegotiation: { mode: tour.mode } },
  )
  const transport =
    tour.target.url === undefined
      ? new StdioClientTransport({ ...tour.target, stderr: 'inherit' })
      : new StreamableHTTPClientTransport(new URL(tour.target.url))
  try {
    await client.connect(transport)
    return await take(client, { revision: client.getNegotiatedProtocolVersion(), era: client.getProtocolEra() })
  } finally {
    if (client.getProtocolEra() === 'legacy') await transport.terminateSession?.()
    await client.close()
  }
})
