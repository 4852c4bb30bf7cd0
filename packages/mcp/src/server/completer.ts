import type { Principal } from '../protocol/call.ts'

/** What a completer knows besides what was typed. */
export interface CompletionContext {
  /** Arguments or variables filled in already. Empty for callers whose revision does not send them. */
  readonly arguments: Readonly<Record<string, string>>
  readonly signal: AbortSignal
  readonly principal: Principal
}

/** Suggestions for what was typed so far, best first. More than 100 are cut, and said to be more. */
export type Completer = (typed: string, context: CompletionContext) => CompleterOutput | Promise<CompleterOutput>

export type CompleterOutput =
  | readonly string[]
  | { readonly values: readonly string[]; readonly total?: number; readonly hasMore?: boolean }
