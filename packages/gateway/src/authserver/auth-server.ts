import type { IncomingMessage, ServerResponse } from 'node:http'
import type { JsonObject, Timer } from '@crosspoint/mcp'
import type { Beside } from '@crosspoint/mcp/transports'
import type { AuthServerConfig } from '../config/model-auth-server.ts'
import type { AuthServerNeeds } from './needs.ts'
import { PasswordDesk } from './passwords.ts'
import { isOurs } from './paths.ts'
import { People, type Person } from './people.ts'
import { Revocations } from './revocations.ts'
import type { Running } from './running.ts'
import type { Seal } from './seal.ts'
import { openSeal } from './seal-key.ts'
import { readSigningKeys, type SigningKeys } from './signing-keys.ts'

/**
 * The authorization server of a gateway, as its doors and whoever checks tokens see it. What it is made of is loaded with
 * the first request to it; checking tokens needs none of that.
 */
export class AuthServer {
  readonly #needs: AuthServerNeeds
  readonly #passwords = new PasswordDesk()
  readonly #running = new Map<string, Promise<Running>>()
  #config: AuthServerConfig
  #seal: Seal | undefined
  #revocations: Revocations
  #keys: { readonly at: number; readonly read: Promise<SigningKeys> } | undefined
  #used: SigningKeys | undefined
  #sweeping: Timer | undefined
  #isClosed = false

  constructor(config: AuthServerConfig, needs: AuthServerNeeds) {
    this.#config = config
    this.#needs = needs
    this.#revocations = new Revocations(needs.store.grants, needs.clock)
  }

  /** From here on. Sign-ins under way go on: what they are is in the store. */
  apply(config: AuthServerConfig): void {
    this.#config = config
    this.#seal = undefined
    this.#keys = undefined
    this.#running.clear()
  }

  /** Who answers at a path of a door; undefined where it is none of ours. */
  beside(path: string, issuer: string): Beside | undefined {
    if (!isOurs(path) || this.#isClosed) return undefined
    return (request, response) => void this.#answer(request, response, issuer)
  }

  /** Who is signed in in a browser, by what it sends; undefined where nobody is. */
  async whoIs(cookies: string | undefined, issuer: string): Promise<Person | undefined> {
    return cookies === undefined ? undefined : (await this.#runningAt(issuer)).personOf(cookies)
  }

  /** What tokens are signed with (JWKS): the same object as long as it is the same. */
  async keys(): Promise<JsonObject> {
    return (await this.#readKeys()).published
  }

  /** Whether what somebody agreed to still holds; rejects where that cannot be found out. */
  isLive(grant: string): boolean | Promise<boolean> {
    return this.#revocations.isLive(grant)
  }

  close(): void {
    this.#isClosed = true
    this.#sweeping?.cancel()
  }

  async #answer(request: IncomingMessage, response: ServerResponse, issuer: string): Promise<void> {
    try {
      await (await this.#runningAt(issuer)).answer(request, response)
    } catch (error) {
      // What is wrong is for us to know.
      this.#needs.log.error({ error: String(error) }, 'The authorization server failed')
      if (!response.headersSent) response.writeHead(503, { 'content-type': 'text/plain', 'retry-after': '5' })
      response.end('Not at the moment\n')
    }
  }

  async #runningAt(issuer: string): Promise<Running> {
    const keys = await this.#readKeys()
    if (keys !== this.#used) this.#running.clear()
    this.#used = keys
    const known = this.#running.get(issuer)
    if (known !== undefined) return known
    this.#sweepLater()
    const made = this.#start(issuer, keys)
    this.#running.set(issuer, made)
    // Tried again with the next request.
    made.catch(() => this.#running.delete(issuer))
    return made
  }

  async #start(issuer: string, keys: SigningKeys): Promise<Running> {
    const { store, wallClock } = this.#needs
    const config = this.#config
    const seal = this.#open()
    const people = new People({
      ...store,
      seal,
      now: wallClock,
      rememberedMs: () => config.ttl.grantMs,
      hasAccounts: () => config.upstream === undefined,
      isClient: (id, tenant) => {
        const client = config.clients.get(id)
        return client?.credentials === true && client.tenant === tenant
      },
    })
    const { Running } = await import('./running.ts')
    return Running.start({ ...this.#needs, issuer, config, keys, seal, people, passwords: this.#passwords })
  }

  /** Read again now and then: another gateway may have made one. The same where nothing is different. */
  #readKeys(): Promise<SigningKeys> {
    const { clock, wallClock, store } = this.#needs
    const now = clock.now()
    const before = this.#keys
    if (before !== undefined && now - before.at < KEYS_MS) return before.read
    const read = this.#readAgain(before?.read, { grants: store.grants, seal: this.#open(), now: wallClock })
    this.#keys = { at: now, read }
    read.catch(() => {
      this.#keys = undefined
    })
    return read
  }

  async #readAgain(before: Promise<SigningKeys> | undefined, needs: Parameters<typeof readSigningKeys>[0]) {
    const [old, found] = await Promise.all([before, readSigningKeys(needs)])
    return old !== undefined && JSON.stringify(old.all) === JSON.stringify(found.all) ? old : found
  }

  #open(): Seal {
    this.#seal ??= openSeal(this.#config, this.#needs.env)
    return this.#seal
  }

  #sweepLater(): void {
    const { clock, store, wallClock, log } = this.#needs
    this.#sweeping ??= clock.setTimer(SWEEP_MS, () => {
      this.#sweeping = undefined
      if (this.#isClosed) return
      store.grants
        .sweep(wallClock())
        .catch((error: unknown) => log.warn({ error: String(error) }, 'Cannot remove what has expired'))
        .finally(() => {
          if (!this.#isClosed) this.#sweepLater()
        })
    })
  }
}

const KEYS_MS = 60_000
const SWEEP_MS = 60_000
