/** The authorization server that is part of the gateway. */
export interface AuthServerConfig {
  /** Where people sign in. Default: here, by local accounts. */
  readonly upstream?: UpstreamLoginConfig
  /** Clients that are known from the beginning, by their id. */
  readonly clients: ReadonlyMap<string, KnownClientConfig>
  /** Whose identity assertions are taken. Default none. */
  readonly enterprise: readonly EnterpriseIssuerConfig[]
  readonly registration: RegistrationConfig
  readonly ttl: {
    /** Default 5 minutes. */
    readonly accessMs: number
    /** Default 30 days. */
    readonly refreshMs: number
    /** Default 180 days. */
    readonly grantMs: number
  }
  /** Default 100,000. */
  readonly maxSessions: number
  /** Default: beside a person's own configuration. */
  readonly keyFile?: string
  /** 32 bytes in base64. A secret. */
  readonly key?: string
}

/** How what somebody else says of people makes them callers. */
export interface PeopleMapping {
  readonly issuer: string
  /** Default: the issuer. */
  readonly tenant?: string
  readonly tenantClaim?: string
  /** Default `sub`. */
  readonly principalClaim: string
  /** Default: no roles. */
  readonly rolesClaim?: string
}

export interface UpstreamLoginConfig extends PeopleMapping {
  readonly clientId: string
  readonly clientSecret: string
  readonly scopes: readonly string[]
  /** What people call it. Default: its host. */
  readonly name?: string
}

export interface EnterpriseIssuerConfig extends PeopleMapping {
  /** URL of its keys. Default: where its metadata says. */
  readonly keys?: string
}

export interface KnownClientConfig {
  readonly name?: string
  readonly secret?: string
  /** URL of its keys. */
  readonly keys?: string
  readonly redirectUris: readonly string[]
  readonly credentials: boolean
  readonly enterprise: boolean
  readonly tenant: string
  readonly roles: readonly string[]
  /** Default: everything. */
  readonly scopes?: readonly string[]
}

export interface RegistrationConfig {
  readonly documents: boolean
  readonly dynamic: boolean
  readonly maxClients: number
  readonly unusedMs: number
  readonly perHour: number
}
