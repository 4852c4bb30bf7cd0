/** The last `DPoP-Nonce` of each server (RFC 9449 §8.2). */
export class Nonces {
  readonly #byOrigin = new Map<string, string>()

  of(url: string): string | undefined {
    return this.#byOrigin.get(new URL(url).origin)
  }

  /** What could not stand in a proof is not kept. */
  keep(url: string, nonce: string | null): void {
    if (nonce === null || !NONCE.test(nonce)) return
    const { origin } = new URL(url)
    if (this.#byOrigin.size >= MAX_ORIGINS && !this.#byOrigin.has(origin)) this.#byOrigin.clear()
    this.#byOrigin.set(origin, nonce)
  }
}

const NONCE = /^[\x21\x23-\x5b\x5d-\x7e]{1,1024}$/
/** An MCP server and its authorization server, and a few that were there before. */
const MAX_ORIGINS = 16
