import { type Clock, REVISIONS, toRpcCode } from '@crosspoint/mcp'
import type { Entry } from '../catalog/catalog.ts'
import type { Passage } from '../routes/passage.ts'
import { Histogram } from './histogram.ts'

/** What calls are about: one tool or prompt of the catalog, or all that are not, or all of a method that has none. */
export interface Thing {
  /** Undefined where it is no thing of one server. */
  readonly upstream: string | undefined
  /** Its server's own name for it; `_other` for what is none of the catalog, and for those beyond the most. */
  readonly native: string | undefined
  /** Its name in the catalog, whatever a view calls it. */
  readonly name: string | undefined
  /** How long calls took, by outcome and by the revision of their callers. */
  readonly took: ReadonlyMap<string, ReadonlyMap<string, Histogram>>
  /** Answered by what was kept of an answer before. */
  readonly cacheHits: number
}

/** A {@link Thing} as it is counted. */
interface Counted extends Thing {
  readonly took: Map<string, Map<string, Histogram>>
  cacheHits: number
}

/** One method: what has no thing of its own, and what has. */
class MethodTally {
  readonly plain: Counted
  readonly other: Counted
  readonly byUpstream = new Map<string, Map<string, Counted>>()

  constructor() {
    this.plain = toCounted(undefined, undefined, undefined)
    this.other = toCounted(undefined, OTHER, OTHER)
  }
}

export interface TallyOptions {
  readonly clock: Clock
  /** Most tools and prompts that are counted apart, those of all methods together; the others are `_other`. Default 1,000. */
  readonly maxThings?: number
  /** Most outcomes and revisions of all of these together, about 700 bytes each. Default 8,000. */
  readonly maxSeries?: number
}

/**
 * What became of calls and how long they took, counted from the start: a few look-ups with each call, since it is always
 * on. What is counted apart is bounded and of our own words: names of the catalog, never of a caller.
 */
export class Tally {
  /** Milliseconds since 1970. */
  readonly since: number
  maxThings: number
  readonly #maxSeries: number
  readonly #methods = new Map<string, MethodTally>()
  readonly #denials = new Map<string, number>()
  #things = 0
  #series = 0

  constructor({ clock, maxThings = 1_000, maxSeries = 8_000 }: TallyOptions) {
    this.since = clock.wallNow()
    this.maxThings = maxThings
    this.#maxSeries = maxSeries
  }

  /** A call of a caller is over. */
  ended(call: Passage, outcome: string, ms: number): void {
    const known = call.view.methods.has(call.method) ? call.method : OTHER
    let method = this.#methods.get(known)
    if (method === undefined) {
      method = new MethodTally()
      this.#methods.set(known, method)
    }
    const thing = this.#thingOf(method, call)
    if (call.isFromCache) thing.cacheHits++
    const histogram = thing.took.get(outcome)?.get(call.downstream.revision)
    const into = histogram ?? this.#open(method, thing, outcome, call.downstream.revision)
    into.record(ms / 1_000)
    const { decision } = call
    if (decision !== undefined && decision.effect === 'deny') this.#denied(decision.rule ?? DEFAULT_RULE)
  }

  /** By method: {@link OTHER} is all that are none. */
  *things(): Generator<readonly [method: string, thing: Thing]> {
    for (const [name, { plain, other, byUpstream }] of this.#methods) {
      for (const things of byUpstream.values()) for (const thing of things.values()) yield [name, thing]
      for (const thing of [plain, other]) if (thing.took.size > 0) yield [name, thing]
    }
  }

  /** How many calls each rule was against, those it let through on trial included. Rules are names of the configuration. */
  get denials(): ReadonlyMap<string, number> {
    return this.#denials
  }

  #thingOf(method: MethodTally, { method: name, params, view, via }: Passage): Counted {
    const kind = name === 'tools/call' ? 'tools' : name === 'prompts/get' ? 'prompts' : undefined
    if (kind === undefined) return method.plain
    // What a caller may not see is not in its view.
    const entry = via ?? (typeof params.name === 'string' ? view.entries[kind].get(params.name) : undefined)
    if (entry === undefined) return method.other
    return method.byUpstream.get(entry.source.destination.name)?.get(entry.native) ?? this.#add(method, entry)
  }

  #add(method: MethodTally, { source, native, merged, name }: Entry): Counted {
    if (this.#things >= this.maxThings) return method.other
    this.#things++
    const upstream = source.destination.name
    const things = method.byUpstream.get(upstream) ?? new Map<string, Counted>()
    method.byUpstream.set(upstream, things)
    const made = toCounted(upstream, native, merged ?? name)
    things.set(native, made)
    return made
  }

  /** What nobody counted yet; too many, or no outcome or revision of ours, are counted together. */
  #open(method: MethodTally, thing: Counted, said: string, spoken: string): Histogram {
    const outcome = ENDINGS.has(said) || toRpcCode(said) !== undefined ? said : 'complete'
    const revision = REVISION_NAMES.has(spoken) ? spoken : OTHER
    const known = thing.took.get(outcome)?.get(revision)
    if (known !== undefined) return known
    const isFull = this.#series >= this.#maxSeries && thing !== method.other
    if (isFull) return method.other.took.get(outcome)?.get(revision) ?? this.#begin(method.other, outcome, revision)
    return this.#begin(thing, outcome, revision)
  }

  #begin(thing: Counted, outcome: string, revision: string): Histogram {
    this.#series++
    const made = new Histogram()
    const byRevision = thing.took.get(outcome) ?? new Map<string, Histogram>()
    thing.took.set(outcome, byRevision)
    byRevision.set(revision, made)
    return made
  }

  #denied(rule: string): void {
    const before = this.#denials.get(rule)
    if (before !== undefined || this.#denials.size < MAX_RULES) this.#denials.set(rule, (before ?? 0) + 1)
    else this.#denials.set(OTHER, (this.#denials.get(OTHER) ?? 0) + 1)
  }
}

function toCounted(upstream: string | undefined, native: string | undefined, name: string | undefined): Counted {
  return { upstream, native, name, took: new Map(), cacheHits: 0 }
}

/** What has no name of ours. */
export const OTHER = '_other'
const DEFAULT_RULE = 'default'
/** What results say of themselves that we know. */
const ENDINGS: ReadonlySet<string> = new Set(['complete', 'input_required', 'task', 'tool-error'])
const MAX_RULES = 1_000
const REVISION_NAMES: ReadonlySet<string> = new Set(REVISIONS.map(({ name }) => name))
