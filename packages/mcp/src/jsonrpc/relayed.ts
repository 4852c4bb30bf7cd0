import { McpError } from '../errors.ts'
import { FrameFault } from './fault.ts'
import type { JsonObject } from './frame.ts'
import type { FrameLimits } from './limits.ts'
import { outlineItems, type Span } from './outline.ts'
import { countKept, parseText } from './parse.ts'

/**
 * A JSON object whose large members are left as the bytes they came in until somebody reads them. It is an object like any
 * other, with all its members its own: reading, spreading and `JSON.stringify` give what parsing would have given, and
 * cost what it costs. Who only passes it on uses {@link withMember}, `without` and {@link toPieces}, which read nothing.
 */
export class Relayed implements JsonObject {
  readonly [key: string]: unknown
  readonly #members: ReadonlyMap<string, Member>

  private constructor(members: ReadonlyMap<string, Member>) {
    this.#members = members
    for (const [key, member] of members) {
      const isLarge = member instanceof Written && member.isLarge
      const how = isLarge ? { get: () => member.value } : { value: member.value, writable: true }
      // Defined and not assigned: the key is a peer's.
      Object.defineProperty(this, key, { ...how, enumerable: true, configurable: true })
    }
  }

  /**
   * @param bytes of a message, held against the grammar of JSON
   * @param spans the members of the object
   * @throws {McpError} `upstream.protocol` where a small member is not what the limits allow
   */
  static from(bytes: readonly Uint8Array[], spans: readonly Span[], limits: FrameLimits): Relayed {
    const members = new Map<string, Member>()
    for (const span of spans) {
      members.set(span.key, new Written(cut(bytes, span.from, span.to), span, limits))
    }
    return new Relayed(members)
  }

  // Static, so that they stand in the way of no key: a peer may name a member as it likes.

