import { type CharSet, charSet, DIGIT, LINE_END, negate, SPACE, unionOf, WORD } from './char-set.ts'

/** A regular expression of ECMA-262 with the flag `u`, as far as it can be matched in linear time. */
export type Regex =
  | { readonly kind: 'set'; readonly set: CharSet }
  | { readonly kind: 'sequence'; readonly parts: readonly Regex[] }
  | { readonly kind: 'choice'; readonly ways: readonly Regex[] }
  | { readonly kind: 'repeat'; readonly part: Regex; readonly min: number; readonly max: number }
  | { readonly kind: 'place'; readonly place: Place }
  | { readonly kind: 'look'; readonly ahead: boolean; readonly negated: boolean; readonly part: Regex }

/** What can be said of a place between characters. */
export type Place = 'start' | 'end' | 'word edge' | 'no word edge'

/** Why a pattern is refused, as half a sentence. */
export class PatternFault extends Error {}

/**
 * Reads a pattern. Escapes of punctuation that needs none, and brackets that stand for themselves, are read as people
 * mean them, although the flag `u` forbids them.
 * @throws {PatternFault} for what is no pattern, and for back references
 */
export function parsePattern(source: string): Regex {
  const reader = new Reader(source)
  const regex = reader.choice(0)
  if (!reader.isAtEnd) throw new PatternFault('it has a ")" too many')
  return regex
}

class Reader {
  readonly #source: string
  #at = 0

  constructor(source: string) {
    this.#source = source
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#source.length
  }

