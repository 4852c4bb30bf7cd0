import { join } from 'node:path'
import type { StoreConfig } from '../config/model-store.ts'
import type { Log } from '../log.ts'
import { stateFolder } from '../node/state-folder.ts'
import type { Store } from './contract/store.ts'
import { StoreError } from './contract/store-error.ts'

export interface OpenStoreOptions {
  /** Whether a PostgreSQL database is taken that is not set up or not up to date, as `migrate` needs it. Default false. */
  readonly isUnmigrated?: boolean
  /** Where to look for the state folder of the user. Default: the environment of this process. */
  readonly env?: Readonly<Record<string, string | undefined>>
}

/**
 * Opens the store that is configured; its driver is loaded for it. An embedded one is made where there is none, and
 * brought up to date.
 * @throws {StoreError} what is wrong with it
 */
export async function openStore(config: StoreConfig, log: Log, options: OpenStoreOptions = {}): Promise<Store> {
  const { kind, path, url, maxConnections, timeoutMs } = config
  if (kind === 'embedded') {
    const { openEmbedded } = await import('./embedded/store.ts')
    return openEmbedded({ path: path ?? defaultStorePath(options.env), timeoutMs })
  }
  if (url === undefined) throw new StoreError('invalid', 'Cannot open the store: PostgreSQL needs a URL')
  const { openPostgres } = await import('./postgres/store.ts')
  const { isUnmigrated = false } = options
  return openPostgres({ url, maxConnections, timeoutMs, log, isUnmigrated })
}

/** The file of an embedded store. */
export function storePathOf(
  { kind, path }: Pick<StoreConfig, 'kind' | 'path'>,
  env: OpenStoreOptions['env'],
): string | undefined {
  return kind === 'embedded' ? (path ?? defaultStorePath(env)) : undefined
}

/** `crosspoint/store.db` in the state folder of the user. */
function defaultStorePath(env: OpenStoreOptions['env']): string {
  return join(stateFolder(env), 'store.db')
}
