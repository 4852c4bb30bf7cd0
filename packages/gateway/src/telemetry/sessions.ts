import type { Clock } from '@crosspoint/mcp'
import { Histogram } from './histogram.ts'

type Transport = 'pipe' | 'tcp'

interface Session {
  readonly since: number
  readonly version: string
}

/** How long sessions of callers and connections with servers last. */
export class Sessions {
  /** By revision. */
  readonly ended = new Map<string, Histogram>()
  /** Open ones, by transport. */
  readonly connections = new Map<Transport, number>()
  readonly #connectionsEnded = new Map<Transport, Map<string, Histogram>>()
  readonly #clock: Clock
  /** Of callers, by id. As many as there may be. */
  readonly #open = new Map<string, Session>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  get open(): number {
    return this.#open.size
  }

  /** A caller has called, in a session of its own. */
  seen(id: string, version: string): void {
    if (this.#open.has(id) || this.#open.size >= MAX_OPEN) return
    this.#open.set(id, { since: this.#clock.now(), version })
  }

  sessionEnded(id: string): void {
    const session = this.#open.get(id)
    if (session === undefined) return
    this.#open.delete(id)
    this.#record(this.ended, session)
  }

  /** A connection with a server is open, until `closed`. */
  connected(transport: Transport, version: string, closed: Promise<unknown>): void {
    const session = { since: this.#clock.now(), version }
    this.#count(transport, 1)
    void closed.then(() => {
      this.#count(transport, -1)
      let byVersion = this.#connectionsEnded.get(transport)
      if (byVersion === undefined) {
        byVersion = new Map()
        this.#connectionsEnded.set(transport, byVersion)
      }
      this.#record(byVersion, session)
    })
  }

  *connectionsEnded(): Generator<{
    readonly transport: Transport
    readonly version: string
    readonly took: Histogram
  }> {
    for (const [transport, byVersion] of this.#connectionsEnded) {
      for (const [version, took] of byVersion) yield { transport, version, took }
    }
  }

  #count(transport: Transport, by: number): void {
    this.connections.set(transport, (this.connections.get(transport) ?? 0) + by)
  }

  #record(into: Map<string, Histogram>, { since, version }: Session): void {
    let took = into.get(version)
    if (took === undefined) {
      took = new Histogram()
      into.set(version, took)
    }
    took.record((this.#clock.now() - since) / 1_000)
  }
}

/** Ten times as many sessions as there are by default; those beyond are not measured. */
const MAX_OPEN = 100_000
