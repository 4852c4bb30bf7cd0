/** Something that the authorization server keeps, whatever it is: what is in it, nobody here can read. */
export interface GrantRow {
  /** What it is: a client, a code, a refresh token, what somebody agreed to. */
  readonly kind: string
  /** Where the name of a thing is a secret, such as a refresh token, a digest of it. */
  readonly id: string
  /** Of what somebody agreed to, which this came of. */
  readonly grant?: string
  /** Whose it is. */
  readonly account?: string
  readonly client?: string
  /** Another name by which it is found. */
  readonly uid?: string
  /** Sealed by whoever keeps it. */
  readonly payload: string
  /** Milliseconds since 1970, as all times here. */
  readonly createdAt: number
  /** Absent: it does not expire. */
  readonly expiresAt?: number
  /** It can be used once, and was. */
  readonly consumedAt?: number
}

export interface GrantStore {
  /** Keeps it, in place of what had its kind and id. That it was used stays so. */
  put(row: GrantRow): Promise<void>
  /**
   * Keeps it where there is none of its kind and id.
   * @returns whether it is kept: of many who add the same, the first
   */
  add(row: GrantRow): Promise<boolean>
  find(kind: string, id: string): Promise<GrantRow | undefined>
  findByUid(kind: string, uid: string): Promise<GrantRow | undefined>
  /** @returns whether it was not used before: of many who use it at once, the first */
  consume(kind: string, id: string, at: number): Promise<boolean>
  remove(kind: string, id: string): Promise<void>
  /**
   * Removes everything that came of a grant, whose account or client it is, and the grants (`kind` "Grant") themselves.
   * @returns how many rows
   */
  revoke(of: { readonly grant: string } | { readonly account: string } | { readonly client: string }): Promise<number>
  /** By id, from the one behind `after` on. */
  list(options: {
    readonly kind: string
    readonly account?: string
    readonly after?: string
    readonly limit: number
  }): Promise<readonly GrantRow[]>
  count(kind: string): Promise<number>
  /**
   * Removes what has expired.
   * @returns how many rows: at most a thousand, after which there may be more
   */
  sweep(now: number): Promise<number>
}
