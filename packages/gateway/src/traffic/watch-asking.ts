import type { Interim } from '@crosspoint/mcp'

/** The same way back to a caller, and whether the caller was asked something on it: nobody else was, and not twice. */
export function watchAsking(inner: Interim): { readonly interim: Interim; readonly hasAsked: () => boolean } {
  if (!inner.canAsk) return { interim: inner, hasAsked: never }
  let asked = false
  const interim: Interim = {
    progress: inner.progress,
    logLevel: inner.logLevel,
    canAsk: true,
    notify: (notification) => inner.notify(notification),
    pause: inner.pause,
    ask(request, withdrawn) {
      asked = true
      return inner.ask(request, withdrawn)
    },
  }
  return { interim, hasAsked: () => asked }
}

const never = () => false
