import type { GatewayNews } from '../../news.ts'
import { shown } from '../../shown.ts'
import type { AdminEvent } from '../contract/events.ts'
import type { AdminNeeds, Handlers } from '../needs.ts'
import { Problem } from '../problem.ts'
import { findServer } from './servers.ts'

export function createEventHandlers(needs: AdminNeeds): Pick<Handlers, 'events'> {
  let listening = 0
  return {
    events: (_, { signal }) => {
      if (listening >= MAX_LISTENERS) throw new Problem('too_many', `${MAX_LISTENERS} listen already`)
      listening++
      return new Feed(needs, signal, () => listening--).events()
    },
  }
}

/** What happens, for one who listens: kept until it is read, within a bound. */
class Feed {
  readonly #needs: AdminNeeds
  readonly #signal: AbortSignal
  readonly #ended: () => void
  readonly #stops: readonly (() => void)[]
  #waiting: AdminEvent[] = []
  #dropped = 0
  #wake = () => {}

  constructor(needs: AdminNeeds, signal: AbortSignal, ended: () => void) {
    this.#needs = needs
    this.#signal = signal
    this.#ended = ended
    const wake = () => this.#wake()
    signal.addEventListener('abort', wake, { once: true })
    const stops = [
      needs.gateway.watch((news) => this.#hear(news)),
      needs.tap?.hear(({ level, message, details }) => {
        this.#add({ type: 'log', at: this.#now(), level, message: shown(message, 1_000), details: toDetails(details) })
      }),
      () => signal.removeEventListener('abort', wake),
    ]
    this.#stops = stops.filter((stop) => stop !== undefined)
  }

  async *events(): AsyncGenerator<readonly AdminEvent[]> {
    try {
      yield [] // something is sent at once, so that whoever listens knows that it does
      while (!this.#signal.aborted) {
        if (this.#waiting.length === 0) await this.#woken()
        const events = this.#waiting
        this.#waiting = []
        if (this.#dropped > 0) events.push({ type: 'dropped', at: this.#now(), events: this.#dropped })
        this.#dropped = 0
        yield events
      }
    } finally {
      for (const stop of this.#stops) stop()
      this.#ended()
    }
  }

  /** Something happened, or nothing for so long that a connection might be taken for dead. */
  #woken(): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#needs.clock.setTimer(BEAT_MS, () => resolve())
      this.#wake = () => {
        timer.cancel()
        resolve()
      }
    })
  }

  #hear(news: GatewayNews): void {
    const at = this.#now()
    if (news.kind === 'config')
      this.#add({ type: 'config', at, diff: structuredClone(news.diff) as ConfigEvent['diff'] })
    else if (news.kind === 'catalog') {
      // One is as good as many.
      if (this.#waiting.at(-1)?.type !== 'catalog') this.#add({ type: 'catalog', at })
    } else {
      const server = findServer(this.#needs.gateway, news.name)
      if (server !== undefined) this.#add({ type: 'server', at, server })
    }
  }

  #add(event: AdminEvent): void {
    if (this.#waiting.length >= MAX_WAITING) this.#dropped++
    else this.#waiting.push(event)
    this.#wake()
  }

  #now(): string {
    return new Date(this.#needs.wallClock()).toISOString()
  }
}

type ConfigEvent = Extract<AdminEvent, { type: 'config' }>

/** What can be written as JSON of it, cut where it is long. */
function toDetails(details: Readonly<Record<string, unknown>>): Record<string, unknown> {
  try {
    const text = JSON.stringify(details, (_, value: unknown) => (typeof value === 'string' ? shown(value, 500) : value))
    if (text !== undefined && text.length <= MAX_DETAILS) return JSON.parse(text)
  } catch {
    // Something that is no data: only that it was there is told.
  }
  return { omitted: true }
}

const MAX_LISTENERS = 32
const MAX_WAITING = 1_000
const MAX_DETAILS = 8 * 1024
const BEAT_MS = 15_000
