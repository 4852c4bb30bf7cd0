/** Where the gateway keeps what outlives its process. Nothing is opened before something is to be kept. */
export interface StoreConfig {
  /** Default `embedded`. */
  readonly kind: 'embedded' | 'postgres'
  /** The file of an embedded store. Default: `crosspoint/store.db` in the state folder of the user. */
  readonly path?: string
  /** Of PostgreSQL, and needed there. A secret: it may hold a password. */
  readonly url?: string
  /** Most connections to PostgreSQL. Default 10. */
  readonly maxConnections: number
  /** Longest wait for a connection, a query, or another process that writes. Default 5 s. */
  readonly timeoutMs: number
}
