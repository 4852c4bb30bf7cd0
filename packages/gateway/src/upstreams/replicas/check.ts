import { ANONYMOUS, CancellationSource, type Clock, findRevision, McpError, NEWEST, NO_INTERIM } from '@crosspoint/mcp'
import type { Connection } from '@crosspoint/mcp/client'

/**
 * Asks a server for the least there is: `ping`, or where its revision has none `server/discover`. Resolves to whether it is
 * there; an error it answers with shows that it is.
 */
export async function isThere(connection: Connection, clock: Clock, timeoutMs: number): Promise<boolean> {
  const hasPing = findRevision(connection.verdict.revision)?.methods.has('ping') === true
  const cancellation = new CancellationSource()
  const timer = clock.setTimer(timeoutMs, () => cancellation.cancel('checked for long enough'))
  try {
    await connection.handle({
      method: hasPing ? 'ping' : 'server/discover',
      params: {},
      meta: {},
      principal: ANONYMOUS,
      downstream: { revision: NEWEST.name, client: undefined, capabilities: {}, session: undefined },
      cancellation,
      deadline: undefined,
      trace: undefined,
      interim: NO_INTERIM,
    })
    return true
  } catch (error) {
    return error instanceof McpError && error.rpc !== undefined
  } finally {
    timer.cancel()
  }
}
