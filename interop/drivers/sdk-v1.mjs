// The official SDK, line 1: handshake revisions only.
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { drive, take, tour } from './tour.mjs'

await drive(async () => {
  const client = new Client({ name: 'sdk-v1', version: '1.32.2' }, { capabilities: {} })
  const transport =
    tour.target.url === undefined
      ? new StdioClientTransport({ ...tour.target, stderr: 'inherit' })
      : new StreamableHTTPClientTransport(new URL(tour.target.url))
  let revision
  // The client tells its transport what was agreed; there is no other place to read it.
  const keep = transport.setProtocolVersion?.bind(transport)
  transport.setProtocolVersion = (version) => {
    revision = version
    keep?.(version)
  }
  try {
    await client.connect(transport)
    return await take(client, { revision, era: 'legacy' })
  } finally {
    await transport.terminateSession?.()
    await client.close()
  }
})
