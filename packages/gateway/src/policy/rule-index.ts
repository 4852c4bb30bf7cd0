import type { Rule } from './rule.ts'
import type { Target } from './target.ts'

/**
 * Finds the rules that might be about a thing without asking all of them: by the text of their patterns before the first
 * `*`, with which the name must begin. There may be thousands of rules, and of things.
 */
export class RuleIndex {
  readonly #places = new Map<string, number[]>()
  /** How long those beginnings are. */
  readonly #lengths = new Set<number>()

  /** @param at its place; added in this order */
  add(at: number, { subjects, patterns }: Rule): void {
    for (const subject of subjects) {
      for (const pattern of patterns[subject] ?? ANY) {
        const star = pattern.indexOf('*')
        const beginning = star === -1 ? pattern : pattern.slice(0, star)
        this.#lengths.add(beginning.length)
        const key = `${subject} ${beginning}`
        const places = this.#places.get(key)
        if (places === undefined) this.#places.set(key, [at])
        else if (places.at(-1) !== at) places.push(at)
      }
    }
  }

  /** Visits the places of rules in order, each once. */
  visit({ subject, name, plain }: Target, visitor: (at: number) => void): void {
    const groups: (readonly number[])[] = []
    for (const text of name === plain ? [name] : [name, plain]) {
      for (const length of this.#lengths) {
        const places = length > text.length ? undefined : this.#places.get(`${subject} ${text.slice(0, length)}`)
        if (places !== undefined) groups.push(places)
      }
    }
    const [only] = groups
    if (only !== undefined && groups.length === 1) {
      for (const at of only) visitor(at)
      return
    }
    const next = groups.map(() => 0)
    for (;;) {
      let least = Number.POSITIVE_INFINITY
      for (let g = 0; g < groups.length; g++) least = Math.min(least, groups[g]?.[next[g] ?? 0] ?? least)
      if (least === Number.POSITIVE_INFINITY) return
      for (let g = 0; g < groups.length; g++) if (groups[g]?.[next[g] ?? 0] === least) next[g] = (next[g] ?? 0) + 1
      visitor(least)
    }
  }
}

const ANY: readonly string[] = ['*']
