import type { Result } from '../../protocol/call.ts'
import type { Context } from '../context.ts'

/** A handler with its arguments, and what is made of an error of its. */
export interface Work {
  /** Kept in memory while it waits for answers, instead of being run again. */
  readonly parked: boolean
  readonly run: (context: Context) => Promise<Result>
  /** Makes a result of an error, or throws what the caller gets instead. */
  readonly fail: (error: unknown) => Result
}
