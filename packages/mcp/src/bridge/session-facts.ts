import type { JsonObject } from '../jsonrpc/frame.ts'
import { isObject } from '../jsonrpc/members.ts'
import type { Principal } from '../protocol/call.ts'
import type { ClientCapabilities, Implementation, ServerCapabilities } from '../protocol/capabilities.ts'
import { isLogLevel, type LogLevel } from '../protocol/features/logging.ts'
import { findRevision } from '../revisions/index.ts'
import type { Handshake } from './handshake.ts'

/**
 * What of a session is worth more than the process it lives in: another one can go on with it. Plain JSON. Calls under way
 * and questions are not among it.
 */
export interface SessionFacts {
  /** Whose it is: nobody else ever comes to it. */
  readonly principal: Pick<Principal, 'tenant' | 'id'>
  readonly revision: string
  readonly client?: Implementation
  /** By the client, in the newest words. */
  readonly declared: ClientCapabilities
  /** Ours, as they were told. */
  readonly offered: ServerCapabilities
  /** Absent where this server does not log. */
  readonly level?: LogLevel
  /** Its client has said that it heard our answer. */
  readonly isConfirmed: boolean
  /** Resources that it watches. */
  readonly watched: readonly string[]
}

/** Undefined for what says nothing of a session, or of one that cannot be served here. */
export function parseFacts(value: unknown): SessionFacts | undefined {
  if (!isObject(value)) return undefined
  const { principal, revision, client, declared, offered, level, isConfirmed, watched } = value
  if (!isObject(principal) || typeof principal.tenant !== 'string' || typeof principal.id !== 'string') return undefined
  if (typeof revision !== 'string' || findRevision(revision)?.traits.lifecycle !== 'handshake') return undefined
  if (!isObject(declared) || !isObject(offered) || typeof isConfirmed !== 'boolean') return undefined
  if (!Array.isArray(watched) || !watched.every((uri) => typeof uri === 'string')) return undefined
  return {
    principal: { tenant: principal.tenant, id: principal.id },
    revision,
    // As the handshake took it.
    ...(isObject(client) ? { client: client as unknown as Implementation } : {}),
    declared,
    offered,
    ...(isLogLevel(level) ? { level } : {}),
    isConfirmed,
    watched,
  }
}

/** The handshake that was made elsewhere. Its answer has been given. */
export function toHandshake(facts: SessionFacts, session: string): Handshake | undefined {
  const revision = findRevision(facts.revision)
  if (revision === undefined) return undefined
  const downstream = Object.freeze({
    revision: revision.name,
    client: facts.client,
    capabilities: facts.declared,
    session,
  })
  return { revision, downstream, capabilities: facts.offered, result: NO_RESULT }
}

const NO_RESULT: JsonObject = Object.freeze({})
