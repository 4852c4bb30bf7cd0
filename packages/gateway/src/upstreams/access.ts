import type { Handle, Principal } from '@crosspoint/mcp'
import type { Target } from '@crosspoint/mcp/client'
import type { ServerConfig } from '../config/model.ts'
import type { Caller } from './context.ts'

/** How the gateway gets into one server, for itself and for its callers. */
export interface Access {
  /**
   * Whom to connect to, with what shows who we are.
   * @param caller on whose behalf; absent: the gateway's own connection
   * @throws where what shows it cannot be had
   */
  target(caller: Caller | undefined): Target | Promise<Target>
  /** Where each caller comes with a credential of its own; absent where nobody does. */
  readonly perCaller?: PerCaller
}

export interface PerCaller {
  /** Tells apart what one caller may come with; most come with one thing. */
  credentialOf(principal: Principal): string
  /** Around calls: who has no credential is told how to get one. */
  around(next: Handle): Handle
  /** The call failed for want of a credential, which is for `around` to tell. */
  isMissing(error: unknown): boolean
}

export type AccessOf = (config: () => ServerConfig) => Access
