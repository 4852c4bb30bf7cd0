import { type Call, type Clock, McpError, NEWEST, type Result } from '@crosspoint/mcp'
import type { Elsewhere, Errand, EventStore, HeldSessions, HttpDoor, SessionRecord } from '@crosspoint/mcp/transports'
import type { Log } from '../log.ts'
import type { ClusterKeys } from '../node/cluster-keys.ts'
import type { Handed, ReplicaClient } from '../node/replica-client.ts'
import type { SessionStore } from '../stores/contract/session-store.ts'
import { toAnswer, toEnveloped } from './call.ts'
import { Directory } from './directory.ts'
import { Membership } from './membership.ts'

export interface ClusterOptions {
  readonly leaseMs: number
  readonly address: string
  readonly sessions: SessionStore
  readonly events: EventStore
  readonly keys: ClusterKeys
  readonly client: ReplicaClient
  readonly clock: Clock
  readonly log: Log
  readonly node: string
}

/** What takes requests that were handed on, and where a view is found there. */
export interface Served {
  readonly receive: HttpDoor['receiveForwarded']
  readonly toPath: (view: string | undefined) => string
}

/**
 * The other gateways that serve the same callers: what each holds is its own, and found by all. Requests for another are
 * handed on, and sessions of one that is gone are taken over.
 */
export class Cluster {
  readonly node: string
  /** What is kept of streams, for whoever is asked for the rest of one. */
  readonly events: EventStore
  /** Seals what callers carry. */
  readonly stateKeys: readonly Uint8Array[]
  readonly #options: ClusterOptions
  readonly #membership: Membership
  readonly #directory: Directory
  #served: Served | undefined

  constructor(options: ClusterOptions) {
    this.#options = options
    this.node = options.node
    this.events = options.events
    this.stateKeys = options.keys.states
    this.#directory = new Directory(options)
    this.#membership = new Membership({
      ...options,
      lost: (keys) => this.#directory.lost(keys),
      unsure: () => this.#directory.tellAll(),
    })
  }

  /** Says that it is there, as far as anybody can be told. */
  join(): Promise<void> {
    return this.#membership.join()
  }

  /** What requests that were handed on are answered by. */
  serve(served: Served): void {
    this.#served = served
  }

  get served(): Served | undefined {
    return this.#served
  }

  /**
   * @param scope of which endpoint the sessions are: those of one are none of another
   * @param ttlMs how long a session is found that nobody uses
   */
  elsewhere(scope: string, ttlMs: () => number): (held: HeldSessions) => Elsewhere {
    return (held) => {
      const shelf = this.#directory.open(scope, held, ttlMs)
      const membership = this.#membership
      return {
        node: this.node,
        get isSure() {
          return membership.isSure
        },
        keep: (id: string, record: SessionRecord) => shelf.keep(id, record),
        touch: (id) => shelf.touch(id),
        forget: (id) => shelf.forget(id),
        find: (id) => shelf.find(id),
        adopt: (id, found) => shelf.adopt(id, found.node),
        forward: (node, errand) => this.#forward(node, errand),
        end: () => shelf.end(),
      }
    }
  }

  /**
   * Has a call answered by another gateway: one that needs no more than an answer.
   * @throws {McpError} `upstream.closed` where that one is gone
   */
  async call(node: string, view: string | undefined, call: Call): Promise<Result> {
    const url = this.#served?.toPath(view)
    if (url === undefined) throw new McpError('policy.busy', 'Cannot hand on the request yet')
    const body = Buffer.from(JSON.stringify(toEnveloped(call)))
    const own = { method: 'POST', url, headers: toHeaders(call), body, principal: call.principal }
    const answer = await this.#handOn(node, (address, abort) => this.#options.client.ask(address, node, own, abort))
    if (typeof answer === 'string') return toAnswer(answer)
    throw new McpError('upstream.closed', 'The task is lost: the process that held it is gone', {
      data: { reason: 'exchange_lost' },
    })
  }

  /** It is about to end: what it holds is for others from now on. */
  async leave(withinMs: number): Promise<void> {
    await this.#membership.leave(withinMs)
  }

  async close(): Promise<void> {
    this.#served = undefined
    await this.#membership.leave(1)
    this.#options.client.close()
  }

  async #forward(node: string, errand: Errand): Promise<Exclude<Handed, 'refused'>> {
    const { client } = this.#options
    const became = await this.#handOn(node, (address, abort) => client.forward(address, node, errand, abort))
    if (became !== 'refused') return became
    throw unbelieved()
  }

  /** Twice, where it surely did not get there. */
  async #handOn<Became>(
    node: string,
    send: (address: string, abort: (give: () => void) => () => void) => Promise<Became>,
  ): Promise<Became | 'gone'> {
    const { clock, log } = this.#options
    const membership = this.#membership
    let became: Became | 'gone' = 'gone'
    for (let turn = 0; turn < TURNS; turn++) {
      if (turn > 0) await new Promise<void>((resolve) => void clock.setTimer(PAUSE_MS, resolve))
      const address = await membership.addressOf(node, turn > 0)
      if (address === undefined) return 'gone'
      became = await send(address, (give) => membership.watch(node, give))
      if (toBecame(became) === 'refused') {
        log.error(
          { node },
          'Another gateway of the cluster does not take what this one hands on: their secrets or clocks differ',
        )
        throw unbelieved()
      }
      if (toBecame(became) !== 'gone') return became
      membership.forget(node)
    }
    log.warn(
      { node },
      'Another gateway does not answer where it says it is: it has just ended, or its cluster.address is wrong',
    )
    return became
  }
}

function toBecame(became: unknown): unknown {
  return typeof became === 'object' && became !== null && 'became' in became ? became.became : became
}

function unbelieved(): McpError {
  return new McpError('policy.busy', 'Cannot hand on the request now; try again')
}

function toHeaders({ method, params }: Call): Record<string, string> {
  const { taskId } = params
  return {
    accept: 'application/json',
    'content-type': 'application/json',
    'mcp-protocol-version': NEWEST.name,
    'mcp-method': method,
    ...(typeof taskId === 'string' ? { 'mcp-name': taskId } : {}),
  }
}

const TURNS = 2
const PAUSE_MS = 20
