/** Where a secret is. What it is, nobody knows before a server is connected to. */
export type SecretConfig =
  | { readonly kind: 'env'; readonly variable: string }
  /** Absolute path of a file that only its owner, or its owner and group, may read. */
  | { readonly kind: 'file'; readonly path: string }
  /** Under this name in the store, encrypted. */
  | { readonly kind: 'vault'; readonly name: string }

/** The keys of the vault: what the store holds in it is of no use without them. */
export interface VaultConfig {
  /** 32 bytes as base64, base64url or hexadecimal. Default: that of `keyFile`. */
  readonly key?: string
  /** Default: `crosspoint/vault.key` in the configuration folder of the user, made where it is not there. */
  readonly keyFile?: string
  /** Keys that were in force before: they open, and close nothing any more. Default none. */
  readonly previousKeys: readonly string[]
  readonly previousKeyFiles: readonly string[]
}

/** How the gateway signs in to a server. */
export type ServerAuthConfig = OAuthConfig | ClientCredentialsConfig | ExchangeConfig

interface CommonAuthConfig {
  /** Texts may hold secrets: see `secret-marks.ts`. */
  readonly client?: ClientConfig
  /** Asked for besides what the server wants. Default none. */
  readonly scopes: readonly string[]
  /** Hosts inside the network that may be asked. Default none but the server's own. */
  readonly trustedHosts: readonly string[]
}

export interface ClientConfig {
  readonly id: string
  readonly secret?: string
  /** PKCS #8 as PEM. */
  readonly privateKey?: string
  readonly algorithm?: string
  readonly keyId?: string
}

/** Each caller signs in by a browser, and calls with what that brought. */
export interface OAuthConfig extends CommonAuthConfig {
  readonly kind: 'oauth'
  /** The only issuer whose tokens are used. Default: the one the server names. */
  readonly issuer?: string
  /** Absent: the gateway registers itself, or by the address of its metadata. */
  readonly clientMetadataUrl?: string
  readonly discovery?: DiscoveryConfig
}

/** The gateway signs in as itself, whoever calls. */
export interface ClientCredentialsConfig extends CommonAuthConfig {
  readonly kind: 'client-credentials'
  readonly client: ClientConfig
  readonly issuer?: string
}

/** What a caller showed is exchanged for a token that is good for the server alone (RFC 8693). */
export interface ExchangeConfig extends CommonAuthConfig {
  readonly kind: 'exchange'
  readonly client: ClientConfig
  /** Who exchanges. */
  readonly issuer: string
  /** Default: what the metadata of the issuer says. */
  readonly tokenEndpoint?: string
  readonly audience?: string
  /** Default: the URL of the server. */
  readonly resource: string
  readonly discovery?: DiscoveryConfig
}

/** How the gateway itself asks a server what it offers, where callers sign in one by one. */
export interface DiscoveryConfig {
  readonly headers: Readonly<Record<string, string>>
}
