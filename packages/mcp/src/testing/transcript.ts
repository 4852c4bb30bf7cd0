import type { JsonObject } from '../jsonrpc/frame.ts'
import { isObject } from '../jsonrpc/members.ts'
import {
  CLIENT_CAPABILITIES,
  CLIENT_INFO,
  PROGRESS_TOKEN,
  PROTOCOL_VERSION,
  SERVER_INFO,
  SUBSCRIPTION_ID,
} from '../protocol/envelope.ts'

/** One message as it was on the wire, parsed. */
export interface Recorded {
  readonly from: 'client' | 'server'
  /** A JSON-RPC message, or a batch of them. What is no JSON is kept as its text. */
  readonly message: JsonObject | readonly unknown[] | string
}

export interface TranscriptOptions {
  /**
   * Keep what every request and result of the newest revision says about its peer: protocol version, names,
   * capabilities; and by which token a request asks for progress. Default false, since it is the same on every message.
   */
  readonly envelope?: boolean
  /** What else differs from run to run: each match in a string becomes the text beside it. */
  readonly replace?: readonly (readonly [pattern: RegExp, text: string])[]
}

/**
 * Messages as text that is the same for every run: one heading per message (`>` from the client, `<` from the
 * server), its body below as JSON with sorted keys. Ids, times, random handles and UUIDs are numbered in the order
 * in which they appear.
 *
 * ```text
 * > tools/call #1
 *   {"arguments":{"a":1},"name":"add"}
 * < result #1
 *   {"content":[{"text":"1","type":"text"}]}
 * ```
 */
export function toTranscript(messages: readonly Recorded[], options: TranscriptOptions = {}): string {
  const names = new Names(options)
  return messages
    .flatMap(({ from, message }) => (Array.isArray(message) ? message : [message]).map((one) => ({ from, one })))
    .map(({ from, one }) => toEntry(names, from, one))
    .join('')
}

function toEntry(names: Names, from: Recorded['from'], message: unknown): string {
  const arrow = from === 'client' ? '>' : '<'
  if (!isObject(message)) return `${arrow} ${JSON.stringify(message)}\n`
  const { id, method, params, result, error } = message
  const other = from === 'client' ? 'server' : 'client'
  if (typeof method === 'string') {
    const number = id === undefined ? '' : ` ${names.ofRequest(from, id)}`
    // Progress and subscriptions are of the other side's requests.
    const requester = id === undefined && method !== 'notifications/cancelled' ? other : from
    return `${arrow} ${method}${number}\n${body(names, requester, params)}`
  }
  const number = id === undefined ? '' : ` ${names.ofRequest(other, id)}`
  const what = error === undefined ? 'result' : 'error'
  return `${arrow} ${what}${number}\n${body(names, other, error ?? result)}`
}

function body(names: Names, requester: Recorded['from'], value: unknown): string {
  const plain = names.plain(value, requester, '')
  if (plain === undefined || (isObject(plain) && Object.keys(plain).length === 0)) return ''
  const line = JSON.stringify(plain)
  const text = line.length <= MAX_LINE ? line : JSON.stringify(plain, undefined, 2)
  return `${text.replace(/^/gm, '  ')}\n`
}

/** What stands for values that differ from run to run: the same value is named the same each time. */
class Names {
  readonly #options: TranscriptOptions
  readonly #given = new Map<string, string>()
  readonly #counts = new Map<string, number>()

  constructor(options: TranscriptOptions) {
    this.#options = options
  }

  /** Requests of the client are #1, #2 …, those of the server #s1, #s2 … */
  ofRequest(requester: Recorded['from'], id: unknown): string {
    const kind = requester === 'client' ? '#' : '#s'
    return this.#name(`${requester} ${JSON.stringify(id)}`, kind, (count) => `${kind}${count}`)
  }

  /**
   * A value with everything random named, and its keys in order.
   * @param key the member it stands in
   */
  plain(value: unknown, requester: Recorded['from'], key: string): unknown {
    if (REQUEST_IDS.has(key) && (typeof value === 'string' || typeof value === 'number')) {
      return this.ofRequest(requester, value)
    }
    if (typeof value === 'string') return HANDLES.has(key) ? this.#handle(key, value) : this.#text(value)
    if (Array.isArray(value)) return value.map((item) => this.plain(item, requester, ''))
    if (!isObject(value)) return value
    const hidden = this.#options.envelope === true ? NOTHING_HIDDEN : key === '_meta' ? META : ENVELOPE
    const pairs = Object.keys(value)
      .filter((name) => !hidden.has(name))
      .sort()
      .map((name): [string, unknown] => [name, this.plain(value[name], requester, name)])
      .filter(([name, inner]) => name !== '_meta' || !isObject(inner) || Object.keys(inner).length > 0)
    return Object.fromEntries(pairs)
  }

  #text(text: string): string {
    const named = text
      .replace(UUID, (uuid) => this.#name(uuid, 'uuid', (count) => `<uuid ${count}>`))
      .replace(TIME, '<time>')
    return (this.#options.replace ?? []).reduce((at, [pattern, by]) => at.replace(pattern, by), named)
  }

  #handle(key: string, value: string): string {
    return this.#name(`${key} ${value}`, key, (count) => `<${key} ${count}>`)
  }

  #name(value: string, kind: string, toName: (count: number) => string): string {
    const known = this.#given.get(value)
    if (known !== undefined) return known
    const count = (this.#counts.get(kind) ?? 0) + 1
    this.#counts.set(kind, count)
    const name = toName(count)
    this.#given.set(value, name)
    return name
  }
}

/** Members that hold the id of a request, or a token that is one. */
const REQUEST_IDS: ReadonlySet<string> = new Set(['requestId', 'progressToken', SUBSCRIPTION_ID])
/** Members whose value is made at random, for one conversation. */
const HANDLES: ReadonlySet<string> = new Set(['requestState', 'elicitationId', 'taskId'])
const ENVELOPE: ReadonlySet<string> = new Set([PROTOCOL_VERSION, CLIENT_INFO, CLIENT_CAPABILITIES, SERVER_INFO])
/** Nearly every request asks for progress, by its own id. */
const META: ReadonlySet<string> = new Set([...ENVELOPE, PROGRESS_TOKEN])
const NOTHING_HIDDEN: ReadonlySet<string> = new Set()
const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/gi
const TIME = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)/g
/** A body up to this long stands on one line. */
const MAX_LINE = 100
