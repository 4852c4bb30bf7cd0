import { type Clock, hasCapability, type Interim, McpError, NO_INTERIM, type Timer } from '@crosspoint/mcp'
import type { Connection } from '@crosspoint/mcp/client'
import type { Log } from '../log.ts'
import { shown } from '../shown.ts'
import { toLoss, toReason } from '../upstreams/explain.ts'
import { toDelay } from '../upstreams/state.ts'
import type { Survey, SurveyReport } from '../upstreams/upstream.ts'
import { type Coalescer, coalesce } from './coalesce.ts'
import { ALL_KINDS, type Item, KINDS, type Kind, type ListFlag } from './kinds.ts'
import { LIST_BOUNDS, type ListBounds, listAll, toOwnCall } from './listing.ts'
import type { Offer } from './offer.ts'

export interface SurveyOptions {
  readonly upstream: string
  /** What was known before, so that what did not change stays the same object. */
  readonly known: Offer | undefined
  /** Told what the server offers: once when all lists are in, then whenever one really changed. */
  readonly offered: (offer: Offer) => void
  readonly log: Log
  readonly clock: Clock
  readonly random: () => number
  /** Default {@link LIST_BOUNDS}. */
  readonly bounds?: ListBounds
}

/**
 * Learns what a connected server offers: listens for changes first, so that none is missed, then reads all lists.
 * A change re-reads that kind only, at most once a second. A list that fails is tried again with growing waits and
 * does not hold up the others.
 */
export function startSurvey(connection: Connection, report: SurveyReport, options: SurveyOptions): Survey {
  const { clock, log, upstream, bounds = LIST_BOUNDS } = options
  const { capabilities, instructions, handle } = connection
  const stopping = new AbortController()
  const { signal } = stopping
  const items: Record<Kind, readonly Item[]> = {
    tools: options.known?.tools ?? [],
    resources: options.known?.resources ?? [],
    templates: options.known?.templates ?? [],
    prompts: options.known?.prompts ?? [],
  }
  const kinds = ALL_KINDS.filter((kind) => hasCapability(capabilities, KINDS[kind].capability))
  for (const kind of ALL_KINDS) if (!kinds.includes(kind)) items[kind] = []
  const problems = new Map<Kind, string>()
  const timers = new Set<Timer>()
  const rereads = new Map<Kind, Coalescer>(kinds.map((kind) => [kind, coalesce(clock, REREAD_MS, () => void reread(kind))]))
  const failures = { list: 0, listen: 0 }
  let first = true

  const later = (ms: number, run: () => void) => {
    const timer = clock.setTimer(ms, () => {
      timers.delete(timer)
      run()
    })
    timers.add(timer)
  }

  /** Reads one list. True when it differs from what was known. */
  async function read(kind: Kind): Promise<boolean> {
    try {
      const { items: found, problem } = await listAll(handle, kind, signal, items[kind], bounds)
      if (signal.aborted) return false
      if (problem === undefined) problems.delete(kind)
      else problems.set(kind, problem)
      const changed = found.length !== items[kind].length || found.some((item, at) => item !== items[kind][at])
      items[kind] = found
      return changed
    } catch (error) {
      if (!signal.aborted) fail(kind, error)
      return false
    }
  }

  function fail(kind: Kind, error: unknown): void {
    problems.set(kind, `${KINDS[kind].method} failed: ${toReason(error)}`)
    const loss = toLoss(error)
    if (loss !== undefined) return report.lost(loss, toReason(error))
    failures.list++
    later(toDelay(failures.list, RETRY, options.random), () => rereads.get(kind)?.trigger())
  }

  async function reread(kind: Kind): Promise<void> {
    if (first) return
    const changed = await read(kind)
    if (!signal.aborted) publish(changed)
  }

  async function readAll(): Promise<void> {
    const changes = await Promise.all(kinds.map(read))
    if (signal.aborted) return
    const wasFirst = first
    first = false
    publish(wasFirst || changes.includes(true))
  }

  function publish(changed: boolean): void {
    if (problems.size === 0) failures.list = 0
    if (changed) options.offered({ ...items, capabilities, instructions })
    report.surveyed(problems.size === 0 ? undefined : [...problems.values()].join('; '))
  }

  /** Listens until the server ends it; resolves once listening began, or it is clear that it will not. */
  function listen(): Promise<void> {
    const flags = new Set<ListFlag>()
    for (const kind of kinds) if (hasCapability(capabilities, `${KINDS[kind].capability}.listChanged`)) flags.add(KINDS[kind].flag)
    if (flags.size === 0) return Promise.resolve()
    const notifications = Object.fromEntries([...flags].map((flag) => [flag, true]))
    return new Promise((begun) => {
      const timer = clock.setTimer(ACK_MS, begun)
      timers.add(timer)
      const interim: Interim = {
        ...NO_INTERIM,
        notify({ method }) {
          if (method === ACKNOWLEDGED) {
            failures.listen = 0
            timer.cancel()
            begun()
          }
          for (const kind of kinds) if (KINDS[kind].changed === method) rereads.get(kind)?.trigger()
        },
      }
      handle(toOwnCall('subscriptions/listen', { notifications }, signal, interim)).then(
        () => listenEnded(undefined),
        (error: unknown) => listenEnded(error),
      ).finally(() => {
        timer.cancel()
        begun()
      })
    })
  }

  /** What changed while nobody listened is found by reading all lists again. */
  function listenEnded(error: unknown): void {
    if (signal.aborted) return
    const loss = toLoss(error)
    if (loss === undefined && error instanceof McpError && error.code !== 'upstream.timeout') {
      log.debug({ upstream, reason: shown(error.message) }, 'Upstream does not tell of changes')
      return
    }
    failures.listen++
    later(toDelay(failures.listen, RETRY, options.random), () => void listen().then(readAll))
  }

  void listen().then(readAll)
  const [probe] = kinds
  const check = coalesce(clock, REREAD_MS, () => {
    if (probe !== undefined) rereads.get(probe)?.trigger()
  })
  return {
    check: () => check.trigger(),
    stop() {
      stopping.abort()
      check.stop()
      for (const reread of rereads.values()) reread.stop()
      for (const timer of timers) timer.cancel()
      timers.clear()
    },
  }
}

const ACKNOWLEDGED = 'notifications/subscriptions/acknowledged'
/** A storm of changes costs one list a second and kind. */
const REREAD_MS = 1_000
/** How long the lists wait for the listener to be in place. */
const ACK_MS = 2_000
const RETRY = { minDelayMs: 1_000, maxDelayMs: 60_000 }
