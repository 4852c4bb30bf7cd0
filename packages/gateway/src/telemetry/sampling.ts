import { isSampled, type Remote } from './propagation.ts'

/** Whether a trace is recorded. */
export type Sampler = (traceId: string, parent: Remote | undefined) => boolean

/**
 * Decides by the id of a trace, so that all who are asked for the same share of traces record the same ones.
 * @param share from 0 to 1
 * @param parentBased a trace that was begun elsewhere is recorded if it is there
 */
export function createSampler(share: number, parentBased: boolean): Sampler {
  // The last 14 hex digits are random (W3C Trace Context, level 2); 12 of them are a number that is exact.
  const from = (1 - share) * 2 ** 48
  const isChosen = (traceId: string) => share > 0 && Number.parseInt(traceId.slice(-12), 16) >= from
  return (traceId, parent) => (parentBased && parent !== undefined ? isSampled(parent) : isChosen(traceId))
}
