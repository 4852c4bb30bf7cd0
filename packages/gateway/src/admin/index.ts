/**
 * The client of the admin API, and what it speaks of: for consoles and the command line. Nothing of the gateway itself comes
 * with it.
 */
export {
  type AdminCallOptions,
  type AdminClient,
  type AdminClientOptions,
  AdminError,
  createAdminClient,
} from './client.ts'
export type { AdminEvent } from './contract/events.ts'
export type { Key } from './contract/keys.ts'
export type { Answer as AdminAnswer, Said as AdminQuestion } from './contract/operations.ts'
export type { ServerStatus } from './contract/servers.ts'
export type { Role as AdminRole } from './roles.ts'
export { BASE as ADMIN_BASE, type OperationId as AdminOperation } from './routes.ts'
