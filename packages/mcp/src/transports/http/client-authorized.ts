import { McpError } from '../../errors.ts'
import type { Clock } from '../../peer/clock.ts'
import { type Authorization, type AuthorizedRequest, MAX_REFUSALS } from './authorization.ts'
import type { ExchangeTaker, ResponseHeaders, Underway } from './client-exchange.ts'

export interface AuthorizedExchangeOptions {
  readonly authorization: Authorization
  readonly request: AuthorizedRequest
  readonly clock: Clock
  /** Whom we talk to, for sentences. */
  readonly where: string
  /** Sends the request once, with these headers besides its own. */
  readonly send: (taker: ExchangeTaker, credentials: readonly string[]) => Underway
  /** Told when the request begins to wait for credentials, and when it does so no longer. */
  readonly waits?: (waits: boolean) => void
}

/** A request that carries credentials, and is sent again where a refusal could be mended. */
export class AuthorizedExchange implements ExchangeTaker, Underway {
  readonly #options: AuthorizedExchangeOptions
  readonly #taker: ExchangeTaker
  #underway: Underway | undefined
  #sent: readonly string[] = []
  #refusal: Readonly<ResponseHeaders> | undefined
  #refusals = 0
  #dropped = false

  constructor(taker: ExchangeTaker, options: AuthorizedExchangeOptions) {
    this.#taker = taker
    this.#options = options
    this.#begin()
  }

  abort(): void {
    this.#dropped = true
    this.#underway?.abort()
  }

  head(status: number, headers: Readonly<ResponseHeaders>): void {
    const { authorization, request } = this.#options
    if (headers.nonce !== undefined) authorization.nonce?.(headers.nonce, request)
    // Held back until it is known whether the taker has to hear of it at all.
    if ((status === 401 || status === 403) && this.#refusals < MAX_REFUSALS) this.#refusal = headers
    else this.#taker.head(status, headers)
  }

  message(text: string): void {
    this.#taker.message(text)
  }

  event(type: string, text: string): void {
    this.#taker.event?.(type, text)
  }

  retry(ms: number): void {
    this.#taker.retry(ms)
  }

  position(eventId: string): void {
    this.#taker.position(eventId)
  }

  whole(status: number, pieces: readonly Uint8Array[], size: number): boolean {
    return this.#refusal === undefined && this.#taker.whole?.(status, pieces, size) === true
  }

  end(status: number, text: string | undefined): void {
    const headers = this.#refusal
    this.#refusal = undefined
    if (headers === undefined) this.#taker.end(status, text)
    else this.#consider(status, headers, text)
  }

  failed(error: Error): void {
    this.#taker.failed(error)
  }

  #begin(): void {
    const { authorization, request } = this.#options
    this.#settle(
      () => authorization.headers(request),
      (credentials) => {
        this.#sent = credentials
        this.#underway = this.#options.send(this, credentials)
      },
    )
  }

  #consider(status: number, headers: Readonly<ResponseHeaders>, text: string | undefined): void {
    const { authorization, request, where } = this.#options
    const refusal = { request, status, sent: this.#sent, refusals: this.#refusals++ }
    const { challenge } = headers
    this.#settle(
      () => authorization.refused(challenge === undefined ? refusal : { ...refusal, challenge }),
      (again) => {
        if (again) this.#begin()
        else if (request.inBackground && status === 401) {
          // Somebody may sign in for a request of their own: then this one can be tried again.
          this.failed(new McpError('upstream.unauthorized', `Nobody has signed in to ${where} yet`))
        } else {
          this.#taker.head(status, headers)
          this.#taker.end(status, text)
        }
      },
    )
  }

  /** Goes on at once with what is at hand, and with a promise once it is kept. */
  #settle<T>(ask: () => T | Promise<T>, go: (value: T) => void): void {
    let answer: T | Promise<T>
    try {
      answer = ask()
    } catch (error) {
      this.#fail(error)
      return
    }
    if (answer instanceof Promise) this.#await(answer, go)
    else go(answer)
  }

  #await<T>(answer: Promise<T>, go: (value: T) => void): void {
    const { clock, waits } = this.#options
    waits?.(true)
    const over = () => {
      const isLate = timer === undefined
      timer?.cancel()
      timer = undefined
      if (!isLate) waits?.(false)
      return isLate || this.#dropped
    }
    let timer: ReturnType<Clock['setTimer']> | undefined = clock.setTimer(MAX_WAIT_MS, () => {
      if (!over()) this.#fail(new Error(`it took longer than ${MAX_WAIT_MS / 1_000} s`))
    })
    answer.then(
      (value) => {
        if (!over()) go(value)
      },
      (error: unknown) => {
        if (!over()) this.#fail(error)
      },
    )
  }

  #fail(error: unknown): void {
    const reason = error instanceof Error ? error.message : 'it failed'
    const message = `No credentials for ${this.#options.where}: ${reason}`
    this.#taker.failed(new McpError('upstream.unauthorized', message, { cause: error }))
  }
}

/** How long credentials may take: somebody may have to sign in. */
const MAX_WAIT_MS = 600_000
