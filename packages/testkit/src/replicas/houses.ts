import { openCluster } from '@crosspoint/gateway'
import { type House, type HouseOptions, openHouse } from '../matrix/house.ts'
import { type Balancer, openBalancer } from './balancer.ts'

/** Several gateways of one cluster, all in this process, behind a balancer. */
export interface Replicas {
  /** Of everything, by the balancer. */
  readonly url: string
  readonly balancer: Balancer
  readonly houses: readonly House[]
  close(): Promise<void>
}

export const SECRET = 'gateways of a test trust each other by this'

export interface ReplicasOptions extends HouseOptions {
  readonly seed?: number
  readonly leaseMs?: number
  /** Default 3. */
  readonly count?: number
}

/** @param redis the URL of the server they share */
export async function openReplicas(servers: object, redis: string, options: ReplicasOptions = {}): Promise<Replicas> {
  const { seed = 1, leaseMs = 300, count = 3, ...rest } = options
  const opened = await Promise.all(
    Array.from({ length: count }, async () => {
      const config = { redis, secret: SECRET, listen: { host: '127.0.0.1', port: 0 }, leaseMs }
      const joined = await openCluster(config)
      if (joined === undefined) throw new Error('No cluster')
      return { joined, house: await openHouse(servers, { ...rest, cluster: joined.cluster }) }
    }),
  )
  const houses = opened.map(({ house }) => house)
  const balancer = await openBalancer(
    houses.map(({ url }) => new URL(url).origin),
    { seed },
  )
  return {
    url: `${balancer.url}/mcp`,
    balancer,
    houses,
    async close() {
      await balancer.close()
      for (const { joined, house } of opened) {
        await house.close()
        await joined.close()
      }
    },
  }
}
