import { Overrun, type Run, spend } from '../run.ts'
import type { Work } from '../work.ts'
import { Automaton } from './automaton.ts'
import { isLinear } from './native.ts'
import { PatternFault, parsePattern } from './parse.ts'
import { type Program, toProgram } from './program.ts'
import { isMatch } from './simulate.ts'

/** Whether a text matches a pattern somewhere. It pays for the work by the steps of the check. */
export type Matcher = (text: string, run: Run) => boolean

/** The patterns of one schema, each compiled once, and what they may take together. */
export class Patterns {
  readonly #work: Work
  readonly #matchers = new Map<string, Matcher>()
  /** How many more may be left to the platform. */
  #natives = MAX_NATIVES

  constructor(work: Work) {
    this.#work = work
  }

  /**
   * A pattern (ECMA-262, flag `u`) as a function that takes linear time, whatever the pattern. Those that the
   * platform's engine matches in linear time are left to it; the others are simulated. Both give the same answers.
   * @returns why it is refused, as half a sentence, for what is no pattern, too long, or has back references
   * @throws {JsonSchemaError} when compiling the schema takes too much
   */
  matcherOf(source: string): Matcher | string {
    const known = this.#matchers.get(source)
    if (known !== undefined) return known
    if (source.length > MAX_LENGTH) return `it has more than ${MAX_LENGTH} characters`
    try {
      const matcher = this.#compile(source)
      this.#matchers.set(source, matcher)
      return matcher
    } catch (error) {
      if (error instanceof PatternFault) return error.message
      throw error
    }
  }

  #compile(source: string): Matcher {
    this.#work.spend(PATTERN_WORK + source.length * CHARACTER_WORK)
    const regex = parsePattern(source)
    const native =
      source.length <= MAX_ANALYSED && this.#natives > 0 && isLinear(regex, this.#work) ? toNative(source) : undefined
    if (native !== undefined) {
      this.#natives--
      this.#work.spend(NATIVE_WORK)
      return leftToPlatform(native)
    }
    return simulated(toProgram(regex, this.#work), this.#work)
  }
}

function toNative(source: string): RegExp | undefined {
  try {
    return new RegExp(source, 'u')
  } catch {
    // We understand more than the flag `u` allows.
    return undefined
  }
}

function leftToPlatform(native: RegExp): Matcher {
  return (text, run) => {
    spend(run, 6 + (text.length >> 3))
    try {
      return native.test(text)
    } catch (error) {
      // Its stack is bounded, and a text of many megabytes may need more.
      throw new Overrun('The pattern needs too much room', { cause: error })
    }
  }
}

function simulated(program: Program, work: Work): Matcher {
  const automaton = Automaton.of(program, work)
  if (automaton === undefined) return (text, run) => isMatch(program, text, run)
  return (text, run) => automaton.isMatch(text, run)
}

const MAX_LENGTH = 2_000
/** Longer patterns are simulated without asking whether they need to be. */
const MAX_ANALYSED = 200
/** The platform makes code of each while it is used, which nobody counts. */
const MAX_NATIVES = 100

/** Work of one pattern, besides what its length takes. */
const PATTERN_WORK = 30
const CHARACTER_WORK = 3
const NATIVE_WORK = 200
