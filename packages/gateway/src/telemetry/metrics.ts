import { toRpcCode } from '@crosspoint/mcp'
import { cleaned } from '../audit/text.ts'
import type { UpstreamStatus } from '../status.ts'
import type { TrafficFigure } from '../traffic/traffic.ts'
import { isFailure } from './figures.ts'
import type { Histogram } from './histogram.ts'
import type { Attributes, MetricName } from './names.ts'
import type { Sent } from './sent.ts'
import type { Sessions } from './sessions.ts'
import type { Tally, Thing } from './tally.ts'

/** One value of a metric at one moment. */
export interface Point {
  readonly attributes: Attributes
  readonly value: number | Histogram
}

export type Metrics = ReadonlyMap<MetricName, readonly Point[]>

/** Of the chain of evidence that is written now. */
export interface EvidenceFigures {
  readonly waiting: number
  readonly lost: number
  readonly appends: number
  readonly appendMs: number
}

/** Of this process. */
export interface ProcessFigures {
  readonly userSeconds: number
  readonly systemSeconds: number
  readonly memoryBytes: number
  readonly uptimeSeconds: number
  /** How late timers are, in seconds. */
  readonly delay: { readonly p50: number; readonly p99: number; readonly max: number }
}

/** Where figures are that are read when somebody asks, and cost nothing until then. */
export interface Sources {
  readonly tally: Tally
  readonly sent: Sent
  readonly sessions: Sessions
  readonly traffic: () => readonly TrafficFigure[]
  readonly upstreams: () => readonly UpstreamStatus[]
  readonly listeners: () => number
  readonly evidence: () => EvidenceFigures | undefined
  readonly process: () => ProcessFigures
  /** What a collector did not take, by signal. */
  readonly lost: () => Readonly<Record<'traces' | 'metrics', number>>
}

/** Everything there is to tell at this moment. Nothing in it names a caller, or is in a caller's words. */
export function toMetrics(sources: Sources): Metrics {
  const metrics = new Map<MetricName, Point[]>()
  const add = (name: MetricName, value: Point['value'], attributes: Attributes = {}) => {
    const points = metrics.get(name)
    if (points === undefined) metrics.set(name, [{ attributes, value }])
    else points.push({ attributes, value })
  }
  addCalls(sources.tally, add)
  for (const { upstream, method, native, outcome, took } of sources.sent.series()) {
    const attributes = toThing(method, native)
    add('mcp.client.operation.duration', took, {
      ...attributes,
      'crosspoint.upstream': upstream,
      ...toOutcome(outcome),
    })
  }
  for (const [version, took] of sources.sessions.ended) {
    add('mcp.server.session.duration', took, { 'mcp.protocol.version': version })
  }
  for (const { version, transport, took } of sources.sessions.connectionsEnded()) {
    const attributes = { 'mcp.protocol.version': version, 'network.transport': transport } as const
    add('mcp.client.session.duration', took, attributes)
  }
  add('crosspoint.sessions', sources.sessions.open)
  for (const [transport, open] of sources.sessions.connections) {
    add('crosspoint.upstream.connections', open, { 'network.transport': transport })
  }
  add('crosspoint.listeners', sources.listeners())
  for (const { name, state, restarts } of sources.upstreams()) {
    add('crosspoint.upstream.state', 1, { 'crosspoint.upstream': name, 'crosspoint.state': state })
    add('crosspoint.upstream.restarts', restarts, { 'crosspoint.upstream': name })
  }
  for (const figure of sources.traffic()) addTraffic(figure, add)
  addEvidence(sources.evidence(), add)
  for (const [signal, lost] of Object.entries(sources.lost())) {
    add('crosspoint.telemetry.lost', lost, { 'crosspoint.signal': signal })
  }
  addProcess(sources.process(), add)
  return metrics
}

type Add = (name: MetricName, value: Point['value'], attributes?: Attributes) => void

