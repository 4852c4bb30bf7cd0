import type { Work } from '../work.ts'
import type { CharSet } from './char-set.ts'
import { PatternFault, type Place, type Regex } from './parse.ts'

/** A pattern as steps of a machine that is in many states at once. */
export interface Program {
  readonly steps: readonly Step[]
  readonly start: number
  /** Patterns that are asked about a place, innermost first. */
  readonly looks: readonly Look[]
}

export type Step =
  | { readonly does: 'read'; readonly set: CharSet; next: number }
  | { readonly does: 'split'; next: number; other: number }
  | { readonly does: 'place'; readonly place: Place; next: number }
  | { readonly does: 'look'; readonly look: number; next: number }
  | { readonly does: 'match' }

export interface Look {
  readonly program: Program
  /** It reads from the end to the start, and what it looks for is turned round. */
  readonly ahead: boolean
  readonly negated: boolean
}

/**
 * @param work pays for each step
 * @throws {PatternFault} for one that repeats too much to be written out
 */
export function toProgram(regex: Regex, work: Work): Program {
  return build(regex, false, work)
}

function build(regex: Regex, isBackwards: boolean, work: Work): Program {
  const steps: Step[] = []
  const looks: Look[] = []
  const add = <S extends Step>(step: S): number => {
    work.spend(STEP_WORK)
    if (steps.length >= MAX_STEPS) throw new PatternFault(`with its repetitions it is longer than ${MAX_STEPS} steps`)
    return steps.push(step) - 1
  }
  /** Puts a part in front of what comes next. */
  const before = (part: Regex, next: number): number => {
    switch (part.kind) {
      case 'set':
        return add({ does: 'read', set: part.set, next })
      case 'place':
        return add({ does: 'place', place: part.place, next })
      case 'look':
        looks.push({ program: build(part.part, part.ahead, work), ahead: part.ahead, negated: part.negated })
        return add({ does: 'look', look: looks.length - 1, next })
      case 'sequence':
        return isBackwards
          ? part.parts.reduce((then, each) => before(each, then), next)
          : part.parts.reduceRight((then, each) => before(each, then), next)
      case 'choice':
        return part.ways
          .map((way) => before(way, next))
          .reduce((other, way) => add({ does: 'split', next: way, other }))
      case 'repeat':
        return repeated(part, next)
    }
  }
  const repeated = ({ part, min, max }: Regex & { kind: 'repeat' }, next: number): number => {
    let start = next
    if (max === Number.POSITIVE_INFINITY) {
      const loop = { does: 'split' as const, next, other: next }
      start = add(loop)
      loop.other = before(part, start)
    } else {
      for (let times = min; times < max; times++) start = add({ does: 'split', next: before(part, start), other: next })
    }
    for (let times = 0; times < min; times++) start = before(part, start)
    return start
  }
  const start = before(regex, add({ does: 'match' }))
  return { steps, start, looks }
}

/** Steps of a pattern with its repetitions written out. */
const MAX_STEPS = 4_000
/** Work of writing one of them out. */
const STEP_WORK = 3
