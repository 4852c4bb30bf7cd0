import { McpError } from '../errors.ts'
import type { JsonObject } from '../jsonrpc/frame.ts'
import { without } from '../jsonrpc/members.ts'
import type { Call, Trace } from './call.ts'
import type { ClientCapabilities, Implementation } from './capabilities.ts'
import { isLogLevel, type LogLevel } from './features/logging.ts'

/**
 * `_meta` keys that belong to one hop: they are read at one edge and written anew at the other, never relayed.
 * Everything else in `_meta` travels end to end.
 */
export const PROTOCOL_VERSION = 'io.modelcontextprotocol/protocolVersion'
export const CLIENT_INFO = 'io.modelcontextprotocol/clientInfo'
export const CLIENT_CAPABILITIES = 'io.modelcontextprotocol/clientCapabilities'
export const SERVER_INFO = 'io.modelcontextprotocol/serverInfo'
export const LOG_LEVEL = 'io.modelcontextprotocol/logLevel'
export const SUBSCRIPTION_ID = 'io.modelcontextprotocol/subscriptionId'
export const PROGRESS_TOKEN = 'progressToken'

const HOP_KEYS: readonly string[] = [
  PROTOCOL_VERSION,
  CLIENT_INFO,
  CLIENT_CAPABILITIES,
  LOG_LEVEL,
  SUBSCRIPTION_ID,
  PROGRESS_TOKEN,
]

export type ProgressToken = string | number

/** What a request needs on its way out. Every {@link Call} has it; `params` are those of the revision spoken. */
export type Outgoing = Pick<
  Call,
  'method' | 'params' | 'meta' | 'cancellation' | 'deadline' | 'maxMs' | 'trace' | 'interim'
>

/** What a request's `_meta` says about its hop, and what is left to travel on. */
export interface Envelope {
  readonly revision: string | undefined
  readonly client: Implementation | undefined
  readonly capabilities: ClientCapabilities | undefined
  readonly logLevel: LogLevel | undefined
  readonly progressToken: ProgressToken | undefined
  readonly meta: JsonObject
}

const NOTHING: JsonObject = Object.freeze({})
const BARE: Envelope = Object.freeze({
  revision: undefined,
  client: undefined,
  capabilities: undefined,
  logLevel: undefined,
  progressToken: undefined,
  meta: NOTHING,
})

/**
 * Parses `params._meta`. Whether the required keys are there is asked by who knows the revision
 * ({@link checkEnvelope}).
 * @throws {McpError} `caller.invalid_envelope` where a key is there and has the wrong shape.
 */
export function parseEnvelope(params: JsonObject): Envelope {
  const { _meta } = params
  if (_meta === undefined) return BARE
  if (!isObject(_meta)) throw new McpError('caller.invalid_envelope', 'Cannot read "_meta": it is not an object')
  const {
    [PROTOCOL_VERSION]: revision,
    [CLIENT_INFO]: client,
    [CLIENT_CAPABILITIES]: capabilities,
    [LOG_LEVEL]: logLevel,
    [PROGRESS_TOKEN]: progressToken,
  } = _meta
  if (revision !== undefined && typeof revision !== 'string') throw misshapen(PROTOCOL_VERSION, 'a string')
  if (client !== undefined && !isImplementation(client)) {
    throw misshapen(CLIENT_INFO, 'an object with name and version')
  }
  if (capabilities !== undefined && !isObject(capabilities)) throw misshapen(CLIENT_CAPABILITIES, 'an object')
  if (logLevel !== undefined && !isLogLevel(logLevel)) throw misshapen(LOG_LEVEL, 'one of the eight log levels')
  if (progressToken !== undefined && !isToken(progressToken)) {
    throw misshapen(PROGRESS_TOKEN, `an integer, or a string of at most ${MAX_TOKEN} characters`)
  }
  let meta = NOTHING
  for (const key in _meta) {
    // Nearly every request has keys of the hop and nothing else, which needs no copy.
    if (HOP_KEYS.includes(key)) continue
    meta = without(_meta, HOP_KEYS)
    break
  }
  return { revision, client, capabilities, logLevel, progressToken, meta }
}

