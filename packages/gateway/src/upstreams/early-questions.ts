import {
  type Call,
  type Cancellation,
  type Clock,
  hasCapability,
  McpError,
  NO_INTERIM,
  type Notification,
  type Result,
} from '@crosspoint/mcp'
import type { Connection } from '@crosspoint/mcp/client'
import { within } from './within.ts'

interface Early {
  readonly request: Notification
  readonly withdrawn: Cancellation | undefined
  readonly resolve: (answer: Result) => void
  readonly reject: (error: unknown) => void
}

/**
 * Servers that work in folders ask for them once, as soon as they may, which is before any call: the question waits for the
 * next caller who can be asked, and that call for the answer, so that it does not find the server in other folders.
 */
export class EarlyQuestions {
  readonly #clock: Clock
  #open: Early[] = []
  /** Told of the next one. */
  #arrived = () => {}
  #isAnswered = false
  #serving: Promise<void> | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** One needed no caller. */
  answered(): void {
    this.#isAnswered = true
  }

  /** @throws {McpError} `policy.limit` where too many wait */
  async ask(request: Notification, withdrawn: Cancellation | undefined): Promise<Result> {
    if (this.#open.length >= MAX_EARLY) {
      throw new McpError('policy.limit', `Cannot keep "${request.method}": ${MAX_EARLY} questions wait for a call`)
    }
    return new Promise((resolve, reject) => {
      const early: Early = { request, withdrawn, resolve, reject }
      this.#open.push(early)
      this.#arrived()
      withdrawn?.watch({ cancelled: () => this.#drop(early) })
    })
  }

  /**
   * Resolves once what a server asks as soon as it may was asked: before the answer to this, of which it may hold back
   * the answer until it has its own. Never rejects.
   */
  async arrive(connection: Connection, call: Call): Promise<void> {
    const kind = ['tools', 'resources', 'prompts'].find((one) => hasCapability(connection.capabilities, one))
    if (kind === undefined || this.#open.length > 0) return
    const list = { ...call, method: `${kind}/list`, params: {}, interim: NO_INTERIM }
    const asked = new Promise<void>((resolve) => {
      this.#arrived = resolve
      // What is wrong with the server is for the call itself to find out.
      connection.handle(list).then(
        () => resolve(),
        () => resolve(),
      )
    })
    await within(this.#clock, asked, PATIENCE_MS)
    if (this.#isAnswered) await this.#settle()
  }

  /** Nobody will come for what waits. */
  refuse(error: unknown): void {
    for (const { reject } of this.#open) reject(error)
    this.#open = []
  }

  /**
   * Asks the caller what waits, if that can be; the answers are the server's when this resolves. While another caller is
   * asked, waits a while for that one. Never rejects.
   */
  async serve(call: Call): Promise<void> {
    if (this.#serving !== undefined) await within(this.#clock, this.#serving, PATIENCE_MS)
    const { interim, downstream } = call
    if (this.#open.length === 0 || !interim.canAsk || !hasCapability(downstream.capabilities, 'roots')) return
    const serving = this.#askFor(call).finally(() => {
      if (this.#serving === serving) this.#serving = undefined
    })
    this.#serving = serving
    await serving
  }

  async #askFor({ interim, cancellation }: Call): Promise<void> {
    const open = this.#open
    this.#open = []
    for (const early of open) {
      try {
        early.resolve(await interim.ask(early.request, early.withdrawn))
      } catch (error) {
        // Who gives up a call has not refused to say where the server may work.
        if (cancellation.isCancelled) this.#open.push(early)
        else early.reject(error)
      }
    }
    await this.#settle()
  }

  /** A server looks at folders before it works in them. */
  #settle(): Promise<void> {
    return within(this.#clock, new Promise(() => {}), APPLY_MS)
  }

  #drop(early: Early): void {
    this.#open = this.#open.filter((one) => one !== early)
  }
}

const MAX_EARLY = 16
/** How long a call waits for what another caller is asked, and for a server that may ask. */
const PATIENCE_MS = 2_000
/** How long a server has to act on an answer before the call that waited for it. */
const APPLY_MS = 250
