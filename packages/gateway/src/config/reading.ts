/** A complaint of a reader: an offset into the text. */
export interface ReadFault {
  readonly offset: number
  readonly message: string
  readonly path?: string
  readonly hint?: string
}

/** Longest configuration that is read, in UTF-16 units here and in bytes where files are read. */
export const MAX_CONFIG_BYTES = 1024 * 1024
/** Deepest nesting. */
export const MAX_TREE_DEPTH = 32
/** Most values, after aliases are followed. */
export const MAX_TREE_NODES = 50_000

/** What both readers fill while they walk the text. */
export class Reading {
  readonly faults: ReadFault[] = []
  readonly text: string
  readonly #lineStarts: number[] = [0]
  #nodes = 0
  #syntaxFaultLine = 0

  constructor(text: string) {
    this.text = text
    for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) this.#lineStarts.push(at + 1)
  }

  fault(offset: number, message: string, rest: { path?: string; hint?: string } = {}): void {
    this.faults.push({ offset, message, ...rest })
  }

  /** The first thing wrong with a line of text; what follows on the same line is mostly its echo. */
  syntaxFault(offset: number, message: string): void {
    const { line } = this.place(offset)
    if (line !== this.#syntaxFaultLine) this.fault(offset, message)
    this.#syntaxFaultLine = line
  }

  /** Line and column of an offset, both from 1. */
  place(offset: number): { line: number; column: number } {
    let low = 0
    let high = this.#lineStarts.length - 1
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if ((this.#lineStarts[middle] ?? 0) <= offset) low = middle
      else high = middle - 1
    }
    return { line: low + 1, column: offset - (this.#lineStarts[low] ?? 0) + 1 }
  }

  origin(path: string, offset: number) {
    return { source: 'file', path, ...this.place(offset) } as const
  }

  /** Counts one value. False, with one fault, once there are too many or they are nested too deeply. */
  admits(depth: number, offset: number, path: string): boolean {
    this.#nodes += 1
    if (this.#nodes === MAX_TREE_NODES + 1) {
      this.fault(offset, `The configuration holds more than ${MAX_TREE_NODES} values`, { path })
    }
    if (depth === MAX_TREE_DEPTH + 1) {
      this.fault(offset, `The configuration is nested deeper than ${MAX_TREE_DEPTH} levels`, { path })
    }
    return this.#nodes <= MAX_TREE_NODES && depth <= MAX_TREE_DEPTH
  }

  /** Says what is wrong with a key or a text in any format. */
  checkText(text: string, offset: number, path: string): void {
    if (text.includes('\0')) this.fault(offset, 'The text contains a NUL character', { path })
  }

  checkKey(key: string, offset: number, path: string, known: { has(key: string): boolean }): boolean {
    this.checkText(key, offset, path)
    if (key === '__proto__') this.fault(offset, 'The key "__proto__" is not allowed', { path })
    else if (known.has(key)) this.fault(offset, 'The key is written twice', { path, hint: 'keep one of them' })
    else return true
    return false
  }
}
