import { isUtf8 } from 'node:buffer'
import { BytePieces } from '../byte-pieces.ts'

export interface LineEvents {
  /** One whole line without its break, never empty. */
  line(text: string): void
  /** Such a line as bytes of UTF-8, where it is not small; true where its text is not needed any more. */
  whole?: ((bytes: Uint8Array) => boolean) | undefined
  /** Bytes that are no line we read; the splitter goes on with the next one. `sample` is at most 200 characters. */
  fault(reason: string, sample: string): void
}

/**
 * Cuts a byte stream into lines of UTF-8. A line longer than `maxBytes` is reported once and skipped up to its
 * break, so what is held never exceeds `maxBytes` and one chunk. Characters may be split between chunks.
 */
export class LineSplitter {
  readonly #maxBytes: number
  readonly #events: LineEvents
  #held: BytePieces | undefined
  #heldBytes = 0
  #skipping = false

  constructor(maxBytes: number, events: LineEvents) {
    this.#maxBytes = maxBytes
    this.#events = events
  }

  push(chunk: Buffer): void {
    let start = 0
    for (let end = chunk.indexOf(LINE_FEED); end !== -1; end = chunk.indexOf(LINE_FEED, start)) {
      this.#finish(chunk.subarray(start, end))
      start = end + 1
    }
    if (start < chunk.length) this.#hold(start === 0 ? chunk : chunk.subarray(start))
  }

  /** The stream is over: what is left counts as a line, since many writers leave out the last break. */
  end(): void {
    if (this.#heldBytes > 0 || this.#skipping) this.#finish(EMPTY)
  }

  #hold(part: Buffer): void {
    if (this.#skipping) return
    if (this.#heldBytes + part.length > this.#maxBytes) {
      this.#refuse(part)
      this.#skipping = true
      return
    }
    this.#held ??= new BytePieces()
    this.#held.add(part)
    this.#heldBytes += part.length
  }

  #finish(last: Buffer): void {
    if (this.#skipping) {
      this.#skipping = false
      return
    }
    if (this.#heldBytes + last.length > this.#maxBytes) {
      this.#refuse(last)
      return
    }
    this.#held?.add(last)
    const line = this.#held?.join() ?? last
    this.#forget()
    this.#deliver(line)
  }

  #deliver(line: Buffer): void {
    const end = line.at(-1) === CARRIAGE_RETURN ? line.length - 1 : line.length
    const bytes = end === line.length ? line : line.subarray(0, end)
    if (bytes.length === 0) return
    if (!isUtf8(bytes)) {
      this.#events.fault('Cannot read a line that is not UTF-8', sampleOf(bytes))
      return
    }
    if (bytes.length >= WHOLE && this.#events.whole?.(bytes) === true) return
    this.#events.line(bytes.toString('utf8'))
  }

  #refuse(part: Buffer): void {
    const sample = sampleOf(this.#held?.first ?? part)
    this.#forget()
    this.#events.fault(`Cannot read a line longer than ${this.#maxBytes} bytes`, sample)
  }

  #forget(): void {
    this.#held = undefined
    this.#heldBytes = 0
  }
}

function sampleOf(bytes: Buffer): string {
  return bytes.toString('utf8', 0, SAMPLE_BYTES)
}

const EMPTY = Buffer.alloc(0)
const LINE_FEED = 0x0a
const CARRIAGE_RETURN = 0x0d
const SAMPLE_BYTES = 200
/** Lines of fewer bytes are text, whoever takes them. */
const WHOLE = 4_096
