import { McpError } from '../errors.ts'
import type { JsonObject } from '../jsonrpc/frame.ts'
import { isObject } from '../jsonrpc/members.ts'
import { AWAITED, type Clock } from '../peer/clock.ts'
import { unlessCancelled } from '../peer/until-cancelled.ts'
import type { Call, Handle, Notification, Result } from '../protocol/call.ts'
import { checkMayAsk } from '../protocol/features/asking.ts'

/**
 * Calls that a server of 2025-11-25 refuses until pages were opened (client/elicitation: URL elicitation required):
 * each is shown to the person behind the call, and once the server reports them done the call is made once more. Hardly a
 * server reports it, so the call is made again after a while in any case, and ever later; a page is shown once. A refused
 * call did nothing, so nothing is repeated.
 */
export class RequiredPages {
  readonly #clock: Clock
  /** By the ids under which servers report pages done. */
  readonly #visits = new Map<string, Visit>()

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
        return this.#insist(next, call, pages, error)
      }
    }
  }

  /** What a server says outside of any call. */
  hear({ method, params }: Notification): void {
    const id = String(params.elicitationId)
    if (method === 'notifications/elicitation/complete') this.#visits.get(id)?.complete(id)
  }

  async #insist(next: Handle, call: Call, first: readonly JsonObject[], refusal: unknown): Promise<Result> {
    const visit = new Visit(this.#visits)
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
  readonly #visits: Map<string, Visit>
  readonly #addresses = new Set<string>()
  readonly #ids = new Set<string>()
  readonly #undone = new Set<string>()
  #isNews = false
  #wake = () => {}

  constructor(visits: Map<string, Visit>) {
    this.#visits = visits
  }

  /** Those that were not shown yet; undefined where there would be too many of them. */
  begin(pages: readonly JsonObject[]): readonly JsonObject[] | undefined {
    const unseen = pages.filter((page) => !this.#addresses.has(toAddress(page)))
    for (const page of unseen) {
      const id = String(page.elicitationId)
      this.#addresses.add(toAddress(page))
      this.#ids.add(id)
      this.#undone.add(id)
      this.#visits.set(id, this)
    }
    return this.#addresses.size > MAX_PAGES ? undefined : unseen
  }

  complete(id: string): void {
    if (!this.#undone.delete(id) || this.#undone.size > 0) return
    this.#isNews = true
    this.#wake()
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
    for (const id of this.#ids) this.#visits.delete(id)
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
