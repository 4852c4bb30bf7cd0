/** What gateways share that serve the same callers. */
export interface ClusterConfig {
  /** A Redis server, as `redis://user:password@host:port/database` or `rediss://…`. A secret. Absent: nothing is shared by it. */
  readonly redis?: string
  /**
   * What they trust each other by, and what states, ids and handles that callers carry are sealed with. Absent: requests
   * of a session must reach the gateway it was opened with, and what is sealed is good for one process.
   */
  readonly secret?: string
  /** Opens what is sealed, too, while the secret is changed. */
  readonly previousSecret?: string
  /** Where other gateways reach this one. */
  readonly listen: { readonly host: string; readonly port: number }
  /** What the others are told to use instead. */
  readonly address?: string
  /** How long one that says nothing any more counts as there. */
  readonly leaseMs: number
}
