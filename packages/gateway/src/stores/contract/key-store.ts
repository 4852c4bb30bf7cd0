/** An API key, without what makes it one: only a digest of the secret is kept. */
export interface KeyRecord {
  /** Public part, by which it is found; no secret. */
  readonly id: string
  /** SHA-256 of the secret, base64url. Secrets are 256 random bits, for which no slow digest is needed. */
  readonly digest: string
  /** Who calls with it. */
  readonly principal: string
  readonly tenant: string
  /** What it is good for; absent: everything its roles are. */
  readonly scopes?: readonly string[]
  readonly roles: readonly string[]
  /** For people. */
  readonly label?: string
  /** Milliseconds since 1970, as all times here. */
  readonly createdAt: number
  readonly expiresAt?: number
  readonly revokedAt?: number
  /** By this key it was replaced; it goes on for as long as its rotation said. */
  readonly replacedBy?: string
  /** At most a minute old. */
  readonly usedAt?: number
}

export interface KeyStore {
  /** @throws {StoreError} `conflict` where the id is taken */
  add(key: KeyRecord): Promise<void>
  find(id: string): Promise<KeyRecord | undefined>
  /** By id, from the one behind `after` on. */
  list(options: {
    readonly tenant?: string
    readonly after?: string
    readonly limit: number
  }): Promise<readonly KeyRecord[]>
  /**
   * Changes what is given, and nothing else.
   * @returns the key as it is now; undefined where there is none
   */
  change(
    id: string,
    change: Partial<Pick<KeyRecord, 'expiresAt' | 'revokedAt' | 'replacedBy' | 'usedAt' | 'label'>>,
  ): Promise<KeyRecord | undefined>
  /** Counts up with every `add` and `change` of any replica but those of `usedAt` alone: who caches keys asks for it. */
  version(): Promise<number>
}
