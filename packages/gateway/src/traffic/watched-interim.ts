import type { Interim, Notification } from '@crosspoint/mcp'

/** The same way back to a caller, and what went over it. */
export interface WatchedInterim {
  readonly interim: Interim
  /** The caller was asked something: nobody else was, and not twice. */
  readonly hasAsked: () => boolean
  /** The caller was told something, or asked. */
  readonly wasUsed: () => boolean
}

export function watchInterim(inner: Interim): WatchedInterim {
  if (!inner.canAsk && !inner.progress && inner.logLevel === undefined) {
    return { interim: inner, hasAsked: never, wasUsed: never }
  }
  let asked = false
  let told = false
  const interim: Interim = {
    progress: inner.progress,
    logLevel: inner.logLevel,
    canAsk: inner.canAsk,
    pause: inner.pause,
    notify(notification: Notification) {
      told = true
      inner.notify(notification)
    },
    ask(request, withdrawn) {
      asked = true
      return inner.ask(request, withdrawn)
    },
  }
  return { interim, hasAsked: () => asked, wasUsed: () => asked || told }
}

const never = () => false
