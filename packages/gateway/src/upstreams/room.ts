import { McpError } from '@crosspoint/mcp'
import type { Owner, Session } from './session.ts'

/**
 * The sessions that end to make room for another with the server: an idle one of its owner, where that has its share, and
 * the oldest there is, where there are as many as may be. One that may have tasks at work ends only if need be.
 * @param all the oldest first
 * @param max most of them
 * @throws {McpError} `policy.limit` where the owner uses its share, `policy.busy` where all are in use
 */
export function makeRoom(
  all: readonly Session[],
  { owner, isOpenToAll }: Owner,
  { server, max }: { readonly server: string; readonly max: number },
): readonly Session[] {
  const share = Math.max(MIN_SHARE, Math.floor(max / SHARES))
  const own = isOpenToAll ? [] : all.filter((session) => session.owner === owner)
  const ofOwner = own.length < share ? undefined : toIdle(own)
  if (own.length >= share && ofOwner === undefined) {
    throw new McpError('policy.limit', `Cannot open another session with "${server}": this caller uses ${share}`)
  }
  const rest = all.filter((session) => session !== ofOwner)
  const ofAll = rest.length < max ? undefined : toIdle(rest)
  if (rest.length >= max && ofAll === undefined) {
    throw new McpError('policy.busy', `Cannot open another session with "${server}": ${rest.length} are in use`)
  }
  return [ofOwner, ofAll].filter((session) => session !== undefined)
}

function toIdle(sessions: readonly Session[]): Session | undefined {
  const idle = sessions.filter(({ isIdle }) => isIdle)
  return idle.find(({ isHeld }) => !isHeld) ?? idle[0]
}

/** Of the sessions with one server a caller may have one of so many shares, and so many sessions at least. */
const SHARES = 4
const MIN_SHARE = 8
