/**
 * `secret`: by a name of its own. `connection`: what a caller has with a server, by the server's name. `client`: a
 * registration of the gateway with an authorization server.
 */
export type CredentialKind = 'secret' | 'connection' | 'client'

/** Which one, and whose. */
export interface CredentialId {
  readonly kind: CredentialKind
  /** Both empty where it is the gateway's own. */
  readonly tenant: string
  readonly principal: string
  readonly name: string
}

/** Something secret, sealed before it came here: the store knows whose it is, and not what. */
export interface CredentialRecord extends CredentialId {
  /** Names the key it was sealed with, and is no part of it. */
  readonly keyId: string
  readonly sealed: string
  /** 1, and one more with every change. */
  readonly version: number
  /** Milliseconds since 1970. */
  readonly updatedAt: number
}

export interface CredentialStore {
  find(id: CredentialId): Promise<CredentialRecord | undefined>
  /**
   * Keeps one in the place of the version that is expected to be there; 0: of none. So of several who change it at once
   * none takes back what another did.
   * @param record sealed anew for this call, and so like no other
   * @returns its version; undefined where another one is there
   */
  put(record: Omit<CredentialRecord, 'version'>, expected: number): Promise<number | undefined>
  /** @returns whether there was one */
  remove(id: CredentialId): Promise<boolean>
  /** In the order of tenant, principal and name, from the one behind `after` on. */
  list(options: {
    readonly kind: CredentialKind
    readonly after?: CredentialId
    readonly limit: number
  }): Promise<readonly CredentialRecord[]>
  /**
   * Takes a name for a while, for one holder among all replicas; it may take it again, for longer.
   * @param times milliseconds since 1970. Clocks of replicas should be closer than half of the time it is taken for
   * @returns false where another holder has it
   */
  claim(name: string, holder: string, times: { readonly now: number; readonly until: number }): Promise<boolean>
  /** Gives a name back, where this holder has it. */
  release(name: string, holder: string): Promise<void>
}
