import type { Clock, Timer } from '@crosspoint/mcp'
import type { Log } from '../log.ts'
import type { Span } from './span.ts'

/** Tells a collector. Rejects where it did not take them. */
export type TellSpans = (spans: readonly Span[]) => Promise<void>

export interface SpanQueueOptions {
  readonly tell: TellSpans
  readonly maxWaiting: number
  readonly clock: Clock
  readonly log: Log
}

/** Spans on their way to a collector, many at a time, off the way of any call. What has no room is lost, and counted. */
export class SpanQueue {
  /** Since it was made. */
  lost = 0
  readonly #options: SpanQueueOptions
  #waiting: Span[] = []
  #timer: Timer | undefined
  #telling: Promise<void> | undefined
  /** The collector did not take the last ones, which was said. */
  #isAway = false

  constructor(options: SpanQueueOptions) {
    this.#options = options
  }

  add(span: Span): void {
    if (this.#waiting.length >= this.#options.maxWaiting) {
      this.lost++
      if (this.#telling === undefined) this.#tell()
      return
    }
    this.#waiting.push(span)
    if (this.#telling !== undefined) return
    if (this.#waiting.length >= BATCH) this.#tell()
    else this.#timer ??= this.#options.clock.setTimer(WAIT_MS, () => this.#tell())
  }

  /** Tells all that waits. Never rejects. */
  async flush(): Promise<void> {
    while (this.#waiting.length > 0 || this.#telling !== undefined) {
      if (this.#telling === undefined) this.#tell()
      await this.#telling
      if (this.#isAway) break
    }
  }

  #tell(): void {
    this.#timer?.cancel()
    this.#timer = undefined
    if (this.#telling !== undefined || this.#waiting.length === 0) return
    const batch = this.#waiting.splice(0, BATCH)
    this.#telling = this.#options.tell(batch).then(
      () => this.#told(),
      (error: unknown) => this.#failed(batch.length, error),
    )
  }

  #told(): void {
    if (this.#isAway) this.#options.log.info({ lost: this.lost }, 'The collector takes spans again')
    this.#isAway = false
    this.#next()
  }

  #failed(count: number, error: unknown): void {
    this.lost += count
    // Once: it may be away for days.
    if (!this.#isAway) {
      this.#options.log.warn(
        { reason: toReason(error) },
        'The collector does not take spans: they are lost and counted',
      )
    }
    this.#isAway = true
    this.#next()
  }

  #next(): void {
    this.#telling = undefined
    if (this.#waiting.length >= BATCH && !this.#isAway) this.#tell()
    else if (this.#waiting.length > 0) this.#timer ??= this.#options.clock.setTimer(WAIT_MS, () => this.#tell())
  }
}

/** A sentence without what was sent and what came back: headers are secrets, and bodies may be anything. */
export function toReason(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown'
  const { code } = error as { readonly code?: unknown }
  return typeof code === 'string' || typeof code === 'number' ? `${error.name} (${code})` : error.name
}

const BATCH = 512
/** How long a span waits for others. */
const WAIT_MS = 1_000
