import { type Call, isFinal, type Result } from '@crosspoint/mcp'

/** Names a session in the ids of its tasks. */
export function toSessionId(): string {
  return crypto.randomUUID().slice(0, ID_LENGTH)
}

/** A task with the session it is in named in its id; any other result as it is. */
export function withSession(session: string, { method }: Call, result: Result): Result {
  if (method === 'tools/call' && result.resultType !== 'task') return result
  return typeof result.taskId === 'string' ? { ...result, taskId: `${session}.${result.taskId}` } : result
}

/** The session of a task, and what the server calls the task; undefined for what is no such id. */
export function toNamed(taskId: unknown): { readonly session: string; readonly native: string } | undefined {
  if (typeof taskId !== 'string' || taskId[ID_LENGTH] !== '.') return undefined
  return { session: taskId.slice(0, ID_LENGTH), native: taskId.slice(ID_LENGTH + 1) }
}

/** How long a session stays for its task, in milliseconds. */
export function toHoldMs({ ttlMs, status }: Result): number {
  const longestMs = isFinal(status) ? FINAL_HOLD_MS : HOLD_MS
  return typeof ttlMs === 'number' ? Math.min(ttlMs, longestMs) : longestMs
}

/** Digits of the id of a session. */
const ID_LENGTH = 8
/** Stands for the gateway's own connection. */
export const OWN_ID = 'gateway-'
/** How long a session stays for a task that nobody asks for. */
const HOLD_MS = 3_600_000
/** The same for one whose outcome was fetched, which may be asked for again. */
const FINAL_HOLD_MS = 60_000
