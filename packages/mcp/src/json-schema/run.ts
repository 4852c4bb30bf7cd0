import { shown } from '../jsonrpc/shown.ts'
import type { Evaluated } from './evaluated.ts'
import { STEPS_PER_PART } from './limits.ts'
import { toToken } from './refused.ts'

/**
 * One keyword, or a whole subschema, as a function. False when the value does not conform; then the faults are in
 * `run.report`, if somebody asked for them.
 */
export type Check = (value: unknown, run: Run, seen: Evaluated | undefined) => boolean

/** A subschema. Its check is filled in after others may have taken hold of it, since schemas go round. */
export interface SchemaNode {
  check: Check
}

/** Where a dynamic reference looks: the resources that were entered, outermost first. */
export interface Scope {
  readonly dynamicNodes: ReadonlyMap<string, SchemaNode>
}

/** The state of one check. It is reset and used again, so that a value that conforms allocates nothing. */
export interface Run {
  /** Steps that are left. */
  left: number
  /** The value, until its size has been asked for steps. */
  large: unknown
  /** Most steps that a large value adds. */
  readonly maxMore: number
  /** Subschemas applied within each other. */
  depth: number
  readonly maxDepth: number
  /** Collects faults; undefined while only yes or no is asked, where the first fault ends the check. */
  report: Report | undefined
  readonly scopes: Scope[]
}

export interface Fault {
  /** JSON Pointer into the value; empty for the whole value. */
  readonly path: string
  readonly keyword: string
  /** What was found and what would work, as one line without the path. */
  readonly message: string
}

/** Faults of one value, as many as are wanted. */
export class Report {
  readonly path: (string | number)[]
  readonly faults: Fault[] = []
  readonly #run: Run
  readonly #max: number

  constructor(run: Run, max: number, path: readonly (string | number)[] = []) {
    this.#run = run
    this.#max = max
    this.path = [...path]
  }

  /** A report that is full stops reporting: what follows is a plain check, which ends at the next fault. */
  add(keyword: string, message: string): void {
    this.addAt(this.pointer, keyword, message)
  }

  addAt(path: string, keyword: string, message: string): void {
    if (this.faults.length < this.#max) this.faults.push({ path, keyword, message })
    if (this.faults.length >= this.#max && this.#run.report === this) this.#run.report = undefined
  }

  get pointer(): string {
    return this.path.map((key) => `/${toToken(key)}`).join('')
  }

  /** For one of several ways a value may conform. */
  branch(): Report {
    return new Report(this.#run, this.#max, this.path)
  }
}

/** Thrown through a check that ran out of steps or went too deep. It tells nothing about the value. */
export class Overrun extends Error {}

export function spend(run: Run, steps: number): void {
  run.left -= steps
  if (run.left < 0) spendMore(run)
}

/** A large value may take more. It is looked at only now, since most checks never come here. */
function spendMore(run: Run): void {
  // Counting is not free either: it is left where no value could be large enough.
  if (run.left + run.maxMore < 0) throw TOO_MUCH
  if (run.large !== undefined) run.left += Math.min(run.maxMore, countParts(run.large, run.maxMore) * STEPS_PER_PART)
  run.large = undefined
  if (run.left < 0) throw TOO_MUCH
}

/** Members and items, all the way down, or as many as count: what holds itself has no end. */
function countParts(value: unknown, enough: number): number {
  const waiting: unknown[] = [value]
  let count = 0
  while (waiting.length > 0) {
    const next = waiting.pop()
    if (typeof next !== 'object' || next === null) continue
    const size = Array.isArray(next) ? next.length : Object.keys(next).length
    count += size
    if (count * STEPS_PER_PART >= enough) break
    const parts: readonly unknown[] = Array.isArray(next) ? next : Object.values(next)
    for (const part of parts) if (typeof part === 'object') waiting.push(part)
  }
  return count
}

/** Applies a subschema to a member or item. */
export function checkBelow(node: SchemaNode, value: unknown, key: string | number, run: Run): boolean {
  const { report } = run
  if (report === undefined) return node.check(value, run, undefined)
  report.path.push(key)
  const conforms = node.check(value, run, undefined)
  report.path.pop()
  return conforms
}

/** Whether a value conforms, where it is no fault if it does not. */
export function probe(node: SchemaNode, value: unknown, run: Run, seen: Evaluated | undefined): boolean {
  const { report } = run
  run.report = undefined
  if (seen !== undefined) spend(run, 2 * MARK_STEPS)
  const own = seen?.fresh()
  const conforms = node.check(value, run, own)
  run.report = report
  if (conforms && own !== undefined) keepMarks(run, seen, own)
  return conforms
}

/** The marks of a branch that conformed count for the value. */
export function keepMarks(run: Run, seen: Evaluated | undefined, own: Evaluated): void {
  spend(run, own.size * MARK_STEPS)
  seen?.merge(own)
}

/** `the string "Rome"`, `an array of 3 items`: a value inside a message, never longer than a line. */
export function found(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return value.length === 1 ? 'an array of 1 item' : `an array of ${value.length} items`
  switch (typeof value) {
    case 'string':
      return `the string ${quoted(value)}`
    case 'number':
      return `the number ${Object.is(value, -0) ? '-0' : value}`
    case 'boolean':
      return String(value)
    case 'object':
      return 'an object'
    default:
      return `a ${typeof value}, which is not JSON`
  }
}

/** JSON of a value, as long as it is no longer than that; a longer one is not read to its end. */
export function briefJson(value: unknown, most: number): string | undefined {
  return roomAfter(value, most) < 0 ? undefined : JSON.stringify(value)
}

/** Characters that are left when a value was written, about; below 0 as soon as there are none. */
function roomAfter(value: unknown, room: number): number {
  if (typeof value === 'string') return room - value.length - 2
  if (typeof value !== 'object' || value === null) return room - String(value).length
  let left = room - 2
  for (const [key, part] of Object.entries(value)) {
    left = roomAfter(part, left - (Array.isArray(value) ? 1 : key.length + 4))
    if (left < 0) break
  }
  return left
}

export function quoted(text: string): string {
  return `"${shown(text)}"`
}

/** `"a", "b" and 3 more` */
export function listed<T>(names: readonly T[], write: (name: T) => string): string {
  const some = names.slice(0, MAX_LISTED).map(write).join(', ')
  return names.length > MAX_LISTED ? `${some} and ${names.length - MAX_LISTED} more` : some
}

const MAX_LISTED = 12
/** What keeping one mark costs: it is a set that grows. */
export const MARK_STEPS = 10
const TOO_MUCH = new Overrun('The check takes more steps than are allowed')
export const TOO_DEEP = new Overrun('The check goes deeper than is allowed')
