import type { Clock, Handle, Result, Trace } from '@crosspoint/mcp'
import { toRecordSettings } from '../audit/settings.ts'
import type { AuditConfig } from '../config/model-audit.ts'
import type { MetricsConfig, TelemetryConfig, TracesConfig } from '../config/model-telemetry.ts'
import type { Log } from '../log.ts'
import type { MetricsDoor } from '../node/metrics-door.ts'
import { watchProcess } from '../node/process-figures.ts'
import type { Passage, Route } from '../routes/passage.ts'
import { type Sources, toMetrics } from './metrics.ts'
import { outcomeOf, outcomeOfError } from './outcome.ts'
import { exposeMetrics, later, type OutletOptions, pushMetrics } from './outlets.ts'
import { createSampler } from './sampling.ts'
import { Sent } from './sent.ts'
import { Sessions } from './sessions.ts'
import { isDisabled, toMetricCollector, toResource, toTraceSettings } from './settings.ts'
import type { Span } from './span.ts'
import { SpanQueue, toReason } from './span-queue.ts'
import type { Tally } from './tally.ts'
import { Tracer } from './tracer.ts'

export interface TelemetryOptions extends Pick<Sources, 'traffic' | 'upstreams' | 'listeners' | 'evidence'> {
  readonly tally: Tally
  readonly clock: Clock
  readonly log: Log
  readonly env: Readonly<Record<string, string | undefined>>
  readonly about: { readonly version: string; readonly instance: string }
  readonly ids: { spanId(): string }
}

/** What is configured of it now: nothing of it is loaded, opened or counted where nothing is. */
export class Telemetry {
  readonly #options: TelemetryOptions
  #config: Pick<TelemetryConfig, 'passBaggage'> | undefined
  #tracer: Tracer | undefined
  #spans: SpanQueue | undefined
  #sent: Sent | undefined
  #sessions: Sessions | undefined
  /** Opens what is configured, once; before that nothing is. */
  #open: (() => Promise<Opened>) | undefined
  #opened: Promise<Opened> | undefined
  #isStarted = false
  /** The address of the configuration before is free. */
  #vacated: Promise<void> | undefined
  #metricsUrl: string | undefined
  #lost = { traces: 0, metrics: 0 }

  constructor(options: TelemetryOptions) {
    this.#options = options
  }

  /** Undefined where no spans are made. */
  get tracer(): Tracer | undefined {
    return this.#tracer
  }

  /** Undefined where no metrics are told. */
  get sessions(): Sessions | undefined {
    return this.#sessions
  }

  get passesBaggage(): boolean {
    return this.#config?.passBaggage === true
  }

  /** Where Prometheus can ask, once it can. */
  get metricsUrl(): string | undefined {
    return this.#metricsUrl
  }

