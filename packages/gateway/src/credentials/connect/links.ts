import type { Kept } from '../kept.ts'
import type { CredentialOwner } from '../sealed-tokens.ts'
import type { Missing } from '../signed-in.ts'
import { createVault, type Vault } from '../vault.ts'

/** What a link says, to us alone. */
export interface Link {
  readonly id: string
  readonly server: string
  readonly owner: CredentialOwner
  readonly missing: Missing | undefined
  /** Milliseconds since 1970. */
  readonly expiresAt: number
}

/** Makes what stands in links, and reads it: closed with a key that all replicas have, used once, good for ten minutes. */
export class Links {
  readonly #kept: Kept
  #box: Promise<Vault> | undefined

  constructor(kept: Kept) {
    this.#kept = kept
  }

  async make(server: string, owner: CredentialOwner, missing: Missing | undefined): Promise<Link & { text: string }> {
    const expiresAt = this.#kept.wallClock() + LINK_MS
    const challenge = (missing?.challenge ?? '').slice(0, MAX_CHALLENGE)
    const link = { id: crypto.randomUUID(), server, owner, missing, expiresAt }
    const said = [link.id, owner.tenant, owner.principal, expiresAt, missing?.status ?? 0, challenge]
    const { sealed } = await (await this.#open()).seal(toPlace(server), JSON.stringify(said))
    return { ...link, text: sealed.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '') }
  }

  /** Undefined for what is no link of ours to this server, or none any more. */
  async parse(server: string, text: string): Promise<Link | undefined> {
    if (text.length > MAX_LINK || !/^[\w-]+$/.test(text)) return undefined
    const box = await this.#open()
    const sealed = text.replaceAll('-', '+').replaceAll('_', '/')
    try {
      const record = { ...toPlace(server), keyId: box.keyId, sealed, version: 1, updatedAt: 0 }
      // Written above, and closed since.
      const [id, tenant, principal, expiresAt, status, challenge] = JSON.parse(await box.open(record)) as [
        string,
        string,
        string,
        number,
        number,
        string,
      ]
      if (this.#kept.wallClock() >= expiresAt) return undefined
      const missing = status === 0 ? undefined : { status, challenge: challenge === '' ? undefined : challenge }
      return { id, server, owner: { tenant, principal }, missing, expiresAt }
    } catch {
      return undefined
    }
  }

  /** Whether it is this one who uses it: of all who try, one does, and may go on. */
  async use({ id, expiresAt }: Link, user: string): Promise<boolean> {
    const { store, wallClock } = this.#kept
    return store.claim(`link ${id}`, user, { now: wallClock(), until: expiresAt + LINK_MS })
  }

  #open(): Promise<Vault> {
    this.#box ??= this.#kept
      .vault()
      .then((vault) => vault.derive('connect links'))
      .then((key) => createVault([key]))
      .catch((error: unknown) => {
        this.#box = undefined
        throw error
      })
    return this.#box
  }
}

function toPlace(server: string) {
  return { kind: 'client', tenant: '', principal: '', name: `link ${server}` } as const
}

export const LINK_MS = 600_000
const MAX_CHALLENGE = 1_000
const MAX_LINK = 4_096
