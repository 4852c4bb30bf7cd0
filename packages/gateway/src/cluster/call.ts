import { type Call, type JsonObject, McpError, NEWEST, type Result, type RpcError } from '@crosspoint/mcp'

/** A call as a request of the newest revision, as which another gateway takes it. */
export function toEnveloped({ method, params, meta, downstream }: Call): JsonObject {
  const { client, capabilities } = downstream
  const _meta = {
    ...meta,
    [`${P}protocolVersion`]: NEWEST.name,
    [`${P}clientCapabilities`]: capabilities,
    ...(client === undefined ? {} : { [`${P}clientInfo`]: client }),
  }
  return { jsonrpc: '2.0', id: 1, method, params: { ...params, _meta } }
}

/** @throws {McpError} what the other gateway answered with */
export function toAnswer(text: string): Result {
  const { result, error } = JSON.parse(text) as { readonly result?: Result; readonly error?: RpcError } // of our own making
  if (result !== undefined) return result
  throw new McpError(
    'upstream.error',
    error?.message ?? 'Cannot read the answer',
    error === undefined ? {} : { rpc: error },
  )
}

const P = 'io.modelcontextprotocol/'
