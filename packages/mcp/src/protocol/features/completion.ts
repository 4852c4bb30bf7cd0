import type { JsonObject } from '../../jsonrpc/frame.ts'
import type { Result } from '../call.ts'
import { defineMethod } from '../method.ts'

export interface CompleteParams extends JsonObject {
  readonly ref:
    | { readonly type: 'ref/prompt'; readonly name: string }
    | { readonly type: 'ref/resource'; readonly uri: string }
  readonly argument: { readonly name: string; readonly value: string }
  readonly context?: { readonly arguments?: { readonly [name: string]: string } }
}

export interface CompleteResult extends Result {
  readonly completion: {
    /** At most 100. */
    readonly values: readonly string[]
    readonly total?: number
    readonly hasMore?: boolean
  }
}

export const complete = defineMethod({
  name: 'completion/complete',
  kind: 'request',
  from: 'client',
  feature: 'completion',
  capability: 'completions',
})