function addCalls(tally: Tally, add: Add): void {
  for (const [method, thing] of tally.things()) {
    const about = { ...toThing(method, thing.name), ...toUpstream(thing) }
    for (const [outcome, byRevision] of thing.took) {
      let count = 0
      for (const [revision, took] of byRevision) {
        count += took.count
        const attributes = { ...about, ...toOutcome(outcome), 'mcp.protocol.version': revision }
        add('mcp.server.operation.duration', took, attributes)
      }
      if (method !== 'tools/call') continue
      const { 'gen_ai.tool.name': tool } = about
      const attributes = { ...toUpstream(thing), 'crosspoint.outcome': outcome }
      add('crosspoint.calls', count, tool === undefined ? attributes : { ...attributes, 'gen_ai.tool.name': tool })
    }
    const { 'gen_ai.operation.name': _, ...plain } = about
    if (thing.cacheHits > 0) add('crosspoint.cached', thing.cacheHits, plain)
  }
  for (const [rule, count] of tally.denials) {
    add('crosspoint.policy.denials', count, { 'crosspoint.rule': cleaned(rule) })
  }
}

/** Names of traffic, and what they are called here. */
const TRAFFIC: Readonly<Record<string, MetricName>> = {
  counter_keys: 'crosspoint.counter.keys',
  door_refused: 'crosspoint.door.refused',
  limit_passed: 'crosspoint.limit.passed',
  limit_refused: 'crosspoint.limit.refused',
  calls_inside: 'crosspoint.queue.inside',
  calls_waiting: 'crosspoint.queue.waiting',
  calls_shed: 'crosspoint.queue.shed',
  calls_waited_seconds: 'crosspoint.queue.wait.time',
  cache_hits: 'crosspoint.cache.hits',
  cache_misses: 'crosspoint.cache.misses',
  cache_entries: 'crosspoint.cache.entries',
  cache_bytes: 'crosspoint.cache.size',
  breaker_open: 'crosspoint.breaker.open',
  breaker_refused: 'crosspoint.breaker.refused',
  retried: 'crosspoint.retries',
}

function addTraffic({ name, labels, value }: TrafficFigure, add: Add): void {
  const told = TRAFFIC[name]
  if (told === undefined) return
  const { limit, kind, upstream } = labels
  add(told, value, {
    ...(limit === undefined ? {} : { 'crosspoint.limit': limit }),
    ...(kind === undefined ? {} : { 'crosspoint.limit.kind': kind }),
    ...(upstream === undefined ? {} : { 'crosspoint.upstream': upstream }),
  })
}

function addEvidence(figures: EvidenceFigures | undefined, add: Add): void {
  if (figures === undefined) return
  add('crosspoint.audit.waiting', figures.waiting)
  add('crosspoint.audit.lost', figures.lost)
  add('crosspoint.store.appends', figures.appends)
  add('crosspoint.store.append.time', figures.appendMs / 1_000)
}

function addProcess({ userSeconds, systemSeconds, memoryBytes, uptimeSeconds, delay }: ProcessFigures, add: Add): void {
  add('process.cpu.time', userSeconds, { 'cpu.mode': 'user' })
  add('process.cpu.time', systemSeconds, { 'cpu.mode': 'system' })
  add('process.memory.usage', memoryBytes)
  add('process.uptime', uptimeSeconds)
  add('nodejs.eventloop.delay.p50', delay.p50)
  add('nodejs.eventloop.delay.p99', delay.p99)
  add('nodejs.eventloop.delay.max', delay.max)
}

/** @param name of a tool or prompt, in words of the catalog or of a server */
export function toThing(method: string, name: string | undefined): Attributes {
  const about: Attributes = { 'mcp.method.name': method }
  if (method === 'tools/call') about['gen_ai.operation.name'] = 'execute_tool'
  if (name === undefined) return about
  if (method === 'tools/call') about['gen_ai.tool.name'] = cleaned(name)
  else if (method === 'prompts/get') about['gen_ai.prompt.name'] = cleaned(name)
  return about
}

function toUpstream({ upstream }: Thing): Attributes {
  return upstream === undefined ? {} : { 'crosspoint.upstream': upstream }
}

/** In words of the field, beside our own. */
export function toOutcome(outcome: string, rpc?: number): Attributes {
  if (outcome === 'tool-error') return { 'crosspoint.outcome': outcome, 'error.type': 'tool_error' }
  if (!isFailure(outcome)) return { 'crosspoint.outcome': outcome }
  const code = String(rpc ?? toRpcCode(outcome) ?? INTERNAL)
  return { 'crosspoint.outcome': outcome, 'error.type': code, 'rpc.response.status_code': code }
}

const INTERNAL = -32603