  /** Sends a call to a server, and tells of it what is configured. */
  send(call: Passage, route: Route, toCall: (trace: Trace | undefined) => Parameters<Handle>[0]): Promise<Result> {
    const { handle } = route.destination
    const sent = this.#sent
    if (sent === undefined) return this.#traced(call, route, toCall, handle)
    const start = this.#options.clock.now()
    const end = (outcome: string) => {
      const ms = this.#options.clock.now() - start
      sent.ended(route.destination.name, call.method, route.params.name, outcome, ms)
    }
    return this.#traced(call, route, toCall, handle).then(
      (result) => {
        end(outcomeOf(result))
        return result
      },
      (error: unknown) => {
        end(outcomeOfError(error))
        throw error
      },
    )
  }

  #traced(
    call: Passage,
    route: Route,
    toCall: (trace: Trace | undefined) => Parameters<Handle>[0],
    handle: Handle,
  ): Promise<Result> {
    const { trace } = call
    const tracer = this.#tracer
    // The span of the caller's call was begun with flags of ours.
    if (tracer === undefined || trace?.flags !== RECORDED) return handle(toCall(trace))
    const own = { ...trace, spanId: this.#options.ids.spanId() }
    return tracer.send(toCall(own), own, call, route, handle)
  }

  /** Goes over to another configuration; what was not told yet is told where it was to be. */
  apply(config: TelemetryConfig, audit: AuditConfig | undefined): void {
    void this.#end()
    const { tally, env, about } = this.#options
    this.#config = config
    tally.maxThings = config.maxTools
    const { traces, metrics } = isDisabled(env) ? NOTHING : config
    this.#sent = metrics === undefined ? undefined : (this.#sent ?? new Sent(config.maxTools))
    this.#sessions = metrics === undefined ? undefined : (this.#sessions ?? new Sessions(this.#options.clock))
    if (traces === undefined && metrics === undefined) return
    const resource = toResource(config, env, about)
    const ending = traces === undefined ? undefined : this.#record(traces, config, audit, resource)
    const open = async () => {
      const opened: Opened = { closing: ending === undefined ? [] : [ending] }
      if (metrics !== undefined) await this.#tell(metrics, resource, opened)
      // Another configuration may have come meanwhile.
      if (this.#open === open) this.#metricsUrl = opened.door?.url
      return opened
    }
    this.#open = open
    if (this.#isStarted) void this.start()
  }

  /** @returns how it ends */
  #record(
    traces: TracesConfig,
    { uris, content }: TelemetryConfig,
    audit: AuditConfig | undefined,
    resource: OutletOptions['resource'],
  ): () => Promise<void> {
    const { env, clock, log } = this.#options
    const settings = toTraceSettings(traces, env)
    const load = later(async () => (await import('./otel.ts')).openTraceExport(settings, resource))
    const tell = async (batch: readonly Span[]) => (await load()).tell(batch)
    const spans = new SpanQueue({ tell, maxWaiting: traces.maxWaiting, clock, log })
    this.#spans = spans
    this.#tracer = new Tracer({
      sampler: createSampler(settings.sample, settings.parentBased),
      take: (span) => spans.add(span),
      clock,
      uris,
      content: content ? toRecordSettings(audit ?? NO_AUDIT) : undefined,
    })
    return async () => {
      await spans.flush()
      await (await load()).close()
    }
  }

  async #tell(metrics: MetricsConfig, resource: OutletOptions['resource'], opened: Opened): Promise<void> {
    const { tally, env, clock, log } = this.#options
    const process = watchProcess()
    const read = () => toMetrics(this.#sources(process.read))
    const options: OutletOptions = { resource, read, since: tally.since, clock, log }
    opened.closing.push(async () => process.stop())
    if (metrics.prometheus !== undefined) opened.door = await exposeMetrics(metrics.prometheus, options)
    const collector = toMetricCollector(metrics, env)
    if (collector === undefined) return
    try {
      opened.closing.push(await pushMetrics(collector, metrics.intervalMs, options, () => this.#lost.metrics++))
    } catch (error) {
      log.error({ reason: toReason(error) }, 'Metrics cannot be told: what writes them could not be loaded')
    }
  }

  /** Opens what is configured. Never rejects: what cannot be opened is said in the log, and calls go on. */
  async start(): Promise<void> {
    this.#isStarted = true
    const open = this.#open
    if (open !== undefined) this.#opened ??= this.#vacated === undefined ? open() : this.#vacated.then(open)
    await this.#opened
  }

  /** Tells what waits, for `graceMs` at most. */
  async close(graceMs: number): Promise<void> {
    this.#isStarted = false
    const ending = this.#end()
    this.#tracer = undefined
    await new Promise<void>((resolve) => {
      const timer = this.#options.clock.setTimer(graceMs, resolve)
      void ending.finally(() => {
        timer.cancel()
        resolve()
      })
    })
  }

  async #end(): Promise<void> {
    const [opened, spans] = [this.#opened, this.#spans]
    this.#open = undefined
    this.#opened = undefined
    this.#tracer = undefined
    this.#spans = undefined
    this.#metricsUrl = undefined
    if (opened === undefined) return
    // Whoever comes next may want the same address, and does not wait for a collector.
    this.#vacated = opened.then(({ door }) => door?.close())
    const { closing } = await opened
    // Its end is what was wanted.
    await Promise.all([this.#vacated, ...closing.map((close) => close().catch(() => {}))])
    this.#lost.traces += spans?.lost ?? 0
  }

  #sources(process: Sources['process']): Sources {
    const { tally, traffic, upstreams, listeners, evidence, clock } = this.#options
    return {
      tally,
      sent: this.#sent ?? new Sent(0),
      sessions: this.#sessions ?? new Sessions(clock),
      traffic,
      upstreams,
      listeners,
      evidence,
      process,
      lost: () => ({ ...this.#lost, traces: this.#lost.traces + (this.#spans?.lost ?? 0) }),
    }
  }
}

/** What was opened, and how it ends. */
interface Opened {
  readonly closing: (() => Promise<void>)[]
  door?: MetricsDoor | undefined
}

const NOTHING: Pick<TelemetryConfig, 'traces' | 'metrics'> = {}
/** Where no evidence is kept, what looks like a secret stays out all the same. */
const NO_AUDIT: Parameters<typeof toRecordSettings>[0] = Object.freeze({
  content: 'full',
  contentFor: [],
  redact: [],
  maxContentLength: 16_384,
  results: 'none',
} as const)
/** The flags of a trace that is recorded. */
export const RECORDED = '01'
