import type { FrameLimits } from './limits.ts'

/** What {@link scan} found that `JSON.parse` would hide. Only meaningful when the text is valid JSON. */
export interface Scan {
  /** Deeper than the limit; the scan stopped there. */
  readonly tooDeep: boolean
  /** First key named twice in one object. */
  readonly duplicateKey: string | undefined
  /** First number that does not survive this runtime, as written. */
  readonly inexactNumber: string | undefined
  /** A string holds half a surrogate pair, which no UTF-8 text can carry. */
  readonly loneSurrogate: boolean
  /** The text of the member `id` of the outermost object, as written. */
  readonly idText: string | undefined
}

/**
 * Reads JSON text once, left to right, without building anything, and reports what `JSON.parse` cannot:
 * nesting depth, duplicate keys, numbers that change when passed on, unpaired surrogate escapes.
 * Linear in the length of the text. Syntax errors are left for `JSON.parse` to find.
 */
export function scan(text: string, limits: Pick<FrameLimits, 'maxDepth' | 'duplicateKeys'>): Scan {
  const wantsKeys = limits.duplicateKeys === 'reject'
  const keys: (KeySet | undefined)[] = [] // one per open container; undefined for arrays
  let depth = 0
  let duplicateKey: string | undefined
  let inexactNumber: string | undefined
  let loneSurrogate = false
  let idStart = -1
  let idText: string | undefined
  const length = text.length
  let i = 0
  while (i < length) {
    const c = text.charCodeAt(i)
    if (c === QUOTE) {
      const start = i + 1
      let escaped = false
      i = start
      for (; i < length; i++) {
        const s = text.charCodeAt(i)
        if (s === QUOTE) break
        if (s === BACKSLASH) {
          escaped = true
          i++
        }
      }
      if (escaped && !loneSurrogate) loneSurrogate = hasLoneSurrogate(text, start, i)
      const end = i++
      const open = keys[depth - 1]
      if (open !== undefined && open.expectsKey) {
        open.expectsKey = false
        if (depth === 1 || wantsKeys) {
          const key = escaped ? unescaped(text, start, end) : text.slice(start, end)
          if (wantsKeys && duplicateKey === undefined && open.add(key)) duplicateKey = key
          if (depth === 1 && key === 'id') idStart = -2
        }
      }
    } else if (c === OPEN_BRACE || c === OPEN_BRACKET) {
      if (++depth > limits.maxDepth) {
        return { tooDeep: true, duplicateKey, inexactNumber, loneSurrogate, idText }
      }
      keys[depth - 1] = c === OPEN_BRACE ? new KeySet() : undefined
      i++
    } else if (c === CLOSE_BRACE || c === CLOSE_BRACKET) {
      if (depth === 1 && idStart >= 0) {
        idText = text.slice(idStart, i).trim()
        idStart = -1
      }
      if (depth > 0) depth--
      i++
    } else if (c === COMMA) {
      if (depth === 1 && idStart >= 0) {
        idText = text.slice(idStart, i).trim()
        idStart = -1
      }
      const open = keys[depth - 1]
      if (open !== undefined) open.expectsKey = true
      i++
    } else if (c === COLON) {
      i++
      if (idStart === -2 && depth === 1) idStart = i
    } else if (c === MINUS || (c >= ZERO && c <= NINE)) {
      const start = i
      i++
      while (i < length && isNumberPart(text.charCodeAt(i))) i++
      if (inexactNumber === undefined && isInexact(text, start, i)) inexactNumber = text.slice(start, i)
    } else {
      i++
    }
  }
  return { tooDeep: false, duplicateKey, inexactNumber, loneSurrogate, idText }
}

/** The keys of one open object. Nearly all objects are small: a list first, a set once that would be slow. */
class KeySet {
  expectsKey = true
  #few: string[] = []
  #many: Set<string> | undefined

  /** Adds `key` and says whether it was there before. */
  add(key: string): boolean {
    if (this.#many !== undefined) {
      if (this.#many.has(key)) return true
      this.#many.add(key)
      return false
    }
    if (this.#few.includes(key)) return true
    this.#few.push(key)
    if (this.#few.length > 16) this.#many = new Set(this.#few)
    return false
  }
}

function isNumberPart(c: number): boolean {
  return (c >= ZERO && c <= NINE) || c === DOT || c === MINUS || c === PLUS || (c | 32) === LOWER_E
}

function isInexact(text: string, start: number, end: number): boolean {
  const length = end - start
  const first = text.charCodeAt(start)
  if (length < 16 && first !== MINUS) {
    for (let i = start; i < end; i++)
      if ((text.charCodeAt(i) | 32) === LOWER_E) return !Number.isFinite(Number(text.slice(start, end)))
    return false
  }
  const written = text.slice(start, end)
  const value = Number(written)
  if (!Number.isFinite(value)) return true
  if (Object.is(value, -0)) return true
  return Number.isInteger(value) && !Number.isSafeInteger(value) && /^-?\d+$/.test(written)
}

function unescaped(text: string, start: number, end: number): string {
  try {
    return JSON.parse(text.slice(start - 1, end + 1)) as string // a JSON string literal parses to a string
  } catch {
    return text.slice(start, end) // not valid JSON: the parse that follows reports it
  }
}

function hasLoneSurrogate(text: string, start: number, end: number): boolean {
  for (let i = text.indexOf('\\', start); i !== -1 && i < end; i = text.indexOf('\\', i)) {
    if (text.charCodeAt(i + 1) !== LOWER_U) {
      i += 2
      continue
    }
    const unit = Number.parseInt(text.slice(i + 2, i + 6), 16)
    if (unit >= 0xdc00 && unit <= 0xdfff) return true
    if (unit >= 0xd800 && unit <= 0xdbff) {
      const next = text.startsWith('\\u', i + 6) ? Number.parseInt(text.slice(i + 8, i + 12), 16) : 0
      if (!(next >= 0xdc00 && next <= 0xdfff)) return true
      i += 6
    }
    i += 6
  }
  return false
}

const QUOTE = 0x22
const PLUS = 0x2b
const COMMA = 0x2c
const MINUS = 0x2d
const DOT = 0x2e
const ZERO = 0x30
const NINE = 0x39
const COLON = 0x3a
const OPEN_BRACKET = 0x5b
const BACKSLASH = 0x5c
const CLOSE_BRACKET = 0x5d
const LOWER_E = 0x65
const LOWER_U = 0x75
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d
