import { McpError } from '../errors.ts'

/**
 * Where a handshake conversation is. `opening`: initialize came and is not answered; `opened`: answered, the client
 * has not confirmed; `ready`: confirmed.
 */
export type Lifecycle = 'new' | 'opening' | 'opened' | 'ready' | 'closed'

export type LifecycleEvent = 'initialize' | 'answered' | 'refused' | 'initialized' | 'close'

/**
 * The one place where the handshake lifecycle moves.
 * @throws {McpError} `peer.invalid_request` for an initialize that is not the first.
 */
export function advance(state: Lifecycle, event: LifecycleEvent): Lifecycle {
  if (event === 'close' || state === 'closed') return 'closed'
  switch (event) {
    case 'initialize':
      if (state === 'new') return 'opening'
      throw new McpError('peer.invalid_request', 'Cannot initialize twice; open another session instead')
    case 'answered':
      return state === 'opening' ? 'opened' : state
    case 'refused':
      return state === 'opening' ? 'new' : state
    case 'initialized':
      // One that comes too early or twice confirms nothing new.
      return state === 'opened' ? 'ready' : state
  }
}

/** What becomes of a request of the client: before initialize only pings, while it is being answered it waits. */
export function admits(state: Lifecycle, method: string): 'now' | 'later' | 'never' {
  if (state === 'closed') return 'never'
  if (method === 'ping' || state === 'opened' || state === 'ready') return 'now'
  return state === 'opening' ? 'later' : 'never'
}

/** Whether the server may send this of its own accord: until the client confirms only pings and log messages. */
export function maySend(state: Lifecycle, method: string): boolean {
  if (state === 'ready') return true
  return state === 'opened' && (method === 'ping' || method === 'notifications/message')
}
