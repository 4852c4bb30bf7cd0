import type { Facts, Told } from './facts.ts'

/**
 * What conditions may cost that look through lists. Each item that is looked at may cost as much as all there is to be
 * looked at: a text may be searched for it. So what counts is how many are looked at, times how much there is. Everything
 * else in a condition takes time that grows no faster than the call.
 */
export class Budget {
  #facts: Facts | Told = {}
  #left = 0
  #weight = 0

  /** From here on conditions are asked about this, all together. */
  begin(facts: Facts | Told): void {
    this.#facts = facts
    this.#left = MAX_COST
    this.#weight = 0
  }

  /** @throws where a list is too long to be looked through */
  look<T>(collection: T): T {
    if (this.#weight === 0) this.#weight = weigh(this.#facts)
    this.#left -= (1 + sizeOf(collection)) * this.#weight
    if (this.#left < 0) throw new Error('There is too much to look through')
    return collection
  }
}

function sizeOf(collection: unknown): number {
  if (Array.isArray(collection)) return collection.length
  return typeof collection === 'object' && collection !== null ? Object.keys(collection).length : 0
}

/** Characters, and 32 for each value: what a comparison takes. Without recursion, as it is a caller who says how deep it is. */
function weigh({ arguments: given, principal, tool, resource, result }: Facts | Told): number {
  const waiting: unknown[] = [given, principal?.claims, principal?.roles, tool?.annotations, resource?.annotations]
  if (result !== undefined) waiting.push(result.text, result.structured)
  let weight = LEAST
  while (waiting.length > 0 && weight < MAX_COST) {
    const next = waiting.pop()
    weight += typeof next === 'string' ? next.length : 32
    if (Array.isArray(next)) for (const item of next) waiting.push(item)
    else if (typeof next === 'object' && next !== null) for (const value of Object.values(next)) waiting.push(value)
  }
  return weight
}

const LEAST = 1_000
/** A list of some 2,700 texts of a hundred characters can be looked through once. */
const MAX_COST = 1_000_000_000
