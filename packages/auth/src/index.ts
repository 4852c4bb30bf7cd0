export type { Authorization, AuthorizationRefusal, AuthorizedRequest } from './authorization.ts'
export type { GivenClient, TokenAuthMethod } from './client/identity.ts'
export type { KeptSignIns } from './create.ts'
export {
  clientCredentials,
  createOAuth,
  deviceCode,
  enterpriseManaged,
  keptSignIns,
  tokenExchange,
  workloadIdentity,
} from './create.ts'
export type {
  AuthorizationOptions,
  ClientCredentialsOptions,
  DeviceCodeOptions,
  EnterpriseManagedOptions,
  KeptSignInsOptions,
  OAuthOptions,
  TokenExchangeOptions,
  WorkloadIdentityOptions,
} from './create-options.ts'
export type { AuthErrorCode, TokenChallenge } from './errors.ts'
export { AuthError } from './errors.ts'
export type { DevicePrompt } from './grants/device-code.ts'
export type { IdentityProvider } from './grants/enterprise-managed.ts'
export type { OpenRedirect, Redirect } from './grants/redirect.ts'
export type { ExchangedToken, ExchangeTerms, SubjectToken } from './grants/token-exchange.ts'
export type { Assertion } from './grants/workload-identity.ts'
export type { JsonObject } from './json.ts'
export type { ProtectedResource, ProtectedResourceMetadata } from './resource/metadata.ts'
export { protectedResourceMetadata } from './resource/metadata.ts'
export type { TokenOwner, TrustedIssuer, VerifyTokenOptions } from './resource/verify-options.ts'
export type { TokenPrincipal, VerifyToken } from './resource/verify-token.ts'
export { verifyToken } from './resource/verify-token.ts'
export type { PendingSignIn, SignIn, SignInOptions } from './sign-in.ts'
export { createSignIn } from './sign-in.ts'
export type { TokenStore } from './store.ts'
export { createMemoryStore } from './store.ts'
export type { Fetch, FetchInit } from './urls/http.ts'
