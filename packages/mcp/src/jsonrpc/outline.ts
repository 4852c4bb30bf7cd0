import {
  AFTER,
  BEGIN_KEY,
  BEGIN_MEMBER,
  BEGIN_STRING,
  CLASSES,
  CLOSE_ARRAY,
  CLOSE_OBJECT,
  COLON,
  DONE,
  ESCAPE,
  FRACTION,
  INTEGER,
  KEY,
  KEY_OR_END,
  LOW_BACKSLASH,
  LOW_U,
  NEXT,
  OPEN_ARRAY,
  OPEN_OBJECT,
  REFUSE,
  START,
  STRING,
  TABLE,
  UNIT,
  VALUE,
  VALUE_OR_END,
  WIDTH,
} from './grammar.ts'

/** Where a member of an object stands in the bytes of a message. */
export interface Span {
  readonly key: string
  /** Where its value begins, blanks included. */
  readonly from: number
  /** The byte behind it. */
  readonly to: number
  /** Some string in it, key or value, begins with the mark that was looked for. */
  readonly isMarked: boolean
  /** Members of all objects in it, those named twice included. */
  readonly members: number
}

/** A response that carries a result, of which nothing was built. */
export interface Outline {
  /** The members of the response but for its result, which is empty here. */
  readonly message: readonly Span[]
  /** The members of the result, in their order. */
  readonly result: readonly Span[]
}

/**
 * Reads a response without building anything. Every byte is held against the grammar, so that what is passed on as it came
 * is JSON on one line, whatever a peer wrote, within the bounds of what is parsed. What is not seen are keys named twice
 * below the result's own members, and numbers that a double cannot hold: those are passed on as they are.
 *
 * @param pieces UTF-8, which the caller has made sure of
 * @param mark strings that begin so are told of ({@link Span.isMarked})
 * @returns undefined for whatever is not plainly one object with an object `result`, malformed or merely unusual: to be
 *   parsed, which finds out why
 */
export function outlineResult(pieces: readonly Uint8Array[], maxDepth: number, mark: string): Outline | undefined {
  const outliner = new Outliner(maxDepth, mark)
  for (const piece of pieces) if (!outliner.push(piece)) return undefined
  return outliner.end()
}

/**
 * The members of each object of a list, in the same way.
 * @param pieces of a list that was held against the grammar before
 * @returns undefined where it is to be parsed: something in it is no object, or there are many
 */
export function outlineItems(pieces: readonly Uint8Array[], mark: string): readonly (readonly Span[])[] | undefined {
  const outliner = new Outliner(Number.POSITIVE_INFINITY, mark, true)
  for (const piece of pieces) if (!outliner.push(piece)) return undefined
  return outliner.items()
}

/** Members of one object that are told of. */
class Level {
  readonly spans: Span[] = []
  readonly #keys = new Set<string>()
  key = ''
  from = 0
  isMarked = false
  #before = 0

