import { createHash } from 'node:crypto'

/** The first `length` hexadecimal digits of SHA-256; at most 64. */
export function digest(text: string, length: number): string {
  return createHash('sha256').update(text).digest('hex').slice(0, length)
}

/** SHA-256 of what comes in pieces, hexadecimal; text counts as UTF-8. */
export function digestPieces(pieces: readonly (string | Uint8Array)[]): string {
  const hash = createHash('sha256')
  for (const piece of pieces) hash.update(piece)
  return hash.digest('hex')
}
