import { McpError } from '../../errors.ts'
import type { JsonObject } from '../../jsonrpc/frame.ts'
import type { Clock } from '../../peer/clock.ts'
import type { Call } from '../../protocol/call.ts'
import { digestOf } from './canonical.ts'
import { withNode, withoutNode } from './node-hint.ts'
import type { Sealer } from './seal.ts'

/** What a handle given out by `handles.seal` is for, and how long it is good. */
export interface HandleOptions {
  /** Opens only for the same kind. Default: none. */
  readonly kind?: string
  /** Default 24 hours. */
  readonly ttlMs?: number
}

/**
 * Names for things that callers carry from call to call: a cursor, a cart, an open document. What is sealed cannot be
 * read or changed by the caller, opens only for the same principal, and expires. It is a name and not a right: whoever
 * opens it still checks what this caller may do.
 */
export interface Handles {
  /** @param value anything JSON can say */
  seal(value: unknown, options?: HandleOptions): Promise<string>
  /** @throws {McpError} `caller.invalid_params` for what is no handle of this kind for this principal, or no longer */
  open(handle: string, options?: Pick<HandleOptions, 'kind'>): Promise<unknown>
}

export interface StatesOptions {
  readonly sealer: Sealer
  readonly clock: Clock
  readonly ttlMs: number
  readonly maxBytes: number
  /** The process in which runs wait, where there are several. */
  readonly node?: string | undefined
}

/** What callers keep for us between two requests: sealed, for one principal, for a time. */
export class States {
  readonly #options: StatesOptions

  constructor(options: StatesOptions) {
    this.#options = options
  }

  /**
   * A `requestState`: good for the same method and parameters only.
   * @param kind of whom: one that a handler wrote itself never stands for one of ours
   * @throws {McpError} `internal.error` where it becomes too large
   */
  async seal(call: Call, kind: StateKind, value: unknown): Promise<string> {
    const { sealer, clock, ttlMs, maxBytes, node } = this.#options
    const box = await sealer.seal(kind, { v: value, m: await digestOf(call), ...toBound(call, clock, ttlMs) })
    const sealed = `${kind}:${kind === 'run' ? withNode(node, box) : box}`
    if (sealed.length <= maxBytes) return sealed
    throw new McpError(
      'internal.error',
      `Cannot ask in "${call.method}": its state of ${sealed.length} bytes is over the bound of ${maxBytes}`,
    )
  }

  /** @throws {McpError} `caller.invalid_params`, which does not say which of its checks failed */
  async open(call: Call, kind: StateKind, sealed: unknown): Promise<unknown> {
    const { sealer, clock, maxBytes } = this.#options
    if (typeof sealed !== 'string' || sealed.length > maxBytes || !sealed.startsWith(`${kind}:`)) throw refusedState()
    const state = await sealer.open(kind, withoutNode(sealed.slice(kind.length + 1)))
    if (state === undefined || !isFor(call, clock, state) || state.m !== (await digestOf(call))) throw refusedState()
    return state.v
  }

  handlesFor(call: Call): Handles {
    const { sealer, clock, maxBytes } = this.#options
    return {
      seal: (value, { kind = '', ttlMs = HANDLE_TTL_MS } = {}) =>
        sealer.seal(`handle:${kind}`, { v: value, ...toBound(call, clock, ttlMs) }),
      async open(handle, { kind = '' } = {}) {
        const isText = typeof handle === 'string' && handle.length <= maxBytes
        const state = isText ? await sealer.open(`handle:${kind}`, handle) : undefined
        if (state !== undefined && isFor(call, clock, state)) return state.v
        throw new McpError('caller.invalid_params', 'Cannot use this handle: it is not a valid one, or no longer')
      },
    }
  }
}

/** Whether a state says to be one of a run; whether it is, only opening it shows. */
export function isRunState(state: string): boolean {
  return state.startsWith('run:')
}

/** `run`: what the engine remembers of a run. `own`: what a handler remembers. */
export type StateKind = 'run' | 'own'

function toBound({ principal }: Call, clock: Clock, ttlMs: number): JsonObject {
  return { p: [principal.tenant, principal.id], e: clock.wallNow() + ttlMs }
}

function isFor({ principal }: Call, clock: Clock, { p, e }: JsonObject): boolean {
  if (typeof e !== 'number' || clock.wallNow() >= e || !Array.isArray(p)) return false
  return p[0] === principal.tenant && p[1] === principal.id
}

/** One error for all that may be wrong with a state: which it is helps nobody but who tries. */
export function refusedState(): McpError {
  return new McpError(
    'caller.invalid_params',
    'Cannot go on with this "requestState": it has expired, was changed, or belongs to another request',
  )
}

const HANDLE_TTL_MS = 24 * 3_600_000
