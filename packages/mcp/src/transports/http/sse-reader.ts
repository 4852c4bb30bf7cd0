import { TextPieces } from './text-pieces.ts'

export interface SseEvent {
  /** The event type; `message` where the stream names none. */
  readonly type: string
  readonly data: string
}

export interface SseReaderEvents {
  /** An event whose data is not empty: one with empty data only carries an id. */
  event(event: SseEvent): void
  /** The stream asks to wait this many milliseconds before it is opened again. */
  retry?(ms: number): void
  /** The id of an event that is here whole, empty data or not, before the event itself. */
  id?(id: string): void
}

/**
 * Reads a stream of server-sent events (WHATWG HTML, 9.2.6) as it arrives, in any cut.
 * @throws {RangeError} from `push` when the lines of one event, comments apart, are more than `maxBytes`
 */
export class SseReader {
  readonly #maxBytes: number
  readonly #events: SseReaderEvents
  readonly #decoder = new TextDecoder('utf-8')
  /** The line at hand, in the pieces it came in: joined once, however many there are. */
  readonly #held = new TextPieces('')
  /** Of the lines of the event at hand that are here whole: an empty line of data has to be kept, too. */
  #size = 0
  #sawCarriageReturn = false
  readonly #data = new TextPieces('\n')
  #type = ''
  /** Of the event at hand: one that is cut off has not been seen, and its id must not count. */
  #id: string | undefined

  constructor(maxBytes: number, events: SseReaderEvents) {
    this.#maxBytes = maxBytes
    this.#events = events
  }

  push(chunk: Uint8Array): void {
    const text = this.#decoder.decode(chunk, { stream: true })
    let start = 0
    // CR LF may be cut in two: the LF then ends no line of its own.
    if (this.#sawCarriageReturn && text.length > 0) {
      if (text.charCodeAt(0) === LINE_FEED) start = 1
      this.#sawCarriageReturn = false
    }
    let lineFeed = text.indexOf('\n', start)
    let carriageReturn = text.indexOf('\r', start)
    while (lineFeed !== -1 || carriageReturn !== -1) {
      const end = lineFeed === -1 || (carriageReturn !== -1 && carriageReturn < lineFeed) ? carriageReturn : lineFeed
      this.#line(text.slice(start, end))
      start = end + 1
      if (end === carriageReturn) {
        if (start === text.length) this.#sawCarriageReturn = true
        else if (text.charCodeAt(start) === LINE_FEED) start++
        carriageReturn = text.indexOf('\r', start)
      }
      if (lineFeed !== -1 && lineFeed < start) lineFeed = text.indexOf('\n', start)
    }
    if (start < text.length) this.#hold(text.slice(start))
  }

  #hold(piece: string): void {
    this.#held.add(piece)
    this.#checkSize()
  }

  #line(last: string): void {
    let line = last
    if (!this.#held.isEmpty) {
      this.#held.add(last)
      line = this.#held.take()
    }
    if (line === '') {
      this.#dispatch()
      return
    }
    const colon = line.indexOf(':')
    if (colon === 0) return // a comment, sent to keep the stream alive
    this.#size += line.length + 1
    this.#checkSize()
    const field = colon === -1 ? line : line.slice(0, colon)
    const value = colon === -1 ? '' : line.slice(line.charCodeAt(colon + 1) === SPACE ? colon + 2 : colon + 1)
    this.#field(field, value)
  }

  #field(field: string, value: string): void {
    if (field === 'data') this.#data.add(value)
    else if (field === 'event') this.#type = value
    else if (field === 'id' && !value.includes('\0')) this.#id = value
    else if (field === 'retry' && /^\d{1,9}$/.test(value)) this.#events.retry?.(Number(value))
  }

  #dispatch(): void {
    const data = this.#data.take()
    const type = this.#type === '' ? 'message' : this.#type
    const id = this.#id
    this.#type = ''
    this.#id = undefined
    this.#size = 0
    if (id !== undefined) this.#events.id?.(id)
    if (data !== '') this.#events.event({ type, data })
  }

  /** Counted in UTF-16 units, of which there are never more than bytes. */
  #checkSize(): void {
    if (this.#held.size + this.#size > this.#maxBytes) {
      throw new RangeError(`An event is larger than ${this.#maxBytes} bytes`)
    }
  }
}

const LINE_FEED = 0x0a
const SPACE = 0x20
