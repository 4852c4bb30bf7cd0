import type { RpcError } from './jsonrpc/frame.ts'

/**
 * Everything that can go wrong, grouped by whose fault it is. The table below says what each one looks like on
 * the wire; nowhere else is a JSON-RPC code or an HTTP status chosen.
 */
export type ErrorCode = keyof typeof TABLE

interface Row {
  /** JSON-RPC code toward a peer whose revision has modern error codes. */
  readonly rpc: number
  /** JSON-RPC code toward an older peer, where it differs. */
  readonly legacyRpc?: number
  /** HTTP status when the answer is not already under way as a stream. */
  readonly http: number
  readonly retryable: boolean
}

const TABLE = {
  // The other side sent something that is not a message we can read.
  'peer.parse_error': { rpc: -32700, http: 400, retryable: false },
  'peer.invalid_request': { rpc: -32600, http: 400, retryable: false },
  'peer.too_large': { rpc: -32600, http: 413, retryable: false },
  'peer.too_slow': { rpc: -32600, http: 408, retryable: true },
  'peer.unsupported_media': { rpc: -32600, http: 415, retryable: false },
  'peer.not_acceptable': { rpc: -32600, http: 406, retryable: false },
  'peer.wrong_http_method': { rpc: -32600, http: 405, retryable: false },
  'peer.not_found': { rpc: -32600, http: 404, retryable: false },
  // The caller asked for something that cannot be done as asked.
  'caller.invalid_params': { rpc: -32602, http: 200, retryable: false },
  'caller.invalid_envelope': { rpc: -32602, http: 400, retryable: false },
  'caller.unknown_method': { rpc: -32601, http: 404, retryable: false },
  'caller.unsupported_feature': { rpc: -32601, http: 200, retryable: false },
  'caller.resource_not_found': { rpc: -32602, legacyRpc: -32002, http: 200, retryable: false },
  'caller.header_mismatch': { rpc: -32020, http: 400, retryable: false },
  'caller.missing_capability': { rpc: -32021, legacyRpc: -32603, http: 400, retryable: false },
  'caller.unsupported_revision': { rpc: -32022, legacyRpc: -32602, http: 400, retryable: false },
  'caller.unauthenticated': { rpc: 1002, http: 401, retryable: false },
  /** The caller is known, and its token is not good for this. */
  'caller.insufficient_scope': { rpc: 1004, http: 403, retryable: false },
  'caller.session_missing': { rpc: -32600, http: 400, retryable: false },
  'caller.session_unknown': { rpc: -32600, http: 404, retryable: true },
  /** The client was asked something while its call was open, and refused, or took too long. */
  'caller.unanswered': { rpc: -32603, http: 200, retryable: false },
  /** The user has to visit a page first: `data.elicitations`. Never sent where such a thing is asked by a result. */
  'caller.page_required': { rpc: -32603, legacyRpc: -32042, http: 200, retryable: false },
  'caller.cancelled': { rpc: -32603, http: 200, retryable: false },
  // We refuse, by rule.
  'policy.forbidden_host': { rpc: -32600, http: 403, retryable: false },
  'policy.forbidden_origin': { rpc: -32600, http: 403, retryable: false },
  /** The caller is known, and a rule does not let it do this as asked. */
  'policy.denied': { rpc: 1005, http: 200, retryable: false },
  'policy.limit': { rpc: 1001, http: 429, retryable: true },
  /** Full, or closing: another time, or another replica. */
  'policy.busy': { rpc: 1003, http: 503, retryable: true },
  // Whom we asked did not deliver.
  'upstream.unavailable': { rpc: -32603, http: 200, retryable: true },
  'upstream.timeout': { rpc: -32603, http: 200, retryable: true },
  'upstream.closed': { rpc: -32603, http: 200, retryable: false },
  'upstream.unauthorized': { rpc: -32603, http: 200, retryable: false },
  'upstream.protocol': { rpc: -32603, http: 200, retryable: false },
  /** An upstream's own JSON-RPC error, passed on: `rpc` of the error wins over the table. */
  'upstream.error': { rpc: -32603, http: 200, retryable: false },
  // Our mistake.
  'internal.error': { rpc: -32603, http: 200, retryable: false },
} as const satisfies Record<string, Row>

export interface McpErrorOptions {
  /** Sent to the peer as `error.data`: never a stack, a secret or an inner address. */
  readonly data?: unknown
  /** For logs only; never sent. */
  readonly cause?: unknown
  /** Over HTTP, what `WWW-Authenticate` says beside where to sign in. */
  readonly challenge?: Challenge
  /** A JSON-RPC error of an upstream, in the newest vocabulary, to be passed on as it is. */
  readonly rpc?: RpcError
  /** What was asked was certainly not begun: it may be asked again, or of another, whatever it does. Default false. */
  readonly neverRan?: boolean
}

/** What a caller's token lacks (RFC 6750 §3). */
export interface Challenge {
  /** Such as `invalid_token`; absent where there was no token at all. */
  readonly error?: string
  /** All scopes that are needed, separated by spaces. */
  readonly scope?: string
}

/** The one error class of the engine. The message is for people and is sent to the peer; `cause` never is. */
export class McpError extends Error {
  readonly code: ErrorCode
  readonly data: unknown
  readonly rpc: RpcError | undefined
  readonly challenge: Challenge | undefined
  /** What was asked was certainly not begun. False where nobody knows. */
  readonly neverRan: boolean

  constructor(code: ErrorCode, message: string, options: McpErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'McpError'
    this.code = code
    this.data = options.data
    this.rpc = options.rpc
    this.challenge = options.challenge
    this.neverRan = options.neverRan === true
  }
}

/**
 * What a peer is told. An error that is not ours says only that something failed: its text may hold anything.
 * @param codes which vocabulary the peer speaks (the trait `errorCodes` of its revision)
 */
export function toRpcError(error: unknown, codes: 'legacy' | 'modern'): RpcError {
  if (!(error instanceof McpError)) return { code: TABLE['internal.error'].rpc, message: 'Internal error' }
  if (error.rpc !== undefined) return error.rpc
  const row: Row = TABLE[error.code]
  const code = codes === 'legacy' ? (row.legacyRpc ?? row.rpc) : row.rpc
  return error.data === undefined
    ? { code, message: error.message }
    : { code, message: error.message, data: error.data }
}

/** The JSON-RPC code of an error of ours in the newest vocabulary, by its name; undefined where none is named so. */
export function toRpcCode(code: string): number | undefined {
  return Object.hasOwn(TABLE, code) ? TABLE[code as ErrorCode].rpc : undefined
}

export function toHttpStatus(error: unknown): number {
  return error instanceof McpError ? TABLE[error.code].http : TABLE['internal.error'].http
}

/** When what was refused may be tried again, in milliseconds: `retryAfterMs` of its `data`, where that says so. */
export function toRetryAfterMs(error: unknown): number | undefined {
  if (!(error instanceof McpError)) return undefined
  const { retryAfterMs } = (error.data ?? {}) as { readonly retryAfterMs?: unknown }
  return typeof retryAfterMs === 'number' ? retryAfterMs : undefined
}

export function isRetryable(error: unknown): boolean {
  return error instanceof McpError && TABLE[error.code].retryable
}
