import type { Work } from '../work.ts'
import { areApart, type CharSet, NONE, unionOf } from './char-set.ts'
import type { Regex } from './parse.ts'

/**
 * Whether the platform's own engine takes linear time for a pattern. It goes back to every choice it made. So at every
 * character at most one choice may lead on (Brüggemann-Klein 1993: the expression is deterministic), and it must be
 * bound to the start of the text or be short: otherwise it begins again at every character.
 * @param work pays for finding out
 * @returns false too for a pattern of which this would take long to say
 */
export function isLinear(regex: Regex, work: Work): boolean {
  if (!isAnchored(regex) && maxLength(regex) > MAX_UNANCHORED) return false
  try {
    return new Analysis(work).isDeterministic(regex, NONE)
  } catch (error) {
    if (error === TOO_LONG) return false
    throw error
  }
}

/** Which characters each part may begin with, and be followed by. Sets grow with the pattern, so what is done is counted. */
class Analysis {
  readonly #work: Work
  #left = MAX_WORK
  readonly #firsts = new Map<Regex, CharSet>()
  readonly #nullables = new Map<Regex, boolean>()

  constructor(work: Work) {
    this.#work = work
  }

  /** @param follow characters that may come after this part */
  isDeterministic(regex: Regex, follow: CharSet): boolean {
    switch (regex.kind) {
      case 'set':
        return regex.set.properties.length === 0
      case 'place':
        return true
      case 'look':
        return false
      case 'sequence':
        return this.#isSequenceDeterministic(regex.parts, follow)
      case 'choice':
        return this.#isChoiceClear(regex.ways, follow) && regex.ways.every((way) => this.isDeterministic(way, follow))
      case 'repeat': {
        const { part, min, max } = regex
        if (this.#isNullable(part)) return false
        const first = this.#firstOf(part)
        const mayStop = min !== max
        if (mayStop && !this.#areApart([first, follow])) return false
        return this.isDeterministic(part, max > 1 ? this.#unionOf([first, follow]) : follow)
      }
    }
  }

  /** From the end, where what follows is known. */
  #isSequenceDeterministic(parts: readonly Regex[], follow: CharSet): boolean {
    let after = follow
    for (const part of parts.toReversed()) {
      if (!this.isDeterministic(part, after)) return false
      const first = this.#firstOf(part)
      after = this.#isNullable(part) ? this.#unionOf([first, after]) : first
    }
    return true
  }

  #isChoiceClear(ways: readonly Regex[], follow: CharSet): boolean {
    const firsts = ways.map((way) => this.#firstOf(way))
    const nullable = ways.filter((way) => this.#isNullable(way)).length
    if (nullable > 1) return false
    return this.#areApart(nullable === 0 ? firsts : [...firsts, follow])
  }

  #firstOf(regex: Regex): CharSet {
    const known = this.#firsts.get(regex)
    if (known !== undefined) return known
    const first = this.#findFirst(regex)
    this.#firsts.set(regex, first)
    return first
  }

  #findFirst(regex: Regex): CharSet {
    switch (regex.kind) {
      case 'set':
        return regex.set
      case 'place':
      case 'look':
        return NONE
      case 'sequence': {
        const end = regex.parts.findIndex((part) => !this.#isNullable(part))
        const begins = end === -1 ? regex.parts : regex.parts.slice(0, end + 1)
        return this.#unionOf(begins.map((part) => this.#firstOf(part)))
      }
      case 'choice':
        return this.#unionOf(regex.ways.map((way) => this.#firstOf(way)))
      case 'repeat':
        return regex.max === 0 ? NONE : this.#firstOf(regex.part)
    }
  }

  #isNullable(regex: Regex): boolean {
    const known = this.#nullables.get(regex)
    if (known !== undefined) return known
    const nullable = this.#findNullable(regex)
    this.#nullables.set(regex, nullable)
    return nullable
  }

  #findNullable(regex: Regex): boolean {
    switch (regex.kind) {
      case 'set':
        return false
      case 'place':
      case 'look':
        return true
      case 'sequence':
        return regex.parts.every((part) => this.#isNullable(part))
      case 'choice':
        return regex.ways.some((way) => this.#isNullable(way))
      case 'repeat':
        return regex.min === 0 || this.#isNullable(regex.part)
    }
  }

  #unionOf(sets: readonly CharSet[]): CharSet {
    this.#spend(sets)
    return unionOf(sets)
  }

  #areApart(sets: readonly CharSet[]): boolean {
    this.#spend(sets)
    return areApart(sets)
  }

  #spend(sets: readonly CharSet[]): void {
    let spent = 0
    for (const { ranges } of sets) spent += 1 + ranges.length
    this.#work.spend(spent)
    this.#left -= spent
    if (this.#left < 0) throw TOO_LONG
  }
}

function isAnchored(regex: Regex): boolean {
  switch (regex.kind) {
    case 'place':
      return regex.place === 'start'
    case 'sequence':
      return regex.parts[0] !== undefined && isAnchored(regex.parts[0])
    case 'choice':
      return regex.ways.every(isAnchored)
    default:
      return false
  }
}

/** Most characters one match takes. */
function maxLength(regex: Regex): number {
  switch (regex.kind) {
    case 'set':
      return 1
    case 'place':
    case 'look':
      return 0
    case 'sequence':
      return regex.parts.reduce((sum, part) => sum + maxLength(part), 0)
    case 'choice':
      return Math.max(...regex.ways.map(maxLength))
    case 'repeat':
      return regex.max === 0 ? 0 : maxLength(regex.part) * regex.max
  }
}

const MAX_UNANCHORED = 64
/** Sets and ranges looked at for one pattern: people's patterns need some dozens. */
const MAX_WORK = 1_000
const TOO_LONG = new Error('The pattern takes long to analyse')
