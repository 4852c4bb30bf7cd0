import { McpError } from '../errors.ts'
import type { JsonObject } from '../jsonrpc/frame.ts'
import { isObject } from '../jsonrpc/members.ts'
import { AWAITED, type Clock } from '../peer/clock.ts'
import { unlessCancelled } from '../peer/until-cancelled.ts'
import type { Call, Handle, Notification, Result } from '../protocol/call.ts'
import { checkMayAsk } from '../protocol/features/asking.ts'
import { Pages } from './pages.ts'

/**
 * Calls that a server of 2025-11-25 refuses until pages were opened (client/elicitation: URL elicitation required):
 * each is shown to the person behind the call, and once the server reports them done the call is made once more. Hardly a
 * server reports it, so the call is made again after a while in any case, and ever later; a page is shown once. A refused
 * call did nothing, so nothing is repeated.
 */
export class RequiredPages {
  readonly #clock: Clock
  readonly #pages: Pages

  /** @param pages what is told when visits are over, where it is not told by {@link hear}. Default: its own */
  constructor(clock: Clock, pages: Pages = new Pages()) {
    this.#clock = clock
    this.#pages = pages
  }

  around(next: Handle): Handle {
    return async (call) => {
      try {
        return await next(call)
      } catch (error) {
        const pages = toPages(error)
        if (pages === undefined) throw error
        return this.#insist(next, call, pages, error)
      }
    }
  }

  /** What a server says outside of any call, over a connection that all calls share. */
  hear({ method, params }: Notification): void {
    if (method === 'notifications/elicitation/complete') this.#pages.complete(params.elicitationId)
  }

  async #insist(next: Handle, call: Call, first: readonly JsonObject[], refusal: unknown): Promise<Result> {
    const visit = new Visit(this.#pages, call)
    let pages = first
    let cause = refusal
    try {
      for (let attempt = 0; attempt < PAUSES_MS.length; attempt++) {
        const unseen = visit.begin(pages)
        if (unseen === undefined) break
        if (unseen.length > 0) attempt = 0
        await show(unseen, call, cause)
        await visit.pause(call, this.#clock, PAUSES_MS[attempt] ?? 0)
        try {
          return await next(call)
        } catch (error) {
          const more = toPages(error)
          if (more === undefined) throw error
          pages = more
          cause = error
        }
      }
      throw cause
    } finally {
      visit.end()
    }
  }
}

/** What one call was refused for so far. */
class Visit {
  readonly #pages: Pages
  readonly #call: Call
  readonly #addresses = new Set<string>()
  readonly #ends: (() => void)[] = []
  readonly #undone = new Set<JsonObject>()
  #isNews = false
  #wake = () => {}

  constructor(pages: Pages, call: Call) {
    this.#pages = pages
    this.#call = call
  }

  /** Those that were not shown yet; undefined where there would be too many of them. */
  begin(pages: readonly JsonObject[]): readonly JsonObject[] | undefined {
    const unseen = pages.filter((page) => !this.#addresses.has(toAddress(page)))
    for (const page of unseen) {
      this.#addresses.add(toAddress(page))
      this.#undone.add(page)
      this.#ends.push(this.#pages.await(page.elicitationId, this.#call, () => this.#complete(page)))
    }
    return this.#addresses.size > MAX_PAGES ? undefined : unseen
  }

  /** Until all that was shown is done, if that is news, and no longer than it may take. */
  async pause(call: Call, clock: Clock, maxMs: number): Promise<void> {
    if (!this.#isNews) {
      const awake = new Promise<void>((resolve) => {
        this.#wake = resolve
      })
      const timer = clock.setTimer(maxMs, this.#wake, AWAITED)
      try {
        await unlessCancelled(call, awake)
      } finally {
        timer.cancel()
      }
    }
    this.#isNews = false
  }

  end(): void {
    for (const end of this.#ends) end()
  }

  #complete(page: JsonObject): void {
    if (!this.#undone.delete(page) || this.#undone.size > 0) return
    this.#isNews = true
    this.#wake()
  }
}

async function show(pages: readonly JsonObject[], call: Call, cause: unknown): Promise<void> {
  for (const params of pages) {
    const request = { method: 'elicitation/create', params: { ...params, mode: 'url' } }
    checkMayAsk(call.downstream.capabilities, request)
    const { action } = await unlessCancelled(call, call.interim.ask(request, call.cancellation))
    if (action === 'accept') continue
    const message = `Cannot finish "${call.method}": the server needs a page opened, and the person said ${String(action)}`
    throw new McpError('caller.unanswered', message, { cause })
  }
}

/** Where a page is: what comes after may be different each time that a server sends somebody to it. */
function toAddress({ url }: JsonObject): string {
  const text = String(url)
  const end = text.search(/[?#]/)
  return end === -1 ? text : text.slice(0, end)
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
/** Between attempts. All of them together take less than the minute that many clients wait for a server. */
const PAUSES_MS = [3_000, 6_000, 12_000, 24_000]