  /** False for a key named twice, for none, and for more members than anybody asks for. */
  begin(key: string, from: number, members: number): boolean {
    if (key === '' || this.#keys.has(key) || this.#keys.size === MAX_MEMBERS) return false
    this.#keys.add(key)
    this.key = key
    this.from = from
    this.#before = members
    this.isMarked = false
    return true
  }

  end(to: number, members: number): void {
    const { key, from, isMarked } = this
    this.spans.push({ key, from, to, isMarked, members: members - this.#before })
  }
}

class Outliner {
  readonly #maxDepth: number
  readonly #mark: Uint8Array
  readonly #message = new Level()
  /** The members of the result; of a list, of the item at hand. */
  #result = new Level()
  readonly #isList: boolean
  readonly #items: Level[] = []
  #commas = 0
  /** What is open: true for an object, false for a list. */
  readonly #open: boolean[] = []
  #hasResult = false
  #inResult = false
  #state: number = START
  /** Bytes before the piece at hand. */
  #before = 0
  /** Members of all objects up to here. */
  #members = 0
  #isKey = false
  /** The key at hand, of an object whose members are told of; undefined for any other. */
  #name: string | undefined
  /** Of a `\u` escape: digits that are missing, and what they stand for. */
  #missing = 0
  #unit = 0
  #wantsLow = false

  constructor(maxDepth: number, mark: string, isList = false) {
    this.#maxDepth = maxDepth
    this.#isList = isList
    if (isList) this.#state = VALUE
    this.#mark = new TextEncoder().encode(mark)
  }

  end(): Outline | undefined {
    if (this.#state !== DONE || !this.#hasResult) return undefined
    return { message: this.#message.spans, result: this.#result.spans }
  }

  items(): readonly (readonly Span[])[] | undefined {
    const isWhole = this.#state === DONE && this.#items.length === this.#commas + 1
    return isWhole ? this.#items.map(({ spans }) => spans) : undefined
  }

  /**
   * False where it goes no further. Nearly all bytes of what is large are deeper than what is told of: for those everything
   * is at hand here, and nothing is called but for strings.
   */
  push(piece: Uint8Array): boolean {
    const { length } = piece
    const view = new DataView(piece.buffer, piece.byteOffset, length)
    const open = this.#open
    const first = this.#mark[0]
    let state = this.#state
    let isKey = this.#isKey
    let members = this.#members
    for (let i = 0; i < length; i++) {
      const c = piece[i] ?? 0
      let action = state < STRING ? (TABLE[state * WIDTH + (CLASSES[c] ?? 0)] ?? REFUSE) : state
      if (action < STRING) {
        state = action
        if (state === INTEGER || state === FRACTION) i = skipDigits(piece, i)
        continue
      }
      if (action > REFUSE) {
        const depth = open.length
        if (depth < 2 || (depth === 2 && this.#inResult)) {
          this.#isKey = isKey
          this.#members = members
          state = this.#act(action, piece, i)
          isKey = this.#isKey
          members = this.#members
          if (state === REFUSE) return false
          continue
        }
        if (action === NEXT) {
          state = open[depth - 1] === true ? KEY : VALUE
          continue
        }
        if (action === BEGIN_MEMBER) {
          state = VALUE
          members++
          continue
        }
        if (action === BEGIN_KEY || action === BEGIN_STRING) {
          isKey = action === BEGIN_KEY
          i++
          if (i === length || piece[i] === first) this.#look(piece, i)
          action = STRING
        } else {
          state = this.#act(action, piece, i)
          if (state === REFUSE) return false
          continue
        }
      }
      if (action === REFUSE) return false
      if (action !== STRING || this.#name !== undefined) {
        state = action === STRING ? this.#spell(c) : this.#escape(state, c)
        if (state === REFUSE) return false
        continue
      }
      i = skipPlain(piece, view, i)
      if (i === length) {
        state = STRING
        break
      }
      const end = piece[i]
      if (end === QUOTE) {
        state = isKey ? COLON : AFTER
        // As it nearly always is.
        if (isKey && open.length > 2 && i + 1 < length && piece[i + 1] === COLON_BYTE) {
          state = VALUE
          members++
          i++
        }
      } else if (end === BACKSLASH) state = ESCAPE
      else return false
    }
    this.#state = state
    this.#isKey = isKey
    this.#members = members
    this.#before += length
    return true
  }

  /** @returns the state that follows */
  #act(action: number, piece: Uint8Array, at: number): number {
    const depth = this.#open.length
    switch (action) {
      case BEGIN_KEY:
        this.#isKey = true
        this.#name = ''
        return STRING
      case BEGIN_STRING:
        this.#isKey = false
        this.#look(piece, at + 1)
        return STRING
      case BEGIN_MEMBER: {
        const begun = this.#levelAt(depth)?.begin(this.#name ?? '', this.#before + at + 1, ++this.#members)
        this.#name = undefined
        return begun === false ? REFUSE : VALUE
      }
      case NEXT:
        this.#levelAt(depth)?.end(this.#before + at, this.#members)
        if (depth === 1 && ++this.#commas === MAX_ITEMS && this.#isList) return REFUSE
        return this.#open[depth - 1] === true ? KEY : VALUE
      case OPEN_OBJECT:
        if (depth === this.#maxDepth) return REFUSE
        if (depth === 1) this.#enter()
        this.#open.push(true)
        return KEY_OR_END
      case OPEN_ARRAY:
        if (depth === this.#maxDepth) return REFUSE
        this.#open.push(false)
        return VALUE_OR_END
      case CLOSE_OBJECT:
      case CLOSE_ARRAY:
        return this.#close(action === CLOSE_OBJECT, this.#before + at)
    }
    return REFUSE
  }

  /** Into an object in the outermost value. */
  #enter(): void {
    if (this.#isList) {
      this.#result = new Level()
      this.#items.push(this.#result)
      this.#inResult = true
    } else if (this.#message.key === RESULT) this.#inResult = this.#hasResult = true
  }

  #close(isObject: boolean, at: number): number {
    const depth = this.#open.length
    if (this.#open.pop() !== isObject) return REFUSE
    const level = this.#levelAt(depth)
    // An empty object has no member to end.
    if (level !== undefined && level.key !== '') level.end(at, this.#members)
    if (depth === 2) this.#inResult = false
    return depth === 1 ? DONE : AFTER
  }

  /** Whose members are told of. */
  #levelAt(depth: number): Level | undefined {
    if (depth === 1) return this.#isList ? undefined : this.#message
    return depth === 2 && this.#inResult ? this.#result : undefined
  }

  /** Looks for the mark at the beginning of a string; one that goes on in another piece counts as marked. */
  #look(piece: Uint8Array, at: number): void {
    const mark = this.#mark
    if (at < piece.length && piece[at] !== mark[0]) return
    for (let i = 1; i < mark.length && at + i < piece.length; i++) if (piece[at + i] !== mark[i]) return
    this.#result.isMarked = true
  }

  /** One byte of a key that is told of. Such keys are ASCII without escapes: another may be the same in disguise. */
  #spell(c: number): number {
    if (c === QUOTE) return COLON
    const name = this.#name ?? ''
    if (c < SPACE || c === BACKSLASH || c > TILDE || name.length === MAX_KEY) return REFUSE
    this.#name = name + String.fromCharCode(c)
    return STRING
  }

  /** One byte behind a backslash. Of a pair of surrogates both are there, or it is text that no UTF-8 can carry. */
  #escape(state: number, c: number): number {
    if (state === UNIT) return this.#digit(c)
    if (state === LOW_BACKSLASH) return c === BACKSLASH ? LOW_U : REFUSE
    if (c === LOWER_U && (state === ESCAPE || state === LOW_U)) {
      this.#wantsLow = state === LOW_U
      this.#missing = 4
      this.#unit = 0
      return UNIT
    }
    return state === ESCAPE && ESCAPED[c] === 1 ? STRING : REFUSE
  }

  #digit(c: number): number {
    const letter = c | 0x20
    if (c >= ZERO && c <= NINE) this.#unit = this.#unit * 16 + c - ZERO
    else if (letter >= LOWER_A && letter <= LOWER_F) this.#unit = this.#unit * 16 + letter - LOWER_A + 10
    else return REFUSE
    if (--this.#missing > 0) return UNIT
    const isLow = this.#unit >= 0xdc00 && this.#unit <= 0xdfff
    if (isLow !== this.#wantsLow) return REFUSE
    return this.#unit >= 0xd800 && this.#unit <= 0xdbff ? LOW_BACKSLASH : STRING
  }
}

/** To the last of the digits that follow. */
function skipDigits(piece: Uint8Array, at: number): number {
  let next = at + 1
  for (; next < piece.length; next++) {
    const c = piece[next] ?? 0
    if (c < ZERO || c > NINE) break
  }
  return next - 1
}

/**
 * From inside a string to its next quote, control character or escape of more than one character; the end of the piece
 * where there is none. Four bytes at a time, and eight where nothing has come for a while: strings are most of what is
 * large.
 */
function skipPlain(piece: Uint8Array, view: DataView, at: number): number {
  const { length } = piece
  const last = length - WINDOW
  let i = at
  while (i <= last) {
    let found = toSpecial(view.getInt32(i, true))
    if (found === 0) {
      i += 4
      found = toSpecial(view.getInt32(i, true))
      if (found === 0) {
        i += 4
        while (i <= last && (toSpecial(view.getInt32(i, true)) | toSpecial(view.getInt32(i + 4, true))) === 0) i += 8
        continue
      }
    }
    // What is found first is right; behind it a borrow may have gone too far.
    i += (31 - Math.clz32(found & -found)) >> 3
    // Escapes come in company: a quote and a line break, two backslashes.
    do {
      if (piece[i] !== BACKSLASH || ESCAPED[piece[i + 1] ?? 0] === 0) return i
      i += 2
    } while (i <= last && piece[i] === BACKSLASH)
  }
  for (; i < length; i++) {
    const c = piece[i] ?? 0
    if (SPECIAL[c] === 0) continue
    if (c !== BACKSLASH || i + 1 >= length || ESCAPED[piece[i + 1] ?? 0] === 0) return i
    i++
  }
  return length
}

/**
 * The top bits of those of four bytes, the first lowest, that end a stretch of a string: a byte below a space, or one that
 * is zero behind an exclusive or, borrows into its top bit (Hacker's Delight, 6-1).
 */
function toSpecial(word: number): number {
  const quotes = word ^ QUOTES
  const backslashes = word ^ BACKSLASHES
  const found = ((word - SPACES) & ~word) | ((quotes - ONES) & ~quotes) | ((backslashes - ONES) & ~backslashes)
  return found & TOPS
}

const RESULT = 'result'
/** Characters of a key that is told of. */
const MAX_KEY = 256
/** Objects of a list. */
const MAX_ITEMS = 64
/** Members that are told of. */
const MAX_MEMBERS = 64
/** Bytes that are looked at before the next look ahead. */
const WINDOW = 16
const SPACE = 0x20
const QUOTE = 0x22
const ZERO = 0x30
const NINE = 0x39
const COLON_BYTE = 0x3a
const BACKSLASH = 0x5c
const LOWER_A = 0x61
const LOWER_F = 0x66
const LOWER_U = 0x75
const TILDE = 0x7e
/** Four of a kind. */
const ONES = 0x01010101
const SPACES = 0x20202020
const QUOTES = 0x22222222
const BACKSLASHES = 0x5c5c5c5c
const TOPS = 0x80808080 | 0
/** What may follow a backslash by itself. */
const ESCAPED = new Uint8Array(256)
for (const c of '"\\/bfnrt') ESCAPED[c.charCodeAt(0)] = 1
/** What ends a stretch of a string. */
const SPECIAL = new Uint8Array(256).fill(1, 0, SPACE)
SPECIAL[QUOTE] = 1
SPECIAL[BACKSLASH] = 1
