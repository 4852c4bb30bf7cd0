import type { Interim } from '../protocol/call.ts'

/**
 * Pages that callers were told to visit by an error, by the id under which the visit is said to be over. Each is told
 * to the one caller that was sent there. The oldest are forgotten first: their clients only are not told.
 */
export class Pages {
  readonly #sent = new Map<string, Interim>()

  sent(elicitationId: string, interim: Interim): void {
    this.#sent.delete(elicitationId)
    this.#sent.set(elicitationId, interim)
    for (const [oldest] of this.#sent) {
      if (this.#sent.size <= MAX_PAGES) return
      this.#sent.delete(oldest)
    }
  }

  complete(elicitationId: string): void {
    const interim = this.#sent.get(elicitationId)
    this.#sent.delete(elicitationId)
    interim?.notify({ method: 'notifications/elicitation/complete', params: { elicitationId } })
  }
}

const MAX_PAGES = 256
