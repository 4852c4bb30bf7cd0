import type { Clock, McpError, Principal } from '@crosspoint/mcp'
import type { KeysConfig } from '../config/model-auth.ts'
import type { Log } from '../log.ts'
import type { KeyRecord, KeyStore } from '../stores/contract/key-store.ts'
import { isSameDigest, parseApiKey } from './api-key.ts'
import { isNobody } from './nobody.ts'
import { notNow, notTaken } from './refusals.ts'
import { Remembered } from './remembered.ts'

export interface KeyRingNeeds {
  readonly keys: KeyStore
  readonly clock: Clock
  /** Milliseconds since 1970. */
  readonly wallClock: () => number
  readonly log: Log
  /** SHA-256 as base64url. */
  readonly sha256: (text: string) => string
}

interface GoodKey {
  readonly id: string
  readonly principal: Principal
  readonly expiresAt: number
  usedAt: number
}

/** Finds out whose API key is shown. Good ones are remembered for a while; of bad ones nothing is. */
export class KeyRing {
  readonly #needs: KeyRingNeeds
  readonly #good: Remembered<GoodKey>
  /** What the store counted when it was last asked; undefined: it was not yet. */
  #version: number | undefined
  #askedAt = 0
  /** How often everything was forgotten. */
  #age = 0
  #pending = 0

  constructor(needs: KeyRingNeeds, config: KeysConfig) {
    this.#needs = needs
    this.#good = new Remembered(needs.clock, config)
  }

  /** @throws {McpError} the same for every key that is not good */
  principalOf(text: string): Principal | Promise<Principal> {
    const good = this.#good.find(this.#needs.sha256(text))
    if (good === undefined) return this.#look(text)
    const now = this.#needs.wallClock()
    if (now >= good.expiresAt) throw notTaken('key')
    if (this.#needs.clock.now() - this.#askedAt >= VERSION_MS) void this.#compare()
    if (now - good.usedAt >= USED_MS) this.#note(good, now)
    return good.principal
  }

  async #look(text: string): Promise<Principal> {
    if (this.#pending >= MAX_PENDING) throw notNow()
    this.#pending++
    try {
      // Before the key is read: what changes later is seen by the next comparison.
      if (this.#version === undefined) await this.#compare()
      const age = this.#age
      const good = await this.#find(text)
      if (age === this.#age) this.#good.keep(this.#needs.sha256(text), good)
      return good.principal
    } finally {
      this.#pending--
    }
  }

  async #find(text: string): Promise<GoodKey> {
    const { keys, sha256, wallClock } = this.#needs
    const key = parseApiKey(text)
    // Asked and compared whatever was sent, so that the time it takes does not tell what is there.
    const record = await keys.find(key?.id ?? NOBODY).catch((error: unknown) => {
      this.#needs.log.error({ error: String(error) }, 'Cannot look up an API key')
      throw notNow(error)
    })
    const isTheirs = isSameDigest(sha256(key?.secret ?? ''), record?.digest ?? NO_DIGEST)
    if (key === undefined || record === undefined) throw notTaken('key')
    const now = wallClock()
    const reason = isTheirs ? findFault(record, now) : 'another secret'
    if (reason !== undefined) throw this.#refused(record, reason)
    const good = {
      id: record.id,
      principal: toPrincipal(record),
      expiresAt: record.expiresAt ?? Number.POSITIVE_INFINITY,
      usedAt: record.usedAt ?? 0,
    }
    if (now - good.usedAt >= USED_MS) this.#note(good, now)
    return good
  }

  #refused({ id, principal, tenant }: KeyRecord, reason: string): McpError {
    this.#needs.log.info({ key: id, principal, tenant, reason }, 'Refused an API key')
    return notTaken('key')
  }

  /** Whether any key changed, here or at another replica. Never fails: what is remembered ends by itself. */
  async #compare(): Promise<void> {
    this.#askedAt = this.#needs.clock.now()
    try {
      const version = await this.#needs.keys.version()
      if (this.#version !== undefined && version !== this.#version) {
        this.#age++
        this.#good.clear()
      }
      this.#version = version
    } catch (error) {
      this.#needs.log.debug({ error: String(error) }, 'Cannot ask whether API keys changed')
    }
  }

  /** No call waits for it. */
  #note(good: GoodKey, now: number): void {
    good.usedAt = now
    this.#needs.keys.change(good.id, { usedAt: now }).catch((error: unknown) => {
      this.#needs.log.debug({ key: good.id, error: String(error) }, 'Cannot note that an API key was used')
    })
  }
}

/** Undefined: it is good. */
function findFault({ principal, tenant, revokedAt, expiresAt }: KeyRecord, now: number): string | undefined {
  if (isNobody(principal, tenant)) return 'the name of nobody'
  if (revokedAt !== undefined && now >= revokedAt) return 'revoked'
  return expiresAt !== undefined && now >= expiresAt ? 'expired' : undefined
}

function toPrincipal({ id, principal, tenant, scopes, roles }: KeyRecord): Principal {
  return Object.freeze({
    id: principal,
    tenant,
    ...(scopes === undefined ? {} : { scopes }),
    attributes: { roles, key: id },
  })
}

/** At most this often is the store asked whether anything changed, while keys are used. */
const VERSION_MS = 1_000
const USED_MS = 60_000
/** Keys being looked up; more are told to come again. */
const MAX_PENDING = 1_000
const NOBODY = 'nobody-at-all'
/** Of no text that could be sent. */
const NO_DIGEST = '-'.repeat(43)
