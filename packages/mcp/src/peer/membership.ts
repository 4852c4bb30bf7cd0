import { McpError } from '../errors.ts'
import { shown } from '../jsonrpc/shown.ts'
import type { Revision } from '../revisions/revision.ts'

/** What a caller is told of a method that its revision does not have, or has only in the other direction. */
export function unknownMethod(method: string, revision: Revision): McpError {
  return new McpError('caller.unknown_method', `No method "${shown(method)}" in revision ${revision.name}`)
}
