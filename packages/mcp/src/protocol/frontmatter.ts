import type { JsonObject } from '../jsonrpc/frame.ts'

/**
 * The YAML in front of a Markdown file, as far as frontmatter needs it: maps and lists by indentation, short ones in
 * brackets, plain and quoted scalars, texts over several lines. No anchors, tags or documents: what is not read here
 * is refused rather than guessed at.
 * @returns undefined where there is no frontmatter, or none that is a map and can be read
 */
export function parseFrontmatter(markdown: string): JsonObject | undefined {
  const found = FENCED.exec(markdown)
  if (found === null) return undefined
  const lines = (found[1] ?? '').split(/\r?\n/)
  // Some of the expressions below take time quadratic in a line's length.
  if (lines.length > MAX_LINES || lines.some((line) => line.length > MAX_LINE)) return undefined
  try {
    const reader = new Reader(lines)
    const value = reader.block(0, 0)
    return reader.isAtEnd() && isMap(value) ? value : undefined
  } catch (error) {
    if (error instanceof Unreadable) return undefined
    throw error
  }
}

class Unreadable extends Error {}

/** Reads blocks line by line; `at` is the next line. */
class Reader {
  readonly #lines: readonly string[]
  #at = 0

  constructor(lines: readonly string[]) {
    this.#lines = lines
  }

  isAtEnd(): boolean {
    this.#skipBlank()
    return this.#at === this.#lines.length
  }