/** Revisions whose lifecycle is the envelope require these on every request. */
export function checkEnvelope(envelope: Envelope): void {
  const missing = []
  if (envelope.revision === undefined) missing.push(PROTOCOL_VERSION)
  if (envelope.capabilities === undefined) missing.push(CLIENT_CAPABILITIES)
  if (missing.length > 0) {
    throw new McpError(
      'caller.invalid_envelope',
      `Cannot answer a request whose "_meta" lacks ${missing.map((key) => `"${key}"`).join(' and ')}`,
      {
        data: { missing },
      },
    )
  }
}

/** Whether a request declares itself to be of an envelope revision, before anything else about it is believed. */
export function hasEnvelope(params: JsonObject): boolean {
  const meta = params._meta
  return isObject(meta) && Object.hasOwn(meta, PROTOCOL_VERSION)
}

/**
 * One request as JSON text. `_meta` is written here and nowhere else: what travels end to end, what this hop says
 * about itself, and what asks for progress (the token is the id: both are unique among what is in flight).
 * @param hop members of `_meta` that belong to this hop, as JSON text without braces; may be empty
 * @param asksProgress whether to ask for progress. Default: where the caller wants to hear of it
 */
export function encodeCall(
  id: number,
  call: Outgoing,
  hop: string,
  asksProgress: boolean = call.interim.progress,
): string {
  const params = JSON.stringify(call.params)
  const meta = encodeMeta(id, call, hop, asksProgress)
  const head = `{"jsonrpc":"2.0","id":${id},"method":${JSON.stringify(call.method)},"params":`
  if (meta === '') return `${head}${params}}`
  return params === '{}' ? `${head}{"_meta":{${meta}}}}` : `${head}${params.slice(0, -1)},"_meta":{${meta}}}}`
}

function encodeMeta(id: number, call: Outgoing, hop: string, asksProgress: boolean): string {
  let members = hop
  if (asksProgress) members += `${members === '' ? '' : ','}"progressToken":${id}`
  const { trace } = call
  if (trace !== undefined) {
    members += `${members === '' ? '' : ','}"traceparent":"${toTraceparent(trace, call.meta)}"`
  }
  for (const key in call.meta) {
    if (trace !== undefined && key === 'traceparent') continue
    const value = JSON.stringify(call.meta[key])
    if (value !== undefined) members += `${members === '' ? '' : ','}${JSON.stringify(key)}:${value}`
  }
  return members
}

/**
 * W3C Trace Context, `traceparent`.
 * @param meta of the call, whose own `traceparent` has the flags where the trace has none
 */
export function toTraceparent({ traceId, spanId, flags }: Trace, meta: JsonObject): string {
  return `00-${traceId}-${spanId}-${flags ?? traceFlags(meta)}`
}

/** The flags a caller's own trace context came with; sampled where there was none. */
function traceFlags(meta: JsonObject): string {
  const { traceparent } = meta
  return typeof traceparent === 'string' && /-[0-9a-f]{2}$/.test(traceparent) ? traceparent.slice(-2) : '01'
}

function misshapen(key: string, expected: string): McpError {
  return new McpError('caller.invalid_envelope', `Cannot read "_meta" key "${key}": it is not ${expected}`)
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** It comes back with every step of the work: a long one would make little work much to send. */
function isToken(value: unknown): value is ProgressToken {
  return typeof value === 'string' ? value.length <= MAX_TOKEN : Number.isInteger(value)
}

function isImplementation(value: unknown): value is Implementation {
  return isObject(value) && typeof value.name === 'string' && typeof value.version === 'string'
}

const MAX_TOKEN = 1_024
