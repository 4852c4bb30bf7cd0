import type { Log } from '../log.ts'
import type { UpstreamState } from './state.ts'

/** Logs what becomes of one server, each trouble once: every attempt to bring it back would say it again. */
export class StateLog {
  readonly #upstream: string
  readonly #log: Log
  /** What was last complained of. */
  #complaint: string | undefined

  constructor(upstream: string, log: Log) {
    this.#upstream = upstream
    this.#log = log
  }

  tell(before: UpstreamState, state: UpstreamState, remedy: string | undefined): void {
    if (state.kind === before.kind && state.kind !== 'degraded') return
    const log = this.#log
    const reason = 'reason' in state ? state.reason : undefined
    const details = { upstream: this.#upstream, state: state.kind, reason, remedy }
    if (state.kind === 'starting') log.debug(details, 'Upstream is starting')
    else if (reason === undefined) log.info(details, 'Upstream changed its state')
    else if (reason === this.#complaint) log.debug(details, 'Upstream is still in trouble')
    else log.warn(details, 'Upstream is in trouble')
    if (state.kind !== 'starting') this.#complaint = reason
  }
}
