/** JSON text as it is written, before anything is built from it. */
export interface Written {
  readonly tooDeep: boolean
  /** Members of all objects, those named twice included. */
  readonly members: number
  /** Some escape stands for half of a surrogate pair; {@link hasLoneSurrogate} says whether one is without the other. */
  readonly hasSurrogates: boolean
}

/**
 * Reads JSON text once, left to right. Syntax errors are left for `JSON.parse` to find. Linear in the length of the
 * text; the inside of long strings is searched rather than read.
 */
export function scan(text: string, maxDepth: number): Written {
  const strings = new StringReader(text)
  const length = text.length
  let depth = 0
  let members = 0
  for (let i = 0; i < length; i++) {
    const c = text.charCodeAt(i)
    if (c === QUOTE) i = strings.end(i + 1)
    else if (c === COLON) members++
    else if (c > COLON) {
      // "[" and "{", "]" and "}" differ in one bit.
      const bracket = c | 0x20
      if (bracket === OPEN_BRACE) {
        if (++depth > maxDepth) return { tooDeep: true, members, hasSurrogates: false }
      } else if (bracket === CLOSE_BRACE) depth--
    }
  }
  return { tooDeep: false, members, hasSurrogates: strings.hasSurrogates }
}

/**
 * How many members the objects of a parsed value have. Fewer than were written means that one was named twice:
 * parsers disagree on which of the two counts, and `JSON.parse` says nothing.
 * @returns NaN where a number may have changed in reading ({@link isInexact} is for the caller to ask of the text)
 */
export function countKept(value: unknown): number {
  if (typeof value === 'number') return mayHaveChanged(value) ? Number.NaN : 0
  if (typeof value !== 'object' || value === null) return 0
  let members = 0
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) {
      const item: unknown = value[i]
      if (typeof item === 'object' || typeof item === 'number') members += countKept(item)
    }
    return members
  }
  for (const key in value) {
    members++
    const item: unknown = (value as { [key: string]: unknown })[key] // any object can be asked for any key
    if (typeof item === 'object' || typeof item === 'number') members += countKept(item)
  }
  return members
}

/** Integers beyond 2^53 - 1, overflow to infinity, and negative zero, which is written without its sign. */
function mayHaveChanged(value: number): boolean {
  return value > Number.MAX_SAFE_INTEGER || value < -Number.MAX_SAFE_INTEGER || (value === 0 && 1 / value < 0)
}

/**
 * Whether a number, as written, comes out different when this runtime writes it again: infinite, negative zero, or an
 * integer with digits that a double has no room for. Written with a fraction or an exponent it is a double for every
 * reader, and only its spelling may change.
 */
export function isInexact(written: string): boolean {
  const value = Number(written)
  if (!mayHaveChanged(value)) return false
  return !Number.isFinite(value) || value === 0 || (/^-?\d+$/.test(written) && String(value) !== written)
}

/**
 * Whether an escape stands for half of a surrogate pair, which no UTF-8 text can carry. Only for text that came from
 * UTF-8, which has none unescaped.
 */
export function hasLoneSurrogate(text: string): boolean {
  for (let i = text.indexOf('\\'); i !== -1; i = text.indexOf('\\', i)) {
    const half = surrogateHalf(text, i)
    if (half === 'low') return true
    if (half === 'high' && surrogateHalf(text, i + 6) !== 'low') return true
    i += half === 'high' ? 12 : 2
  }
  return false
}

/** What the escape at `i` stands for. */
function surrogateHalf(text: string, i: number): 'high' | 'low' | undefined {
  if (text.charCodeAt(i) !== BACKSLASH || text.charCodeAt(i + 1) !== LOWER_U) return undefined
  if ((text.charCodeAt(i + 2) | 0x20) !== LOWER_D) return undefined
  const c = text.charCodeAt(i + 3) | 0x20
  if (c === 0x38 || c === 0x39 || c === LOWER_A || c === LOWER_B) return 'high'
  return c >= LOWER_C && c <= LOWER_F ? 'low' : undefined
}

/** Finds the ends of strings, from left to right. */
export class StringReader {
  hasSurrogates = false
  readonly #text: string
  /** Where the next backslash is, or was when it was last looked for. */
  #backslash = -1

  constructor(text: string) {
    this.#text = text
  }

  /** Where the quote is that ends a string whose first character is at `from`; the end of the text if there is none. */
  end(from: number): number {
    const text = this.#text
    const length = text.length
    let i = from
    while (i < length) {
      // Most strings are short: a few characters are looked at before a search is paid for.
      const near = Math.min(i + NEAR, length)
      while (i < near) {
        const c = text.charCodeAt(i)
        if (c === QUOTE) return i
        if (c === BACKSLASH) break
        i++
      }
      if (i === near) {
        const quote = text.indexOf('"', i)
        if (quote === -1) return length
        const backslash = this.#nextBackslash(i)
        if (quote < backslash) return quote
        i = backslash
      }
      if (surrogateHalf(text, i) !== undefined) this.hasSurrogates = true
      i += 2
    }
    return length
  }

  #nextBackslash(from: number): number {
    if (this.#backslash < from) {
      const found = this.#text.indexOf('\\', from)
      this.#backslash = found === -1 ? this.#text.length : found
    }
    return this.#backslash
  }
}

const NEAR = 16
const QUOTE = 0x22
const COLON = 0x3a
const BACKSLASH = 0x5c
const LOWER_A = 0x61
const LOWER_B = 0x62
const LOWER_C = 0x63
const LOWER_D = 0x64
const LOWER_F = 0x66
const LOWER_U = 0x75
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d
