import type { CryptoKey, JWK } from 'jose'

/** How a client shows a token endpoint who it is (RFC 6749 §2.3, RFC 7523 §2.2). */
export type TokenAuthMethod = 'none' | 'client_secret_basic' | 'client_secret_post' | 'private_key_jwt'

/** A client that somebody registered by hand. It is of one authorization server. */
export interface GivenClient {
  readonly id: string
  readonly secret?: string
  /** Signs assertions instead of a secret: PKCS #8 as PEM, a JWK or a key of WebCrypto. */
  readonly privateKey?: string | JWK | CryptoKey
  /** The algorithm of `privateKey`. Default: that of the JWK, the first the server offers, or ES256. */
  readonly algorithm?: string
  /** Named in assertions (`kid`), where the server has several keys of ours. */
  readonly keyId?: string
  /** Default: `private_key_jwt` with a key; with a secret what the server takes, basic first; else `none`. */
  readonly authMethod?: TokenAuthMethod
  /**
   * The authorization server it is registered with. Default: the one an MCP server names when it is first asked, as
   * long as the store remembers.
   */
  readonly issuer?: string
}

/** Who we are to one authorization server. */
export interface ClientIdentity extends Omit<GivenClient, 'issuer'> {
  /** `given`: registered by hand. `url`: by the URL of its metadata. `registered`: it registered itself. */
  readonly origin: 'given' | 'url' | 'registered'
  /** The issuer it belongs to (trap 47). */
  readonly issuer: string
}
