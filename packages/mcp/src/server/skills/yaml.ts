import { readFlow } from './yaml-flow.ts'
import { fault, readQuoted, toScalar } from './yaml-scalar.ts'

/**
 * Reads the YAML that frontmatter is written in: block mappings and lists, plain, quoted and block scalars, lists and
 * mappings in brackets on one line, comments. What else YAML has (anchors, tags, documents, quoted text over several
 * lines …) is refused with the line it stands in, so that nothing is ever read as something it is not.
 * @throws {Error} for what is no such YAML
 */
export function parseYaml(text: string): unknown {
  const lines = text
    .replace(/\n$/, '')
    .split('\n')
    .map((raw, at): Line => {
      const line = raw.replace(/\r$/, '')
      const indent = line.length - line.trimStart().length
      if (/^ *\t/.test(line) && line.trim() !== '') throw fault(at + 1, 'tabs do not indent')
      return { at: at + 1, indent, text: line.trim(), raw: line }
    })
  const reader = new Reader(lines)
  const value = reader.block(-1, 0)
  reader.end()
  return value
}

interface Line {
  /** Its number, for messages. */
  readonly at: number
  readonly indent: number
  readonly text: string
  readonly raw: string
}

class Reader {
  readonly #lines: Line[]
  #next = 0

  constructor(lines: Line[]) {
    this.#lines = lines
  }

  /** What stands deeper than `parent`: a mapping, a list, or nothing. */
  block(parent: number, depth: number): unknown {
    const line = this.#peek()
    if (line === undefined || line.indent <= parent) return null
    if (depth > MAX_DEPTH) throw fault(line.at, `it goes deeper than ${MAX_DEPTH} levels`)
    return isItem(line.text) ? this.#list(line.indent, depth) : this.#mapping(line.indent, depth)
  }

  end(): void {
    const line = this.#peek()
    if (line !== undefined) throw fault(line.at, 'it does not go on from the line before')
  }

  #mapping(indent: number, depth: number): unknown {
    const entries = new Map<string, unknown>()
    for (let line = this.#peek(); line?.indent === indent && !isItem(line.text); line = this.#peek()) {
      const { key, rest } = readKey(line)
      if (entries.has(key)) throw fault(line.at, `"${key}" is there twice`)
      this.#next++
      const isBare = rest === '' || rest.startsWith('#')
      const following = isBare ? this.#peek() : undefined
      // The items of a list may stand as deep as the key they belong to.
      const isOwnList = isBare && following?.indent === indent && isItem(following.text)
      entries.set(
        key,
        isBare ? this.block(isOwnList ? indent - 1 : indent, depth + 1) : this.#value(line, rest, indent),
      )
    }
    return Object.fromEntries(entries)
  }

  #list(indent: number, depth: number): unknown[] {
    const items: unknown[] = []
    for (let line = this.#peek(); line?.indent === indent && isItem(line.text); line = this.#peek()) {
      const rest = line.text.slice(1).trimStart()
      if (rest === '' || rest.startsWith('#')) {
        this.#next++
        items.push(this.block(indent, depth + 1))
      } else if (isItem(rest) || KEY.test(rest)) {
        // What follows the dash is a block of its own, as deep as it stands.
        const inner = indent + (line.text.length - rest.length)
        this.#lines[this.#next] = { ...line, indent: inner, text: rest }
        items.push(this.block(indent, depth + 1))
      } else {
        this.#next++
        items.push(this.#value(line, rest, indent))
      }
    }
    return items
  }

  #value(line: Line, text: string, indent: number): unknown {
    const [first = ''] = text
    if (first === '|' || first === '>') return this.#blockScalar(line, text, indent)
    if (first === '"' || first === "'") return readQuoted(line.at, text)
    if (first === '[' || first === '{') return readFlow(line.at, text)
    return toScalar(line.at, this.#plain(line, text, indent))
  }

  /** Plain text goes on in the lines that stand deeper. */
  #plain({ at }: Line, start: string, indent: number): string {
    let text = toPlainLine(at, start)
    let isOver = / #/.test(start)
    for (;;) {
      let blank = 0
      while (this.#lines[this.#next + blank]?.text === '') blank++
      const line = this.#lines[this.#next + blank]
      if (line === undefined || line.indent <= indent) return text
      if (line.text.startsWith('#')) isOver = true
      else if (isOver) throw fault(line.at, 'text does not go on after a comment')
      else text += (blank === 0 ? ' ' : '\n'.repeat(blank)) + toPlainLine(line.at, line.text)
      if (/ #/.test(line.text)) isOver = true
      this.#next += blank + 1
    }
  }

  #blockScalar({ at }: Line, header: string, indent: number): string {
    const match = /^([|>])([+-]?)(?:\s+#.*)?$/.exec(header)
    if (match === null) throw fault(at, `"${header}" is not understood`)
    const [, style, chomp] = match
    const lines: string[] = []
    let depth: number | undefined
    let widest = 0
    for (let line = this.#lines[this.#next]; line !== undefined; line = this.#lines[this.#next]) {
      if (line.text !== '') {
        if (line.indent <= indent || line.indent < (depth ?? 0)) break
        if (depth === undefined && lines.length > 0 && line.indent < widest) {
          throw fault(line.at, 'the blank lines before it stand deeper')
        }
        depth ??= line.indent
      } else widest = Math.max(widest, line.raw.length)
      lines.push(line.raw.slice(Math.min(depth ?? line.raw.length, line.raw.length)))
      this.#next++
    }
    if (depth === undefined) throw fault(at, 'the text announced is not there')
    return toBlockText(lines, style === '>', chomp ?? '')
  }

  /** The next line that says something. */
  #peek(): Line | undefined {
    for (let line = this.#lines[this.#next]; line !== undefined; line = this.#lines[++this.#next]) {
      if (line.text !== '' && !line.text.startsWith('#')) return line
    }
    return undefined
  }
}

