import type { CredentialId, CredentialRecord, CredentialStore } from '../stores/contract/credential-store.ts'
import { CredentialError } from './credential-error.ts'
import type { Vault } from './vault.ts'

/** What the store keeps, opened; everything of this room that is kept goes through here. */
export interface Kept {
  /** The key is read, or made, with the first use. */
  readonly vault: () => Promise<Vault>
  readonly store: CredentialStore
  /** Milliseconds since 1970. */
  readonly wallClock: () => number
}

export interface KeptText {
  readonly text: string
  readonly version: number
}

export async function readKept({ vault, store }: Kept, id: CredentialId): Promise<KeptText | undefined> {
  const record = await store.find(id)
  if (record === undefined) return undefined
  return { text: await (await vault()).open(record), version: record.version }
}

/** As {@link readKept}; undefined also for what cannot be opened, be it damaged, another's or closed with a key that is gone. */
export async function readIfOpens({ vault, store }: Kept, id: CredentialId): Promise<string | undefined> {
  const record = await store.find(id)
  return record === undefined ? undefined : openIfOpens(await vault(), record)
}

async function openIfOpens(vault: Vault, record: CredentialRecord): Promise<string | undefined> {
  try {
    return await vault.open(record)
  } catch (error) {
    if (error instanceof CredentialError) return undefined
    throw error
  }
}

/**
 * Changes what is kept, on the ground of what is there: tried again where somebody else was quicker. What cannot be opened
 * is in nobody's way.
 */
export async function changeKept(
  kept: Kept,
  id: CredentialId,
  change: (before: string | undefined) => string | undefined,
): Promise<void> {
  const { vault, store, wallClock } = kept
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    const keeper = await vault()
    const before = await store.find(id)
    const next = change(before === undefined ? undefined : await openIfOpens(keeper, before))
    if (next === undefined) {
      if (before !== undefined) await store.remove(id)
      return
    }
    const sealed = await keeper.seal(id, next)
    const { kind, tenant, principal, name } = id
    const record = { kind, tenant, principal, name, ...sealed, updatedAt: wallClock() }
    if ((await store.put(record, before?.version ?? 0)) !== undefined) return
  }
  throw new Error(`Cannot keep "${id.name}": it is changed again and again`)
}

/**
 * Closes everything anew that was closed with a key of before.
 * @returns how many were closed anew, and how many there are
 */
export async function closeAnew({ vault, store }: Kept): Promise<{ readonly changed: number; readonly all: number }> {
  const keeper = await vault()
  let [changed, all] = [0, 0]
  for (const kind of ['secret', 'connection', 'client'] as const) {
    for (let after: CredentialId | undefined; ; ) {
      const page = await store.list({ kind, limit: PAGE, ...(after === undefined ? {} : { after }) })
      for (const record of page) {
        all++
        if (record.keyId === keeper.keyId) continue
        const text = await keeper.open(record)
        // Whoever changed it meanwhile closed it with the key of today.
        const { version, ...rest } = record
        if ((await store.put({ ...rest, ...(await keeper.seal(record, text)) }, version)) !== undefined) changed++
      }
      after = page.at(-1)
      if (page.length < PAGE) break
    }
  }
  return { changed, all }
}

const MAX_ATTEMPTS = 20
const PAGE = 100
