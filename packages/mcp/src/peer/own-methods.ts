import type { Principal } from '../protocol/call.ts'
import { METHODS } from '../protocol/methods.ts'
import type { MethodCodec } from '../revisions/revision.ts'
import { same } from '../revisions/steps.ts'
import type { Served } from './served.ts'

/**
 * How a method of an endpoint's own is read and written: alike in every revision, since none knows it. Undefined where
 * this caller has none of that name, and for the protocol's own methods, which are there by revision.
 */
export function findOwnMethod(served: Served, method: string, principal: Principal): MethodCodec | undefined {
  if (METHODS.has(method) || served.hasMethod?.(method, principal) !== true) return undefined
  return {
    needs: undefined,
    descriptor: { name: method, kind: 'request', from: 'client', feature: 'own', mayAsk: true },
    upParams: same,
    downParams: same,
    upResult: same,
    downResult: same,
  }
}
