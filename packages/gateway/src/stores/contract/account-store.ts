/** Somebody who signs in here with a password, of which only a slow digest is kept. */
export interface AccountRecord {
  /** By which they sign in, and who they are as a caller. Each is given once, whatever the tenant. */
  readonly name: string
  readonly tenant: string
  readonly roles: readonly string[]
  /** Of the password, with all that is needed to compare another with it. */
  readonly digest: string
  /** Milliseconds since 1970, as all times here. */
  readonly createdAt: number
  /** The password is as old. */
  readonly changedAt: number
}

export interface AccountStore {
  /** @throws {StoreError} `conflict` where the name is taken */
  add(account: AccountRecord): Promise<void>
  find(name: string): Promise<AccountRecord | undefined>
  /** By name, from the one behind `after` on. */
  list(options: { readonly after?: string; readonly limit: number }): Promise<readonly AccountRecord[]>
  /** @returns the account as it is now; undefined where there is none */
  change(
    name: string,
    change: Partial<Pick<AccountRecord, 'digest' | 'changedAt' | 'roles'>>,
  ): Promise<AccountRecord | undefined>
  /** @returns whether there was one */
  remove(name: string): Promise<boolean>
}
