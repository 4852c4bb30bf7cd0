// The official SDK, line 1: handshake revisions only.
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { SSEClientTransport } from '@modelcontextprotocol/sdk/client/sse.js'
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'

export async function connect({ target }) {
  const client = new Client({ name: 'sdk-v1', version: '1.32.2' }, { capabilities: {} })
  const transport = toTransport(target)
  let revision
  // The client tells its transport what was agreed; there is no other place to read it.
  const keep = transport.setProtocolVersion?.bind(transport)
  transport.setProtocolVersion = (version) => {
    revision = version
    keep?.(version)
  }
  await client.connect(transport)
  // Line 2 has no place for a result schema between the parameters and the options.
  const callTool = client.callTool.bind(client)
  client.callTool = (params, options) => callTool(params, undefined, options)
  const close = async () => {
    await transport.terminateSession?.()
    await client.close()
  }
  return { client, about: { revision, era: 'legacy' }, close }
}

function toTransport(target) {
  if (target.url === undefined) return new StdioClientTransport({ ...target, stderr: 'inherit' })
  return target.transport === 'sse'
    ? new SSEClientTransport(new URL(target.url))
    : new StreamableHTTPClientTransport(new URL(target.url))
}
