import { McpError } from '@crosspoint/mcp'

/** How callers are turned away: in the same words whatever was wrong, so that nobody learns what there is. */

/** What was sent is unknown, expired, taken back, for somewhere else, or no credential at all. */
export function notTaken(what: 'key' | 'token'): McpError {
  return new McpError('caller.unauthenticated', `Cannot take this ${what}: it is not valid here, or no longer`, {
    challenge: { error: 'invalid_token' },
  })
}

/** Nothing was sent. */
export function notSaid(): McpError {
  return new McpError(
    'caller.unauthenticated',
    'Cannot tell who is calling: send a credential as "Authorization: Bearer …"',
  )
}

/** More than one was sent, or something that is none. */
export function notReadable(): McpError {
  return new McpError(
    'peer.invalid_request',
    'Cannot tell who is calling: send one credential, as "Authorization: Bearer …" or as "X-API-Key: …"',
    { challenge: { error: 'invalid_request' } },
  )
}

/** Not at the moment: nothing is said of the credential. */
export function notNow(cause?: unknown): McpError {
  return new McpError('policy.busy', 'Cannot tell at the moment who is calling', { cause })
}
