import type { KeyRecord, KeyStore } from '../stores/contract/key-store.ts'
import { formatApiKey, parseApiKey, randomApiKey, toBase64Url } from './api-key.ts'

/** Making, replacing and taking back keys. What makes one is returned once, and kept nowhere. */

export interface NewKey {
  readonly principal: string
  readonly tenant: string
  readonly roles: readonly string[]
  /** Absent: everything its roles are good for. */
  readonly scopes?: readonly string[]
  readonly label?: string
  /** Milliseconds since 1970. Absent: it does not expire. */
  readonly expiresAt?: number
}

export interface MadeKey {
  /** As its holder sends it. */
  readonly text: string
  readonly record: KeyRecord
}

export async function createKey(keys: KeyStore, about: NewKey, now: number): Promise<MadeKey> {
  const key = randomApiKey()
  const record: KeyRecord = { ...about, id: key.id, digest: await digestOf(key.secret), createdAt: now }
  await keys.add(record)
  return { text: formatApiKey(key), record }
}

/**
 * Another key for the same caller. The old one goes on for `graceMs`, unless it ends before.
 * @returns undefined where there is no such key, or none that is still good
 */
export async function rotateKey(
  keys: KeyStore,
  id: string,
  { graceMs, now }: { readonly graceMs: number; readonly now: number },
): Promise<MadeKey | undefined> {
  const old = await keys.find(id)
  if (old === undefined || !isGood(old, now)) return undefined
  const { principal, tenant, roles, scopes, label, expiresAt } = old
  const made = await createKey(
    keys,
    {
      principal,
      tenant,
      roles,
      ...(scopes === undefined ? {} : { scopes }),
      ...(label === undefined ? {} : { label }),
      // What was meant to last ninety days lasts ninety days again.
      ...(expiresAt === undefined ? {} : { expiresAt: now + (expiresAt - old.createdAt) }),
    },
    now,
  )
  const ends = Math.min(now + graceMs, expiresAt ?? Number.POSITIVE_INFINITY)
  await keys.change(id, { expiresAt: ends, replacedBy: made.record.id })
  return made
}

/** @returns undefined where there is no such key */
export async function revokeKey(keys: KeyStore, id: string, now: number): Promise<KeyRecord | undefined> {
  const found = await keys.find(id)
  if (found === undefined || found.revokedAt !== undefined) return found
  return keys.change(id, { revokedAt: now })
}

function isGood({ revokedAt, expiresAt }: KeyRecord, now: number): boolean {
  return revokedAt === undefined && (expiresAt === undefined || now < expiresAt)
}

async function digestOf(secret: string): Promise<string> {
  const bytes = new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(secret)))
  return toBase64Url(bytes)
}

/** All keys, or those of one tenant, by id. */
export async function listKeys(keys: KeyStore, tenant: string | undefined): Promise<readonly KeyRecord[]> {
  const found: KeyRecord[] = []
  for (;;) {
    const after = found.at(-1)?.id
    const page = await keys.list({
      limit: PAGE,
      ...(tenant === undefined ? {} : { tenant }),
      ...(after === undefined ? {} : { after }),
    })
    found.push(...page)
    if (page.length < PAGE) return found
  }
}

/** The id of a key that is given whole, as one that leaked is; anything else is an id already. */
export function toKeyId(text: string): string {
  return parseApiKey(text)?.id ?? text
}

const PAGE = 1_000
