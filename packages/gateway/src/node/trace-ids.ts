import { randomFillSync } from 'node:crypto'

/**
 * Random ids as lower-case hex, drawn from a block of randomness that is filled again when it is used up: one system
 * call for many ids instead of one each.
 */
export function createTraceIds(): { traceId(): string; spanId(): string } {
  const block = Buffer.allocUnsafe(BLOCK_BYTES)
  let used = BLOCK_BYTES
  const take = (bytes: number) => {
    if (used + bytes > BLOCK_BYTES) {
      randomFillSync(block)
      used = 0
    }
    used += bytes
    return block.toString('hex', used - bytes, used)
  }
  return { traceId: () => take(16), spanId: () => take(8) }
}

const BLOCK_BYTES = 16 * 1024
