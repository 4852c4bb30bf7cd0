import { CancellationSource, type Clock, hasCapability, NO_INTERIM } from '@crosspoint/mcp'
import type { Connection } from '@crosspoint/mcp/client'
import type { Caller } from './context.ts'
import { within } from './within.ts'

/**
 * Asks a server for a list in a session, so that one which has forgotten it says so now, and it is opened again: of a call
 * of a tool nobody would know whether it was made. Resolves when it is known, or not soon; what is wrong with the server is
 * for calls to find out.
 * @param caller whose session it is
 */
export async function remind(connection: Connection, caller: Caller, clock: Clock): Promise<void> {
  const kind = ['tools', 'resources', 'prompts'].find((one) => hasCapability(connection.capabilities, one))
  if (kind === undefined) return
  const asked = connection.handle({
    ...caller,
    method: `${kind}/list`,
    params: {},
    meta: {},
    cancellation: new CancellationSource(),
    deadline: undefined,
    trace: undefined,
    interim: NO_INTERIM,
  })
  await within(clock, asked, PATIENCE_MS)
}

const PATIENCE_MS = 2_000
