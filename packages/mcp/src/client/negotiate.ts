import { McpError } from '../errors.ts'
import type { JsonObject } from '../jsonrpc/frame.ts'
import { shown } from '../jsonrpc/shown.ts'
import { AWAITED, type Clock } from '../peer/clock.ts'
import type { Answer } from '../peer/pending.ts'
import {
  ENVELOPE_REVISIONS,
  findRevision,
  HANDSHAKE_REVISIONS,
  NEWEST,
  NEWEST_HANDSHAKE,
  REVISIONS,
} from '../revisions/index.ts'
import type { Revision } from '../revisions/revision.ts'
import type { Wire } from '../transports/wire.ts'
import type { Verdict } from './connection.ts'
import type { Dialer } from './dial.ts'
import { HEADER_MISMATCH, MISSING_CAPABILITY, statusOf, toFailure, UNSUPPORTED_REVISION } from './failure.ts'
import { openHandshake } from './handshake.ts'
import type { Opened } from './opened.ts'
import type { Settings } from './settings.ts'
import { askDiscover, openStateless } from './stateless.ts'

/**
 * Finds out which era a server is of and opens the conversation accordingly (specification 2026-07-28,
 * basic/transports: backward compatibility; our reading of it is docs/revisions.md).
 * @param signal aborts when there is no more time
 */
export function negotiate(dialer: Dialer, settings: Settings, signal: AbortSignal): Promise<Opened> {
  const pinned = pinnedRevision(settings.revision)
  if (dialer.mustUseSse) return unprobed(openSse(dialer, pinned ?? NEWEST_HANDSHAKE, settings, signal), settings)
  if (pinned !== undefined) return unprobed(openPinned(dialer, pinned, settings, signal), settings)
  if (isFreshHandshake(settings.verdict, settings.clock)) {
    return openHandshakeFirst(dialer, settings.verdict, settings, signal)
  }
  return probe(dialer, dialer.dial(), settings, signal)
}

/** A handshake that works is no evidence of the era: what was known before is no newer for it. */
async function unprobed(opening: Promise<Opened>, { verdict }: Settings): Promise<Opened> {
  const opened = await opening
  const isHandshake = opened.revision.traits.lifecycle === 'handshake'
  return isHandshake && isOfHandshake(verdict) ? { ...opened, probedAt: verdict.at } : opened
}

/** What an answer to the probe says about the server, told apart by what HTTP adds to it. */
export type Judgement =
  | { readonly era: 'envelope'; readonly result: JsonObject }
  /** Ask again in one of these revisions. */
  | { readonly era: 'envelope'; readonly offers: readonly string[] }
  | { readonly era: 'handshake' }
  /** No evidence either way: an outage, a missing sign-in. */
  | { readonly era: 'unknown' }

export function judge(answer: Answer, kind: 'http' | 'stream'): Judgement {
  if (answer.kind === 'result') {
    // Some older servers answer anything with an empty result; what has no versions is no answer to this question.
    return Array.isArray(answer.result.supportedVersions)
      ? { era: 'envelope', result: answer.result }
      : { era: 'handshake' }
  }
  const status = answer.kind === 'refused' ? answer.status : answer.status
  if (status !== undefined && (status === 401 || status === 403)) return { era: 'unknown' }
  if (status !== undefined && (status >= 500 || status === 408 || status === 429 || status < 200)) {
    return { era: 'unknown' }
  }
  if (answer.kind === 'refused') return answer.status < 400 ? { era: 'unknown' } : { era: 'handshake' }
  const { code, data } = answer.error
  if (code === UNSUPPORTED_REVISION) return { era: 'envelope', offers: offersOf(data) }
  if (code === HEADER_MISMATCH || code === MISSING_CAPABILITY) {
    // Over HTTP only together with 400: old servers use the numbers for anything.
    if (kind === 'stream' || status === 400) return { era: 'unknown' }
  }
  return { era: 'handshake' }
}

async function openPinned(
  dialer: Dialer,
  revision: Revision,
  settings: Settings,
  signal: AbortSignal,
): Promise<Opened> {
  const wire = dialer.dial()
  if (revision.traits.lifecycle === 'handshake') return openOlder(dialer, wire, revision, settings, signal)
  return openStateless(wire, revision, await askDiscover(wire, revision, settings, signal), settings)
}