  static with(object: Relayed, key: string, value: unknown): Relayed {
    return new Relayed(new Map(object.#members).set(key, { value }))
  }

  static without(object: Relayed, keys: readonly string[]): Relayed {
    const members = new Map(object.#members)
    for (const key of keys) members.delete(key)
    return new Relayed(members)
  }

  static member(object: Relayed, key: string): Member | undefined {
    return object.#members.get(key)
  }

  static members(object: Relayed): Iterable<[string, Member]> {
    return object.#members
  }
}

/** As a peer wrote it, or one of ours. */
type Member = Written | { readonly value: unknown }

/** A value as a peer wrote it. */
class Written {
  readonly pieces: readonly Uint8Array[]
  readonly size: number
  readonly isMarked: boolean
  readonly #members: number
  readonly #limits: FrameLimits
  #read: { readonly value: unknown } | undefined

  constructor(pieces: readonly Uint8Array[], { from, to, isMarked, members }: Span, limits: FrameLimits) {
    this.pieces = pieces
    this.size = to - from
    this.isMarked = isMarked
    this.#members = members
    this.#limits = limits
  }

  /** Worth to be passed on without a look. */
  get isLarge(): boolean {
    return this.size > MAX_SMALL
  }

  get text(): string {
    return toText(this.pieces)
  }

  /** @throws {McpError} `upstream.protocol` for what would not have been accepted, had it been read when it came */
  get value(): unknown {
    try {
      this.#read ??= { value: this.#parse() }
    } catch (error) {
      if (!(error instanceof FrameFault)) throw error
      throw new McpError('upstream.protocol', `Cannot read the answer of the server: ${error.message}`)
    }
    return this.#read.value
  }

  /** Its grammar and depth are known to be right: what is left to find out is whether something was lost in reading. */
  #parse(): unknown {
    const items = this.isLarge && startsWith(this.pieces, OPEN_BRACKET) ? outlineItems(this.pieces, '') : undefined
    if (items !== undefined) return items.map((spans) => Relayed.from(this.pieces, spans, this.#limits))
    const { text } = this
    const value: unknown = JSON.parse(text)
    return countKept(value) === this.#members ? value : parseText(text, this.#limits)
  }
}

/** The same object with everything read, for who looks at all of it; another than a relayed one is returned as it is. */
export function opened<O extends JsonObject>(object: O): O {
  return object instanceof Relayed ? { ...object } : object
}

/** A copy with one member more, or with another value for it. */
export function withMember<O extends JsonObject>(object: O, key: string & keyof O, value: unknown): O {
  // A relayed object has the members of the one it stands for.
  return object instanceof Relayed ? (Relayed.with(object, key, value) as JsonObject as O) : { ...object, [key]: value }
}

/** Whether a member is a list, without reading it. */
export function hasList(object: Relayed, key: string): boolean {
  const member = Relayed.member(object, key)
  return member instanceof Written ? startsWith(member.pieces, OPEN_BRACKET) : Array.isArray(object[key])
}

/** False where no string in a member begins with the mark that was looked for; nothing is read to find out. */
export function mayHoldMark(object: JsonObject, key: string): boolean {
  const member = object instanceof Relayed ? Relayed.member(object, key) : undefined
  return !(member instanceof Written) || member.isMarked
}

/**
 * A relayed object as the bytes of its JSON text, in pieces: what was large and written by a peer is among them as it
 * came.
 * @param first members in front of its own, as JSON text, each with a comma behind it
 * @param end text behind all of it
 */
export function toPieces(object: Relayed, first: string, end: string): readonly Uint8Array[] {
  const writer = new Writer()
  writer.object(object, first)
  return writer.end(end)
}

class Writer {
  readonly #encoder = new TextEncoder()
  readonly #pieces: Uint8Array[] = []
  #text = ''

  object(object: Relayed, first: string): void {
    this.#text += `{${first}`
    let comma = ''
    for (const [key, member] of Relayed.members(object)) {
      this.#text += `${comma}${JSON.stringify(key)}:`
      comma = ','
      if (!(member instanceof Written)) this.#value(member.value)
      else if (member.isLarge) this.#written(member.pieces)
      else this.#text += member.text
    }
    // An object without members of its own has no use for the last comma.
    if (comma === '' && first !== '') this.#text = this.#text.slice(0, -1)
    this.#text += '}'
  }

  end(text: string): readonly Uint8Array[] {
    this.#pieces.push(this.#encoder.encode(this.#text + text))
    return this.#pieces
  }

  /** One of ours, which may be made of what was relayed. */
  #value(value: unknown): void {
    if (value instanceof Relayed) this.object(value, '')
    else if (Array.isArray(value) && value.some((item) => item instanceof Relayed)) this.#list(value)
    else this.#text += JSON.stringify(value)
  }

  #list(items: readonly unknown[]): void {
    let before = '['
    for (const item of items) {
      this.#text += before
      this.#value(item)
      before = ','
    }
    this.#text += ']'
  }

  #written(pieces: readonly Uint8Array[]): void {
    this.#pieces.push(this.#encoder.encode(this.#text), ...pieces)
    this.#text = ''
  }
}

/** Bytes of UTF-8 as text, wherever they are cut. */
export function toText(pieces: readonly Uint8Array[]): string {
  const [first] = pieces
  if (first !== undefined && pieces.length === 1) return new TextDecoder().decode(first)
  const whole = new Uint8Array(pieces.reduce((size, piece) => size + piece.length, 0))
  let at = 0
  for (const piece of pieces) {
    whole.set(piece, at)
    at += piece.length
  }
  return new TextDecoder().decode(whole)
}

/** A part of bytes that come in pieces, in pieces. */
export function cut(pieces: readonly Uint8Array[], from: number, to: number): readonly Uint8Array[] {
  const parts: Uint8Array[] = []
  let before = 0
  for (const piece of pieces) {
    const start = Math.max(0, from - before)
    const end = Math.min(piece.length, to - before)
    if (start < end) parts.push(piece.subarray(start, end))
    before += piece.length
  }
  return parts
}

/** Whether the first byte that is no blank is this one. */
function startsWith(pieces: readonly Uint8Array[], first: number): boolean {
  for (const piece of pieces) for (const byte of piece) if (byte !== SPACE && byte !== TAB) return byte === first
  return false
}

/** Members of so many bytes are read at once. */
const MAX_SMALL = 1_024
const TAB = 0x09
const SPACE = 0x20
const OPEN_BRACKET = 0x5b
