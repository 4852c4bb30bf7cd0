import { type CredentialBook, CredentialError, openCredentialBook } from '@crosspoint/gateway'
import type { GatewayConfig } from '@crosspoint/gateway/config'
import { CliError, type ExitKind } from './exit.ts'
import type { Io } from './io.ts'
import type { CommonOptions } from './options.ts'
import { withStore } from './store.ts'

/** Runs a command on what the gateway shows to servers, in the store of the configuration. */
export function withCredentials(
  io: Io,
  options: CommonOptions,
  run: (book: CredentialBook, config: GatewayConfig) => Promise<ExitKind>,
): Promise<ExitKind> {
  return withStore(io, options, async ({ credentials }, config) => {
    try {
      return await run(openCredentialBook({ config, store: credentials, env: io.env }), config)
    } catch (error) {
      throw toCredentialFault(error)
    }
  })
}

export function toCredentialFault(error: unknown): unknown {
  if (error instanceof CredentialError) return new CliError('usage', error.message, { cause: error.cause })
  const isSignIn = error instanceof Error && error.name === 'AuthError'
  return isSignIn ? new CliError('auth', error.message, { cause: error.cause }) : error
}
