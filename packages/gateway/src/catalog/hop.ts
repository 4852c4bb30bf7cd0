import { type Call, hasTrail, McpError, type Meta, toTrail, withTrail } from '@crosspoint/mcp'

/**
 * This gateway as one hop of those that a call makes: servers behind it may be gateways, too, and lead back here. Calls
 * carry a trail of where they were; one that was here before, or in eight gateways already, goes no further.
 */
export class Hop {
  /** On what it lists to other gateways. */
  readonly mark = crypto.randomUUID()
  /** `_meta` of the gateway's own calls. */
  readonly own: Meta
  readonly #id = crypto.randomUUID()

  constructor() {
    this.own = Object.freeze(withTrail({}, [this.#id]))
  }

  /**
   * `_meta` of a call that goes on to a server.
   * @throws {McpError} `upstream.protocol` for one that goes round
   */
  toMeta(call: Pick<Call, 'method' | 'meta'>, server: string): Meta {
    // Nearly every call has none.
    for (const _ in call.meta) return withTrail(call.meta, this.#onward(call, server))
    return this.own
  }

  /** Of the same call only where it was: for what callers may share. */
  toShared(call: Pick<Call, 'method' | 'meta'>, server: string): Meta {
    return withTrail({}, this.#onward(call, server))
  }

  #onward(call: Pick<Call, 'method' | 'meta'>, server: string): readonly string[] {
    try {
      return toTrail(call, this.#id)
    } catch (cause) {
      if (!(cause instanceof McpError)) throw cause
      const message = `Cannot send "${call.method}" to the server "${server}" of this gateway: ${cause.message}; leave out of the configuration what leads back`
      throw new McpError('upstream.protocol', message, { cause })
    }
  }

  /**
   * Whether a caller is a gateway, or another server with servers behind it.
   * @throws {McpError} `upstream.protocol` where it is this very one
   */
  isAskedByAnother(call: Pick<Call, 'method' | 'meta'>): boolean {
    if (!hasTrail(call)) return false
    toTrail(call, this.#id)
    return true
  }
}
