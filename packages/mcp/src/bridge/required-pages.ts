import { McpError } from '../errors.ts'
import type { JsonObject } from '../jsonrpc/frame.ts'
import { isObject } from '../jsonrpc/members.ts'
import { AWAITED, type Clock } from '../peer/clock.ts'
import { unlessCancelled } from '../peer/until-cancelled.ts'
import type { Call, Handle, Notification } from '../protocol/call.ts'
import { checkMayAsk } from '../protocol/features/asking.ts'

/**
 * Calls that a server of 2025-11-25 refuses until pages were opened (client/elicitation: URL elicitation required):
 * each is shown to the person behind the call, and once the server reports them done, or a while after the person agreed, the call
 * is made once more. The refused call did nothing, so nothing is repeated.
 */
export class RequiredPages {
  readonly #clock: Clock
  readonly #waiting = new Map<string, () => void>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  around(next: Handle): Handle {
    return async (call) => {
      try {
        return await next(call)
      } catch (error) {
        const pages = toPages(error)
        if (pages === undefined) throw error
        await this.#open(pages, call, error)
        return next(call)
      }
    }
  }

  /** What a server says outside of any call. */
  hear({ method, params }: Notification): void {
    if (method === 'notifications/elicitation/complete') this.#waiting.get(String(params.elicitationId))?.()
  }

  async #open(pages: readonly JsonObject[], call: Call, cause: unknown): Promise<void> {
    const done = Promise.all(pages.map((page) => this.#completed(String(page.elicitationId))))
    try {
      for (const params of pages) {
        const request = { method: 'elicitation/create', params: { ...params, mode: 'url' } }
        checkMayAsk(call.downstream.capabilities, request)
        const { action } = await unlessCancelled(call, call.interim.ask(request, call.cancellation))
        if (action === 'accept') continue
        const message = `Cannot finish "${call.method}": the server needs a page opened, and the person said ${String(action)}`
        throw new McpError('caller.unanswered', message, { cause })
      }
      await this.#within(call, done)
    } finally {
      for (const { elicitationId } of pages) this.#waiting.delete(String(elicitationId))
    }
  }

  async #within(call: Call, done: Promise<unknown>): Promise<void> {
    let end = () => {}
    const late = new Promise<void>((resolve) => {
      end = resolve
    })
    const timer = this.#clock.setTimer(COMPLETION_MS, end, AWAITED)
    try {
      await unlessCancelled(call, Promise.race([done, late]))
    } finally {
      timer.cancel()
    }
  }

  #completed(id: string): Promise<void> {
    return new Promise((resolve) => this.#waiting.set(id, resolve))
  }
}

/** The code means nothing in the newest vocabulary, and so travels as what an upstream said. */
export function toPages(error: unknown): readonly JsonObject[] | undefined {
  const data = error instanceof McpError ? error.rpc?.data : undefined
  const upstream = isObject(data) ? data.upstream : undefined
  if (!isObject(upstream) || upstream.code !== URL_ELICITATION_REQUIRED || !isObject(upstream.data)) return undefined
  const { elicitations } = upstream.data
  if (!Array.isArray(elicitations) || elicitations.length === 0 || elicitations.length > MAX_PAGES) return undefined
  return elicitations.every(isObject) ? elicitations : undefined
}

const URL_ELICITATION_REQUIRED = -32042
const MAX_PAGES = 16
/** How long a server may take to report that a person is done, before it is asked without. */
const COMPLETION_MS = 60_000
