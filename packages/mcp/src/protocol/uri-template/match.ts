import { type Found, fromPairs, toDecoded, toOneValueEach } from './found.ts'
import type { PairsStep, Step, TextStep, VariableStep } from './steps.ts'
import type { UriVariables } from './variables.ts'

/** What matching cost, in characters looked at. */
export interface Work {
  characters: number
}

/**
 * Forward, the places each step can begin at; back from the end, one way through them. Each step looks at each character
 * a few times at most, whatever template and URI are.
 */
export function matchSteps(
  steps: readonly Step[],
  uri: string,
  work: Work = { characters: 0 },
): UriVariables | undefined {
  const [first] = steps
  if (first?.kind === 'text' && !uri.startsWith(first.text)) return undefined
  const units = toUnits(uri)
  work.characters += uri.length
  let reached = new Uint8Array(uri.length + 1)
  reached[0] = 1
  const starts = [reached]
  for (const step of steps) {
    reached = advance(step, uri, units, reached, work)
    if (!reached.includes(1)) return undefined
    starts.push(reached)
  }
  if (reached[uri.length] !== 1) return undefined
  const found = findBack(steps, uri, starts, work)
  return found === undefined ? undefined : toOneValueEach(found)
}

function findBack(
  steps: readonly Step[],
  uri: string,
  starts: readonly Uint8Array[],
  work: Work,
): readonly Found[] | undefined {
  const found: Found[][] = []
  let end = uri.length
  for (let index = steps.length - 1; index >= 0; index--) {
    const step = steps[index]
    const from = starts[index]
    if (step === undefined || from === undefined) return undefined
    const start = toStart(step, uri, from, end, work)
    const some = toFound(step, uri, start, end)
    if (some === undefined) return undefined
    found.push(some)
    end = start
  }
  return found.reverse().flat()
}

/** Where a step begins that ends here. That there is such a place, its `advance` has seen. */
function toStart(step: Step, uri: string, from: Uint8Array, end: number, work: Work): number {
  if (step.kind === 'text') return end - step.text.length
  let start = step.kind === 'pairs' ? end : end - 1
  if (step.kind === 'variable') {
    // The nearest place always works: whatever bars it would bar every place before it too.
    while (start > 0 && from[start] !== 1) start--
    work.characters += end - start
    return start
  }
  let at = end - 1
  for (; at >= 0 && !step.barred.includes(uri.charAt(at)); at--) {
    if (from[at] === 1 && step.firsts.includes(uri.charAt(at))) start = at
  }
  work.characters += end - at
  return start
}

/** Undefined for what no template makes: a stray "%", or half a character. */
function toFound(step: Step, uri: string, start: number, end: number): Found[] | undefined {
  if (step.kind === 'text') return []
  if (step.kind === 'pairs') return fromPairs(step, uri.slice(start + 1, end))
  const { variable, separator } = step
  const text = uri.slice(start, end)
  const value = toDecoded(variable.exploded ? text.split(separator) : text)
  return value === undefined ? undefined : [{ variable, value }]
}

function advance(step: Step, uri: string, units: Units, from: Uint8Array, work: Work): Uint8Array<ArrayBuffer> {
  if (step.kind === 'text') return advanceText(step, uri, from, work)
  work.characters += uri.length
  return step.kind === 'pairs' ? advancePairs(step, uri, units, from) : advanceVariable(step, uri, units, from)
}

function advanceText({ text, borders }: TextStep, uri: string, from: Uint8Array, work: Work): Uint8Array<ArrayBuffer> {
  const to = new Uint8Array(uri.length + 1)
  for (let at = 0, same = 0; at < uri.length; at++) {
    work.characters++
    while (same > 0 && uri[at] !== text[same]) {
      work.characters++
      same = borders[same - 1] ?? 0
    }
    if (uri[at] === text[same]) same++
    if (same !== text.length) continue
    if (from[at + 1 - same] === 1) to[at + 1] = 1
    same = borders[same - 1] ?? 0
  }
  return to
}

/** From the latest place it can begin at, as a variable with a bound reaches furthest from there. */
function advanceVariable(
  { variable: { max }, barred }: VariableStep,
  uri: string,
  { counts, isWhole }: Units,
  from: Uint8Array,
): Uint8Array<ArrayBuffer> {
  const to = new Uint8Array(uri.length + 1)
  let latest = -1
  for (let at = 0; at <= uri.length; at++) {
    if (isWhole[at] === 1) {
      if (latest !== -1 && (max === undefined || (counts[at] ?? 0) - (counts[latest] ?? 0) <= max)) to[at] = 1
      if (from[at] === 1) latest = at
    }
    if (barred.includes(uri.charAt(at)) && at < uri.length) latest = -1
  }
  return to
}

function advancePairs(
  { firsts, barred }: PairsStep,
  uri: string,
  { isWhole }: Units,
  from: Uint8Array,
): Uint8Array<ArrayBuffer> {
  const to = new Uint8Array(uri.length + 1)
  let running = false
  for (let at = 0; at <= uri.length; at++) {
    if (from[at] === 1 || (running && isWhole[at] === 1)) to[at] = 1
    if (at === uri.length) break
    if (from[at] === 1 && firsts.includes(uri.charAt(at))) running = true
    else if (barred.includes(uri.charAt(at))) running = false
  }
  return to
}

/** The characters of a URI, encoded ones as one each. */
interface Units {
  /** How many begin before each place. */
  readonly counts: Uint16Array
  /** 1 where none is cut in two. */
  readonly isWhole: Uint8Array
}

function toUnits(uri: string): Units {
  const counts = new Uint16Array(uri.length + 1)
  const isWhole = new Uint8Array(uri.length + 1)
  let units = 0
  for (let at = 0; at < uri.length; ) {
    isWhole[at] = 1
    const next = Math.min(at + toUnitLength(uri, at), uri.length)
    units++
    counts.fill(units, at + 1, next + 1)
    at = next
  }
  isWhole[uri.length] = 1
  return { counts, isWhole }
}

function toUnitLength(uri: string, at: number): number {
  if (uri.charCodeAt(at) !== PERCENT) return 1
  const lead = Number.parseInt(uri.slice(at + 1, at + 3), 16)
  return lead >= 0xf0 ? 12 : lead >= 0xe0 ? 9 : lead >= 0xc0 ? 6 : 3
}

const PERCENT = 37
