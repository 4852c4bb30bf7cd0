import type { JsonObject } from '../../jsonrpc/frame.ts'
import { defineMethod } from '../method.ts'

/** What a listener wants to hear, and, in the acknowledgement, what it will hear. */
export interface ListenFilter extends JsonObject {
  readonly toolsListChanged?: boolean
  readonly promptsListChanged?: boolean
  readonly resourcesListChanged?: boolean
  readonly resourceSubscriptions?: readonly string[]
  /** Tasks whose every change is told (`notifications/tasks`); of the tasks extension. */
  readonly taskIds?: readonly string[]
}

export interface ListenParams extends JsonObject {
  readonly notifications: ListenFilter
}

export const listen = defineMethod({
  name: 'subscriptions/listen',
  kind: 'request',
  from: 'client',
  feature: 'subscriptions',
})
export const acknowledged = defineMethod({
  name: 'notifications/subscriptions/acknowledged',
  kind: 'notification',
  from: 'server',
  feature: 'subscriptions',
})
