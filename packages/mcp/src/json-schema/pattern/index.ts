import { Overrun, type Run, spend } from '../run.ts'
import { Automaton } from './automaton.ts'
import { isLinear } from './native.ts'
import { PatternFault, parsePattern } from './parse.ts'
import { type Program, toProgram } from './program.ts'
import { isMatch } from './simulate.ts'

/** Whether a text matches a pattern somewhere. It pays for the work by the steps of the check. */
export type Matcher = (text: string, run: Run) => boolean

/** What all patterns of one schema may take together, counted down. */
export interface PatternRoom {
  characters: number
  steps: number
}

export function patternRoom(): PatternRoom {
  return { characters: MAX_CHARACTERS, steps: MAX_STEPS }
}

/**
 * A pattern (ECMA-262, flag `u`) as a function that takes linear time, whatever the pattern. Those that the platform's
 * engine matches in linear time are left to it; the others are simulated. Both give the same answers.
 * @returns why it is refused, as half a sentence, for what is no pattern, too long, or has back references
 */
export function compilePattern(source: string, room: PatternRoom): Matcher | string {
  if (source.length > MAX_LENGTH) return `it has more than ${MAX_LENGTH} characters`
  room.characters -= source.length
  if (room.characters < 0) return `the patterns of a schema have at most ${MAX_CHARACTERS} characters`
  try {
    const regex = parsePattern(source)
    const native = source.length <= MAX_ANALYSED && isLinear(regex) ? toNative(source) : undefined
    return native === undefined ? simulated(toProgram(regex, room)) : leftToPlatform(native)
  } catch (error) {
    if (error instanceof PatternFault) return error.message
    throw error
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

function simulated(program: Program): Matcher {
  const automaton = Automaton.of(program)
  if (automaton === undefined) return (text, run) => isMatch(program, text, run)
  return (text, run) => automaton.isMatch(text, run)
}

const MAX_LENGTH = 2_000
/** Longer patterns are simulated without asking whether they need to be. */
const MAX_ANALYSED = 200
const MAX_CHARACTERS = 100_000
/** Steps of all programs, with repetitions written out. */
const MAX_STEPS = 20_000
