import type { JsonObject } from '../../jsonrpc/frame.ts'
import type { Result } from '../call.ts'
import type { ClientCapabilities, Implementation, ServerCapabilities } from '../capabilities.ts'
import { defineMethod } from '../method.ts'

/** Opening, liveness, cancellation and progress. `initialize` and `ping` exist only at the edges of older revisions. */

export interface InitializeParams extends JsonObject {
  readonly protocolVersion: string
  readonly capabilities: ClientCapabilities
  readonly clientInfo: Implementation
}

export interface InitializeResult extends Result {
  readonly protocolVersion: string
  readonly capabilities: ServerCapabilities
  readonly serverInfo: Implementation
  readonly instructions?: string
}

/** What a server is. `serverInfo` travels in `_meta` on the wire; see protocol/envelope.ts. */
export interface DiscoverResult extends Result {
  readonly supportedVersions: readonly string[]
  readonly capabilities: ServerCapabilities
  readonly instructions?: string
}

export interface ProgressParams extends JsonObject {
  readonly progress: number
  readonly total?: number
  readonly message?: string
}

export const initialize = defineMethod({ name: 'initialize', kind: 'request', from: 'client', feature: 'base' })
export const initialized = defineMethod({
  name: 'notifications/initialized',
  kind: 'notification',
  from: 'client',
  feature: 'base',
})
export const ping = defineMethod({ name: 'ping', kind: 'request', from: 'both', feature: 'base' })
export const discover = defineMethod({
  name: 'server/discover',
  kind: 'request',
  from: 'client',
  feature: 'base',
  cacheable: true,
})
export const cancelled = defineMethod({
  name: 'notifications/cancelled',
  kind: 'notification',
  from: 'both',
  feature: 'base',
})
export const progress = defineMethod({
  name: 'notifications/progress',
  kind: 'notification',
  from: 'both',
  feature: 'base',
})
