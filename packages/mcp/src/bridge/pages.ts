import type { Call } from '../protocol/call.ts'

/** Whose a visit is: a principal, in its session where it has one. */
export type Visitor = Pick<Call, 'principal' | 'downstream'>

/**
 * Pages that callers were sent to, by the ids under which visits are said to be over.
 *
 * An id is unique among those of one server, and only the client that was sent there is told (2025-11-25
 * client/elicitation). So what is said in a session of one visitor is for this visitor alone. What is said over a
 * connection that several share is for the one visitor who was sent there by that id; where it is more than one, nobody
 * can say whose visit is over, and nobody is told: their calls are tried again in any case.
 */
export class Pages {
  readonly #byId = new Map<string, Set<Sent>>()
  /** Of each visitor, the oldest first. */
  readonly #byVisitor = new Map<string, Set<Sent>>()
  #size = 0

  /** Tells a caller, once, when its visit is over; after its call, too. */
  sent(elicitationId: unknown, call: Call): void {
    const { interim } = call
    const tell = () => {
      interim.notify({ method: 'notifications/elicitation/complete', params: { elicitationId } })
    }
    this.#add(elicitationId, call, { tell, isCaller: true })
  }

  /** For a call that waits: `tell` is called when the visit is over. Returns what ends the wait. */
  await(elicitationId: unknown, call: Visitor, tell: () => void): () => void {
    const sent = this.#add(elicitationId, call, { tell, isCaller: false })
    return () => {
      if (sent !== undefined) this.#forget(sent)
    }
  }

  /** @param visitor whose session says so; undefined where several share the connection */
  complete(elicitationId: unknown, visitor?: Visitor): void {
    const all = typeof elicitationId === 'string' ? [...(this.#byId.get(elicitationId) ?? [])] : []
    const name = visitor === undefined ? all[0]?.visitor : toName(visitor)
    const told = all.filter((sent) => sent.visitor === name)
    const isAmbiguous = visitor === undefined && told.length < all.length
    for (const sent of isAmbiguous ? all : told) this.#forget(sent)
    if (!isAmbiguous) for (const { tell } of told) tell()
  }

  #add(id: unknown, of: Visitor, { tell, isCaller }: Pick<Sent, 'tell' | 'isCaller'>): Sent | undefined {
    if (typeof id !== 'string' || id.length > MAX_ID) return undefined
    const visitor = toName(of)
    const sent: Sent = { id, visitor, tell, isCaller }
    // One who is sent there twice is told once.
    for (const other of this.#byId.get(id) ?? []) {
      if (isCaller && other.isCaller && other.visitor === visitor) this.#forget(other)
    }
    const others = this.#byVisitor.get(visitor)
    if (others !== undefined && others.size >= MAX_PER_VISITOR) this.#forgetOldest(others)
    if (this.#size >= MAX_PAGES) this.#forgetOldest(this.#most())
    add(this.#byId, id, sent)
    add(this.#byVisitor, visitor, sent)
    this.#size++
    return sent
  }

  /** Who has many makes room for who has few. */
  #most(): ReadonlySet<Sent> {
    let most: ReadonlySet<Sent> = new Set()
    for (const sent of this.#byVisitor.values()) if (sent.size > most.size) most = sent
    return most
  }

  /** Whom it concerns is not told, and its call is tried again after a while in any case. */
  #forgetOldest(sent: ReadonlySet<Sent>): void {
    const [oldest] = sent
    if (oldest !== undefined) this.#forget(oldest)
  }

  #forget(sent: Sent): void {
    if (!remove(this.#byId, sent.id, sent)) return
    remove(this.#byVisitor, sent.visitor, sent)
    this.#size--
  }
}

interface Sent {
  readonly id: string
  readonly visitor: string
  readonly tell: () => void
  /** The caller is told, and not a call that waits. */
  readonly isCaller: boolean
}

function toName({ principal, downstream }: Visitor): string {
  return JSON.stringify([principal.tenant, principal.id, downstream.session])
}

function add(sets: Map<string, Set<Sent>>, key: string, sent: Sent): void {
  const set = sets.get(key)
  if (set === undefined) sets.set(key, new Set([sent]))
  else set.add(sent)
}

function remove(sets: Map<string, Set<Sent>>, key: string, sent: Sent): boolean {
  const set = sets.get(key)
  if (set?.delete(sent) !== true) return false
  if (set.size === 0) sets.delete(key)
  return true
}

/** Longer ones are nobody's: a caller is not told, and its call is tried again after a while. */
const MAX_ID = 1_024
const MAX_PER_VISITOR = 64
const MAX_PAGES = 4_096
