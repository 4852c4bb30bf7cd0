import { type Clock, type Handle, mayHoldResources, type Result, sizeOfResult, withMember } from '@crosspoint/mcp'
import type { Destination } from '../catalog/catalog.ts'
import type { Item } from '../catalog/kinds.ts'
import type { View } from '../catalog/view.ts'
import type { CacheRuleConfig, TrafficConfig } from '../config/model-traffic.ts'
import type { Passage } from '../routes/passage.ts'
import { toCacheKey } from './cache-key.ts'
import { hasHint, itemOf } from './hints.ts'
import { Kept } from './kept.ts'
import { toMatch } from './match.ts'
import { PerTool } from './per-tool.ts'
import { watchInterim } from './watched-interim.ts'

/** A result that may be given again, and what must still be as it was. */
interface Answer {
  readonly result: Result
  readonly keptAt: number
  readonly expiresAt: number
  /** The server, and the thing as it listed it: another one may answer otherwise. */
  readonly destination: Destination
  readonly item: Item | undefined
  /** Whose addresses it names. */
  readonly view: View | undefined
}

type Rule = Pick<CacheRuleConfig, 'ttlMs' | 'maxBytes' | 'unsafe'> & ReturnType<typeof toMatch>

/**
 * Gives callers again what they were given before, each its own and nobody else's (PROTOCOL §9). What is kept is a result as
 * it came: large ones are bytes, and nothing of them is read.
 */
export class ResultCache {
  readonly #clock: Clock
  readonly #kept: Kept<Answer>
  readonly #rules: PerTool<readonly Rule[]>
  /** Calls at work of which others wait for the answer, or could. */
  readonly #flights = new Map<string, Promise<Answer | undefined>>()
  #hits = 0
  #misses = 0

  constructor({ rules, maxEntries, maxBytes }: TrafficConfig['cache'], clock: Clock) {
    this.#clock = clock
    this.#kept = new Kept({ maxEntries, maxBytes })
    const compiled = rules.map(({ match, ...rest }): Rule => ({ ...rest, ...toMatch(match) }))
    this.#rules = new PerTool((asked) =>
      CACHEABLE.has(asked.method) ? compiled.filter(({ fits }) => fits(asked)) : [],
    )
  }

  get figures() {
    const { size: entries, bytes } = this.#kept
    return { hits: this.#hits, misses: this.#misses, entries, bytes }
  }

  /** A resource of a server is not what it was. */
  updated(server: string, uri: string): void {
    this.#kept.dropOf(toReadTag(server, uri))
  }

  pass(call: Passage, next: Handle<Passage>): Promise<Result> {
    const rule = this.#rules.of(call).find(({ fitsCaller }) => fitsCaller?.(call.principal) ?? true)
    const item = rule === undefined ? undefined : itemOf(call)
    if (rule === undefined || !(rule.unsafe || isReadOnly(call, item))) return next(call)
    const key = toCacheKey(call)
    if (key === undefined) return next(call)
    const known = this.#kept.get(key)
    if (known !== undefined && this.#isGood(known, call, item)) {
      this.#hits++
      return Promise.resolve(this.#give(known, call))
    }
    const flight = this.#flights.get(key)
    // Who wants to hear of progress needs a call of its own.
    if (flight !== undefined && !call.interim.progress) return this.#join(flight, call, item, next)
    this.#misses++
    return this.#ask(key, rule, item, call, next)
  }

  /** Waits for the same call that is at work; if nothing comes of it, goes its own way. */
  async #join(
    flight: Promise<Answer | undefined>,
    call: Passage,
    item: Item | undefined,
    next: Handle<Passage>,
  ): Promise<Result> {
    const answer = await flight
    if (answer === undefined || !this.#isGood(answer, call, item)) {
      this.#misses++
      return next(call)
    }
    this.#hits++
    return this.#give(answer, call)
  }

  #ask(key: string, rule: Rule, item: Item | undefined, call: Passage, next: Handle<Passage>): Promise<Result> {
    const { interim, hasAsked } = watchInterim(call.interim)
    call.interim = interim
    const answer = next(call)
    let isOver = false
    const end = () => {
      isOver = true
      if (this.#flights.get(key) === flight) this.#flights.delete(key)
    }
    const flight: Promise<Answer | undefined> = answer.then(
      (result) => {
        end()
        return hasAsked() ? undefined : this.#keep(key, rule, item, call, result)
      },
      () => {
        end()
        return undefined
      },
    )
    if (!isOver && !this.#flights.has(key)) this.#flights.set(key, flight)
    return answer
  }

  /** Never an error, a question, a task, nor what nobody waits for any more (abuse-41). */
  #keep(key: string, rule: Rule, item: Item | undefined, call: Passage, result: Result): Answer | undefined {
    const { method, route, view, cancellation } = call
    if (route === undefined || cancellation.isCancelled || result.isError === true) return undefined
    if (result.resultType !== undefined && result.resultType !== 'complete') return undefined
    const ttlMs = toTtl(method, rule, result)
    if (ttlMs <= 0) return undefined
    const bytes = sizeOfResult(result)
    if (bytes > rule.maxBytes) return undefined
    const keptAt = this.#clock.now()
    const { destination } = route
    const answer = {
      result,
      keptAt,
      expiresAt: keptAt + ttlMs,
      destination,
      item,
      view: namesResources(method, result) ? view : undefined,
    }
    const { uri } = route.params
    const tag = method === 'resources/read' ? toReadTag(destination.name, String(uri)) : undefined
    this.#kept.set(key, answer, bytes + key.length, tag)
    return answer
  }

  #isGood({ expiresAt, destination, item: listed, view }: Answer, call: Passage, item: Item | undefined): boolean {
    return (
      this.#clock.now() < expiresAt &&
      destination === call.route?.destination &&
      listed === item &&
      (view === undefined || view === call.view)
    )
  }

  /** Says that it is not new, and how old it is. */
  #give({ result, keptAt }: Answer, call: Passage): Result {
    call.isFromCache = true
    const ageMs = Math.round(this.#clock.now() - keptAt)
    const marked = withMember(result, '_meta', { ...result._meta, [CACHED]: { ageMs } })
    const { ttlMs } = result
    return typeof ttlMs === 'number'
      ? withMember<Result & { ttlMs?: unknown }>(marked, 'ttlMs', Math.max(0, ttlMs - ageMs))
      : marked
  }
}

/** To read a resource, or a prompt, changes nothing; of a tool its server has to say so. */
function isReadOnly({ method }: Passage, item: Item | undefined): boolean {
  return method !== 'tools/call' || hasHint(item, 'readOnlyHint')
}

/** What a server says of how long what was read holds counts, within what the rule allows. */
function toTtl(method: string, { ttlMs = 0 }: Rule, { ttlMs: said }: Result): number {
  if (method !== 'resources/read' || typeof said !== 'number') return ttlMs
  return ttlMs === 0 ? Math.min(said, MAX_SAID_MS) : Math.min(said, ttlMs)
}

function namesResources(method: string, result: Result): boolean {
  if (method === 'resources/read') return true
  return mayHoldResources(result, method === 'tools/call' ? 'content' : 'messages')
}

function toReadTag(server: string, uri: string): string {
  return `${server} ${uri}`
}

const CACHEABLE: ReadonlySet<string> = new Set(['tools/call', 'resources/read', 'prompts/get'])
const CACHED = 'crosspoint/cached'
const MAX_SAID_MS = 24 * 3_600_000
