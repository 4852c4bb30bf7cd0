import { type Run, spend } from '../run.ts'
import type { Work } from '../work.ts'
import { hasChar, MAX_CODE_POINT } from './char-set.ts'
import type { Program, Step } from './program.ts'

/** Many states of a program as one, with where each character leads, as far as that was found out. */
interface State {
  /** Steps that read a character. */
  readonly reads: readonly number[]
  readonly matches: boolean
  readonly matchesAtEnd: boolean
  /** By class of characters. */
  readonly next: (State | undefined)[]
}

/**
 * The automaton of a program, built while it is used: each character costs one look into a table once it was met in
 * the same state. It is emptied when it grows, so it takes bounded room.
 */
export class Automaton {
  readonly #program: Program
  /** Where classes of characters begin: those of one class are in the same sets. */
  readonly #classes: readonly number[]
  readonly #classOfAscii = new Uint16Array(128)
  #states = new Map<string, State>()
  #size = 0
  #first: State | undefined

  private constructor(program: Program, work: Work) {
    this.#program = program
    const begins = new Set([0])
    for (const step of program.steps) {
      if (step.does !== 'read') continue
      work.spend(step.set.ranges.length * CLASS_WORK)
      for (const [from, to] of step.set.ranges) begins.add(from).add(to + 1)
    }
    this.#classes = [...begins].filter((begin) => begin <= MAX_CODE_POINT).sort((a, b) => a - b)
    for (const [of, begin] of this.#classes.entries()) {
      if (begin >= 128) break
      this.#classOfAscii.fill(of, begin)
    }
  }

  /** @returns undefined for programs that look around, or at what only the platform knows of a character. */
  static of(program: Program, work: Work): Automaton | undefined {
    const isPlain = program.steps.every((step) => {
      if (step.does === 'look') return false
      if (step.does === 'place') return step.place === 'start' || step.place === 'end'
      return step.does !== 'read' || step.set.properties.length === 0
    })
    return isPlain ? new Automaton(program, work) : undefined
  }

  isMatch(text: string, run: Run): boolean {
    this.#first ??= this.#stateOf([], true, run)
    let state = this.#first
    spend(run, 10 + (text.length >> 3))
    for (let at = 0; at < text.length; at++) {
      if (state.matches) return true
      if (state.reads.length === 0 && at > 0 && !state.matchesAtEnd) return false
      let codePoint = text.charCodeAt(at)
      if (codePoint >= 0xd800 && codePoint < 0xdc00) {
        codePoint = text.codePointAt(at) ?? codePoint
        if (codePoint > 0xffff) at++
      }
      if (codePoint >= 128) spend(run, SEARCH_STEPS)
      const of = codePoint < 128 ? (this.#classOfAscii[codePoint] ?? 0) : this.#search(codePoint)
      state = state.next[of] ?? this.#advance(state, of, run)
    }
    return state.matches || state.matchesAtEnd
  }

  /** The class of a character: the last that begins at it or before. */
  #search(codePoint: number): number {
    let low = 0
    let high = this.#classes.length - 1
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if ((this.#classes[middle] ?? 0) <= codePoint) low = middle
      else high = middle - 1
    }
    return low
  }

  #advance(from: State, of: number, run: Run): State {
    const codePoint = this.#classes[of] ?? 0
    const targets: number[] = []
    for (const index of from.reads) {
      const step = this.#program.steps[index] as Step // every index was given out with its step
      if (step.does === 'read' && hasChar(step.set, codePoint)) targets.push(step.next)
    }
    spend(run, from.reads.length)
    const state = this.#stateOf(targets, false, run)
    // Emptying dropped what `from` knew; it is found out again.
    from.next[of] = state
    return state
  }

  #stateOf(targets: number[], isStart: boolean, run: Run): State {
    const { start } = this.#program
    const reached = [...new Set(targets.concat(start))].sort((a, b) => a - b)
    const key = `${isStart} ${reached.join(' ')}`
    const known = this.#states.get(key)
    if (known !== undefined) return known
    spend(run, STATE_STEPS)
    const inside = this.#enter(reached, isStart, false, run)
    const atEnd = this.#enter(reached, isStart, true, run)
    const state: State = {
      reads: inside.reads,
      matches: inside.matches,
      matchesAtEnd: atEnd.matches,
      next: new Array(this.#classes.length),
    }
    this.#size += reached.length + inside.reads.length + this.#classes.length
    if (this.#size > MAX_SIZE) {
      this.#states = new Map()
      this.#first = undefined
      this.#size = 0
    }
    this.#states.set(key, state)
    return state
  }

  /** Everything that is reached without reading. */
  #enter(reached: readonly number[], isStart: boolean, isEnd: boolean, run: Run) {
    const pending = [...reached]
    const entered = new Set<number>()
    const reads: number[] = []
    let matches = false
    for (let index = pending.pop(); index !== undefined; index = pending.pop()) {
      if (entered.has(index)) continue
      entered.add(index)
      const step = this.#program.steps[index] as Step // as above
      if (step.does === 'read') reads.push(index)
      else if (step.does === 'match') matches = true
      else if (step.does === 'split') pending.push(step.next, step.other)
      else if (step.does === 'place' && (step.place === 'start' ? isStart : isEnd)) pending.push(step.next)
    }
    spend(run, (entered.size + reached.length) * ENTER_STEPS)
    return { reads, matches }
  }
}

/** Work of finding where the classes of one range begin. */
const CLASS_WORK = 4

/** What finding the class of a character costs, and what entering a step does while a state is made. */
const SEARCH_STEPS = 2
const ENTER_STEPS = 12
/** What making a state costs besides. */
const STATE_STEPS = 200

/** Numbers kept by one automaton. */
const MAX_SIZE = 10_000
