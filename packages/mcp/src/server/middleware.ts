import type { Call, Handle, Result } from '../protocol/call.ts'
import type { MethodTypes } from '../protocol/method-types.ts'
import { METHODS } from '../protocol/methods.ts'
import { didYouMean } from '../protocol/nearest.ts'

/** A method, all methods that begin alike (`tools/*`), or all (`*`). */
export type MethodPattern = keyof MethodTypes | '*' | `${string}/*` | (string & {})

/** The call as its caller sent it: middleware comes first, so nothing has checked the parameters yet. */
export type CallOf<Pattern extends string> = Pattern extends keyof MethodTypes
  ? Call & { readonly params: MethodTypes[Pattern]['params'] }
  : Call

export type ResultOf<Pattern extends string> = Pattern extends keyof MethodTypes
  ? MethodTypes[Pattern]['result']
  : Result

/**
 * Stands around methods: sees each call first and each result or error last. Returns what `next` gave, another result
 * in its place, or a result without asking `next` at all; an error it throws is the answer. To change the call, hand
 * a changed copy to `next`.
 */
export type Middleware<Pattern extends string = string> = (
  call: CallOf<Pattern>,
  next: (call: Call) => Promise<ResultOf<Pattern>>,
) => Result | Promise<Result>

/** Middleware as it is kept. */
export interface Layer {
  readonly pattern: string
  readonly run: Middleware
}

type Answer = (call: Call) => Result | Promise<Result>

/**
 * @param own methods of the author's
 * @throws {Error} for a pattern that none of them and no method of any revision fits
 */
export function checkPattern(pattern: string, own: readonly string[]): void {
  const methods = [...METHODS.keys(), ...own]
  for (const method of methods) if (fits(pattern, method)) return
  throw new Error(`Cannot stand around "${pattern}": there is no such method${didYouMean(pattern, [...methods, '*'])}`)
}

/** What answers a method, with what stands around it: the first layer is the outermost. */
export function toLayered(method: string, answer: Answer, layers: readonly Layer[]): Answer {
  const around = layers.filter(({ pattern }) => fits(pattern, method))
  if (around.length === 0) return answer
  return around.reduceRight<Handle>(
    (next, { run }) =>
      async (call) =>
        run(call, next),
    async (call) => answer(call),
  )
}

/** Whether a layer of this pattern stands around the method. */
export function fits(pattern: string, method: string): boolean {
  if (pattern === '*') return true
  return pattern.endsWith('/*') ? method.startsWith(pattern.slice(0, -1)) : method === pattern
}
