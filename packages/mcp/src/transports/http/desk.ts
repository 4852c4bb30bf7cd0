import { McpError } from '../../errors.ts'
import { Calls } from '../../peer/calls.ts'
import type { Served } from '../../peer/served.ts'
import { LISTENERS_OF_ONE, Shares, toShare } from '../../peer/shares.ts'
import type { Endpoint } from '../endpoint.ts'
import { StreamSessions } from '../http-sse/stream-sessions.ts'
import { toServed } from '../served.ts'
import type { Elsewhere } from './elsewhere/elsewhere.ts'
import type { DoorState, ReplyContext } from './reply.ts'
import { toResume } from './resume/options.ts'
import { SessionTable } from './session-table.ts'

/** What a door keeps for one endpoint: its sessions, and the calls that belong to none. */
export interface Desk {
  readonly endpoint: Endpoint
  readonly served: Served
  readonly authenticate: Endpoint['authenticate']
  readonly calls: Calls
  readonly sessions: SessionTable
  /** Sessions of the oldest revision's own transport. */
  readonly streams: StreamSessions
  /** Where callers are known: who listens how often, by a request or by GET. */
  readonly listeners: Shares | undefined
  readonly replies: ReplyContext
  /** Told of a reader who was cut off from the news of a session. */
  readonly cut: () => void
  /** Other processes that serve the same, where there are any. */
  readonly elsewhere: Elsewhere | undefined
  /** The same desk without them: what is taken there is nobody else's. */
  readonly here: Desk
  /** Sessions that are being taken over. */
  readonly arriving: Map<string, Promise<boolean>>
}

/** @param maxCalls most calls without a session at work at once; beyond it they are refused */
export function createDesk(
  endpoint: Endpoint,
  doorAuthenticate: Endpoint['authenticate'],
  maxCalls: number,
  door: DoorState,
): Desk {
  const served = toServed(endpoint)
  const { maxSessions = 10_000 } = endpoint
  const { maxStreamBytes } = served
  // What is given and is no function, such as null, fails for every caller instead of letting all of them in.
  const authenticate = endpoint.authenticate === undefined ? doorAuthenticate : endpoint.authenticate
  const isKnowing = authenticate !== undefined
  const perPrincipal = endpoint.maxSessionsPerPrincipal ?? toShare(maxSessions, SESSIONS_OF_ONE)
  const listeners = isKnowing
    ? new Shares(endpoint.maxListenersPerPrincipal ?? toShare(maxCalls, LISTENERS_OF_ONE))
    : undefined
  const elsewhere = endpoint.elsewhere?.({
    records: () => [...sessions.records(), ...streams.records()],
    lose: (id) => sessions.lose(id),
  })
  const sessions = new SessionTable(served, {
    maxSessions,
    shares: isKnowing ? new Shares(perPrincipal) : undefined,
    idleMs: endpoint.sessionIdleMs ?? 30 * 60_000,
    maxStreams: endpoint.maxStreams ?? 8,
    resume: toResume(endpoint.resume, served.clock, served.log),
    ended: endpoint.sessionEnded,
    elsewhere,
  })
  const streams = new StreamSessions(served, {
    maxSessions,
    shares: isKnowing ? new Shares(perPrincipal) : undefined,
    ended: endpoint.sessionEnded,
    elsewhere,
  })
  const desk: Omit<Desk, 'here'> = {
    endpoint,
    served,
    authenticate,
    calls: new Calls(served, {
      keyed: false,
      maxConcurrent: maxCalls,
      maxWaiting: 0,
      maxListening: maxCalls,
      listeners,
    }),
    listeners,
    sessions,
    cut: () => served.log('warn', 'stream.cut', { maxStreamBytes }),
    streams,
    replies: {
      door,
      open: new Set(),
      maxStreamBytes,
      cut: () => door.log('warn', 'stream.cut', { maxBytes: maxStreamBytes }),
    },
    elsewhere: undefined,
    arriving: new Map(),
  }
  const here: Desk = Object.assign(desk, { here: desk as Desk }) // which it is from here on
  return elsewhere === undefined ? here : { ...here, here, elsewhere }
}

/** Whether nothing would be lost if it were forgotten. */
export function isIdle(desk: Desk): boolean {
  return desk.replies.open.size === 0 && desk.calls.size === 0 && desk.sessions.size === 0 && desk.streams.size === 0
}

/** Ends what listens and lets what works finish, for `ms` where it has a stream of its own; resolves when nothing is left. */
export async function drainDesk(desk: Desk, ms: number): Promise<void> {
  desk.calls.finishListening()
  desk.sessions.endStreams()
  await Promise.all([desk.calls.idle(), desk.sessions.idle(), desk.streams.drain(ms)])
}

/** Fails what is still at work and forgets every session. */
export function closeDesk(desk: Desk): void {
  const closing = new McpError('policy.busy', 'Cannot finish the request: the server is closing')
  desk.calls.fail(closing)
  desk.sessions.close(closing)
  void desk.streams.drain(0)
  desk.elsewhere?.end()
}

/** The part of all sessions that one principal may have, unless told otherwise. Each has two listeners of its own. */
const SESSIONS_OF_ONE = 1 / 10
