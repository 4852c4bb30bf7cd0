import { type Clock, McpError, type Timer } from '@crosspoint/mcp'
import type { Log } from '../log.ts'
import type { SessionStore } from '../stores/contract/session-store.ts'

export interface MembershipOptions {
  readonly node: string
  readonly address: string
  readonly leaseMs: number
  readonly sessions: SessionStore
  readonly clock: Clock
  readonly log: Log
  /** Others took these sessions over, since they took this one for dead. */
  readonly lost: (keys: readonly string[]) => void
  /** Others may know nothing of what is here, or have taken it over. */
  readonly unsure: () => void
}

interface Known {
  readonly address: string
  readonly at: number
}

/** That this gateway is there, and which others are. */
export class Membership {
  readonly #options: MembershipOptions
  readonly #known = new Map<string, Known>()
  /** What is under way with others, to be given up when they are gone. */
  readonly #watched = new Map<string, Set<() => void>>()
  #beatAt = Number.NEGATIVE_INFINITY
  #timer: Timer | undefined
  #isLeaving = false
  #stop: (() => void) | undefined
  #isLooking = false

  constructor(options: MembershipOptions) {
    this.#options = options
  }

  /** While nobody can be asked, nobody can have taken over anything either. */
  get isSure(): boolean {
    const { sessions, clock, leaseMs } = this.#options
    return !sessions.isReady || clock.now() - this.#beatAt < leaseMs
  }

  async join(): Promise<void> {
    this.#stop = this.#options.sessions.onReady(() => void this.#beat())
    await this.#beat()
    this.#beatLater()
  }

  /** What another gateway works on for this one comes to its end within `ms`. */
  async leave(ms: number): Promise<void> {
    const { sessions, node, log } = this.#options
    this.#isLeaving = true
    this.#timer?.cancel()
    this.#stop?.()
    await sessions.leave(node, ms).catch((error: unknown) => log.info({ error: String(error) }, 'Could not take leave'))
  }

  /**
   * Where another is reached; undefined for one that is gone or about to be.
   * @param isAnew whether to ask again, whatever is known
   * @throws {McpError} `policy.busy` where nobody can be asked
   */
  async addressOf(node: string, isAnew: boolean): Promise<string | undefined> {
    const { sessions, clock, leaseMs } = this.#options
    const known = this.#known.get(node)
    if (!isAnew && known !== undefined && clock.now() - known.at < leaseMs) return known.address
    const address = await sessions.addressOf(node).catch((cause: unknown) => {
      throw new McpError('policy.busy', 'Cannot find out where to hand on the request; try again', { cause })
    })
    if (address === undefined || address === '') {
      this.forget(node)
      return undefined
    }
    if (this.#known.size >= MAX_KNOWN) this.#known.clear()
    this.#known.set(node, { address, at: clock.now() })
    return address
  }

  /** Where it was is not where it is. */
  forget(node: string): void {
    this.#known.delete(node)
  }

  /** @returns ends the watch */
  watch(node: string, give: () => void): () => void {
    const watched = this.#watched.get(node) ?? new Set()
    this.#watched.set(node, watched)
    watched.add(give)
    return () => {
      watched.delete(give)
      if (watched.size === 0 && this.#watched.get(node) === watched) this.#watched.delete(node)
    }
  }

  #beatLater(): void {
    const { clock, leaseMs } = this.#options
    if (this.#isLeaving) return
    this.#timer = clock.setTimer(leaseMs / 3, () => {
      void this.#beat()
      void this.#look()
      this.#beatLater()
    })
  }

  async #beat(): Promise<void> {
    const { sessions, node, address, leaseMs, clock, log, lost, unsure } = this.#options
    if (this.#isLeaving) return
    const at = clock.now()
    try {
      const { wasThere, lost: keys } = await sessions.beat(node, address, leaseMs)
      if (keys.length > 0) {
        log.warn({ sessions: keys.length }, 'Other gateways took sessions over, which ended here')
        lost(keys)
      }
      if (!wasThere || this.#beatAt === Number.NEGATIVE_INFINITY) unsure()
      this.#beatAt = at
    } catch (error) {
      log.debug({ error: String(error) }, 'Could not tell the cluster that this gateway is there')
    }
  }

  /** What waits for one that says nothing any more does not wait for ever. */
  async #look(): Promise<void> {
    const { sessions, log } = this.#options
    if (this.#isLooking) return
    this.#isLooking = true
    try {
      for (const [node, watched] of [...this.#watched]) {
        if ((await sessions.addressOf(node)) !== undefined) continue
        this.forget(node)
        if (watched.size > 0)
          log.warn({ node, requests: watched.size }, 'Another gateway is gone, and what it was to answer is lost')
        for (const give of [...watched]) give()
      }
    } catch {
      // Nobody can say: it is looked again.
    } finally {
      this.#isLooking = false
    }
  }
}

const MAX_KNOWN = 10_000
