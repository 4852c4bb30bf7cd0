import type { Call, Implementation, Principal } from '@crosspoint/mcp'
import type { Connection } from '@crosspoint/mcp/client'
import type { Destination } from '../catalog/catalog.ts'
import type { ServerConfig } from '../config/model.ts'
import type { Caller } from './context.ts'
import type { ReplicaStatus } from './replicas/replica.ts'
import type { UpstreamState } from './state.ts'

/** One configured server as the gateway has it, whether it has one address or several. */
export interface Served
  extends Required<Pick<Destination, 'handle' | 'hold' | 'peer'>>,
    Pick<Destination, 'name' | 'keepers'> {
  readonly config: ServerConfig
  readonly state: UpstreamState
  /** ISO 8601. */
  readonly since: string
  readonly restarts: number
  readonly revision: string | undefined
  readonly serverInfo: Implementation | undefined
  readonly remedy: string | undefined
  /** Changes with each loss and each find; undefined while it is away. */
  readonly connection: Connection | undefined
  /** Undefined for a server with one address. */
  readonly replicas?: readonly ReplicaStatus[]
  canTake(call: Call): boolean
  start(): void
  stop(graceMs: number): Promise<void>
  retune(config: ServerConfig): void
  callerEnded(downstream: string): void
  /** With which credential of their own somebody comes there; undefined where all come with the same. */
  credentialOf(principal: Principal): string | undefined
  /** Somebody signed in, or out; absent: the gateway itself. */
  credentialChanged(principal: Principal | undefined): void
  rootsChanged(caller: Caller): void
}
