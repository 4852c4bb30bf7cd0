/** A schema that cannot be compiled. The message names the place and what would work. */
export class JsonSchemaError extends Error {
  /** JSON Pointer to the keyword, from the root of the schema; empty for the root itself. */
  readonly pointer: string

  constructor(pointer: string, message: string) {
    super(toLine(pointer === '' ? message : `${pointer}: ${message}`))
    this.name = 'JsonSchemaError'
    this.pointer = pointer
  }
}

/** One token of a JSON Pointer (RFC 6901 §3). */
export function toToken(key: string | number): string {
  if (typeof key === 'number') return String(key)
  return NEEDS_ESCAPE.test(key) ? key.replaceAll('~', '~0').replaceAll('/', '~1') : key
}

/** It takes longer to write a name that has one of these. */
export const NEEDS_ESCAPE = /[~/]/

/** Text that has names of a peer in it: one line that ends somewhere. */
export function toLine(text: string): string {
  const start = text.length > MAX_LINE ? `${text.slice(0, MAX_LINE)}…` : text
  return start.replace(/[\p{Cc}\p{Cf}\p{Cs}]/gu, '\uFFFD')
}

const MAX_LINE = 500
