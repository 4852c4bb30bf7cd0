import type { Authorization, AuthorizationRefusal, AuthorizedRequest, Redirect } from '@crosspoint/auth'
import type { OAuthConfig } from '../config/model-secrets.ts'
import type { Kept } from './kept.ts'
import { type AccessNeeds, toClient, toOptions } from './plain-access.ts'
import { type CredentialOwner, createSealedTokens, toConnectionId } from './sealed-tokens.ts'
import { SignInRequired } from './sign-in-required.ts'

export interface SignedInNeeds extends AccessNeeds {
  readonly kept: Kept
}

/** Which server somebody signs in to, and how. */
export interface SignInPlace {
  readonly server: string
  readonly url: string
  readonly auth: OAuthConfig
}

/** Signs in with what is kept of an owner, or, where that will not do, as `redirect` has it. */
export async function createSignIn(
  { server, auth }: SignInPlace,
  owner: CredentialOwner,
  redirect: Redirect,
  needs: SignedInNeeds,
  signInTimeoutMs?: number,
): Promise<Authorization> {
  const { createOAuth } = await import('@crosspoint/auth/node')
  const { client, clientMetadataUrl, issuer } = auth
  const given = client === undefined ? undefined : { client, ...(issuer === undefined ? {} : { issuer }) }
  return createOAuth({
    ...toOptions(auth, needs),
    redirect,
    store: createSealedTokens(needs.kept, owner, server),
    account: JSON.stringify([owner.tenant, owner.principal]),
    ...(given === undefined ? {} : { client: await toClient(given, needs.secrets) }),
    ...(clientMetadataUrl === undefined ? {} : { clientMetadataUrl }),
    ...(signInTimeoutMs === undefined ? {} : { signInTimeoutMs }),
  })
}

/** What a server said was missing, for the sign-in that brings it. */
export interface Missing {
  readonly status: number
  readonly challenge: string | undefined
}

/** What one owner has with one server: it renews itself, and asks nobody. */
export class SignedIn implements Authorization {
  readonly isAsking = false
  readonly #place: SignInPlace
  readonly #owner: CredentialOwner
  readonly #needs: SignedInNeeds
  readonly #probe: AuthorizedRequest
  #inner: Authorization | undefined
  #looking: Promise<boolean> | undefined
  /** What the store had when it was last looked at; undefined: nothing. */
  #seen: string | undefined
  #lookAgainAt = 0
  /** Of the last request that was refused for want of a sign-in. */
  missing: Missing | undefined

  constructor(place: SignInPlace, owner: CredentialOwner, needs: SignedInNeeds) {
    this.#place = place
    this.#owner = owner
    this.#needs = needs
    const url = new URL(place.url).href
    this.#probe = { method: 'POST', url, server: url, inBackground: false }
  }

  /** Whether a call can go on at once. */
  get isReady(): boolean {
    const inner = this.#inner
    if (inner === undefined || this.#needs.wallClock() >= this.#lookAgainAt) return false
    const headers = inner.headers(this.#probe)
    if (headers instanceof Promise) headers.catch(() => {}) // waited for by `look`
    return Array.isArray(headers) && headers.length > 0
  }

  /** Looks whether there is a credential, and renews it in time. */
  look(): Promise<boolean> {
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined
    })
    return this.#looking
  }

  /** Another credential is there, or none any more. */
  forget(): void {
    this.#lookAgainAt = 0
    this.#seen = undefined
    this.#inner = undefined
  }

  headers(request: AuthorizedRequest): readonly string[] | Promise<readonly string[]> {
    return this.#inner?.headers(request) ?? this.#open().then((inner) => inner.headers(request))
  }

  async refused(refusal: AuthorizationRefusal): Promise<boolean> {
    try {
      const again = await (await this.#open()).refused(refusal)
      if (again) this.missing = undefined
      return again
    } catch (error) {
      if (error instanceof SignInRequired) {
        this.missing = { status: refusal.status, challenge: refusal.challenge }
      }
      throw error
    }
  }

  nonce(nonce: string, request: AuthorizedRequest): void {
    this.#inner?.nonce(nonce, request)
  }

  async #look(): Promise<boolean> {
    if (this.#needs.wallClock() >= this.#lookAgainAt && !(await this.#lookIntoStore())) return false
    const headers = await (await this.#open()).headers(this.#probe)
    // Nothing is remembered of what is not there: it may come any moment.
    if (headers.length === 0) this.forget()
    return headers.length > 0
  }

  /** Whether there may be a credential. */
  async #lookIntoStore(): Promise<boolean> {
    const { kept, wallClock } = this.#needs
    let seen: string | undefined
    try {
      const found = await kept.store.find(toConnectionId(this.#owner, this.#place.server))
      seen = found === undefined ? undefined : `${found.version} ${found.updatedAt}`
    } catch (error) {
      // What is at hand is good for as long as it is: a store that is away does not take it away.
      if (this.#inner === undefined) throw error
      seen = this.#seen
    }
    if (seen !== this.#seen || seen === undefined) this.#inner = undefined
    this.#seen = seen
    if (seen === undefined) return false
    this.#lookAgainAt = wallClock() + LOOK_AGAIN_MS
    return true
  }

  async #open(): Promise<Authorization> {
    if (this.#inner !== undefined) return this.#inner
    const { server } = this.#place
    const redirect: Redirect = {
      open() {
        throw new SignInRequired(server)
      },
    }
    this.#inner = await createSignIn(this.#place, this.#owner, redirect, this.#needs)
    return this.#inner
  }
}

/** A sign-in that was taken away elsewhere ends by then. */
const LOOK_AGAIN_MS = 10_000
