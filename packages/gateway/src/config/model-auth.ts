import type { AuthServerConfig } from './model-auth-server.ts'

/** Who callers are, and how they show it. Where it is absent nobody is asked. */
export interface AuthConfig {
  /** Public address of the gateway without `/mcp` and without a slash at the end. Default: that of its door. */
  readonly resource?: string
  readonly keys: KeysConfig
  readonly tokens: TokensConfig
  /** Whose tokens are taken. Default none. */
  readonly issuers: readonly IssuerConfig[]
  /** Whose calls those over stdio are. Default: nobody's in particular. */
  readonly stdio?: LocalPrincipalConfig
  /** The authorization server that is part of the gateway. Default: there is none. */
  readonly server?: AuthServerConfig
}

export interface KeysConfig {
  /** Default true. */
  readonly enabled: boolean
  /** How long a key is not looked up again. Default 10 s. */
  readonly cacheMs: number
  /** Most keys remembered. Default 10,000. */
  readonly maxCached: number
}

export interface TokensConfig {
  /** How long a token is not checked again. Default 60 s. */
  readonly cacheMs: number
  /** Most tokens remembered. Default 10,000. */
  readonly maxCached: number
}

/** Somebody whose tokens are taken. */
export interface IssuerConfig {
  /** As in `iss`, to the letter. */
  readonly issuer: string
  /** Names of all endpoints, besides the URL of the one that is called. Default none. */
  readonly audience: readonly string[]
  /** URL of its keys. Default: where its metadata says. */
  readonly keys?: string
  /** Default: those of `verifyToken`. */
  readonly algorithms?: readonly string[]
  /** Default `at+jwt`. */
  readonly types: readonly string[]
  /** Of all its callers. Default: the issuer, so that nobody of another is taken for one of its own. */
  readonly tenant?: string
  /** Or the claim that says it. */
  readonly tenantClaim?: string
  /** Default `sub`. */
  readonly principalClaim: string
  /** Default: no roles. */
  readonly rolesClaim?: string
  /** Narrower scopes by broader one. Default none. */
  readonly scopesImplied: ReadonlyMap<string, readonly string[]>
}

export interface LocalPrincipalConfig {
  readonly principal: string
  /** Default `default`. */
  readonly tenant: string
  /** Default none. */
  readonly roles: readonly string[]
}
