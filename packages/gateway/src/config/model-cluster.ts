/** What gateways share that serve the same callers. */
export interface ClusterConfig {
  /** A Redis server, as `redis://user:password@host:port/database` or `rediss://…`. A secret. Absent: nothing is shared by it. */
  readonly redis?: string
}
