import { setTimeout as sleep } from 'node:timers/promises'
import { isPassing, toStoreError } from './faults.ts'

export interface Patience {
  readonly timeoutMs: number
  readonly doing: string
}

/**
 * Does again what failed because the connection was lost, as when the server restarts, for as long as `timeoutMs`. So an
 * action must be one that may be done twice.
 * @throws {StoreError}
 */
export async function retry<T>(action: (attempt: number) => Promise<T>, { timeoutMs, doing }: Patience): Promise<T> {
  const until = performance.now() + timeoutMs
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await action(attempt)
    } catch (error) {
      const waitMs = Math.min(MAX_WAIT_MS, FIRST_WAIT_MS * 2 ** attempt) * (0.5 + Math.random() / 2)
      if (!isPassing(error) || performance.now() + waitMs > until) throw toStoreError(error, doing)
      await sleep(waitMs)
    }
  }
}

const FIRST_WAIT_MS = 10
const MAX_WAIT_MS = 500