/** A remembered verdict may be out of date: a server that has moved on refuses the handshake, and is probed then. */
async function openHandshakeFirst(
  dialer: Dialer,
  { transport, at }: Verdict,
  settings: Settings,
  signal: AbortSignal,
): Promise<Opened> {
  const wire = transport === 'sse' ? dialer.dialSse() : dialer.dial()
  try {
    return { ...(await openHandshake(wire, NEWEST_HANDSHAKE, settings, signal)), probedAt: at }
  } catch (error) {
    const refused = error instanceof McpError && REFUSALS.has(error.code)
    if (transport === 'sse' && (refused || isRefused(statusOf(error)))) {
      await wire.close()
      return probe(dialer, dialer.dial(), settings, signal)
    }
    if (!refused) throw error
    return probe(dialer, wire, settings, signal)
  }
}

/**
 * Opens a conversation with `initialize`. Who refuses that over HTTP may be a server of the oldest revision, which
 * has a stream at that URL instead (specification 2025-11-25, basic/transports: backwards compatibility).
 */
async function openOlder(
  dialer: Dialer,
  wire: Wire,
  revision: Revision,
  settings: Settings,
  signal: AbortSignal,
): Promise<Opened> {
  try {
    return await openHandshake(wire, revision, settings, signal)
  } catch (error) {
    if (dialer.kind !== 'http' || !isRefused(statusOf(error))) throw error
    await wire.close()
    return openSse(dialer, revision, settings, signal).catch((second: unknown) => {
      // Where there is no stream either, what was refused first says more.
      throw isNoStream(second) ? error : second
    })
  }
}

async function openSse(dialer: Dialer, revision: Revision, settings: Settings, signal: AbortSignal): Promise<Opened> {
  if (revision.traits.lifecycle === 'handshake') return openHandshake(dialer.dialSse(), revision, settings, signal)
  const message = `Cannot speak "${revision.name}" over HTTP+SSE, which only revisions with sessions have`
  throw new McpError('caller.unsupported_revision', `${message}: leave out "transport", or pin an older revision`)
}

/** Whether a status says that a server does not take what was sent, not that it cannot now or wants a sign-in. */
function isRefused(status: number | undefined): boolean {
  return status !== undefined && status >= 400 && status < 500 && !UNSAID.has(status)
}

function isNoStream(error: unknown): boolean {
  return isRefused(statusOf(error)) || (error instanceof McpError && error.code === 'upstream.unavailable')
}

function probe(dialer: Dialer, wire: Wire, settings: Settings, signal: AbortSignal): Promise<Opened> {
  return dialer.kind === 'http'
    ? probeHttp(dialer, wire, settings, signal)
    : probeStream(dialer, wire, settings, signal)
}

async function probeHttp(dialer: Dialer, wire: Wire, settings: Settings, signal: AbortSignal): Promise<Opened> {
  return conclude(dialer, wire, await askDiscover(wire, NEWEST, settings, signal), settings, signal)
}

async function conclude(
  dialer: Dialer,
  wire: Wire,
  answer: Answer,
  settings: Settings,
  signal: AbortSignal,
): Promise<Opened> {
  const judgement = judge(answer, dialer.kind)
  if (judgement.era === 'handshake') return openOlder(dialer, wire, NEWEST_HANDSHAKE, settings, signal)
  if (answer.kind === 'result') return openStateless(wire, wire.revision, answer, settings)
  if (!('offers' in judgement)) throw toFailure(answer, 'server/discover', wire.revision)
  const common = ENVELOPE_REVISIONS.find(({ name }) => judgement.offers.includes(name))
  if (common !== undefined) {
    return openStateless(wire, common, await askDiscover(wire, common, settings, signal), settings)
  }
  // Modern in form, and yet it only has older revisions to offer.
  const older = HANDSHAKE_REVISIONS.find(({ name }) => judgement.offers.includes(name))
  if (older !== undefined) return openHandshake(wire, older, settings, signal)
  throw new McpError(
    'upstream.protocol',
    `Cannot agree on a revision: the server offers ${judgement.offers.join(', ') || 'none it names'}`,
  )
}

/**
 * Over a pipe, silence and every error that is not a modern one mean an older server. Some older servers exit on
 * any request before `initialize`: they are started again and not probed a second time.
 */
