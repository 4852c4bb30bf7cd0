import type { Call, Clock, Result } from '@crosspoint/mcp'
import { explainGated, toToolError } from './sentences.ts'
import type { Session } from './session.ts'
import { within } from './within.ts'

export interface GatedOptions {
  readonly server: string
  /** Whether the server offers a tool to us, and not in the session. */
  readonly isGated: (key: string, tool: string) => boolean
  readonly clock: Clock
}

/** What a model reads where a tool failed that the server offers to clients that declare more; undefined for any other. */
export async function answerGated(
  { key, capabilities, survey }: Session,
  { method, params: { name } }: Call,
  { server, isGated, clock }: GatedOptions,
): Promise<Result | undefined> {
  if (method !== 'tools/call' || typeof name !== 'string' || key === undefined) return undefined
  // The first call is often faster than the lists.
  if (survey !== undefined) await within(clock, survey.known, KNOWN_MS)
  return isGated(key, name) ? toToolError(explainGated(server, name, capabilities)) : undefined
}

/** How long a failed call waits to learn whether its tool is offered at all. */
const KNOWN_MS = 2_000
