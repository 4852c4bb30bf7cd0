import { Histogram } from './histogram.ts'
import { OTHER, type Tally, type Thing } from './tally.ts'

/** How long calls took, in milliseconds; quantiles are within a quarter of what they say. */
export interface LatencyFigures {
  readonly mean: number
  readonly p50: number
  readonly p95: number
  readonly p99: number
  readonly max: number
}

export interface CallFigures {
  /** All that have ended, refused ones among them. */
  readonly calls: number
  /** Those of them that failed, by outcome: a code of our errors such as `upstream.timeout`, or `tool-error`. */
  readonly errors: Readonly<Record<string, number>>
  /** Those of `errors` that a rule of ours refused: what is `policy.…`. */
  readonly refused: number
  /** Answered by what was kept of an answer before. */
  readonly cacheHits: number
  readonly latencyMs: LatencyFigures
}

export interface ToolFigures extends CallFigures {
  /** The server, by its name here; empty together with `_other`. */
  readonly upstream: string
  /** The server's own name for it; `_other` for what nobody has, and for tools beyond the most that are counted apart. */
  readonly tool: string
  /** Its name in the catalog, whatever a view calls it. */
  readonly name: string
}

export interface MethodFigures extends CallFigures {
  /** `_other` for what is none here. */
  readonly method: string
}

/** What became of calls since the gateway was made. Nothing in it names a caller, or is in a caller's words. */
export interface GatewayFigures {
  /** ISO 8601. */
  readonly since: string
  /** Those that were called, in the order of their first call. */
  readonly tools: readonly ToolFigures[]
  readonly methods: readonly MethodFigures[]
}

export function toFigures(tally: Tally): GatewayFigures {
  const tools: ToolFigures[] = []
  const methods = new Map<string, Thing[]>()
  for (const [method, thing] of tally.things()) {
    const known = methods.get(method)
    if (known === undefined) methods.set(method, [thing])
    else known.push(thing)
    if (method !== 'tools/call') continue
    const { upstream = '', native: tool = OTHER, name = OTHER } = thing
    tools.push({ upstream, tool, name, ...toCallFigures([thing]) })
  }
  return {
    since: new Date(tally.since).toISOString(),
    tools,
    methods: [...methods].map(([method, things]) => ({ method, ...toCallFigures(things) })),
  }
}

function toCallFigures(things: readonly Thing[]): CallFigures {
  const all = new Histogram()
  const errors: Record<string, number> = {}
  let refused = 0
  let cacheHits = 0
  for (const thing of things) {
    cacheHits += thing.cacheHits
    for (const [outcome, byRevision] of thing.took) {
      for (const histogram of byRevision.values()) {
        all.add(histogram)
        if (!isFailure(outcome)) continue
        errors[outcome] = (errors[outcome] ?? 0) + histogram.count
        if (outcome.startsWith('policy.')) refused += histogram.count
      }
    }
  }
  return { calls: all.count, errors, refused, cacheHits, latencyMs: toLatency(all) }
}

/** Whether an outcome is an error, of ours, of a server, or of a tool. */
export function isFailure(outcome: string): boolean {
  return outcome === TOOL_ERROR || outcome.includes('.')
}

function toLatency(all: Histogram): LatencyFigures {
  const toMs = (seconds = 0) => Math.round(seconds * 100_000) / 100
  return {
    mean: toMs(all.count === 0 ? 0 : all.sum / all.count),
    p50: toMs(all.quantile(0.5)),
    p95: toMs(all.quantile(0.95)),
    p99: toMs(all.quantile(0.99)),
    max: toMs(all.max),
  }
}

const TOOL_ERROR = 'tool-error'
