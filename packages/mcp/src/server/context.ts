import { type Handles, isRunState } from '../bridge/parking/states.ts'
import type { JsonObject } from '../jsonrpc/frame.ts'
import type { Call, Principal } from '../protocol/call.ts'
import type { Cancellation } from '../protocol/cancellation.ts'
import { isLogged, type LogLevel } from '../protocol/features/logging.ts'
import { type Asker, createAsker } from './asking/asker.ts'
import { Asking } from './asking/asking.ts'
import type { ServerSettings } from './settings.ts'
import { LaterWork } from './tasks/tool-tasks.ts'
import type { ToolOutput } from './tool-result.ts'

/** What a handler has besides its arguments. The functions may be taken off it and passed around. */
export interface Context extends Asker {
  /** The call itself, in the newest vocabulary whatever the caller speaks. */
  readonly call: Call
  /** Aborts when the caller cancels or is gone. Hand it to whatever the handler waits for. */
  readonly signal: AbortSignal
  /** Who is calling, as far as the door verified it. */
  readonly principal: Principal
  /**
   * Tells the caller how far the work is, if the caller wants to know. A value that is not above the last one is
   * dropped, as progress must increase.
   */
  readonly progress: (done: number, total?: number, message?: string) => void
  /** Sends the caller a log message, if the caller wants this level. `logger` names the part of the server. */
  readonly log: (level: LogLevel, data: unknown, logger?: string) => void
  /**
   * What a tool with `task: { start: 'by-handler' }` returns to go on as a task: the rest of its work, with a context
   * of its own. Where the call cannot be a task, the work is done before the answer.
   */
  readonly task: (work: (context: Context) => ToolOutput | Promise<ToolOutput>) => LaterWork<Context, ToolOutput>
  /** Sealed names for what callers carry from call to call. */
  readonly handles: Handles
  /**
   * For handlers that ask by what they return (`resultType: 'input_required'`) and keep their own state: the answers
   * that came with this request, unchecked; undefined for a first request.
   */
  readonly inputResponses: JsonObject | undefined
  /** What such a handler gave as `requestState` and got back: as hostile as the caller, unless it was sealed. */
  readonly requestState: string | undefined
  /** Seals a `requestState` of a handler's own: for this principal, method and parameters, and for a time. */
  readonly sealState: (value: unknown) => Promise<string>
  /**
   * Opens the `requestState` of this request; undefined where it has none.
   * @throws {McpError} `caller.invalid_params` where it was changed, has expired or belongs to another request
   */
  readonly openState: () => Promise<unknown>
  /**
   * Lets the caller's connection go in the middle of the call, so that long work holds none open. The work goes on;
   * the caller comes back for its result and for what was said meanwhile (SEP-1699). Does nothing for callers whose
   * revision or transport knows no such thing.
   */
  readonly closeStream: (options?: CloseStreamOptions) => void
}

/** How a connection is let go. */
export interface CloseStreamOptions {
  /** How long the caller is asked to stay away, at most 10 minutes. Default: what the endpoint says, else 1 s. */
  readonly retryMs?: number
}

/**
 * A context that its maker ends: after the answer nothing more may be said about the call. Each function is made when
 * it is taken, as most handlers take none.
 */
export class OpenContext implements Context {
  call: Call
  /** What the handler asked; undefined while it asked nothing. */
  asking: Asking | undefined
  readonly #settings: ServerSettings
  readonly #cancellation: Cancellation
  #asker: Asker | undefined
  #isOpen = true
  #last = Number.NEGATIVE_INFINITY

  /** @param cancellation of the run, where that outlives the call */
  constructor(call: Call, settings: ServerSettings, asking?: Asking, cancellation = call.cancellation) {
    this.call = call
    this.asking = asking
    this.#settings = settings
    this.#cancellation = cancellation
  }

  get signal(): AbortSignal {
    return this.#cancellation.signal
  }

  get principal(): Principal {
    return this.call.principal
  }

  get progress(): Context['progress'] {
    return (done, total, message) => {
      const { interim } = this.call
      if (!this.#isOpen || !interim.progress || !(done > this.#last)) return
      this.#last = done
      interim.notify({
        method: 'notifications/progress',
        params: {
          progress: done,
          ...(total === undefined ? {} : { total }),
          ...(message === undefined ? {} : { message }),
        },
      })
    }
  }

  get log(): Context['log'] {
    return (level, data, logger) => {
      const { interim } = this.call
      if (!this.#isOpen || !this.#settings.logging) return
      if (interim.logLevel === undefined || !isLogged(level, interim.logLevel)) return
      interim.notify({
        method: 'notifications/message',
        params: { level, ...(logger === undefined ? {} : { logger }), data },
      })
    }
  }

  get closeStream(): Context['closeStream'] {
    return (options) => {
      if (this.#isOpen) this.call.interim.pause?.(options?.retryMs)
    }
  }

  get elicit(): Asker['elicit'] {
    return this.#ask().elicit
  }

  get tryElicit(): Asker['tryElicit'] {
    return this.#ask().tryElicit
  }

  get elicitUrl(): Asker['elicitUrl'] {
    return this.#ask().elicitUrl
  }

  get sample(): Asker['sample'] {
    return this.#ask().sample
  }

  get roots(): Asker['roots'] {
    return this.#ask().roots
  }

  get once(): Asker['once'] {
    return this.#ask().once
  }

  get handles(): Handles {
    return this.#settings.asking.states.handlesFor(this.call)
  }

  get inputResponses(): JsonObject | undefined {
    return this.call.params.inputResponses as JsonObject | undefined // checked before the handler ran
  }

  get requestState(): string | undefined {
    const { requestState } = this.call.params
    return typeof requestState === 'string' && !isRunState(requestState) ? requestState : undefined
  }

  get sealState(): Context['sealState'] {
    return (value) => this.#settings.asking.states.seal(this.call, 'own', value)
  }

  get openState(): Context['openState'] {
    return async () => {
      const { requestState } = this.call.params
      if (requestState === undefined) return undefined
      return this.#settings.asking.states.open(this.call, 'own', requestState)
    }
  }

  get task(): Context['task'] {
    return toLaterWork
  }

  openAsking(): Asking {
    this.asking ??= new Asking(this.call, { mode: 'replay' })
    return this.asking
  }

  end(): void {
    this.#isOpen = false
  }

  #ask(): Asker {
    this.#asker ??= createAsker(this.openAsking(), this.#settings.log)
    return this.#asker
  }
}

function toLaterWork(work: (context: Context) => ToolOutput | Promise<ToolOutput>): LaterWork<Context, ToolOutput> {
  return new LaterWork(work)
}
