import { isInexact, StringReader } from './scan.ts'

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
 * Looks for what {@link scan} and {@link countKept} only counted. Takes any text, valid JSON or not, and is
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
  const strings = new StringReader(text)
  let i = 0
  while (i < text.length) {
    const c = text.charAt(i)
    const start = i++
    if (c === '"') {
      i = strings.end(i) + 1
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

const NUMBER_PART = /[-+.\deE]*/y
