import { fault, readQuoted, toScalar } from './yaml-scalar.ts'

/**
 * Reads a list or mapping in brackets that closes in the line it opens in.
 * @param text begins with the bracket; a comment may follow
 */
export function readFlow(line: number, text: string): unknown {
  const tokens = [...text.matchAll(TOKEN)].filter(([token]) => token.trim() !== '')
  let next = 0
  let end = 0
  const peek = (): string => tokens[next]?.[0].trim() ?? ''
  const take = (): string => {
    const token = peek()
    const match = tokens[next++]
    if (match !== undefined) end = match.index + match[0].length
    return token
  }
  const expect = (wanted: string): void => {
    if (take() !== wanted) throw fault(line, `the brackets do not close as they open`)
  }

  function value(depth: number): unknown {
    if (depth > MAX_DEPTH) throw fault(line, `it goes deeper than ${MAX_DEPTH} levels`)
    const token = peek()
    if (token === '[') return list(depth)
    if (token === '{') return mapping(depth)
    take()
    if (/^["']/.test(token)) return readQuoted(line, token)
    const plain = token.trim()
    if (plain === '' || /^[\]},:&*!%@`|>#?-]/.test(plain) || / #/.test(plain)) {
      if (/^-[^\s]/.test(plain)) return toScalar(line, plain)
      throw fault(line, `"${token}" is not understood: put it in quotes`)
    }
    return toScalar(line, plain)
  }

  function list(depth: number): unknown[] {
    const items: unknown[] = []
    expect('[')
    while (peek() !== ']') {
      items.push(value(depth + 1))
      if (peek() === ',') take()
      else if (peek() !== ']') throw fault(line, 'a list in brackets has commas between its items')
    }
    expect(']')
    return items
  }

  function mapping(depth: number): unknown {
    const entries = new Map<string, unknown>()
    expect('{')
    while (peek() !== '}') {
      const token = take()
      const key = /^["']/.test(token) ? readQuoted(line, token) : token.trim()
      if (!/^["']|^[A-Za-z0-9_./$][A-Za-z0-9_./$ -]*$/.test(token.trim()) || entries.has(key)) {
        throw fault(line, `"${key}" is no key, or is there twice`)
      }
      expect(':')
      entries.set(key, value(depth + 1))
      if (peek() === ',') take()
      else if (peek() !== '}') throw fault(line, 'a mapping in brackets has commas between its members')
    }
    expect('}')
    return Object.fromEntries(entries)
  }

  const read = value(0)
  const rest = text.slice(end)
  if (!/^\s*$|^\s+#/.test(rest)) throw fault(line, `"${rest.trim().slice(0, 40)}" follows the brackets`)
  return read
}

/**
 * Brackets, commas, colons that part a key from its value, quoted texts, and all between them. A quote that does not
 * close takes all the rest, so that nothing is searched for its end more than once.
 */
const TOKEN = /"(?:[^"\\]|\\.)*"?|'(?:[^']|'')*'?|[[\]{},]|:(?=[\s,[\]{}]|$)|(?:[^[\]{},:"']|:(?![\s,[\]{}]|$))+/g
const MAX_DEPTH = 32
