/**
 * Text that comes in pieces and is joined once. A hostile peer chooses how small they are: so that a piece of a byte,
 * or of none, does not cost the place of one in a list for as long as the text grows, they are joined in blocks.
 */
export class TextPieces {
  readonly #between: string
  #few: string[] = []
  #blocks: string[] = []
  #size = 0

  constructor(between: string) {
    this.#between = between
  }

  get isEmpty(): boolean {
    return this.#few.length === 0 && this.#blocks.length === 0
  }

  /** In UTF-16 units, without what stands between the pieces. */
  get size(): number {
    return this.#size
  }

  /** How many strings are held. */
  get held(): number {
    return this.#few.length + this.#blocks.length
  }

  add(piece: string): void {
    this.#few.push(piece)
    this.#size += piece.length
    if (this.#few.length < BLOCK) return
    this.#blocks.push(this.#few.join(this.#between))
    this.#few = []
  }

  /** The whole text, which is then forgotten. */
  take(): string {
    const only = this.#blocks.length === 0 && this.#few.length === 1 ? this.#few[0] : undefined
    const text = only ?? [...this.#blocks, ...this.#few].join(this.#between)
    this.#few = []
    if (this.#blocks.length > 0) this.#blocks = []
    this.#size = 0
    return text
  }
}

const BLOCK = 1_024
