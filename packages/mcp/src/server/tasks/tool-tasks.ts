import { checkOptions, type OptionNames } from '../../protocol/option-names.ts'
import { nameOf } from '../blocks.ts'

/** `optional`: callers that know no tasks wait for the result. `required`: they are refused. */
export type TaskSupport = 'optional' | 'required'

/** How the calls of a tool become tasks. */
export interface ToolTasks {
  /** Default `optional`. */
  readonly support?: TaskSupport
  /**
   * `at-once`: the whole handler works in the task. `by-handler`: it works in the call until it returns
   * `context.task(…)`, so that it may ask first, or answer at once; callers that decide themselves what becomes a task
   * get one from the start all the same. Default `at-once`.
   */
  readonly start?: 'at-once' | 'by-handler'
  /** How long the outcome is kept, in milliseconds. Default: the server's `tasks.ttlMs`. */
  readonly ttlMs?: number
  /** How long callers are told to wait between two questions, in milliseconds. Default: the server's. */
  readonly pollIntervalMs?: number
}

export interface LiveToolTasks {
  readonly support: TaskSupport
  readonly start: 'at-once' | 'by-handler'
  readonly ttlMs: number | undefined
  readonly pollIntervalMs: number | undefined
}

/**
 * @throws {TypeError} for words that are none of the choices
 * @throws {Error} for times that are no positive integers
 */
export function toToolTasks(name: string, option: boolean | TaskSupport | ToolTasks): LiveToolTasks | undefined {
  if (option === false) return undefined
  const isPlan = typeof option === 'object' && option !== null
  const given: ToolTasks = isPlan ? option : option === true ? {} : { support: option }
  checkOptions(`register the tool "${name}"`, given, TOOL_TASK_NAMES, 'task.')
  const { support = 'optional', start = 'at-once', ttlMs, pollIntervalMs } = given
  checkChoice(name, isPlan ? 'task.support' : 'task', support, SUPPORTS, isPlan ? '' : 'true, false, ')
  checkChoice(name, 'task.start', start, STARTS)
  for (const [member, value] of Object.entries({ ttlMs, pollIntervalMs })) {
    if (value === undefined || (Number.isInteger(value) && value > 0)) continue
    throw new Error(`Cannot register the tool "${name}" with ${member} ${value}: it must be a positive integer`)
  }
  return { support, start, ttlMs, pollIntervalMs }
}

/** Of another word nobody would ask, and the tool would have tasks that were not meant. */
function checkChoice(tool: string, option: string, given: unknown, choices: readonly unknown[], others = ''): void {
  if (choices.includes(given)) return
  const all = `${others}${choices.map((choice) => `"${choice}"`).join(' or ')}`
  throw new TypeError(`Cannot register the tool "${tool}" with "${option}" that is ${nameOf(given)}: it is ${all}`)
}

const SUPPORTS: readonly TaskSupport[] = ['optional', 'required']
const STARTS: readonly ToolTasks['start'][] = ['at-once', 'by-handler']
const TOOL_TASK_NAMES: OptionNames<ToolTasks> = { support: true, start: true, ttlMs: true, pollIntervalMs: true }

/** What a handler returns to go on as a task: the rest of its work. */
export class LaterWork<Context, Output> {
  readonly work: (context: Context) => Output | Promise<Output>

  constructor(work: (context: Context) => Output | Promise<Output>) {
    this.work = work
  }
}
