import type { Authorization } from '../authorization.ts'
import * as anywhere from '../create.ts'
import {
  type ClientCredentialsOptions,
  type DeviceCodeOptions,
  type EnterpriseManagedOptions,
  type KeptSignInsOptions,
  OAUTH,
  type OAuthOptions as OAuthAnywhere,
  type TokenExchangeOptions,
  type WorkloadIdentityOptions,
} from '../create-options.ts'
import type { Redirect } from '../grants/redirect.ts'
import { isObject } from '../json.ts'
import { checkOptions } from '../options/check.ts'
import type { TokenOwner, VerifyTokenOptions } from '../resource/verify-options.ts'
import { type VerifyToken, verifyToken as verifyAnywhere } from '../resource/verify-token.ts'
import { createSignIn as createSignInAnywhere, type SignIn, type SignInOptions } from '../sign-in.ts'
import type { Fetch } from '../urls/http.ts'
import { createLoopbackRedirect } from './loopback.ts'
import { pinnedFetch } from './pinned-fetch.ts'

export type { ProtectedResource, ProtectedResourceMetadata } from '../resource/metadata.ts'
export { protectedResourceMetadata } from '../resource/metadata.ts'
export type { TokenOwner, TrustedIssuer } from '../resource/verify-options.ts'
export type { TokenPrincipal, VerifyToken } from '../resource/verify-token.ts'
export type { PendingSignIn, SignIn } from '../sign-in.ts'
export { openInBrowser } from './browser.ts'
export type { FileStoreOptions } from './file-store.ts'
export { createFileStore } from './file-store.ts'
export type { GuardedFetchOptions } from './guarded-fetch.ts'
export { createGuardedFetch } from './guarded-fetch.ts'
export type { LoopbackOptions } from './loopback.ts'
export { createLoopbackRedirect } from './loopback.ts'
export { pinnedFetch } from './pinned-fetch.ts'

/** {@link OAuthAnywhere}, with the browser of this machine where no other way is given. */
export interface OAuthOptions extends Omit<OAuthAnywhere, 'redirect'> {
  /** Default: {@link createLoopbackRedirect}. */
  readonly redirect?: Redirect
}

// As at the door of the package, with addresses pinned where names are looked up.

export function createOAuth(options: OAuthOptions = {}): Authorization {
  checkOptions('sign people in', options, { ...OAUTH, redirect: { ...OAUTH.redirect, isRequired: false } })
  return anywhere.createOAuth({ ...pinned(options), redirect: options.redirect ?? createLoopbackRedirect() })
}

export function deviceCode(options: DeviceCodeOptions): Authorization {
  return anywhere.deviceCode(pinned(options))
}

export function keptSignIns(options: KeptSignInsOptions): anywhere.KeptSignIns {
  return anywhere.keptSignIns(pinned(options))
}

export function clientCredentials(options: ClientCredentialsOptions): Authorization {
  return anywhere.clientCredentials(pinned(options))
}

export function enterpriseManaged(options: EnterpriseManagedOptions): Authorization {
  return anywhere.enterpriseManaged(pinned(options))
}

export function workloadIdentity(options: WorkloadIdentityOptions): Authorization {
  return anywhere.workloadIdentity(pinned(options))
}

export function tokenExchange(options: TokenExchangeOptions): ReturnType<typeof anywhere.tokenExchange> {
  return anywhere.tokenExchange(pinned(options))
}

export function verifyToken<Owner extends TokenOwner = TokenOwner>(
  options: VerifyTokenOptions<Owner>,
): VerifyToken<Owner> {
  return verifyAnywhere(pinned(options))
}

export function createSignIn(options: SignInOptions): SignIn {
  return createSignInAnywhere(pinned(options))
}

/** Left alone where it is no bag of options, which the check of those says. */
function pinned<Options extends { readonly fetch?: Fetch }>(options: Options): Options {
  return isObject(options) ? { ...options, fetch: options.fetch ?? pinnedFetch } : options
}
