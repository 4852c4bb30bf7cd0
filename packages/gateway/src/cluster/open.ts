import { type Clock, systemClock, toNodeName } from '@crosspoint/mcp'
import type { ClusterConfig } from '../config/model-cluster.ts'
import { type Log, SILENT } from '../log.ts'
import { deriveClusterKeys } from '../node/cluster-keys.ts'
import type { RedisConnection } from '../stores/redis/connection.ts'
import { Cluster } from './cluster.ts'

export interface OpenClusterOptions {
  readonly log?: Log
  /** The Redis that is shared, where it is open already. Default: it is opened, and closed with the cluster. */
  readonly redis?: RedisConnection
  readonly clock?: Clock
}

/** This gateway among others, until it is closed. */
export interface OpenedCluster {
  readonly cluster: Cluster
  /** Takes leave of the others. */
  close(): Promise<void>
}

/**
 * Goes among the gateways that serve the same callers; undefined where none are configured, which takes a Redis and a secret.
 * A Redis that is away is waited for by whoever needs it.
 * @throws {StoreError} for a Redis that cannot be used
 */
export async function openCluster(
  config: ClusterConfig,
  { log = SILENT, clock = systemClock, redis: given }: OpenClusterOptions = {},
): Promise<OpenedCluster | undefined> {
  const { redis: url, secret, previousSecret, listen, leaseMs } = config
  if (url === undefined || secret === undefined) return undefined
  // Loaded where there is a cluster.
  const [
    { openRedis },
    { createRedisSessions },
    { createRedisEvents },
    { createPasses },
    { createReplicaClient },
    { openReplicaDoor },
  ] = await Promise.all([
    import('../stores/redis/connection.ts'),
    import('../stores/redis/sessions.ts'),
    import('../stores/redis/events.ts'),
    import('../node/passes.ts'),
    import('../node/replica-client.ts'),
    import('../node/replica-door.ts'),
  ])
  const keys = deriveClusterKeys(secret, previousSecret)
  const passes = createPasses(keys, () => clock.wallNow())
  const redis = given ?? (await openRedis({ url, log }))
  const closeRedis = async () => {
    if (given === undefined) await redis.close()
  }
  const node = toNodeName()
  const door = await openReplicaDoor({
    ...listen,
    node,
    passes,
    receive: () => cluster.served?.receive,
    refused: (status) => log.warn({ status }, 'Turned away who asked as a gateway of the cluster'),
  }).catch(async (error: unknown) => {
    await closeRedis()
    throw error
  })
  const seal = {
    close: (text: string) => keys.seal('event', text),
    open: (kept: string) => keys.open('event', kept)?.text,
  }
  const cluster: Cluster = new Cluster({
    node,
    leaseMs,
    address: config.address ?? door.address,
    sessions: createRedisSessions(redis),
    events: createRedisEvents(redis, { seal }),
    keys,
    client: createReplicaClient(passes),
    clock,
    log,
  })
  await cluster.join()
  log.info({ node, address: config.address ?? door.address }, 'Joined the cluster')
  return {
    cluster,
    async close() {
      await cluster.close()
      await door.close()
      await closeRedis()
    },
  }
}
