import type { Adapter, AdapterPayload } from 'oidc-provider'
import type { GrantRow, GrantStore } from '../stores/contract/grant-store.ts'
import type { Seal } from './seal.ts'

export interface AdapterNeeds {
  readonly grants: GrantStore
  readonly seal: Seal
  /** Milliseconds since 1970. */
  readonly now: () => number
  /** Most of each kind that come of what anybody may ask. */
  readonly maxRows: number
  readonly maxClients: number
  /** How long a client that registered itself is kept that nobody uses. */
  readonly unusedMs: number
  /** What is thrown where something was used that can be used once. */
  readonly used: () => Error
  /** What is thrown where there is no room. */
  readonly full: () => Error
}

/** Keeps what the provider asks to be kept, sealed, in rows of the store. */
export function createAdapters(needs: AdapterNeeds): (kind: string) => Adapter {
  const counts = new Map<string, Count>()
  return (kind) => new GrantAdapter(kind, needs, counts)
}

interface Count {
  readonly at: number
  rows: number
}

class GrantAdapter implements Adapter {
  readonly #kind: string
  readonly #needs: AdapterNeeds
  readonly #counts: Map<string, Count>

  constructor(kind: string, needs: AdapterNeeds, counts: Map<string, Count>) {
    this.#kind = kind
    this.#needs = needs
    this.#counts = counts
  }

  async upsert(id: string, payload: AdapterPayload, expiresIn?: number): Promise<void> {
    const { grants, now, unusedMs, seal } = this.#needs
    const name = this.#nameOf(id)
    await this.#checkRoom(name)
    const { grantId, accountId, clientId, uid, userCode } = payload
    const session = this.#kind === 'Session' ? uid : undefined
    const other = userCode === undefined ? session : seal.digest('user code', userCode)
    const isClient = this.#kind === 'Client'
    const lifeMs = isClient ? unusedMs : expiresIn === undefined ? undefined : expiresIn * 1_000
    const grant = this.#kind === 'Grant' ? id : grantId
    const client = isClient ? id : clientId
    const row: GrantRow = {
      kind: this.#kind,
      id: name,
      ...(grant === undefined ? {} : { grant }),
      ...(accountId === undefined ? {} : { account: accountId }),
      ...(client === undefined ? {} : { client }),
      ...(other === undefined ? {} : { uid: other }),
      payload: seal.seal(`${this.#kind}\0${name}`, payload),
      createdAt: now(),
      ...(lifeMs === undefined ? {} : { expiresAt: now() + lifeMs }),
    }
    // Of many who show the same assertion at once the first is heard.
    if (this.#kind !== 'ReplayDetection') await grants.put(row)
    else if (!(await grants.add(row))) throw this.#needs.used()
  }

  async find(id: string): Promise<AdapterPayload | undefined> {
    const row = await this.#needs.grants.find(this.#kind, this.#nameOf(id))
    if (row !== undefined && this.#kind === 'Client') await this.#keepUsed(row)
    return this.#toPayload(row)
  }

  async findByUid(uid: string): Promise<AdapterPayload | undefined> {
    return this.#toPayload(await this.#needs.grants.findByUid(this.#kind, uid))
  }

  async findByUserCode(userCode: string): Promise<AdapterPayload | undefined> {
    const { grants, seal } = this.#needs
    return this.#toPayload(await grants.findByUid(this.#kind, seal.digest('user code', userCode)))
  }

  async consume(id: string): Promise<void> {
    const { grants, now } = this.#needs
    if (!(await grants.consume(this.#kind, this.#nameOf(id), now()))) throw this.#needs.used()
  }

  async destroy(id: string): Promise<void> {
    await this.#needs.grants.remove(this.#kind, this.#nameOf(id))
  }

  /** Asked for each kind: all of them go with the first. */
  async revokeByGrantId(grantId: string): Promise<void> {
    await this.#needs.grants.revoke({ grant: grantId })
  }

  /** What is shown as a secret is not kept as it is. */
  #nameOf(id: string): string {
    return PUBLIC.has(this.#kind) ? id : this.#needs.seal.digest(this.#kind, id)
  }

  #toPayload(row: GrantRow | undefined): AdapterPayload | undefined {
    const { now, seal } = this.#needs
    if (row === undefined || (row.expiresAt !== undefined && row.expiresAt <= now())) return undefined
    // What this server sealed, at this place, is what it was given there.
    const payload = seal.open(`${this.#kind}\0${row.id}`, row.payload) as AdapterPayload | undefined
    if (payload === undefined) return undefined
    return row.consumedAt === undefined ? payload : { ...payload, consumed: Math.floor(row.consumedAt / 1_000) }
  }

  /** Looked at once a second; where there is no more room, what is there already may still change. */
  async #checkRoom(name: string): Promise<void> {
    const { grants, now, maxRows, maxClients, full } = this.#needs
    const most = this.#kind === 'Client' ? maxClients : maxRows
    let count = this.#counts.get(this.#kind)
    if (count === undefined || now() - count.at >= COUNT_MS) {
      count = { at: now(), rows: await grants.count(this.#kind) }
      this.#counts.set(this.#kind, count)
    }
    if (count.rows >= most && (await grants.find(this.#kind, name)) === undefined) throw full()
    count.rows++
  }

  async #keepUsed(row: GrantRow): Promise<void> {
    const { grants, now, unusedMs } = this.#needs
    if (row.expiresAt === undefined || row.expiresAt <= now() || row.expiresAt > now() + unusedMs * 0.9) return
    await grants.put({ ...row, expiresAt: now() + unusedMs })
  }
}

/** Their names are told to everybody, or are in tokens. */
const PUBLIC: ReadonlySet<string> = new Set(['Client', 'Grant'])
const COUNT_MS = 1_000
