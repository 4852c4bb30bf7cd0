import type { ServerCapabilities } from '@crosspoint/mcp'
import type { Item, Kind } from './kinds.ts'

/** What one server offers, as last learnt. Kept while it is away. An unchanged item is the same object as before. */
export interface Offer extends Readonly<Record<Kind, readonly Item[]>> {
  readonly capabilities: ServerCapabilities
  readonly instructions: string | undefined
}
