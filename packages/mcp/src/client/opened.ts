import { McpError } from '../errors.ts'
import type { JsonObject } from '../jsonrpc/frame.ts'
import { isObject } from '../jsonrpc/members.ts'
import { withMember } from '../jsonrpc/relayed.ts'
import type { Handle, Result } from '../protocol/call.ts'
import type { Implementation, ServerCapabilities } from '../protocol/capabilities.ts'
import { withSafeIcons } from '../protocol/icons.ts'
import type { Revision } from '../revisions/revision.ts'
import type { Wire } from '../transports/wire.ts'

/** A conversation that is open, whatever era it is of. */
export interface Opened {
  readonly wire: Wire
  readonly revision: Revision
  readonly handle: Handle
  readonly serverInfo: Implementation | undefined
  readonly capabilities: ServerCapabilities
  readonly instructions: string | undefined
  /** Of a server that was not probed: when it last was, as the verdict handed in says. */
  readonly probedAt?: string
}

/** Reads what a server says it is; what has the wrong shape counts as not said. */
export function parseIdentity(
  result: JsonObject,
  serverInfo: unknown,
): Pick<Opened, 'serverInfo' | 'capabilities' | 'instructions'> {
  const { capabilities, instructions } = result
  return {
    serverInfo: isImplementation(serverInfo) ? withSafeIcons(serverInfo) : undefined,
    capabilities: isObject(capabilities) ? capabilities : {},
    instructions: typeof instructions === 'string' ? instructions : undefined,
  }
}

/**
 * The result of a tool that has no list of contents, which every schema requires and strict clients insist on.
 * Servers that left it out said nothing by it.
 * @throws {McpError} `upstream.protocol` for contents that are something else
 */
export function withContent(result: JsonObject): Result {
  if (result.content === undefined || result.content === null) return withMember(result, 'content', [])
  throw new McpError('upstream.protocol', 'Cannot read the answer to "tools/call": its content is not a list')
}

function isImplementation(value: unknown): value is Implementation {
  return isObject(value) && typeof value.name === 'string' && typeof value.version === 'string'
}
