import { AuditKeyError, openStore, SecretFileError, SILENT, type Store, StoreError } from '@crosspoint/gateway'
import type { GatewayConfig } from '@crosspoint/gateway/config'
import { locateConfig, readConfig } from './configuration.ts'
import { CliError, type ExitKind } from './exit.ts'
import type { Io } from './io.ts'
import type { CommonOptions } from './options.ts'

/**
 * Runs a command on the store of the configuration, and closes it whatever comes of that.
 * @param isUnmigrated whether a PostgreSQL database is taken that is not set up. Default false
 */
export async function withStore(
  io: Io,
  options: CommonOptions,
  run: (store: Store, config: GatewayConfig) => Promise<ExitKind>,
  { isUnmigrated = false }: { readonly isUnmigrated?: boolean } = {},
): Promise<ExitKind> {
  const { config } = readConfig(io, await locateConfig(io, options))
  try {
    const store = await openStore(config.store, SILENT, { env: io.env, isUnmigrated })
    try {
      return await run(store, config)
    } finally {
      await store.close()
    }
  } catch (error) {
    throw toStoreFault(error)
  }
}

export function toStoreFault(error: unknown): unknown {
  if (!(error instanceof StoreError)) return error
  const kind = error.code === 'unavailable' ? 'unreachable' : 'usage'
  return new CliError(kind, error.message, { code: error.code, cause: error.cause })
}

export function toAuditKeyFault(error: unknown): unknown {
  if (!(error instanceof AuditKeyError || error instanceof SecretFileError)) return error
  return new CliError('usage', error.message, { cause: error.cause })
}
