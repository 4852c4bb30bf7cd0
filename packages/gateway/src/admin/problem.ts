import { McpError } from '@crosspoint/mcp'
import { AuditKeyError } from '../node/audit-key.ts'
import { StoreError } from '../stores/contract/store-error.ts'

/** Everything that can be wrong with what was asked, and what HTTP calls it. */
const PROBLEMS = {
  invalid_request: { status: 400, title: 'The request is not as it has to be' },
  unauthenticated: { status: 401, title: 'Nobody knows who is asking' },
  forbidden: { status: 403, title: 'This may not be done with this token' },
  forbidden_host: { status: 403, title: 'This "Host" is not served' },
  forbidden_origin: { status: 403, title: 'Pages of this "Origin" are not served' },
  not_found: { status: 404, title: 'There is no such thing' },
  method_not_allowed: { status: 405, title: 'This cannot be done here' },
  conflict: { status: 409, title: 'As things are this cannot be done' },
  too_large: { status: 413, title: 'The body is too long' },
  unsupported_type: { status: 415, title: 'The body has to be JSON' },
  config: { status: 422, title: 'The configuration cannot be used' },
  too_many: { status: 429, title: 'Too often, or too many at once' },
  internal: { status: 500, title: 'A fault in Crosspoint itself' },
  unavailable: { status: 503, title: 'Not at the moment' },
} as const satisfies Record<string, { status: number; title: string }>

export type ProblemCode = keyof typeof PROBLEMS
export const PROBLEM_CODES = Object.keys(PROBLEMS) as readonly ProblemCode[] // the keys of a literal are its type's keys

export interface ProblemMore {
  /** What would work. */
  readonly hint?: string
  /** The parts that are wrong. */
  readonly errors?: readonly object[]
  readonly retryAfterSeconds?: number
  /** Methods that work at this path. */
  readonly allow?: string
  /** For the log only. */
  readonly cause?: unknown
}

/** What an operation fails with; all of it but the cause is told. */
export class Problem extends Error {
  override readonly name = 'Problem'
  readonly code: ProblemCode
  readonly more: ProblemMore

  constructor(code: ProblemCode, detail: string, more: ProblemMore = {}) {
    super(detail, more.cause === undefined ? undefined : { cause: more.cause })
    this.code = code
    this.more = more
  }

  get status(): number {
    return PROBLEMS[this.code].status
  }
}

/** An answer, before anybody's own way of sending one. */
export interface Refusal {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** RFC 9457. @param correlation by which the log can be asked for more */
export function toRefusal({ code, message, more, status }: Problem, correlation: string): Refusal {
  const { hint, errors, retryAfterSeconds, allow } = more
  const body = {
    type: `urn:crosspoint:problem:${code}`,
    title: PROBLEMS[code].title,
    status,
    detail: message,
    code,
    ...(hint === undefined ? {} : { hint }),
    ...(errors === undefined ? {} : { errors }),
    correlation,
  }
  return {
    status,
    headers: {
      'content-type': 'application/problem+json',
      ...(status === 401 ? { 'www-authenticate': 'Bearer realm="crosspoint admin"' } : {}),
      ...(retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) }),
      ...(allow === undefined ? {} : { allow }),
    },
    body: `${JSON.stringify(body)}\n`,
  }
}

/** Whatever was thrown, as what may be told of it: of what nobody foresaw only that it happened. */
export function toProblem(error: unknown): Problem {
  if (error instanceof Problem) return error
  if (error instanceof StoreError) return fromStoreError(error)
  if (error instanceof AuditKeyError) {
    return new Problem('conflict', 'The key of the evidence cannot be used', { cause: error })
  }
  if (error instanceof McpError && error.code === 'policy.busy') {
    return new Problem('unavailable', 'This cannot be found out at the moment', { cause: error })
  }
  return new Problem('internal', 'Something went wrong; the log has more under the correlation id', { cause: error })
}

function fromStoreError(error: StoreError): Problem {
  const { code } = error
  if (code === 'invalid') return new Problem('invalid_request', 'The store cannot keep this', { cause: error })
  if (code === 'conflict') return new Problem('conflict', 'What is kept says otherwise', { cause: error })
  const hint = '"crosspoint doctor" and the log say what is wrong with the store'
  return new Problem('unavailable', 'The store cannot be read or written', { cause: error, hint })
}
