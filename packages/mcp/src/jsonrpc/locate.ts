/** What is wrong with a message, as written, for the error that says so. */
export interface Located {
  /** The first key named twice in one object. */
  readonly duplicateKey: string | undefined
  /** The first number that this runtime cannot pass on. */
  readonly inexactNumber: string | undefined
  /** The string or number of the member `id` of the outermost object; undefined where there is none, or two. */
  readonly idText: string | undefined
}

/**
 * Looks for what the parser noticed by counting alone. Takes any text, valid JSON or not, and is
 * linear in its length; keys of objects deeper than `maxDepth` are not remembered.
 */
export function locate(text: string, maxDepth: number): Located {
  const keys: (Set<string> | undefined)[] = [] // one per open container; undefined for arrays
  const ids: string[] = []
  let depth = 0
  let expectsKey = false
  let expectsId = false
  let duplicateKey: string | undefined
  let inexactNumber: string | undefined
  let i = 0
  while (i < text.length) {
    const c = text.charAt(i)
    const start = i++
    if (c === '"') {
      i = endOfString(text, i) + 1
      const open = keys[depth - 1]
      if (expectsKey && open !== undefined) {
        const key = unescaped(text.slice(start, i))
        if (open.has(key)) duplicateKey ??= key.slice(1)
        open.add(key)
        expectsId = depth === 1 && key === '"id'
      } else if (expectsId) {
        ids.push(text.slice(start, i))
        expectsId = false
      }
      expectsKey = false
    } else if (c === '{' || c === '[') {
      depth++
      if (depth <= maxDepth) keys[depth - 1] = c === '{' ? new Set() : undefined
      expectsKey = c === '{'
      expectsId = false
    } else if (c === '}' || c === ']') {
      if (depth > 0) depth--
      expectsKey = false
    } else if (c === ',') {
      expectsKey = depth <= maxDepth && keys[depth - 1] !== undefined
      expectsId = false
    } else if (c === '-' || (c >= '0' && c <= '9')) {
      NUMBER_PART.lastIndex = i
      NUMBER_PART.test(text)
      i = NUMBER_PART.lastIndex
      const number = text.slice(start, i)
      if (inexactNumber === undefined && isInexact(number)) inexactNumber = number
      if (expectsId) ids.push(number)
      expectsId = false
    }
  }
  return { duplicateKey, inexactNumber, idText: ids.length === 1 ? ids[0] : undefined }
}

/**
 * A key behind its quote: strings that look like array indexes are hashed without a seed in some runtimes, and a
 * peer could choose many that collide.
 */
function unescaped(literal: string): string {
  if (!literal.includes('\\')) return literal.slice(0, -1)
  try {
    return `"${JSON.parse(literal) as string}` // a JSON string literal parses to a string
  } catch {
    return literal.slice(0, -1) // not valid JSON, which whoever parses the text reports
  }
}

/** Where the quote is that ends a string whose first character is at `from`; the end of the text if there is none. */
function endOfString(text: string, from: number): number {
  let i = from
  while (i < text.length) {
    const c = text.charAt(i)
    if (c === '"') return i
    i += c === '\\' ? 2 : 1
  }
  return text.length
}

/**
 * Whether a number, as written, comes out different when this runtime writes it again: infinite, negative zero, or an
 * integer with digits that a double has no room for. Written with a fraction or an exponent it is a double for every
 * reader, and only its spelling may change.
 */
function isInexact(written: string): boolean {
  const value = Number(written)
  if (!Number.isFinite(value) || Object.is(value, -0)) return true
  return !Number.isSafeInteger(value) && /^-?\d+$/.test(written) && String(value) !== written
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

const NUMBER_PART = /[-+.\deE]*/y
const BACKSLASH = 0x5c
const LOWER_A = 0x61
const LOWER_B = 0x62
const LOWER_C = 0x63
const LOWER_D = 0x64
const LOWER_F = 0x66
const LOWER_U = 0x75
