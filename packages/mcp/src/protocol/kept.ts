import type { Result } from './call.ts'

/** A result in one caller's words: the text, and as whose. */
export interface KeptText {
  readonly stamp: string
  readonly text: string
  /** The same, as it is sent. */
  readonly pieces: readonly Uint8Array[]
}

/** By the codec that wrote it: a result is written differently for each revision. */
export type KeptTexts = Map<object, KeptText>

const kept = new WeakMap<Result, KeptTexts>()

/**
 * Promises that a result will not change any more, so that an edge may write it once and keep the text: long lists
 * are asked for by every client, and say the same to all. The text goes when the result does.
 */
export function keep<R extends Result>(result: R): R {
  kept.set(result, new Map())
  return Object.freeze(result)
}

/** The texts of a result that is kept; undefined for any other. */
export function keptTexts(result: Result): KeptTexts | undefined {
  return kept.get(result)
}
