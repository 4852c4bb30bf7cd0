/**
 * Bytes that come in pieces and are joined once. A hostile peer chooses how small they are: a piece of one byte would
 * cost an object, and keep the whole packet it was cut out of, so small ones are copied together.
 */
export class BytePieces {
  readonly #pieces: Buffer[] = []
  #block: Buffer | undefined
  #used = 0

  /** How many buffers are held. */
  get held(): number {
    return this.#pieces.length + (this.#block === undefined ? 0 : 1)
  }

  /** The first piece; undefined where there is none. What it has at least is not said. */
  get first(): Buffer | undefined {
    return this.#pieces[0] ?? this.#block?.subarray(0, this.#used)
  }

  add(piece: Buffer): void {
    if (piece.length >= SMALL) {
      this.#endBlock()
      this.#pieces.push(piece)
      return
    }
    this.#block ??= Buffer.allocUnsafeSlow(BLOCK)
    if (this.#used + piece.length > BLOCK) this.#endBlock()
    this.#used += piece.copy(this.#block, this.#used)
  }

  /** All of them, in order. To be asked once. */
  join(): Buffer {
    this.#endBlock()
    return Buffer.concat(this.#pieces)
  }

  /** The block is used again, so that one that is hardly filled costs what is in it. */
  #endBlock(): void {
    if (this.#block === undefined || this.#used === 0) return
    this.#pieces.push(Buffer.from(this.#block.subarray(0, this.#used)))
    this.#used = 0
  }
}

const SMALL = 1_024
const BLOCK = 16_384
