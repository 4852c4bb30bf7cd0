/** What a request is, as far as credentials go. The same object for every attempt at one request. */
export interface AuthorizedRequest {
  /** `POST`, `GET` or `DELETE`: part of what a proof of possession signs (RFC 9449 §4.2). */
  readonly method: string
  /** Where it goes, always of the origin of `server`. */
  readonly url: string
  /** The URL of the MCP server. */
  readonly server: string
  /** Nobody waits for this one: not worth asking a person for. */
  readonly inBackground: boolean
}

/** A request that came back with 401 or 403. */
export interface AuthorizationRefusal {
  readonly request: AuthorizedRequest
  readonly status: number
  /** `WWW-Authenticate`, several of them joined with a comma. */
  readonly challenge?: string
  /** What `headers` had given for it. */
  readonly sent: readonly string[]
  /** How often this request was refused before. */
  readonly refusals: number
}

/**
 * Credentials for MCP servers: hand it to `connect` of `@crosspoint/mcp/client`, or ask it yourself for each request
 * of your own. One of them serves any number of servers, each with tokens of its own.
 */
export interface Authorization {
  /** Headers to send, as name, value, name, value; none until the server has asked for any. */
  headers(request: AuthorizedRequest): readonly string[] | Promise<readonly string[]>
  /**
   * Gets what is missing, and says whether to send the request again with headers asked for anew.
   * @throws {AuthError} where it cannot be had
   */
  refused(refusal: AuthorizationRefusal): Promise<boolean>
  /** Remembers the `DPoP-Nonce` of an answer (RFC 9449 §8.2). */
  nonce(nonce: string, request: AuthorizedRequest): void
  /** A person is being asked at this moment. */
  readonly isAsking: boolean
}
