import { McpError } from '../../errors.ts'
import type { JsonObject } from '../../jsonrpc/frame.ts'
import type { Clock, Timer } from '../../peer/clock.ts'
import type { Call, Result } from '../../protocol/call.ts'

/** A run that waits in memory for answers, between two requests of its caller. */
export interface ParkedRun {
  readonly id: string
  /**
   * Goes on after a round. A round asked for twice has one outcome.
   * @returns undefined where that is not the latest round, and what came after it is not remembered
   */
  resume(call: Call, round: number, responses: JsonObject): Promise<Result> | undefined
  /** Ends the run: nobody will come for it. */
  abandon(reason: McpError): void
}

export interface ParkedRunsOptions {
  readonly clock: Clock
  readonly max: number
  /** How long a run waits for its caller, and how long its last outcome is remembered. */
  readonly ttlMs: number
}

/** The parked runs of one server. */
export class ParkedRuns {
  readonly #options: ParkedRunsOptions
  readonly #runs = new Map<string, { readonly run: ParkedRun; readonly expiry: Timer }>()

  constructor(options: ParkedRunsOptions) {
    this.#options = options
  }

  /** @throws {McpError} `policy.busy` where there is no room: each of those that wait is somebody's, and stays */
  checkRoom(): void {
    if (this.#runs.size < this.#options.max) return
    throw new McpError('policy.busy', `Cannot keep another call waiting for answers: ${this.#options.max} do`)
  }

  find(id: string): ParkedRun | undefined {
    return this.#runs.get(id)?.run
  }

  /** Keeps a run, for all of its time anew. */
  keep(run: ParkedRun): void {
    const { clock, ttlMs } = this.#options
    this.#runs.get(run.id)?.expiry.cancel()
    this.#runs.set(run.id, { run, expiry: clock.setTimer(ttlMs, () => this.#end(run.id, 'nobody came back in time')) })
  }

  close(): void {
    for (const id of [...this.#runs.keys()]) this.#end(id, 'the server is closing')
  }

  #end(id: string, why: string): void {
    const found = this.#runs.get(id)
    if (found === undefined) return
    this.#runs.delete(id)
    found.expiry.cancel()
    found.run.abandon(new McpError('caller.unanswered', `Nobody will answer: ${why}`))
  }
}
