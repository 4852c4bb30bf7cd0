import type { Clock } from '../../peer/clock.ts'

/**
 * What a child writes to stderr, line by line: the last lines are kept to explain its end, and a flood is cut
 * short before it reaches a log.
 */
export class StderrTail {
  readonly #clock: Clock
  readonly #pass: ((line: string) => void) | undefined
  readonly #decoder = new TextDecoder('utf-8')
  readonly #kept: string[] = []
  #partial = ''
  #cutting = false
  #windowStart: number
  #passed = 0
  #dropped = 0

  constructor(clock: Clock, pass: ((line: string) => void) | undefined) {
    this.#clock = clock
    this.#pass = pass
    this.#windowStart = clock.now()
  }

  push(chunk: Buffer): void {
    const lines = this.#decoder.decode(chunk, { stream: true }).split(/\r?\n/)
    for (let at = 0; at < lines.length; at++) {
      this.#extend(lines[at] ?? '')
      if (at < lines.length - 1) this.#finish()
    }
  }

  end(): void {
    this.#finish()
    this.#reportDropped()
  }

  /** The last lines that say something, oldest first. */
  last(count: number): readonly string[] {
    return this.#kept.filter((line) => line.trim() !== '').slice(-count)
  }

  /**
   * The line that says what went wrong, where what was written last looks like the report of a crash: its stack says
   * little to people. The last line that begins with an error wins, before that the first that has one in it.
   */
  telling(): string | undefined {
    return (
      this.#kept.findLast((line) => BEGINS_WITH_ERROR.test(line)) ?? this.#kept.find((line) => HAS_ERROR.test(line))
    )
  }

  #extend(part: string): void {
    if (this.#cutting) return
    this.#partial += part
    if (this.#partial.length <= MAX_LINE) return
    this.#partial = `${this.#partial.slice(0, MAX_LINE)}…`
    this.#cutting = true
  }

  #finish(): void {
    const line = this.#partial
    this.#partial = ''
    this.#cutting = false
    if (line === '') return
    this.#kept.push(line)
    if (this.#kept.length > MAX_KEPT) this.#kept.shift()
    this.#passOn(line)
  }

  #passOn(line: string): void {
    const now = this.#clock.now()
    if (now - this.#windowStart >= WINDOW_MS) {
      this.#reportDropped()
      this.#windowStart = now
      this.#passed = 0
    }
    if (this.#passed >= MAX_LINES_PER_WINDOW) {
      this.#dropped++
      return
    }
    this.#passed++
    this.#pass?.(line)
  }

  #reportDropped(): void {
    if (this.#dropped > 0) this.#pass?.(`(${this.#dropped} lines more in a flood)`)
    this.#dropped = 0
  }
}

/** As Node, Python, Go, Rust and Bun begin the last word of a program: `TypeError: …`, `Error [CODE]: …`, `panic: …`. */
const BEGINS_WITH_ERROR = /^(?:Uncaught )?(?:[\w.$]*(?:Error|Exception)(?: \[\w+\])?|error|fatal|panic): /
const HAS_ERROR = /Error: /
/** Characters of one line; the rest of it is dropped. */
const MAX_LINE = 8_192
const MAX_KEPT = 50
const WINDOW_MS = 1_000
const MAX_LINES_PER_WINDOW = 500
