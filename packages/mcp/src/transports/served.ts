import { askForInput } from '../bridge/input-required.ts'
import { CALLER_LIMITS } from '../jsonrpc/limits.ts'
import { systemClock } from '../peer/clock.ts'
import type { Log, Served } from '../peer/served.ts'
import type { Implementation } from '../protocol/capabilities.ts'
import { SERVER_INFO } from '../protocol/envelope.ts'
import { findRevision, REVISIONS } from '../revisions/index.ts'
import type { Revision } from '../revisions/revision.ts'
import type { Endpoint } from './endpoint.ts'

/** Fills in what an endpoint leaves open. Throws a TypeError for a revision nobody speaks. */
export function toServed(endpoint: Endpoint): Served {
  const revisions = endpoint.revisions?.map(toRevision) ?? REVISIONS
  const clock = endpoint.clock ?? systemClock
  return {
    handle: endpoint.handle,
    sessionHandle: askForInput(endpoint.handle, clock),
    serverInfo: endpoint.serverInfo,
    stamp: toStamp(endpoint.serverInfo),
    introduce() {
      if (this.serverInfo === endpoint.serverInfo) return
      this.serverInfo = endpoint.serverInfo
      this.stamp = toStamp(this.serverInfo)
    },
    hasMethod: endpoint.hasMethod,
    rootsChanged: endpoint.rootsChanged,
    limits: endpoint.limits ?? CALLER_LIMITS,
    clock,
    handshakes: revisions.filter((revision) => revision.traits.lifecycle === 'handshake'),
    envelopes: new Map(
      revisions
        .filter((revision) => revision.traits.lifecycle === 'envelope')
        .map((revision) => [revision.name, revision]),
    ),
    maxConcurrent: endpoint.maxConcurrent ?? 64,
    maxWaiting: endpoint.maxWaiting ?? 1_024,
    maxWaitingBytes: endpoint.maxWaitingBytes ?? 16 * 1024 * 1024,
    callTimeoutMs: endpoint.callTimeoutMs ?? 15 * 60_000,
    questionTimeoutMs: endpoint.questionTimeoutMs ?? 10 * 60_000,
    maxQuestions: endpoint.maxQuestions ?? 64,
    maxStreamBytes: endpoint.maxStreamBytes ?? 4 * 1024 * 1024,
    log: toLog(endpoint),
  }
}

function toStamp(serverInfo: Implementation): string {
  return `"_meta":${JSON.stringify({ [SERVER_INFO]: serverInfo })},`
}

function toRevision(name: string): Revision {
  const revision = findRevision(name)
  if (revision !== undefined) return revision
  throw new TypeError(`Cannot serve revision "${name}": known are ${REVISIONS.map((known) => known.name).join(', ')}`)
}

function toLog(endpoint: Endpoint): Log {
  const { log } = endpoint
  if (log === undefined) return () => {}
  return (level, event, details) => log({ ...details, level, event })
}
