import { McpError } from '@crosspoint/mcp'
import type { ServerConfig } from '../config/model.ts'
import { shown } from '../shown.ts'
import type { UpstreamState } from './state.ts'

/** Why an attempt failed, in a sentence without a final period. What is not ours may hold anything and is shown cut. */
export function toReason(error: unknown): string {
  return shown(error instanceof Error ? error.message : String(error), 500)
}

/**
 * Whether a failure says that the server is not there, or will not have us, rather than that one request failed. One
 * that says when to come back is there.
 */
export function toLoss(error: unknown): 'gone' | 'sign-in' | undefined {
  if (!(error instanceof McpError) || toRetryAfter(error) !== undefined) return undefined
  if (error.code === 'upstream.unauthorized') return 'sign-in'
  return error.code === 'upstream.unavailable' || error.code === 'upstream.closed' ? 'gone' : undefined
}

/** In how many milliseconds a server that is too busy wants to be asked again (HTTP 429 and 503). */
export function toRetryAfter(error: unknown): number | undefined {
  if (!(error instanceof McpError) || error.code !== 'upstream.unavailable') return undefined
  const { retryAfterMs } = (error.data ?? {}) as { readonly retryAfterMs?: unknown }
  return typeof retryAfterMs === 'number' ? retryAfterMs : undefined
}

/**
 * What can be done about a state; undefined where nothing needs doing.
 * @param what runs. Default: its program or where it is, which is for whoever runs the gateway and for no caller
 */
export function toRemedy(
  state: UpstreamState,
  { name, transport, auth }: Pick<ServerConfig, 'name' | 'transport' | 'auth'>,
  what: string = toTargetName(transport),
): string | undefined {
  switch (state.kind) {
    case 'stopped':
    case 'ready':
    case 'starting':
      return undefined
    case 'disabled':
      return `Set "enabled: true" for "${name}" in the configuration`
    case 'degraded':
      return `Look at the log of "${name}"; what failed is tried again by itself`
    case 'needs-sign-in':
      return toSignInRemedy({ name, transport, auth })
    case 'backing-off':
      return transport.kind === 'stdio'
        ? `Check that ${what} runs by itself; it is started again by itself`
        : `Check that ${what} is up and reachable; it is tried again by itself`
    case 'failed':
      return transport.kind === 'stdio'
        ? `Check that ${what} runs by itself, then reload the configuration to start it again`
        : `Check that ${what} is up, then reload the configuration`
  }
}

export function toSignInRemedy({
  name,
  transport,
  auth,
}: Pick<ServerConfig, 'name' | 'transport'> & { readonly auth?: ServerConfig['auth'] | undefined }): string {
  if (auth?.kind === 'oauth' && auth.discovery === undefined) {
    return `Sign in with an account that may read its lists: crosspoint connect ${name}`
  }
  if (auth !== undefined) return `Look at "auth" of "${name}" in the configuration`
  return transport.kind === 'stdio'
    ? `Give "${name}" valid credentials in its "env", then reload the configuration`
    : `Set a valid "Authorization" under "headers" of "${name}", then reload the configuration`
}

function toTargetName(transport: ServerConfig['transport']): string {
  return transport.kind === 'stdio' ? toProgram(transport.command) : toOrigin(transport.url)
}

/** Base name only: where a whole command line was written in place of a program, the rest of it may hold a secret. */
function toProgram(command: string): string {
  const word = command
    .trim()
    .split(/\s+/)
    .find((part) => !part.includes('='))
  return word === undefined ? 'its "command"' : `"${shown(word.split(/[\\/]/).at(-1) ?? '')}"`
}

/** Scheme and host only: the rest of a URL may hold a secret. */
function toOrigin(url: string): string {
  return shown(/^[a-z][a-z0-9+.-]*:\/\/[^/?#@]+(?=[/?#]|$)/i.exec(url)?.[0] ?? 'its address')
}
