import type { Call, Result } from '../protocol/call.ts'
import { keep, keptTexts } from '../protocol/kept.ts'
import { checkOptions, type OptionNames } from '../protocol/option-names.ts'

/** How long an answer may be kept, for callers of the newest revision (2026-07-28 server/utilities/caching). */
export interface CacheHint {
  /** In milliseconds; 0: not at all. A change that callers listen for ends it earlier. */
  readonly ttlMs: number
  /**
   * `public`: any cache may give it to anybody, whoever they are. What differs from caller to caller stays `private`:
   * where access rules, middleware or mounted servers may change an answer, it goes out as private whatever is said here.
   * Default `private`.
   */
  readonly scope?: 'public' | 'private'
}

/** What callers may keep of a server. Default: nothing. */
export interface CacheHints {
  /** Lists of tools, prompts, resources, templates and skills. */
  readonly lists?: CacheHint
  /** Resources and skills; the `cache` of one comes first. Those of mounted servers say it themselves. */
  readonly reads?: CacheHint
  /** What the server is and has (`server/discover`). */
  readonly discover?: CacheHint
}

/** What an answer says of it. */
export interface Hinted {
  readonly ttlMs: number
  readonly cacheScope: 'public' | 'private'
}

type Answer = (call: Call) => Result | Promise<Result>

/** @param what such as `create a server` */
export function checkHints(what: string, hints: CacheHints | undefined): void {
  if (hints === undefined) return
  checkOptions(`${what} with "cache"`, hints, HINTS_NAMES)
  for (const hint of Object.values(hints)) toHinted(what, hint)
}

/** @throws {TypeError} for a hint that says no time or no scope */
export function toHinted(what: string, hint: CacheHint | undefined): Hinted | undefined {
  if (hint === undefined) return undefined
  const { ttlMs, scope = 'private' } = hint
  if (!Number.isSafeInteger(ttlMs) || ttlMs < 0) {
    throw new TypeError(
      `Cannot ${what} whose answers are kept for ${String(ttlMs)} ms: "ttlMs" is a whole number, 0 or more`,
    )
  }
  if (scope !== 'public' && scope !== 'private') {
    throw new TypeError(`Cannot ${what} whose answers are "${String(scope)}": a scope is "public" or "private"`)
  }
  return { ttlMs, cacheScope: scope }
}

/** An answer that says how long its results may be kept, unless they say so themselves. */
export function toHintedAnswer(answer: Answer, hint: Hinted): Answer {
  const made = new WeakMap<Result, Result>()
  return mapped(answer, (result) => {
    if (keptTexts(result) === undefined) return withHint(result, hint)
    // A list that everybody gets is one object until it changes, and so is the list with its hint.
    let hinted = made.get(result)
    if (hinted === undefined) {
      hinted = keep(withHint(result, hint))
      made.set(result, hinted)
    }
    return hinted
  })
}

/** An answer that is nobody else's, whatever its results say. */
export function toPrivateAnswer(answer: Answer): Answer {
  return mapped(answer, (result) => (result.cacheScope === 'public' ? { ...result, cacheScope: 'private' } : result))
}

/** Questions are never kept. */
export function withHint(result: Result, hint: Hinted): Result {
  const { resultType = 'complete' } = result
  return resultType === 'complete' ? { ...hint, ...result } : result
}

function mapped(answer: Answer, change: (result: Result) => Result): Answer {
  return (call) => {
    const result = answer(call)
    return result instanceof Promise ? result.then(change) : change(result)
  }
}

const HINTS_NAMES: OptionNames<CacheHints> = { lists: true, reads: true, discover: true }
