import type { ConnectionOptions, Target as Dial } from '@crosspoint/mcp/client'

/** How to reach one server. */
export interface DialPlan {
  /** For messages. */
  readonly title: string
  readonly dial: Dial
  readonly settings: Partial<ConnectionOptions>
}

/** `"a", "b"`, or that there is none. */
export function quoteAll(names: readonly string[]): string {
  return names.length === 0 ? 'none' : names.map((name) => `"${name}"`).join(', ')
}
