import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose'
import { AuthError } from '../errors.ts'
import type { JsonObject } from '../json.ts'

type Keys = ReturnType<typeof createLocalJWKSet>

export interface KeySetOptions {
  /** Asks the issuer. Rejects with an {@link AuthError}. */
  readonly read: () => Promise<JsonObject>
  /** Read anew when a token comes after this. */
  readonly maxAgeMs: number
  /** Between two readings at least, whatever tokens say: who sends unknown key ids must not make us ask without end. A tenth of it where there are none yet. */
  readonly pauseMs: number
  readonly now: () => number
}

/** The keys of one issuer, kept. One that is not there is looked for again, now and then. */
export class KeySet {
  readonly #options: KeySetOptions
  #keys: Keys | undefined
  #readAt = Number.NEGATIVE_INFINITY
  #triedAt = Number.NEGATIVE_INFINITY
  #reading: Promise<void> | undefined

  constructor(options: KeySetOptions) {
    this.#options = options
  }

  /** The key of a token, for `jwtVerify`. */
  readonly find: JWTVerifyGetKey = async (header, token) => {
    const { maxAgeMs, now } = this.#options
    if (now() - this.#readAt >= maxAgeMs) await this.#read()
    try {
      return await this.#current()(header, token)
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error
      await this.#read()
      return this.#current()(header, token)
    }
  }

  /** Keys that were read long ago are better than none, for a while: one that was taken back must not live on. */
  #current(): Keys {
    const { maxAgeMs, now } = this.#options
    if (this.#keys !== undefined && now() - this.#readAt < maxAgeMs * MAX_AGES) return this.#keys
    throw new AuthError('peer.unavailable', 'Cannot check the token now: the keys of its issuer are not at hand')
  }

  /** Never fails: what is missing afterwards is missed by whoever needs it. */
  async #read(): Promise<void> {
    const { now, pauseMs } = this.#options
    if (this.#reading === undefined) {
      // Without any key nobody gets in, so it is tried more often then.
      if (now() - this.#triedAt < (this.#keys === undefined ? pauseMs / 10 : pauseMs)) return
      this.#triedAt = now()
      this.#reading = this.#replace().finally(() => {
        this.#reading = undefined
      })
    }
    await this.#reading
  }

  async #replace(): Promise<void> {
    try {
      // It throws for what is no key set.
      this.#keys = createLocalJWKSet((await this.#options.read()) as unknown as JSONWebKeySet)
      this.#readAt = this.#options.now()
    } catch {
      // Why would tell whoever sent the token what is there.
    }
  }
}

const MAX_AGES = 6
