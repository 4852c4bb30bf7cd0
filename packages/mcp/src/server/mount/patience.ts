import { McpError } from '../../errors.ts'
import type { Clock, Timer } from '../../peer/clock.ts'
import { KEEP_MS } from './kept-lists.ts'

/** A server that does not answer holds nobody up. */
export class Patience {
  readonly #clock: Clock
  /** What took too long, by whose it is, and until when nobody waits for it again. */
  readonly #slow = new Map<string, number>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Whether it was late a moment ago, and is not waited for. */
  isTriedBy(whose: string): boolean {
    return (this.#slow.get(whose) ?? 0) > this.#clock.now()
  }

  /**
   * @param whose what is not waited for again for a while after it was late, unless the answer comes meanwhile
   * @returns rejects with `upstream.timeout` where the answer is late
   */
  wait<T>(method: string, answer: Promise<T>, whose?: string): Promise<T> {
    let timer: Timer | undefined
    const late = new Promise<never>((_, reject) => {
      timer = this.#clock.setTimer(ANSWER_MS, () => {
        if (whose !== undefined) this.#giveRest(whose, answer)
        reject(new McpError('upstream.timeout', `No answer to "${method}" within ${ANSWER_MS / 1000} s`))
      })
    })
    return Promise.race([answer, late]).finally(() => timer?.cancel())
  }

  clear(): void {
    this.#slow.clear()
  }

  #giveRest(whose: string, answer: Promise<unknown>): void {
    if (this.#slow.size >= MAX_SLOW) this.#slow.clear()
    this.#slow.set(whose, this.#clock.now() + KEEP_MS)
    const isBack = () => void this.#slow.delete(whose)
    answer.then(isBack, isBack)
  }
}

/** How long a list may take before its mount is left out. */
const ANSWER_MS = 10_000
/** Callers whose lists were late, and are remembered as such. */
const MAX_SLOW = 1_000
