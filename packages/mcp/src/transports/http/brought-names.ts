import type { OptionNames } from '../../protocol/option-names.ts'
import type { FetchOptions } from './brought.ts'

/** By themselves, so that they can be looked at before the code of the door is loaded. */
export const FETCH_OPTIONS: OptionNames<FetchOptions> = {
  path: true,
  sse: true,
  allowedHosts: true,
  allowedOrigins: true,
  authenticate: true,
  resourceMetadata: true,
  maxCalls: true,
  maxHeldBytes: true,
  beatMs: true,
  clock: true,
  log: true,
}
