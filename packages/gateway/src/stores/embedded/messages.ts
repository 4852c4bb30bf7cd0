import type { StoreErrorCode } from '../contract/store-error.ts'
import type { DatabaseOptions } from './database.ts'
import type { Operations } from './operations.ts'

/** What a thread is started with. */
export interface ThreadOptions extends DatabaseOptions {
  readonly writes: boolean
}

/** Asks a thread for something; the first answer, of id 0, says that it is open. */
export interface Request {
  readonly id: number
  readonly operation: keyof Operations | 'close'
  readonly args: readonly unknown[]
}

export type Answer =
  | { readonly id: number; readonly result: unknown }
  | { readonly id: number; readonly error: { readonly code: StoreErrorCode; readonly message: string } }
