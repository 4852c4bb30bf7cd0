import { createHash } from 'node:crypto'

/** The first `length` hexadecimal digits of SHA-256; at most 64. */
export function digest(text: string, length: number): string {
  return createHash('sha256').update(text).digest('hex').slice(0, length)
}
