import { type Run, spend } from '../run.ts'
import { hasChar, WORD } from './char-set.ts'
import type { Place } from './parse.ts'
import type { Program, Step } from './program.ts'

/**
 * Whether a pattern matches somewhere in a text. Time is the length of the text times that of the program, at most,
 * for every pattern (Thompson 1968): each step is entered once at each character, whichever way leads there.
 * @param run pays for every step that is entered
 */
export function isMatch(program: Program, text: string, run: Run): boolean {
  let found = false
  sweep(program, text, false, run, () => {
    found = true
    return true
  })
  return found
}

/** Where in the text a look-around holds, by place. Each is found in one sweep over the whole text. */
function placesOf(program: Program, text: string, isBackwards: boolean, run: Run): Uint8Array {
  spend(run, text.length >> 4)
  const holds = new Uint8Array(text.length + 1)
  sweep(program, text, isBackwards, run, (at) => {
    holds[at] = 1
    return false
  })
  return holds
}

/**
 * Reads the text once, in all states at once, beginning anew at every place.
 * @param matched told of every place where a match ends; true stops
 */
function sweep(program: Program, text: string, isBackwards: boolean, run: Run, matched: (at: number) => boolean): void {
  spend(run, SWEEP_STEPS + (program.steps.length >> 2))
  const looks = program.looks.map(({ program: inner, ahead }) => placesOf(inner, text, ahead, run))
  const { steps } = program
  const enteredAt = new Int32Array(steps.length).fill(-1)
  let current: number[] = []
  let next: number[] = []
  let hasMatched = false
  let entered = 0
  let asked = 0
  const pending: number[] = []

  const enter = (start: number, at: number, into: number[]): void => {
    pending.push(start)
    for (let index = pending.pop(); index !== undefined; index = pending.pop()) {
      if (enteredAt[index] === at) continue
      enteredAt[index] = at
      entered++
      const step = steps[index] as Step // every index was given out with its step
      if (step.does === 'read') into.push(index)
      else if (step.does === 'match') hasMatched = true
      else if (step.does === 'split') pending.push(step.other, step.next)
      else if (step.does === 'place' ? isAt(step.place, text, at) : holdsAt(program, looks, step.look, at)) {
        pending.push(step.next)
      }
    }
  }

  let at = isBackwards ? text.length : 0
  for (;;) {
    enter(program.start, at, current)
    if (hasMatched && matched(at)) return
    hasMatched = false
    const codePoint = isBackwards ? codePointBefore(text, at) : text.codePointAt(at)
    if (codePoint === undefined) return
    const width = codePoint > 0xffff ? 2 : 1
    at += isBackwards ? -width : width
    for (const index of current) {
      const step = steps[index] as Step // as above
      if (step.does !== 'read') continue
      asked += step.set.asks
      if (hasChar(step.set, codePoint)) enter(step.next, at, next)
    }
    spend(run, 6 + 3 * current.length + 2 * entered + asked * ASK_STEPS)
    entered = 0
    asked = 0
    ;[current, next] = [next, current]
    next.length = 0
  }
}

function holdsAt(program: Program, looks: readonly Uint8Array[], look: number, at: number): boolean {
  return (looks[look]?.[at] === 1) !== program.looks[look]?.negated
}

function isAt(place: Place, text: string, at: number): boolean {
  if (place === 'start') return at === 0
  if (place === 'end') return at === text.length
  const isEdge = isWord(text, at - 1) !== isWord(text, at)
  return isEdge === (place === 'word edge')
}

function isWord(text: string, at: number): boolean {
  const unit = at >= 0 && at < text.length ? text.charCodeAt(at) : 0
  return unit < 128 && IS_WORD[unit] === 1
}

const IS_WORD = Uint8Array.from({ length: 128 }, (_, codePoint) => Number(hasChar(WORD, codePoint)))

function codePointBefore(text: string, at: number): number | undefined {
  if (at === 0) return undefined
  const unit = text.charCodeAt(at - 1)
  const isLow = unit >= 0xdc00 && unit < 0xe000
  const high = isLow && at > 1 ? text.charCodeAt(at - 2) : 0
  return high >= 0xd800 && high < 0xdc00 ? text.codePointAt(at - 2) : unit
}

/** What beginning a sweep costs. */
const SWEEP_STEPS = 128
/** What asking the platform about one character costs. */
const ASK_STEPS = 4
