import { McpError } from '@crosspoint/mcp'

/** @throws an error that came before a call was sent, so that everybody knows of it: what was asked may be asked of another */
export function failNeverRan(error: unknown): never {
  if (!(error instanceof McpError) || error.neverRan || !MARKED.has(error.code)) throw error
  const { code, message, data, rpc } = error
  throw new McpError(code, message, { data, cause: error, neverRan: true, ...(rpc === undefined ? {} : { rpc }) })
}

/** Runs what comes before a call is sent. */
export function attempt<T>(run: () => T): T {
  try {
    return run()
  } catch (error) {
    return failNeverRan(error)
  }
}

/** What is not the caller's, nor a rule's. */
const MARKED: ReadonlySet<string> = new Set(['upstream.unavailable', 'upstream.closed', 'upstream.timeout'])
