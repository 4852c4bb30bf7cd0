import type { Call, Principal } from '../protocol/call.ts'
import { isLogged, type LogLevel } from '../protocol/features/logging.ts'
import { LaterWork } from './tasks/tool-tasks.ts'
import type { ToolOutput } from './tool-result.ts'

/** What a handler has besides its arguments. The functions may be taken off it and passed around. */
export interface Context {
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
}

/** A context that its maker ends: after the answer nothing more may be said about the call. */
export interface OpenContext extends Context {
  readonly end: () => void
}

/** @param canLog whether the server has announced that it logs; otherwise messages are dropped */
export function openContext(call: Call, canLog: boolean): OpenContext {
  const { interim, principal } = call
  let last = Number.NEGATIVE_INFINITY
  let open = true
  return {
    call,
    get signal() {
      return call.cancellation.signal
    },
    principal,
    progress(done, total, message) {
      if (!open || !interim.progress || !(done > last)) return
      last = done
      interim.notify({
        method: 'notifications/progress',
        params: {
          progress: done,
          ...(total === undefined ? {} : { total }),
          ...(message === undefined ? {} : { message }),
        },
      })
    },
    log(level, data, logger) {
      if (!open || !canLog || interim.logLevel === undefined || !isLogged(level, interim.logLevel)) return
      interim.notify({
        method: 'notifications/message',
        params: { level, ...(logger === undefined ? {} : { logger }), data },
      })
    },
    task: toLaterWork,
    end() {
      open = false
    },
  }
}

function toLaterWork(work: (context: Context) => ToolOutput | Promise<ToolOutput>): LaterWork<Context, ToolOutput> {
  return new LaterWork(work)
}
