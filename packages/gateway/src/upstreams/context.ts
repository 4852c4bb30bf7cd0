import {
  ANONYMOUS,
  type Call,
  type ClientCapabilities,
  findRevision,
  hasCapability,
  type JsonObject,
  TASKS,
  UI,
} from '@crosspoint/mcp'
import type { SessionMode } from '../config/model.ts'

/**
 * What can be carried between a caller and a server, whatever their revisions: the gateway declares it where it asks on
 * its own behalf, and of it what the caller declared where it asks on a caller's.
 */
export const RELAYED: ClientCapabilities = Object.freeze({
  sampling: { tools: {}, context: {} },
  elicitation: { form: {}, url: {} },
  roots: {},
  extensions: { [UI]: { mimeTypes: ['text/html;profile=mcp-app'] }, [TASKS]: {} },
})

/** Whose calls may share what a server keeps for a client. */
export interface Context {
  /** The same for calls that may share; undefined for a call that shares with none. */
  readonly key: string | undefined
  /** The session of the caller, where what is kept is for that one alone. */
  readonly session: string | undefined
  /** What the server is told that its client can do. */
  readonly capabilities: ClientCapabilities
}

/**
 * The context of a call (PROTOCOL §15.1). Servers have contexts of their own.
 * @param credential what tells apart the credentials one caller may come with
 */
export function toContext(
  { principal, downstream, method }: Pick<Call, 'principal' | 'downstream' | 'method'>,
  mode: SessionMode,
  credential = '',
): Context {
  const { text, capabilities } = toRelayed(downstream.capabilities, tellsOfRoots(downstream))
  // A subscription outlives requests: there is no session of one request to keep it in.
  if (mode === 'per-request' && method !== 'subscriptions/listen')
    return { key: undefined, session: undefined, capabilities }
  const { tenant, id } = principal
  // What a server asks, and learns by asking, belongs to the client that is asked.
  const isApart = mode === 'per-session' || isAskable(capabilities)
  const session = isApart ? downstream.session : undefined
  const apart = session ?? ''
  // The lengths keep two callers apart whatever is in their names.
  const key = `${tenant.length}:${tenant}${id.length}:${id}${apart.length}:${apart}${text}${credential}`
  return { key, session, capabilities }
}

function isAskable({ sampling, elicitation, roots }: ClientCapabilities): boolean {
  return sampling !== undefined || elicitation !== undefined || roots !== undefined
}

/** Whose session it is. */
export type Caller = Pick<Call, 'principal' | 'downstream'>

/** Callers whom nobody tells apart. */
export const ANYBODY: Caller = {
  principal: ANONYMOUS,
  downstream: { revision: '', client: undefined, capabilities: {}, session: undefined },
}

/** The context of calls that may go over a connection of the gateway's own which declares this, where nobody tells callers apart. */
export function toOwnKey(declared: ClientCapabilities, mode: SessionMode): string | undefined {
  const { principal, downstream } = ANYBODY
  return toContext({ principal, downstream: { ...downstream, capabilities: declared }, method: '' }, mode).key
}

/** Of what a caller declared, what is declared to servers on its behalf. Whether a call may become a task, each says itself. */
export function toDeclared(capabilities: ClientCapabilities): ClientCapabilities {
  const declared = toRelayed(capabilities).capabilities
  return { ...declared, extensions: { ...declared.extensions, [TASKS]: {} } }
}

/** In the newest words capabilities do not say whether their client tells of other roots; in older ones nearly all do. */
function tellsOfRoots({ revision, capabilities }: Caller['downstream']): boolean {
  return capabilities.roots !== undefined && findRevision(revision)?.methods.has(ROOTS_CHANGED) === true
}

const ROOTS_CHANGED = 'notifications/roots/list_changed'

interface Relayed {
  /** The same for the same capabilities. */
  readonly text: string
  readonly capabilities: ClientCapabilities
}

/**
 * Of what a caller declared, what reaches it through us, in one order and spelling. Tasks are declared call by call to
 * servers that can be told so, and those of the others need no declaration: a session is shared with and without.
 */
function toRelayed(declared: ClientCapabilities, isTold = hasCapability(declared, 'roots.listChanged')): Relayed {
  let paths = ''
  for (let at = 0; at < CAPABILITY_PATHS.length; at++) {
    paths += hasCapability(declared, CAPABILITY_PATHS[at] ?? '') ? '1' : '0'
  }
  const withUi = declared.extensions?.[UI] === undefined ? paths : `${paths}${WITH_UI}`
  return toKnown(withUi, isTold)
}

/** What a caller may declare that can be carried to it, whole before part. */
export const CAPABILITY_PATHS: readonly string[] = [
  'sampling',
  'sampling.tools',
  'sampling.context',
  'elicitation',
  'elicitation.form',
  'elicitation.url',
  'roots',
]

/** There are few of them, and each is written once: whatever a caller declares, it gets no more sessions for it. */
const known = new Map<string, Relayed>()

/** @param isTold that roots change is told to the server, and keeps no two calls apart: who has roots is asked apart in any case */
function toKnown(paths: string, isTold: boolean): Relayed {
  const name = `${paths} ${isTold}`
  let made = known.get(name)
  if (made === undefined) {
    const plain = toCapabilities([...paths].map((digit) => digit === '1'))
    const same = paths.endsWith(WITH_UI) ? { ...plain, extensions: { [UI]: RELAYED.extensions?.[UI] } } : plain
    const capabilities = isTold ? { ...same, roots: { listChanged: true } } : same
    made = { text: JSON.stringify(same), capabilities }
    known.set(name, made)
  }
  return made
}

const WITH_UI = 'u'

function toCapabilities([
  sampling,
  tools,
  context,
  elicitation,
  form,
  url,
  roots,
]: readonly boolean[]): ClientCapabilities {
  // A capability that names no mode means forms (2025-11-25 client/elicitation).
  const modes = { ...member('form', form === true || url !== true), ...member('url', url) }
  return {
    ...(sampling === true ? { sampling: { ...member('tools', tools), ...member('context', context) } } : {}),
    ...(elicitation === true ? { elicitation: modes } : {}),
    ...member('roots', roots),
  }
}

function member(name: string, has: boolean | undefined): JsonObject {
  return has === true ? { [name]: {} } : {}
}
