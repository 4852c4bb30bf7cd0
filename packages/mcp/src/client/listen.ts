import { McpError } from '../errors.ts'
import { type Call, type Handle, type Interim, NO_INTERIM, type Notification } from '../protocol/call.ts'
import type { ListenFilter } from '../protocol/features/subscriptions.ts'

/** Changes as they happen. Iterate once; what is not read yet is kept once however often it changes. */
export interface Subscription extends AsyncIterable<Notification> {
  /** What the server agreed to tell of. Rejects when it agreed to nothing and ended instead. */
  readonly acknowledged: Promise<ListenFilter>
  /** Resolves when nothing more comes, whatever the reason. Never rejects. */
  readonly ended: Promise<void>
  close(): void
}

/** @param toCall makes the call whose interim is listened to, and which the signal ends */
export function listenTo(
  handle: Handle,
  toCall: (interim: Interim, signal: AbortSignal) => Call,
  signal: AbortSignal | undefined,
): Subscription {
  const ended = new AbortController()
  const close = () => ended.abort()
  if (signal?.aborted === true) close()
  signal?.addEventListener('abort', close, { once: true })

  // A change that was not read yet says the same as the next one like it, so what waits is no more than was asked for.
  const waiting = new Map<string, Notification>()
  let wake = () => {}
  let acknowledge: (filter: ListenFilter) => void = () => {}
  let refuse: (error: unknown) => void = () => {}
  const acknowledged = new Promise<ListenFilter>((resolve, reject) => {
    acknowledge = resolve
    refuse = reject
  })
  acknowledged.catch(() => {}) // who only iterates learns of it there

  let end: { error: unknown } | 'open' | 'over' = 'open'
  const notify = (notification: Notification) => {
    const { method, params } = notification
    if (method === 'notifications/subscriptions/acknowledged') {
      acknowledge((params.notifications ?? {}) as ListenFilter) // open object of the server, as the type says
      return
    }
    waiting.set(`${method} ${String(params.uri)}`, notification)
    wake()
  }
  const over = handle(toCall({ ...NO_INTERIM, notify }, ended.signal))
    .then(
      () => {
        end = 'over'
      },
      (error: unknown) => {
        end = ended.signal.aborted ? 'over' : { error }
      },
    )
    .finally(() => {
      signal?.removeEventListener('abort', close)
      refuse(typeof end === 'object' ? end.error : new McpError('upstream.closed', 'The subscription is over'))
      wake()
    })

  async function* changes(): AsyncGenerator<Notification, void> {
    try {
      for (;;) {
        for (const [key, notification] of waiting) {
          waiting.delete(key)
          yield notification
        }
        if (typeof end === 'object') throw end.error
        if (end === 'over' || ended.signal.aborted) return
        await new Promise<void>((resolve) => {
          wake = resolve
          if (end !== 'open' || waiting.size > 0) resolve()
        })
      }
    } finally {
      close()
    }
  }
  return { acknowledged, ended: over, close, [Symbol.asyncIterator]: changes }
}
