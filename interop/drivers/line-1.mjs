// The official SDK, line 1: handshake revisions only.
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { SSEClientTransport } from '@modelcontextprotocol/sdk/client/sse.js'
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import {
  CreateMessageRequestSchema,
  ElicitRequestSchema,
  ListRootsRequestSchema,
} from '@modelcontextprotocol/sdk/types.js'

const QUESTIONS = {
  'elicitation/create': ElicitRequestSchema,
  'sampling/createMessage': CreateMessageRequestSchema,
  'roots/list': ListRootsRequestSchema,
}

export async function connect({ target, capabilities = {}, revision: wanted }, prepare) {
  const client = new Client({ name: 'sdk-v1', version: '1.32.2' }, { capabilities })
  prepare?.(client, (method, answer) => client.setRequestHandler(QUESTIONS[method], answer))
  const transport = toTransport(target)
  let revision
  // The client tells its transport what was agreed; there is no other place to read it.
  const keep = transport.setProtocolVersion?.bind(transport)
  transport.setProtocolVersion = (version) => {
    revision = version
    keep?.(version)
  }
  if (wanted !== undefined) offer(wanted, transport)
  await client.connect(transport)
  // Line 2 has no place for a result schema between the parameters and the options.
  const callTool = client.callTool.bind(client)
  client.callTool = (params, options) => callTool(params, undefined, options)
  const close = async () => {
    await transport.terminateSession?.()
    await client.close()
  }
  return { client, about: { revision, era: 'legacy' }, close, pid: transport.pid }
}

/** Line 1 always offers its newest; a client of an older day offered what was new then, and was otherwise the same. */
function offer(revision, transport) {
  const send = transport.send.bind(transport)
  transport.send = (message, options) =>
    send(
      message.method === 'initialize'
        ? { ...message, params: { ...message.params, protocolVersion: revision } }
        : message,
      options,
    )
}

function toTransport(target) {
  if (target.url === undefined) return new StdioClientTransport({ ...target, stderr: 'inherit' })
  return target.transport === 'sse'
    ? new SSEClientTransport(new URL(target.url))
    : new StreamableHTTPClientTransport(new URL(target.url))
}
