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

  /** Places of rules, in order, each once. */
  about({ subject, name, plain }: Target): readonly number[] {
    const found: number[] = []
    for (const text of name === plain ? [name] : [name, plain]) {
      for (const length of this.#lengths) {
        if (length > text.length) continue
        const places = this.#places.get(`${subject} ${text.slice(0, length)}`)
        if (places !== undefined) for (const at of places) found.push(at)
      }
    }
    return found.sort((one, other) => one - other).filter((at, index) => at !== found[index - 1])
  }
}

const ANY: readonly string[] = ['*']
