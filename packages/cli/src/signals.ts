/** The signals that end a command. */
export type StopSignal = 'SIGINT' | 'SIGTERM' | 'SIGHUP'

export interface Stopping {
  /** Aborts with the first signal: close what is open and come to an end. */
  readonly signal: AbortSignal
  /** Which one it was. */
  readonly by: StopSignal | undefined
  /** Takes SIGHUP as something else than an end, such as reading the configuration again. */
  onHangup(listener: () => void): void
  /** Stops listening. */
  dispose(): void
}

/** As much of `process` as is needed here. */
export interface SignalSource {
  on(signal: StopSignal, listener: () => void): unknown
  off(signal: StopSignal, listener: () => void): unknown
}

export interface SignalOptions {
  /** Ends the process at once: what a second signal does. */
  readonly forceExit: (code: number) => void
  /** Whether the terminal we were started from, if any, is still there. */
  readonly hasTerminalGone: () => boolean
  /** Monotonic milliseconds. */
  readonly now: () => number
}

/**
 * The first signal asks a command to end; another forces it. Within half a second the same one again is the same
 * keystroke: a terminal signals its whole foreground group, and npm passes the signal on once more.
 */
export function watchSignals(source: SignalSource, options: SignalOptions): Stopping {
  const controller = new AbortController()
  let by: StopSignal | undefined
  let since = 0
  let hangup: (() => void) | undefined

  const stop = (signal: StopSignal): void => {
    if (by === undefined) {
      by = signal
      since = options.now()
      controller.abort(new Error(`Stopped by ${signal}`))
    } else if (signal !== by || options.now() - since >= SAME_KEYSTROKE_MS) {
      options.forceExit(128 + NUMBERS[signal])
    }
  }
  const listeners: readonly (readonly [StopSignal, () => void])[] = [
    ['SIGINT', () => stop('SIGINT')],
    ['SIGTERM', () => stop('SIGTERM')],
    // A closed terminal window sends SIGHUP too; reading the configuration again would leave us behind unseen.
    ['SIGHUP', () => (hangup === undefined || options.hasTerminalGone() ? stop('SIGHUP') : hangup())],
  ]
  for (const [signal, listener] of listeners) source.on(signal, listener)
  return {
    signal: controller.signal,
    get by() {
      return by
    },
    onHangup: (listener) => {
      hangup = listener
    },
    dispose: () => {
      for (const [signal, listener] of listeners) source.off(signal, listener)
    },
  }
}

const SAME_KEYSTROKE_MS = 500

export const NUMBERS: Readonly<Record<StopSignal, number>> = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 }