function readKey(line: Line): { readonly key: string; readonly rest: string } {
  const match = KEY.exec(line.text)
  if (match === null) throw fault(line.at, `"${line.text.slice(0, 40)}" is no "key: value"`)
  const [, quoted, plain = '', rest = ''] = match
  if (/^(?:~|null|Null|NULL)$/.test(plain)) throw fault(line.at, 'a key needs a name')
  return { key: quoted === undefined ? plain : readQuoted(line.at, quoted), rest }
}

function toPlainLine(at: number, text: string): string {
  const [bare = ''] = text.split(/ #/)
  const line = bare.trim()
  if (/^(?:[&*!%@`|>,\]}]|[-?:](?: |$))/.test(line))
    throw fault(at, `"${line.slice(0, 40)}" is not understood: put it in quotes`)
  if (/:(?: |$)/.test(line)) throw fault(at, 'text with a colon and a blank in it stands in quotes')
  return line
}

function toBlockText(lines: readonly string[], folds: boolean, chomp: string): string {
  let count = lines.length
  while (count > 0 && lines[count - 1] === '') count--
  const body = lines.slice(0, count)
  const trailing = '\n'.repeat(lines.length - count)
  const text = folds ? fold(body) : body.join('\n')
  if (chomp === '-') return text
  return chomp === '+' ? `${text}\n${trailing}` : `${text}\n`
}

/** Lines become one, unless they are empty or stand deeper than the rest. */
function fold(lines: readonly string[]): string {
  let text = ''
  let blank = 0
  let before: string | undefined
  for (const line of lines) {
    if (line === '') {
      blank++
      continue
    }
    if (before === undefined) text = '\n'.repeat(blank)
    else if (/^\s/.test(line) || /^\s/.test(before)) text += '\n'.repeat(blank + 1)
    else text += blank === 0 ? ' ' : '\n'.repeat(blank)
    text += line
    before = line
    blank = 0
  }
  return text
}

function isItem(text: string): boolean {
  return text === '-' || text.startsWith('- ')
}

/** A key in quotes or without, the colon, and what follows on the line. */
const KEY = /^(?:("(?:[^"\\]|\\.)*"|'(?:[^']|'')*')|([A-Za-z0-9_~./$][A-Za-z0-9_./$ -]*?))\s*:(?:\s+(.*))?$/
const MAX_DEPTH = 32
