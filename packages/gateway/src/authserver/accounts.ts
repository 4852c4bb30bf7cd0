import type { AccountRecord, AccountStore } from '../stores/contract/account-store.ts'
import type { GrantStore } from '../stores/contract/grant-store.ts'
import { digestPassword, findPasswordFault } from './passwords.ts'
import { toAccount } from './people.ts'

/** Making and removing accounts. Of a password only a slow digest is kept. */

export interface NewAccount {
  /** By which they sign in, and who they are as a caller. */
  readonly name: string
  readonly tenant: string
  readonly roles: readonly string[]
  readonly password: string
}

/** @throws {RangeError} for a password that is too short or too long; {StoreError} `conflict` for a name that is taken */
export async function createAccount(
  accounts: AccountStore,
  { password, ...about }: NewAccount,
  now: number,
): Promise<AccountRecord> {
  const record = { ...about, digest: await digestOf(password), createdAt: now, changedAt: now }
  await accounts.add(record)
  return record
}

/**
 * Another password, with which everything ends that somebody agreed to under the old one.
 * @returns undefined where there is no such account
 * @throws {RangeError} for a password that is too short or too long
 */
export async function changePassword(
  { accounts, grants }: { readonly accounts: AccountStore; readonly grants: GrantStore },
  name: string,
  password: string,
  now: number,
): Promise<AccountRecord | undefined> {
  const changed = await accounts.change(name, { digest: await digestOf(password), changedAt: now })
  if (changed !== undefined) await grants.revoke({ account: toAccount(name) })
  return changed
}

/** Nobody signs in with it any more, and every token of theirs ends. @returns whether there was one */
export async function removeAccount(
  { accounts, grants }: { readonly accounts: AccountStore; readonly grants: GrantStore },
  name: string,
): Promise<boolean> {
  const isGone = await accounts.remove(name)
  await grants.revoke({ account: toAccount(name) })
  return isGone
}

/** All accounts, by name. */
export async function listAccounts(accounts: AccountStore): Promise<readonly AccountRecord[]> {
  const found: AccountRecord[] = []
  for (;;) {
    const after = found.at(-1)?.name
    const page = await accounts.list({ limit: PAGE, ...(after === undefined ? {} : { after }) })
    found.push(...page)
    if (page.length < PAGE) return found
  }
}

function digestOf(password: string): Promise<string> {
  const fault = findPasswordFault(password)
  if (fault !== undefined) throw new RangeError(fault)
  return digestPassword(password)
}

const PAGE = 1_000
