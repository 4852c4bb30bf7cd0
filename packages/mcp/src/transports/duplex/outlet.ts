import { encodeNotification } from '../../jsonrpc/encode.ts'
import type { RequestFrame } from '../../jsonrpc/frame.ts'
import type { Way } from '../../peer/open-call.ts'
import { type Reply, toText } from '../../peer/reply.ts'
import type { Channel } from '../channel.ts'

/** What whoever writes on an outlet hears of it. */
export interface OutletEvents {
  /** Its client does not read. */
  readonly clogged: () => void
  /** It reads again, and has been told the news. */
  readonly flowing: () => void
  readonly failed: (error: unknown) => void
}

/** What is said on a channel to a client who may not be reading it. */
export class Outlet {
  readonly #channel: Channel
  readonly #events: OutletEvents
  #isClogged = false
  #isOver = false
  /** News that could not be written meanwhile, the latest of each topic. */
  readonly #news = new Map<string, string>()

  constructor(channel: Channel, events: OutletEvents) {
    this.#channel = channel
    this.#events = events
  }

  /** The client does not read what it is sent. */
  get isClogged(): boolean {
    return this.#isClogged
  }

  /** Progress and log messages: worth nothing once they are late, so they are dropped while nobody reads. */
  notify(text: string): void {
    if (!this.#isClogged) this.write(text)
  }

  /** News: while nobody reads, the latest of each topic is kept. */
  tell(text: string, topic: string): void {
    if (!this.#isClogged) this.write(text)
    else if (this.#news.has(topic) || this.#news.size < MAX_NEWS) this.#news.set(topic, text)
  }

  /** Questions are few, and none may be lost: like answers they wait in the channel while nobody reads. */
  send(text: string): boolean {
    if (this.#isOver) return false
    this.write(text)
    return true
  }

  answer(answer: Reply | undefined): void {
    if (answer === undefined) return
    // A listener's last word must not overtake what it has still to hear.
    for (const text of this.#news.values()) this.write(text)
    this.#news.clear()
    this.write(toText(answer))
  }

  write(text: string): void {
    if (this.#isOver || this.#channel.send(text) || this.#isClogged) return
    this.#isClogged = true
    this.#events.clogged()
    this.#channel.drained().then(() => this.#unclog(), this.#events.failed)
  }

  /** Nobody is there any more: nothing is written or kept. */
  end(): void {
    this.#isOver = true
    this.#news.clear()
  }

  #unclog(): void {
    this.#isClogged = false
    for (const [topic, text] of this.#news) {
      this.#news.delete(topic)
      this.write(text)
      if (this.#isClogged) return
    }
    this.#events.flowing()
  }
}

/** The way back of one request. A listener is told that it ends before it gets its result: its end has two spellings. */
export class ChannelWay implements Way {
  readonly canSend = true
  readonly #outlet: Outlet
  readonly #frame: RequestFrame
  readonly #done: (() => void) | undefined
  #hasHeard = false

  /** @param done told once when the request is answered, or nobody waits for that */
  constructor(outlet: Outlet, frame: RequestFrame, done: (() => void) | undefined) {
    this.#outlet = outlet
    this.#frame = frame
    this.#done = done
  }

  notify(text: string): void {
    if (this.#frame.method !== 'subscriptions/listen') {
      this.#outlet.notify(text)
      return
    }
    this.#hasHeard = true
    this.#outlet.tell(text, text)
  }

  send(text: string): boolean {
    return this.#outlet.send(text)
  }

  answer(answer: Reply | undefined): void {
    if (answer !== undefined && this.#hasHeard) {
      const cancelled = { requestId: this.#frame.id, reason: 'The server ends the subscription' }
      this.#outlet.answer({ text: encodeNotification('notifications/cancelled', cancelled), status: 200 })
    }
    this.#outlet.answer(answer)
    this.#done?.()
  }
}

const MAX_NEWS = 1_024