  /** What begins on the next line, if it is indented by at least `least`. */
  block(least: number, depth: number): unknown {
    if (depth > MAX_DEPTH) throw new Unreadable()
    const indent = this.#nextIndent()
    if (indent === undefined || indent < least) return null
    return LIST_ITEM.test(this.#line().slice(indent)) ? this.#list(indent, depth) : this.#map(indent, depth)
  }

  #map(indent: number, depth: number): JsonObject {
    const entries = new Map<string, unknown>()
    while (this.#nextIndent() === indent) {
      const text = this.#line().slice(indent)
      const found = KEY.exec(text)
      if (found === null || LIST_ITEM.test(text)) throw new Unreadable()
      const key = String(toScalar(trim(found[1] ?? '')))
      if (entries.has(key)) throw new Unreadable()
      this.#at++
      // A list under a key may stand as far left as the key.
      entries.set(key, this.#value(found[2] ?? '', indent, depth, indent))
    }
    if ((this.#nextIndent() ?? -1) > indent) throw new Unreadable()
    return Object.fromEntries(entries)
  }

  #list(indent: number, depth: number): unknown[] {
    const items: unknown[] = []
    while (this.#nextIndent() === indent && LIST_ITEM.test(this.#line().slice(indent))) {
      const rest = this.#line().slice(indent + 1)
      if (KEY.test(trim(rest)) && !/^[ \t]*["'[{]/.test(rest)) throw new Unreadable() // maps in lists: not needed
      this.#at++
      items.push(this.#value(rest, indent, depth, undefined))
    }
    return items
  }

  /** @param listIndent where a list that is the value may stand, beside further right */
  #value(rest: string, indent: number, depth: number, listIndent: number | undefined): unknown {
    const text = trim(withoutComment(rest))
    const folded = BLOCK_TEXT.exec(text)
    if (folded !== null) return this.#text(indent, folded[1] === '|', folded[2] ?? '')
    if (text !== '') return toInline(this.#continued(text, indent))
    const next = this.#nextIndent()
    if (next === listIndent && listIndent !== undefined && LIST_ITEM.test(this.#line().slice(next ?? 0))) {
      return this.#list(listIndent, depth + 1)
    }
    return this.block(indent + 1, depth + 1)
  }

  /** A plain text goes on as long as lines are indented further. */
  #continued(text: string, indent: number): string {
    if (/^["'[{]/.test(text)) return text
    let all = text
    for (;;) {
      const next = this.#lines[this.#at]
      if (next === undefined || trim(next) === '' || indentOf(next) <= indent) return all
      const more = trim(withoutComment(next))
      if (KEY.test(more)) throw new Unreadable()
      all += ` ${more}`
      this.#at++
    }
  }

  /** A text of its own lines: `|` keeps their ends, `>` makes blanks of them. */
  #text(indent: number, keepsEnds: boolean, chomp: string): string {
    const own: string[] = []
    let margin: number | undefined
    for (; this.#at < this.#lines.length; this.#at++) {
      const line = this.#lines[this.#at] ?? ''
      if (trim(line) === '') {
        own.push('')
        continue
      }
      const at = indentOf(line)
      if (at <= indent) break
      margin ??= at
      if (at < margin) throw new Unreadable()
      own.push(line.slice(margin))
    }
    let trailing = 0
    while (own.at(-1) === '') {
      own.pop()
      trailing++
    }
    const body = keepsEnds ? own.join('\n') : fold(own)
    if (body === '' || chomp === '-') return body
    return body + (chomp === '+' ? '\n'.repeat(trailing + 1) : '\n')
  }

  #nextIndent(): number | undefined {
    this.#skipBlank()
    const line = this.#lines[this.#at]
    if (line === undefined) return undefined
    if (/^ *\t/.test(line)) throw new Unreadable()
    return indentOf(line)
  }

  #skipBlank(): void {
    while (this.#at < this.#lines.length && /^[ \t]*(?:#.*)?$/.test(this.#line())) this.#at++
  }

  #line(): string {
    return this.#lines[this.#at] ?? ''
  }
}

/** Lines of one paragraph become one; an empty line between them ends it. Lines that are indented keep their ends. */
function fold(lines: readonly string[]): string {
  let text = ''
  let blank = 0
  let wasIndented = false
  for (const [at, line] of lines.entries()) {
    if (line === '') {
      blank++
      continue
    }
    const isIndented = line.startsWith(' ')
    if (at > 0)
      text +=
        blank > 0 ? '\n'.repeat(blank + (isIndented || wasIndented ? 1 : 0)) : isIndented || wasIndented ? '\n' : ' '
    text += line
    blank = 0
    wasIndented = isIndented
  }
  return text
}

function toInline(text: string): unknown {
  if (!/^[[{]/.test(text)) return toScalar(text)
  const inline = new Inline(text)
  const value = inline.value(0)
  if (!inline.isAtEnd()) throw new Unreadable()
  return value
}

/** `[a, b]` and `{a: b}` on one line. */
class Inline {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  isAtEnd(): boolean {
    return trim(this.#text.slice(this.#at)) === ''
  }

  value(depth: number): unknown {
    if (depth > MAX_DEPTH) throw new Unreadable()
    this.#blank()
    const first = this.#text[this.#at]
    if (first === '[') return this.#members(']', () => this.value(depth + 1))
    if (first !== '{') return toScalar(this.#scalar())
    const pairs = this.#members('}', (): [string, unknown] => {
      const key = String(toScalar(this.#scalar()))
      if (this.#text[this.#at] !== ':') throw new Unreadable()
      this.#at++
      return [key, this.value(depth + 1)]
    })
    if (new Set(pairs.map(([key]) => key)).size < pairs.length) throw new Unreadable()
    return Object.fromEntries(pairs)
  }

  #members<T>(close: string, member: () => T): T[] {
    this.#at++
    const members: T[] = []
    for (;;) {
      this.#blank()
      if (this.#text[this.#at] === close) break
      members.push(member())
      this.#blank()
      if (this.#text[this.#at] === ',') this.#at++
      else if (this.#text[this.#at] !== close) throw new Unreadable()
    }
    this.#at++
    return members
  }

  #scalar(): string {
    this.#blank()
    const found = INLINE_SCALAR.exec(this.#text.slice(this.#at))
    if (found === null) throw new Unreadable()
    this.#at += found[0].length
    return trim(found[0])
  }

  #blank(): void {
    while (this.#text[this.#at] === ' ') this.#at++
  }
}

/** YAML 1.2 core schema. */
function toScalar(text: string): unknown {
  if (text.startsWith('"')) return toDoubleQuoted(text)
  if (text.startsWith("'")) {
    if (!/^'(?:[^']|'')*'$/.test(text)) throw new Unreadable()
    return text.slice(1, -1).replaceAll("''", "'")
  }
  if (/^[&*!%@`|>]/.test(text) || /^[-?:]( |$)/.test(text) || /: |:$/.test(text)) throw new Unreadable()
  if (/^(?:~|null|Null|NULL|)$/.test(text)) return null
  if (/^(?:true|True|TRUE)$/.test(text)) return true
  if (/^(?:false|False|FALSE)$/.test(text)) return false
  if (/^[-+]?(?:0|[1-9]\d*|0\d+)$/.test(text) || /^0x[0-9a-fA-F]+$/.test(text)) return Number(text)
  if (/^[-+]?(?:\.\d+|\d+(?:\.\d*)?)(?:[eE][-+]?\d+)?$/.test(text)) return Number(text)
  return text
}

/** The escapes JSON has too; YAML's own are refused. */
function toDoubleQuoted(text: string): string {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'string') return value
  } catch {}
  throw new Unreadable()
}

/** A comment begins at a `#` after a blank, outside of quotes. */
function withoutComment(text: string): string {
  let quote: string | undefined
  for (let at = 0; at < text.length; at++) {
    const char = text[at]
    if (quote !== undefined) {
      if (char === '\\' && quote === '"') at++
      else if (char === quote) quote = undefined
    } else if ((char === '"' || char === "'") && /^[ \t[{,:-]*$/.test(text.slice(Math.max(0, at - 1), at))) quote = char
    else if (char === '#' && (at === 0 || /[ \t]/.test(text[at - 1] ?? ''))) return text.slice(0, at)
  }
  return text
}

/** Blanks of YAML, which are fewer than those of JavaScript. */
function trim(text: string): string {
  return text.replace(/^[ \t]+|[ \t]+$/g, '')
}

function indentOf(line: string): number {
  return (/^ */.exec(line)?.[0] ?? '').length
}

function isMap(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

const FENCED = /^\uFEFF?---[ \t]*\r?\n([\s\S]*?)\r?\n---[ \t]*(?:\r?\n|$)/
const KEY =
  /^("(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|[^ \t#&*!|>%@`"'[\]{},?-][^#]*?|[-?][^ \t][^#]*?)[ \t]*:(?:[ \t]+(.*)|)$/
const LIST_ITEM = /^-(?:[ \t]|$)/
const BLOCK_TEXT = /^([|>])([-+]?)$/
const INLINE_SCALAR = /^(?:"(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|(?:[^,[\]{}:]|:(?! |$))+)/
const MAX_LINES = 2_000
const MAX_LINE = 4_096
const MAX_DEPTH = 16
