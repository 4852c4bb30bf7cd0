import type { Clock } from '../../peer/clock.ts'
import type { Exchange, ExchangeTaker } from './client-exchange.ts'

/**
 * Sends what expects no answer: a notification, an answer of ours, the end of a session.
 * @param send starts the exchange
 * @returns what went wrong, or undefined once the server has taken it; never rejects
 */
export function sendOneWay(
  send: (taker: ExchangeTaker) => Exchange,
  clock: Clock,
  withinMs: number,
): Promise<string | undefined> {
  return new Promise((resolve) => {
    const finish = (problem: string | undefined) => {
      timer.cancel()
      resolve(problem)
    }
    const timer = clock.setTimer(withinMs, () => {
      exchange.abort()
      finish(`no answer within ${withinMs / 1_000} s`)
    })
    const exchange = send({
      head: (status) => finish(status < 300 ? undefined : `HTTP ${status}`),
      message: () => {},
      retry: () => {},
      position: () => {},
      end: () => {},
      failed: (error) => finish(error.message),
    })
  })
}
