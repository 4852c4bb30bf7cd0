import { type Challenge, type ErrorCode, McpError } from '../../errors.ts'
import type { Frame } from '../../jsonrpc/frame.ts'
import type { Principal } from '../../protocol/call.ts'
import type { Endpoint } from '../endpoint.ts'
import { type ResourceMetadata, toMetadataUrl } from './resource-metadata.ts'

/**
 * How a caller is turned away who cannot be let in: the `challenge` of an error that `authenticate` throws. For
 * errors that are none of the engine's, such as those of `@crosspoint/auth`; their message is sent, so it holds no
 * secret.
 */
export interface Denial extends Challenge {
  /** 503 where it cannot be told at the moment. */
  readonly status: 400 | 401 | 403 | 503
}

/** What a caller is told whom `authenticate` did not let in. */
export function toDenial(error: unknown): McpError {
  if (error instanceof McpError) return error
  const challenge = error instanceof Error && 'challenge' in error ? (error.challenge as Partial<Denial>) : undefined
  const code = challenge?.status === undefined ? undefined : CODES[challenge.status]
  if (!(error instanceof Error) || challenge === undefined || code === undefined) {
    return new McpError('caller.unauthenticated', 'Cannot tell who is calling', { cause: error })
  }
  return new McpError(code, error.message, { cause: error, ...(challenge.status === 503 ? {} : { challenge }) })
}

/** `WWW-Authenticate` (RFC 6750 §3, RFC 9728 §5.1). */
export function toChallenge({ error, scope }: Challenge = {}, metadata?: ResourceMetadata): string {
  const params = { resource_metadata: metadata === undefined ? undefined : toMetadataUrl(metadata), error, scope }
  const texts = Object.entries(params).map(([name, value]) =>
    value === undefined ? '' : `${name}="${toQuoted(value)}"`,
  )
  return ['Bearer', texts.filter((text) => text !== '').join(', ')].join(' ').trim()
}

/** @throws {McpError} `caller.insufficient_scope` where a request needs what its caller's token is not good for */
export function checkScopes(
  scopesFor: NonNullable<Endpoint['scopesFor']>,
  message: Frame | readonly Frame[],
  principal: Principal,
): void {
  const { scopes = [] } = principal
  const frames = Array.isArray(message) ? (message as readonly Frame[]) : [message as Frame] // one or many, as parsed
  const needed = new Set<string>()
  for (const frame of frames) {
    if (frame.kind === 'request') for (const scope of scopesFor(frame, principal)) needed.add(scope)
  }
  if ([...needed].every((scope) => scopes.includes(scope))) return
  throw new McpError('caller.insufficient_scope', 'Cannot do this with the scopes of this token', {
    challenge: { error: 'insufficient_scope', scope: [...needed].join(' ') },
  })
}

/** What could end the text or the line it is in is left out: no scope, error code or URL has such. */
function toQuoted(text: string): string {
  return text.replace(/[^\x20-\x7e]|["\\]/g, '')
}

const CODES: { readonly [Status in Denial['status']]: ErrorCode } = {
  400: 'peer.invalid_request',
  401: 'caller.unauthenticated',
  403: 'caller.insufficient_scope',
  503: 'policy.busy',
}
