import { McpError } from '../../errors.ts'
import type { JsonObject } from '../../jsonrpc/frame.ts'
import type { Clock, Timer } from '../../peer/clock.ts'
import { type Bounds, Tally } from '../../peer/tally.ts'
import type { Call, Result } from '../../protocol/call.ts'

/** A run that waits in memory for answers, between two requests of its caller. */
export interface ParkedRun {
  readonly id: string
  /** Whose it is. */
  readonly owner: string
  /** Its caller has come back, and waits: its time is not over then. */
  readonly isAttended: boolean
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
  readonly bounds: Bounds
  /** How long a run waits for its caller, and how long its last outcome is remembered. */
  readonly ttlMs: number
}

interface KeptRun {
  readonly run: ParkedRun
  readonly bytes: number
  expiry: Timer
}

/** The parked runs of one server. None makes room for another: each of them is somebody's, and stays. */
export class ParkedRuns {
  readonly #options: ParkedRunsOptions
  readonly #runs = new Map<string, KeptRun>()
  readonly #tally = new Tally()

  constructor(options: ParkedRunsOptions) {
    this.#options = options
  }

  /** @throws {McpError} `policy.limit` where the owner has as much as anybody may, `policy.busy` where all have */
  checkRoom(owner: string, bytes: number): void {
    this.#check(owner, 1, bytes)
  }

  find(id: string): ParkedRun | undefined {
    return this.#runs.get(id)?.run
  }

  /**
   * Keeps a run, for all of its time anew.
   * @param bytes what it holds by now
   * @throws {McpError} as `checkRoom`; what was kept of it before stays
   */
  keep(run: ParkedRun, bytes: number): void {
    const before = this.#runs.get(run.id)
    this.#check(run.owner, before === undefined ? 1 : 0, bytes - (before?.bytes ?? 0))
    this.#drop(run.id)
    this.#runs.set(run.id, { run, bytes, expiry: this.#arm(run) })
    this.#tally.add(run.owner, { count: 1, bytes })
  }

  /** As `keep`, for a run that is over: where its outcomes have no room it is forgotten. */
  remember(run: ParkedRun, bytes: number): void {
    try {
      this.keep(run, bytes)
    } catch {
      this.#drop(run.id) // its caller has the outcome, and cannot ask for it twice
    }
  }

  close(): void {
    for (const id of [...this.#runs.keys()]) this.#end(id, 'the server is closing')
  }

  #arm(run: ParkedRun): Timer {
    const { clock, ttlMs } = this.#options
    return clock.setTimer(ttlMs, () => {
      const kept = this.#runs.get(run.id)
      if (kept !== undefined && run.isAttended) kept.expiry = this.#arm(run)
      else this.#end(run.id, 'nobody came back in time')
    })
  }

  #check(owner: string, count: number, bytes: number): void {
    const excess = this.#tally.excess(owner, { count, bytes }, this.#options.bounds)
    if (excess === undefined) return
    throw new McpError(
      excess.isOwn ? 'policy.limit' : 'policy.busy',
      `Cannot keep a call waiting for answers: no more than ${excess.text} may wait at once`,
    )
  }

  #drop(id: string): ParkedRun | undefined {
    const found = this.#runs.get(id)
    if (found === undefined) return undefined
    this.#runs.delete(id)
    found.expiry.cancel()
    this.#tally.add(found.run.owner, { count: -1, bytes: -found.bytes })
    return found.run
  }

  #end(id: string, why: string): void {
    this.#drop(id)?.abandon(new McpError('caller.unanswered', `Nobody will answer: ${why}`))
  }
}
