import { createHash, hash } from 'node:crypto'

/** The first `length` hexadecimal digits of SHA-256; at most 64. */
export function digest(text: string, length: number): string {
  return hash('sha256', text, 'hex').slice(0, length)
}

/** SHA-256 of what comes in pieces, hexadecimal; text counts as UTF-8. */
export function digestPieces(pieces: readonly (string | Uint8Array)[]): string {
  const [first] = pieces
  if (first !== undefined && pieces.length === 1) return hash('sha256', first, 'hex')
  const whole = createHash('sha256')
  for (const piece of pieces) whole.update(piece)
  return whole.digest('hex')
}
