import { isUtf8 } from 'node:buffer'

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

  /** All of them, in order. Nothing is added afterwards. */
  join(): Buffer {
    return Buffer.concat(this.take())
  }

  /** The same in pieces, of which none is small but the last of a few. Nothing is added afterwards. */
  take(): readonly Buffer[] {
    this.#endBlock()
    return this.#pieces
  }

  /** The block is used again, so that one that is hardly filled costs what is in it. */
  #endBlock(): void {
    if (this.#block === undefined || this.#used === 0) return
    this.#pieces.push(Buffer.from(this.#block.subarray(0, this.#used)))
    this.#used = 0
  }
}

/** Whether bytes are UTF-8, a character in two pieces included. False also for one in more of them. */
export function areUtf8(pieces: readonly Buffer[]): boolean {
  let rest: Buffer = EMPTY
  for (const piece of pieces) {
    // What is missing of the character before, and then all but the beginning of the next one.
    const lead = rest.length === 0 ? 0 : leadOf(piece)
    if (rest.length > 0 && !isUtf8(Buffer.concat([rest, piece.subarray(0, lead)]))) return false
    const end = wholeOf(piece)
    if (!isUtf8(piece.subarray(lead, end))) return false
    rest = piece.subarray(end)
  }
  return rest.length === 0
}

/** Bytes that go on with a character. */
function leadOf(piece: Buffer): number {
  let at = 0
  while (at < 3 && ((piece[at] ?? 0) & 0xc0) === 0x80) at++
  return at
}

/** Where a character begins that is not here whole. */
function wholeOf(piece: Buffer): number {
  for (let back = 1; back <= 3 && back <= piece.length; back++) {
    const c = piece[piece.length - back] ?? 0
    if ((c & 0xc0) === 0x80) continue
    const size = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : c >= 0xc0 ? 2 : 1
    return size > back ? piece.length - back : piece.length
  }
  return piece.length
}

const EMPTY = Buffer.alloc(0)
const SMALL = 1_024
const BLOCK = 16_384
