import { Histogram } from './histogram.ts'
import { OTHER } from './tally.ts'

/** How long one server took for what, by outcome. */
export interface SentSeries {
  readonly upstream: string
  readonly method: string
  /** The server's own name of the tool or prompt. */
  readonly native: string | undefined
  readonly outcome: string
  readonly took: Histogram
}

/** What was sent to servers on behalf of callers, as `tally.ts` counts what they asked for. */
export class Sent {
  readonly #maxThings: number
  readonly #byUpstream = new Map<string, Map<string, Map<string, Map<string, Histogram>>>>()
  #things = 0

  constructor(maxThings: number) {
    this.#maxThings = maxThings
  }

  /** @param name the server's own, of a tool or prompt that was found in the catalog */
  ended(upstream: string, method: string, name: unknown, outcome: string, ms: number): void {
    const methods = this.#byUpstream.get(upstream) ?? open(this.#byUpstream, upstream)
    const things = methods.get(method) ?? open(methods, method)
    const isThing = typeof name === 'string' && (method === 'tools/call' || method === 'prompts/get')
    const outcomes = this.#outcomesOf(things, isThing ? name : '')
    let histogram = outcomes.get(outcome)
    if (histogram === undefined) {
      histogram = new Histogram()
      outcomes.set(outcome, histogram)
    }
    histogram.record(ms / 1_000)
  }

  *series(): Generator<SentSeries> {
    for (const [upstream, methods] of this.#byUpstream) {
      for (const [method, things] of methods) {
        for (const [name, outcomes] of things) {
          const native = name === '' ? undefined : name
          for (const [outcome, took] of outcomes) yield { upstream, method, native, outcome, took }
        }
      }
    }
  }

  #outcomesOf(things: Map<string, Map<string, Histogram>>, name: string): Map<string, Histogram> {
    const known = things.get(name)
    if (known !== undefined) return known
    if (name !== '' && ++this.#things > this.#maxThings) return things.get(OTHER) ?? open(things, OTHER)
    return open(things, name)
  }
}

function open<T>(within: Map<string, Map<string, T>>, name: string): Map<string, T> {
  const made = new Map<string, T>()
  within.set(name, made)
  return made
}
