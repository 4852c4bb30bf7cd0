import type { Authorization } from '../authorization.ts'
import * as anywhere from '../create.ts'
import type { Redirect } from '../grants/redirect.ts'
import { type VerifyToken, type VerifyTokenOptions, verifyToken as verifyAnywhere } from '../resource/verify-token.ts'
import { createLoopbackRedirect } from './loopback.ts'
import { pinnedFetch } from './pinned-fetch.ts'

export type { ProtectedResource, ProtectedResourceMetadata } from '../resource/metadata.ts'
export { protectedResourceMetadata } from '../resource/metadata.ts'
export type { TokenPrincipal, TrustedIssuer } from '../resource/verify-token.ts'
export { openInBrowser } from './browser.ts'
export type { FileStoreOptions } from './file-store.ts'
export { createFileStore } from './file-store.ts'
export type { LoopbackOptions } from './loopback.ts'
export { createLoopbackRedirect } from './loopback.ts'
export { pinnedFetch } from './pinned-fetch.ts'

/** {@link anywhere.OAuthOptions}, with the browser of this machine where no other way is given. */
export interface OAuthOptions extends Omit<anywhere.OAuthOptions, 'redirect'> {
  /** Default: {@link createLoopbackRedirect}. */
  readonly redirect?: Redirect
}

// As at the door of the package, with addresses pinned where names are looked up.

export function createOAuth(options: OAuthOptions = {}): Authorization {
  return anywhere.createOAuth({ fetch: pinnedFetch, redirect: createLoopbackRedirect(), ...options })
}

export function clientCredentials(options: anywhere.ClientCredentialsOptions): Authorization {
  return anywhere.clientCredentials({ fetch: pinnedFetch, ...options })
}

export function enterpriseManaged(options: anywhere.EnterpriseManagedOptions): Authorization {
  return anywhere.enterpriseManaged({ fetch: pinnedFetch, ...options })
}

export function workloadIdentity(options: anywhere.WorkloadIdentityOptions): Authorization {
  return anywhere.workloadIdentity({ fetch: pinnedFetch, ...options })
}

export function verifyToken(options: VerifyTokenOptions): VerifyToken {
  return verifyAnywhere({ fetch: pinnedFetch, ...options })
}
