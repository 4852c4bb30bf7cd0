import type { Timer } from '../../../peer/clock.ts'
import type { EventStream } from '../sse.ts'
import { toEventId } from './event-id.ts'
import type { FoundEvents, StoredEvent } from './event-store.ts'
import type { Resume } from './options.ts'

/** What a stream needs of the session it is one of. */
export interface StreamHome {
  readonly resume: Resume
  /** Clients are told where a stream is before it says anything, and come back when it is let go. */
  readonly isPriming: boolean
  /** What the session is called in the store. */
  readonly name: string
  /** Whose it is, where callers are known. */
  readonly owner: string | undefined
  /** The stream has said its last. */
  left(stream: ResumableStream): void
}

/**
 * A stream that outlives its connections. What it says is kept, and goes out on the one connection it has at the
 * time, if any. A new connection first gets what the client has missed, no faster than it is read; what is said
 * meanwhile takes its turn in the store.
 */
export class ResumableStream {
  readonly name: string
  readonly #home: StreamHome
  /** Of the newest event. */
  #last: number
  #isOver: boolean
  #outlet: EventStream | undefined
  #isReplaying = false
  #poll: Timer | undefined

  /** @param isOver it has said its last, and is here again for somebody who missed that */
  constructor(name: string, home: StreamHome, isOver = false) {
    this.name = name
    this.#home = home
    this.#isOver = isOver
    this.#last = isOver ? Number.POSITIVE_INFINITY : 0
  }

  get last(): number {
    return this.#last
  }

  /** Something can be said on it, whether or not anybody hears it now. */
  get isOpen(): boolean {
    return !this.#isOver
  }

  get hasReader(): boolean {
    return this.#outlet?.isOpen === true
  }

  /** Its first connection. */
  begin(outlet: EventStream): void {
    const { isPriming, resume } = this.#home
    this.#attach(outlet)
    if (isPriming) outlet.prime(this.#id(0), resume.retryMs)
  }

  /**
   * Another connection, in place of any it has: a client comes back before we learn that it was gone.
   * @param page what was found after `seq`
   */
  takeUp(outlet: EventStream, seq: number, page: readonly StoredEvent[]): void {
    this.#outlet?.drop()
    this.#attach(outlet)
    this.#isReplaying = true
    void this.#replay(outlet, seq, page)
  }

  /** @param topic makes an earlier event of the same topic needless */
  send(text: string, topic?: string): void {
    if (this.#isOver) return
    const seq = ++this.#last
    this.#keep(topic === undefined ? { seq, text } : { seq, text, topic })
    if (!this.#isReplaying) this.#outlet?.send(text, this.#id(seq))
  }

  beat(): void {
    this.#outlet?.beat()
  }

  /** Lets the connection go and not the stream, where the client knows to come back. */
  pause(retryMs = this.#home.resume.retryMs): void {
    if (!this.#home.isPriming || this.#isOver) return
    const outlet = this.#outlet
    if (outlet === undefined) return
    outlet.retry(toRetry(retryMs, this.#home.resume.retryMs))
    outlet.end()
    this.#leave(outlet)
  }

  /** It has said its last. Whoever is still catching up is not cut short. */
  end(): void {
    if (this.#isOver) return
    this.#isOver = true
    if (!this.#isReplaying) this.#outlet?.end()
    this.#home.left(this)
  }

  /** Ends it at once. */
  close(): void {
    this.#isOver = true
    this.#outlet?.end()
  }

  #attach(outlet: EventStream): void {
    this.#poll?.cancel()
    this.#outlet = outlet
    outlet.onClose(() => this.#leave(outlet))
    const { isPriming, resume } = this.#home
    if (!isPriming || resume.pollAfterMs === undefined) return
    this.#poll = resume.clock.setTimer(resume.pollAfterMs, () => this.pause())
  }

  #leave(outlet: EventStream): void {
    if (this.#outlet !== outlet) return
    this.#outlet = undefined
    this.#isReplaying = false
    this.#poll?.cancel()
    this.#poll = undefined
  }

  async #replay(outlet: EventStream, seq: number, first: readonly StoredEvent[]): Promise<void> {
    let at = seq
    let page: FoundEvents = first
    try {
      for (;;) {
        for (const event of page ?? []) {
          if (outlet.isFull) await outlet.drained()
          if (this.#outlet !== outlet) return
          outlet.send(event.text, this.#id(event.seq))
          at = event.seq
        }
        if (at >= this.#last) break
        page = await this.#read(at)
        if (this.#outlet !== outlet) return
        if (page === undefined || page.length === 0) {
          // Nothing more of a stream that is over, or of another what is not held: it is told so when it comes back.
          outlet.end()
          return
        }
      }
      this.#isReplaying = false
      if (this.#isOver) outlet.end()
    } catch (error) {
      this.#home.resume.log('error', 'event_store.failed', { error })
      outlet.drop()
    }
  }

  #read(after: number): FoundEvents | Promise<FoundEvents> {
    return this.#home.resume.store.read(this.#home.name, this.name, after, PAGE_EVENTS)
  }

  /** What cannot be kept is said all the same. */
  #keep(event: StoredEvent): void {
    const { store, log } = this.#home.resume
    const failed = (error: unknown) => log('error', 'event_store.failed', { error })
    try {
      store.append(this.#home.name, this.name, event, this.#home.owner)?.catch(failed)
    } catch (error) {
      failed(error)
    }
  }

  #id(seq: number): string {
    return toEventId(this.#home.name, this.name, seq)
  }
}

/** The field holds digits only; what is no number is the default. */
function toRetry(ms: number, usual: number): number {
  return Number.isFinite(ms) ? Math.min(Math.max(Math.round(ms), 0), MAX_RETRY_MS) : usual
}

/** Events read at once: what a replay holds while its client does not read. */
export const PAGE_EVENTS = 64
const MAX_RETRY_MS = 10 * 60_000