  choice(depth: number): Regex {
    if (depth > MAX_DEPTH) throw new PatternFault(`its groups nest deeper than ${MAX_DEPTH} levels`)
    const ways = [this.#sequence(depth)]
    while (this.#take('|')) ways.push(this.#sequence(depth))
    const [only] = ways
    return ways.length === 1 && only !== undefined ? only : { kind: 'choice', ways }
  }

  #sequence(depth: number): Regex {
    const parts: Regex[] = []
    while (!this.isAtEnd && !this.#sees('|') && !this.#sees(')')) parts.push(this.#repeated(depth))
    return { kind: 'sequence', parts }
  }

  #repeated(depth: number): Regex {
    const part = this.#atom(depth)
    const times = this.#times()
    if (times === undefined) return part
    if (part.kind === 'place') throw new PatternFault('it repeats a place such as "^" or "\\b"')
    this.#take('?') // lazy or not, the same texts match
    if (this.#times() !== undefined) throw new PatternFault('it has two quantifiers in a row')
    return { kind: 'repeat', part, ...times }
  }

  #times(): { readonly min: number; readonly max: number } | undefined {
    if (this.#take('*')) return { min: 0, max: Number.POSITIVE_INFINITY }
    if (this.#take('+')) return { min: 1, max: Number.POSITIVE_INFINITY }
    if (this.#take('?')) return { min: 0, max: 1 }
    const counts = this.#match(/\{(\d+)(,(\d*))?\}/y)
    if (counts === undefined) return undefined
    const min = Number(counts[1])
    const max = counts[2] === undefined ? min : counts[3] === '' ? Number.POSITIVE_INFINITY : Number(counts[3])
    if (min > max) throw new PatternFault(`its quantifier "${counts[0]}" ends before it begins`)
    return { min, max }
  }

  #atom(depth: number): Regex {
    if (this.#take('(')) return this.#group(depth)
    if (this.#take('[')) return { kind: 'set', set: this.#charClass() }
    if (this.#take('.')) return { kind: 'set', set: negate(LINE_END) }
    if (this.#take('^')) return { kind: 'place', place: 'start' }
    if (this.#take('$')) return { kind: 'place', place: 'end' }
    if (this.#take('\\b')) return { kind: 'place', place: 'word edge' }
    if (this.#take('\\B')) return { kind: 'place', place: 'no word edge' }
    if (this.#sees('*') || this.#sees('+') || this.#sees('?')) throw new PatternFault('it repeats nothing')
    if (this.#match(/\\[1-9]|\\k</y) !== undefined) {
      throw new PatternFault('it has a back reference, which cannot be matched in bounded time')
    }
    return { kind: 'set', set: this.#take('\\') ? this.#escape() : single(this.#character()) }
  }

  #group(depth: number): Regex {
    const look = this.#match(/\?(<?)([=!])/y)
    if (look === undefined && this.#match(/\?:|\?<[\p{ID_Start}$_][\p{ID_Continue}$\u200c\u200d]*>/uy) === undefined) {
      if (this.#sees('?')) throw new PatternFault('it has a group "(?" of a kind that is not known')
    }
    const part = this.choice(depth + 1)
    if (!this.#take(')')) throw new PatternFault('a group is not closed')
    return look === undefined ? part : { kind: 'look', ahead: look[1] === '', negated: look[2] === '!', part }
  }

  #charClass(): CharSet {
    const isNegated = this.#take('^')
    const sets: CharSet[] = []
    while (!this.#take(']')) {
      if (this.isAtEnd) throw new PatternFault('a class "[" is not closed')
      sets.push(this.#classRange())
    }
    const set = unionOf(sets)
    return isNegated ? negate(set) : set
  }

  #classRange(): CharSet {
    const from = this.#classAtom()
    if (!this.#sees('-') || this.#source[this.#at + 1] === ']') return from
    const back = this.#at
    this.#at++
    if (this.isAtEnd) throw new PatternFault('a class "[" is not closed')
    const to = this.#classAtom()
    const [first, last] = [onlyCharacter(from), onlyCharacter(to)]
    if (first === undefined || last === undefined) {
      // As in `[\w-.]`: the hyphen is one.
      this.#at = back
      return from
    }
    if (first > last) throw new PatternFault('a range of a class ends before it begins')
    return charSet([[first, last]])
  }

  #classAtom(): CharSet {
    if (!this.#take('\\')) return single(this.#character())
    if (this.#take('b')) return single(0x08)
    return this.#take('-') ? single(0x2d) : this.#escape()
  }

  /** After the backslash. */
  #escape(): CharSet {
    if (this.isAtEnd) throw new PatternFault('it ends with a backslash')
    const property = this.#match(/([pP])\{([A-Za-z0-9_]+(?:=[A-Za-z0-9_]+)?)\}/y)
    if (property !== undefined) return unicodeProperty(property[2] ?? '', property[1] === 'P')
    const code = this.#match(/u([dD][89abAB][\dA-Fa-f]{2})\\u([dD][c-fC-F][\dA-Fa-f]{2})/y)
    if (code !== undefined) {
      const [high, low] = [Number.parseInt(code[1] ?? '', 16), Number.parseInt(code[2] ?? '', 16)]
      return single(String.fromCharCode(high, low).codePointAt(0) ?? high)
    }
    const hex = this.#match(/u([\dA-Fa-f]{4})|u\{([\dA-Fa-f]{1,8})\}|x([\dA-Fa-f]{2})/y)
    if (hex !== undefined) {
      const codePoint = Number.parseInt(hex[1] ?? hex[2] ?? hex[3] ?? '', 16)
      if (codePoint > 0x10ffff) throw new PatternFault(`"\\${hex[0]}" is no character`)
      return single(codePoint)
    }
    const control = this.#match(/c([A-Za-z])/y)
    if (control !== undefined) return single((control[1] ?? '').charCodeAt(0) % 32)
    const character = this.#character()
    const text = String.fromCodePoint(character)
    const known = ESCAPES.get(text)
    if (known !== undefined) return known
    if (text === '0' && !/\d/.test(this.#source[this.#at] ?? '')) return single(0)
    if (/[A-Za-z0-9]/.test(text)) throw new PatternFault(`"\\${text}" means nothing`)
    return single(character)
  }

  #character(): number {
    const codePoint = this.#source.codePointAt(this.#at) ?? 0
    this.#at += codePoint > 0xffff ? 2 : 1
    return codePoint
  }

  #sees(text: string): boolean {
    return this.#source.startsWith(text, this.#at)
  }

  #take(text: string): boolean {
    if (!this.#sees(text)) return false
    this.#at += text.length
    return true
  }

  #match(sticky: RegExp): RegExpExecArray | undefined {
    sticky.lastIndex = this.#at
    const found = sticky.exec(this.#source)
    if (found === null) return undefined
    this.#at += found[0].length
    return found
  }
}

function single(codePoint: number): CharSet {
  return charSet([[codePoint, codePoint]])
}

function onlyCharacter({ ranges, properties }: CharSet): number | undefined {
  const [range] = ranges
  const isOne = ranges.length === 1 && properties.length === 0 && range !== undefined && range[0] === range[1]
  return isOne ? range[0] : undefined
}

function unicodeProperty(name: string, isNegated: boolean): CharSet {
  try {
    const property = new RegExp(`^\\${isNegated ? 'P' : 'p'}{${name}}$`, 'u')
    return charSet([], [(character) => property.test(character)])
  } catch {
    throw new PatternFault(`no Unicode property is named "${name}"`)
  }
}

const MAX_DEPTH = 64

const ESCAPES: ReadonlyMap<string, CharSet> = new Map([
  ['d', DIGIT],
  ['D', negate(DIGIT)],
  ['w', WORD],
  ['W', negate(WORD)],
  ['s', SPACE],
  ['S', negate(SPACE)],
  ['t', single(0x09)],
  ['n', single(0x0a)],
  ['v', single(0x0b)],
  ['f', single(0x0c)],
  ['r', single(0x0d)],
])
