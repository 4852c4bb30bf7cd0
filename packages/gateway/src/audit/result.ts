import { type Result, toJsonPieces } from '@crosspoint/mcp'
import { digestPieces } from '../node/digest.ts'

/** How large a result is as JSON text, in bytes, and the SHA-256 of that text. */
export interface ResultMeasure {
  readonly bytes: number
  readonly sha256?: string
}

/**
 * Of what a large result was relayed in, nothing is parsed for it. Hashed right here: 1.5 µs for a short result and
 * 0.6 ms a megabyte, which is less than another thread takes to be handed it.
 */
export function measureResult(result: Result, how: 'size' | 'hash'): ResultMeasure {
  const pieces = toJsonPieces(result)
  let bytes = 0
  for (const piece of pieces) bytes += typeof piece === 'string' ? Buffer.byteLength(piece) : piece.length
  return how === 'size' ? { bytes } : { bytes, sha256: digestPieces(pieces) }
}

/** As {@link measureResult}, for results that are answered to many callers and never change: once. */
export function createResultMemory(): typeof measureResult {
  const known = { size: new WeakMap<Result, ResultMeasure>(), hash: new WeakMap<Result, ResultMeasure>() }
  return (result, how) => {
    let measure = known[how].get(result)
    if (measure === undefined) {
      measure = measureResult(result, how)
      known[how].set(result, measure)
    }
    return measure
  }
}
