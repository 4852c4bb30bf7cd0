import { McpError } from '../../errors.ts'
import { shown } from '../../jsonrpc/shown.ts'
import { type Outgoing, toTraceparent } from '../../protocol/envelope.ts'

/**
 * The headers somebody configured, as name, value, name, value, without those the protocol or HTTP itself sets.
 * @throws {McpError} for a header that HTTP does not allow: it would end the request or begin another one
 */
export function toConfiguredHeaders(headers: Readonly<Record<string, string>>): readonly string[] {
  const configured: string[] = []
  for (const [name, value] of Object.entries(headers)) {
    if (!TOKEN.test(name) || !VALUE.test(value)) {
      const message = `Cannot send the header "${shown(name)}": its name or value is not allowed in HTTP`
      throw new McpError('internal.error', message)
    }
    if (!OURS.test(name)) configured.push(name, value)
  }
  return configured
}

/**
 * @throws {McpError} for credentials among configured headers where an authorization gives them: one of the two would
 *   be sent, and nobody could say which
 */
export function checkNoCredentials(headers: Readonly<Record<string, string>>): void {
  for (const name of Object.keys(headers)) {
    if (!CREDENTIALS.test(name)) continue
    const message = `Cannot send the header "${shown(name)}" beside an authorization: leave one of them out`
    throw new McpError('internal.error', message)
  }
}

/** The header by which what stands between us and a server joins the trace of a call; none where it has none. */
export function toTraced({ trace, meta }: Outgoing): readonly string[] {
  return trace === undefined ? [] : ['traceparent', toTraceparent(trace, meta)]
}

/** Visible ASCII (2025-11-25 basic/transports, session management), and no longer than a header should be. */
export function isSessionId(id: string): boolean {
  return /^[\x21-\x7e]+$/.test(id) && id.length <= MAX_SESSION
}

/** RFC 9110 §5.6.2 and §5.5. */
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/
const OURS =
  /^(?:accept|accept-encoding|content-type|content-length|transfer-encoding|connection|keep-alive|upgrade|te|expect|host|last-event-id|traceparent|mcp-(?:session-id|protocol-version|method|name|param-.*))$/i
const CREDENTIALS = /^(?:authorization|dpop)$/i
const MAX_SESSION = 1_024
