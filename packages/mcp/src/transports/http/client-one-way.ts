import type { Clock } from '../../peer/clock.ts'
import type { ExchangeTaker, Underway } from './client-exchange.ts'

/**
 * Sends what expects no answer: a notification, an answer of ours, the end of a session.
 * @param send starts the exchange
 * @param withinMs until all of it is over, the body nobody reads included
 * @returns what went wrong, or undefined once the server has taken it; never rejects
 */
export function sendOneWay(
  send: (taker: ExchangeTaker) => Underway,
  clock: Clock,
  withinMs: number,
): Promise<string | undefined> {
  return new Promise((resolve) => {
    // Runs until the exchange is over: the status says it all, and yet a body that does not end holds a socket.
    const timer = clock.setTimer(withinMs, () => {
      exchange.abort()
      resolve(`no answer within ${withinMs / 1_000} s`)
    })
    const exchange = send({
      head: (status) => resolve(status < 300 ? undefined : `HTTP ${status}`),
      message: () => {},
      retry: () => {},
      position: () => {},
      end: () => timer.cancel(),
      failed: (error) => {
        timer.cancel()
        resolve(error.message)
      },
    })
  })
}
