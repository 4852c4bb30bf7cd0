import type { JsonObject } from '@crosspoint/mcp'
import type { PeopleMapping } from '../config/model-auth-server.ts'
import { toBearer } from '../identity/claims.ts'
import type { AccountStore } from '../stores/contract/account-store.ts'
import type { GrantStore } from '../stores/contract/grant-store.ts'
import type { Seal } from './seal.ts'

/** Somebody who signed in, as the caller that they are. */
export interface Person {
  readonly id: string
  readonly tenant: string
  readonly roles: readonly string[]
}

export interface PeopleNeeds {
  readonly accounts: AccountStore
  readonly grants: GrantStore
  readonly seal: Seal
  readonly now: () => number
  /** How long somebody of another issuer is remembered. */
  readonly rememberedMs: () => number
  /** Whether local accounts are good. */
  readonly hasAccounts: () => boolean
  /** Whether a client calls for itself under this name. */
  readonly isClient: (id: string, tenant: string) => boolean
}

/** Who has signed in: by an account here, or at somebody else's. */
export class People {
  readonly #needs: PeopleNeeds

  constructor(needs: PeopleNeeds) {
    this.#needs = needs
  }

  /** Undefined for who is not known any more. */
  async find(account: string): Promise<Person | undefined> {
    const name = toAccountName(account)
    const found = name === undefined ? await this.#findRemembered(account) : await this.#findLocal(name)
    // Nobody is taken for a client, nor a client for somebody.
    return found === undefined || this.#needs.isClient(found.id, found.tenant) ? undefined : found
  }

  /**
   * Remembers somebody by what another issuer says of them.
   * @returns the account
   * @throws {RangeError} where it does not say who that is
   */
  async remember(claims: JsonObject, mapping: PeopleMapping): Promise<string> {
    const { grants, seal, now, rememberedMs } = this.#needs
    const { id, tenant, attributes } = toBearer(claims, { ...NO_TOKENS, ...mapping })
    const account = `at:${seal.digest('person', `${mapping.issuer}\0${String(claims.sub)}`)}`
    // As `toBearer` gives them.
    const person: Person = { id, tenant, roles: attributes.roles as readonly string[] }
    const row = { kind: KIND, id: account, account, createdAt: now(), expiresAt: now() + rememberedMs() }
    await grants.put({ ...row, payload: seal.seal(`${KIND}\0${account}`, person) })
    return account
  }

  async #findLocal(name: string): Promise<Person | undefined> {
    const account = this.#needs.hasAccounts() ? await this.#needs.accounts.find(name) : undefined
    return account === undefined ? undefined : { id: account.name, tenant: account.tenant, roles: account.roles }
  }

  async #findRemembered(account: string): Promise<Person | undefined> {
    const { grants, seal, now } = this.#needs
    const row = await grants.find(KIND, account)
    if (row === undefined || (row.expiresAt ?? 0) <= now()) return undefined
    return seal.open(`${KIND}\0${account}`, row.payload) as Person | undefined // as `remember` sealed it
  }
}

/** How grants name somebody with an account here. */
export function toAccount(name: string): string {
  return `local:${name}`
}

function toAccountName(account: string): string | undefined {
  return account.startsWith('local:') ? account.slice('local:'.length) : undefined
}

const KIND = 'Person'
const NO_TOKENS = { audience: [], types: [], scopesImplied: new Map() }
