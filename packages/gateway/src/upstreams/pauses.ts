import type { ClientCapabilities, Clock } from '@crosspoint/mcp'
import type { RestartConfig } from '../config/model.ts'
import { toDelay } from './state.ts'

/** Until when nothing is tried, after so many failures in a row, and why. */
interface Pause {
  readonly failures: number
  readonly until: number
  readonly error: unknown
}

export interface PausesOptions {
  /** Waits between attempts that came to nothing. */
  readonly restart: () => RestartConfig
  readonly clock: Clock
  readonly random: () => number
}

/**
 * Pauses after sessions that could not be opened. By what is declared: a server may refuse one set of abilities and take
 * another. There are few of them.
 */
export class Pauses {
  readonly #options: PausesOptions
  readonly #pauses = new Map<ClientCapabilities, Pause>()

  constructor(options: PausesOptions) {
    this.#options = options
  }

  /** @throws what the latest attempt came to, where it is too early for another */
  check(capabilities: ClientCapabilities): void {
    const pause = this.#pauses.get(capabilities)
    if (pause !== undefined && this.#options.clock.now() < pause.until) throw pause.error
  }

  opened(capabilities: ClientCapabilities): void {
    this.#pauses.delete(capabilities)
  }

  failed(capabilities: ClientCapabilities, error: unknown): void {
    const { clock, restart, random } = this.#options
    const failures = (this.#pauses.get(capabilities)?.failures ?? 0) + 1
    this.#pauses.set(capabilities, { failures, until: clock.now() + toDelay(failures, restart(), random), error })
  }
}
