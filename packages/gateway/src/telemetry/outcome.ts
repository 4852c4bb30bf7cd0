import { McpError, type Result } from '@crosspoint/mcp'

/** How a call ended that was answered: `complete`, `tool-error`, or what the result says of itself. */
export function outcomeOf(result: Result): string {
  return result.isError === true ? 'tool-error' : (result.resultType ?? 'complete')
}

/** How a call ended that failed: a code of our errors. */
export function outcomeOfError(error: unknown): string {
  return error instanceof McpError ? error.code : 'internal.error'
}