async function probeStream(dialer: Dialer, wire: Wire, settings: Settings, signal: AbortSignal): Promise<Opened> {
  const asked = new AbortController()
  const answer = askDiscover(wire, NEWEST, settings, asked.signal)
  const gone = wire.closed.then((): Gone => 'gone')
  const silent = silence(settings, signal)
  try {
    const first = await Promise.race([answer.catch(rethrowUnlessGone(gone)), gone, silent.over])
    if (signal.aborted) throw signal.reason
    if (first === 'gone') {
      settings.fault?.('The server exits when it is probed; it is started again and opened with initialize', '')
      return openHandshake(dialer.dial(), NEWEST_HANDSHAKE, settings, signal)
    }
    if (first !== 'silent') return await conclude(dialer, wire, first, settings, signal)
    return await openSilent(wire, answer, settings, signal)
  } finally {
    silent.cancel()
    asked.abort()
  }
}

type Gone = 'gone'
type Silent = 'silent'

/** A slow start looks like silence: while `initialize` waits, a late answer to the probe still counts. */
async function openSilent(wire: Wire, late: Promise<Answer>, settings: Settings, signal: AbortSignal): Promise<Opened> {
  const initializing = new AbortController()
  const stop = () => initializing.abort(signal.reason)
  signal.addEventListener('abort', stop, { once: true })
  const modern = late.then(
    (answer) => (answer.kind === 'result' && judge(answer, 'stream').era === 'envelope' ? answer : NOTHING_YET),
    () => NOTHING_YET,
  )
  const handshake = openHandshake(wire, NEWEST_HANDSHAKE, settings, initializing.signal)
  try {
    const first = await Promise.race([handshake, modern])
    if (!('kind' in first)) return first
    handshake.catch(() => {}) // given up below, on purpose
    initializing.abort()
    return openStateless(wire, NEWEST, first, settings)
  } finally {
    signal.removeEventListener('abort', stop)
  }
}

const NOTHING_YET = new Promise<never>(() => {})

/** Over when a server had its time to answer, and at once when nobody waits any longer. */
function silence({ clock, probeTimeoutMs }: Settings, signal: AbortSignal): { over: Promise<Silent>; cancel(): void } {
  let end: () => void = () => {}
  const over = new Promise<Silent>((resolve) => {
    end = () => resolve('silent')
  })
  const timer = clock.setTimer(probeTimeoutMs, end, AWAITED)
  signal.addEventListener('abort', end, { once: true })
  if (signal.aborted) end()
  return {
    over,
    cancel: () => {
      timer.cancel()
      signal.removeEventListener('abort', end)
    },
  }
}

/** A probe that fails because the server went away is told by the way it went. */
function rethrowUnlessGone(gone: Promise<Gone>): (error: unknown) => Promise<Gone> {
  return (error) => {
    if (error instanceof McpError && error.code === 'upstream.unavailable') return gone
    throw error
  }
}

function pinnedRevision(name: string | undefined): Revision | undefined {
  if (name === undefined) return undefined
  const revision = findRevision(name)
  if (revision !== undefined) return revision
  const known = REVISIONS.map((one) => one.name).join(', ')
  throw new McpError('caller.unsupported_revision', `Cannot speak "${shown(name)}": known revisions are ${known}`)
}

/** Old verdicts age: a server that learned a newer revision would go unnoticed, since the older one still works. */
function isFreshHandshake(verdict: Verdict | undefined, clock: Clock): verdict is Verdict {
  if (!isOfHandshake(verdict)) return false
  const age = clock.wallNow() - Date.parse(verdict.at)
  return age >= 0 && age < VERDICT_MS
}

function isOfHandshake(verdict: Verdict | undefined): verdict is Verdict {
  if (verdict === undefined || Number.isNaN(Date.parse(verdict.at))) return false
  return findRevision(verdict.revision)?.traits.lifecycle === 'handshake'
}

function offersOf(data: unknown): readonly string[] {
  const supported = typeof data === 'object' && data !== null ? (data as JsonObject).supported : undefined
  return Array.isArray(supported) ? supported.filter((name) => typeof name === 'string') : []
}

const REFUSALS: ReadonlySet<string> = new Set(['upstream.protocol', 'upstream.error', 'caller.missing_capability'])
/** A sign-in, a wait, too much: nothing about the transport. */
const UNSAID: ReadonlySet<number> = new Set([401, 403, 407, 408, 429])
const VERDICT_MS = 24 * 60 * 60 * 1_000
