import type { Pending, Waiting } from '../../peer/pending.ts'
import type { ExchangeTaker, ResponseHeaders, Underway } from '../http/client-exchange.ts'
import { innermost, toRefusal, toTransportError } from '../http/client-failure.ts'

/** The POST that carries one request. The answer comes on the stream; here it only shows whether it was taken. */
export class ClientPost implements ExchangeTaker {
  readonly #waiting: Waiting
  readonly #pending: Pending
  readonly #where: string
  readonly #exchange: Underway
  #wasTaken = false
  #refusal: Readonly<ResponseHeaders> | undefined

  constructor(send: (taker: ExchangeTaker) => Underway, waiting: Waiting, pending: Pending, where: string) {
    this.#waiting = waiting
    this.#pending = pending
    this.#where = where
    this.#exchange = send(this)
  }

  abort(): void {
    this.#exchange.abort()
  }

  head(status: number, headers: Readonly<ResponseHeaders>): void {
    if (status < 300) this.#wasTaken = true
    else this.#refusal = headers
  }

  message(): void {}

  retry(): void {}

  position(): void {}

  end(status: number, body: string | undefined): void {
    if (this.#wasTaken || !this.#waiting.open) return
    this.#pending.settle(this.#waiting.id, toRefusal(status, body, this.#refusal))
  }

  failed(error: Error): void {
    if (this.#wasTaken || !this.#waiting.open) return
    const { id, outgoing } = this.#waiting
    this.#pending.fail(id, toTransportError(innermost(error), outgoing.method, this.#where))
  }
}
