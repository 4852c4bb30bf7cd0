/** Who wants to know that a signal aborted. */
export interface AbortWatcher {
  aborted(): void
}

/**
 * Tells `watcher` once when `signal` aborts. However many watch, a signal gets one listener: the same one may be
 * behind calls to fifty servers, and the runtime warns of a leak at eleven.
 */
export function watchAbort(signal: AbortSignal, watcher: AbortWatcher): void {
  const watchers = watchersOf.get(signal)
  if (watchers !== undefined) {
    watchers.add(watcher)
    return
  }
  const first = new Set([watcher])
  watchersOf.set(signal, first)
  signal.addEventListener('abort', () => tellAll(signal), { once: true })
}

export function unwatchAbort(signal: AbortSignal, watcher: AbortWatcher): void {
  watchersOf.get(signal)?.delete(watcher)
}

function tellAll(signal: AbortSignal): void {
  const watchers = watchersOf.get(signal)
  watchersOf.delete(signal)
  for (const watcher of watchers ?? []) watcher.aborted()
}

const watchersOf = new WeakMap<AbortSignal, Set<AbortWatcher>>()
