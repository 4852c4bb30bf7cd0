/** What a request is, as far as credentials go. The same object for every attempt at one request. */
export interface AuthorizedRequest {
  /** `POST`, `GET` or `DELETE`: part of what a proof of possession signs (RFC 9449 §4.2). */
  readonly method: string
  /** Where it goes, always of the origin of `server`. */
  readonly url: string
  /** The URL we were told to connect to. Stays the same when the server redirects to another path. */
  readonly server: string
  /** Nobody waits for this one (a stream of what comes unasked, a notification): not worth asking a person for. */
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
 * Credentials for HTTP servers: gives the headers, hears of refusals. `@crosspoint/auth` makes them; anything of this
 * shape will do. What it throws or rejects with is shown to people: an `Error` whose message holds no secret.
 */
export interface Authorization {
  /**
   * Headers to send with a request, as name, value, name, value; none where the server has not asked for any yet.
   * Answer without a promise what is at hand: it is asked for every request.
   */
  headers(request: AuthorizedRequest): readonly string[] | Promise<readonly string[]>
  /**
   * Hears of a refusal, gets what is missing, and says whether to send the request again, with headers asked for anew.
   * At most four times for one request, whatever it says.
   */
  refused(refusal: AuthorizationRefusal): boolean | Promise<boolean>
  /** Hears of the `DPoP-Nonce` of an answer, whatever its status (RFC 9449 §8.2). Before `refused`. */
  nonce?(nonce: string, request: AuthorizedRequest): void
  /** A person is being asked at this moment: the time to connect does not run meanwhile. */
  readonly isAsking?: boolean
}

/** How often one request may be refused and sent again: a sign-in, a nonce, more scopes, and one in reserve. */
export const MAX_REFUSALS = 4
