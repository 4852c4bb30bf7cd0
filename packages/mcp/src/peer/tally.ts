import type { Principal } from '../protocol/call.ts'

/** How much may be held, of one owner and of all together. */
export interface Share {
  readonly count: number
  readonly bytes: number
}

export interface Bounds {
  readonly all: Share
  readonly perOwner: Share
}

/** A bound that would be broken. */
export interface Excess {
  /** Whether it is the owner's own share. Otherwise others may have taken what there is. */
  readonly isOwn: boolean
  /** The bound, as part of a sentence. */
  readonly text: string
}

/** Counts what is held for whom, so that one owner cannot take the room of another. */
export class Tally {
  #all: Share = NOTHING
  /** Nothing is kept of who has nothing. */
  readonly #owners = new Map<string, Share>()

  /** What so much more would break; undefined where there is room. Less than before always has room. */
  excess(owner: string, more: Share, { all, perOwner }: Bounds): Excess | undefined {
    const own = this.#owners.get(owner) ?? NOTHING
    const ownBound = toBroken(own, more, perOwner)
    if (ownBound !== undefined) return { isOwn: true, text: `${ownBound} of this caller` }
    const bound = toBroken(this.#all, more, all)
    return bound === undefined ? undefined : { isOwn: false, text: `${bound} in all` }
  }

  add(owner: string, more: Share): void {
    this.#all = plus(this.#all, more)
    const own = plus(this.#owners.get(owner) ?? NOTHING, more)
    if (own.count === 0) this.#owners.delete(owner)
    else this.#owners.set(owner, own)
  }
}

/** Whose something is: callers of one tenant and id, and nobody else. */
export function toOwner({ tenant, id }: Principal): string {
  return JSON.stringify([tenant, id])
}

function toBroken(held: Share, more: Share, bound: Share): string | undefined {
  if (more.count > 0 && held.count + more.count > bound.count) return `${bound.count}`
  return more.bytes > 0 && held.bytes + more.bytes > bound.bytes ? `${bound.bytes} bytes` : undefined
}

function plus(a: Share, b: Share): Share {
  return { count: a.count + b.count, bytes: a.bytes + b.bytes }
}

const NOTHING: Share = Object.freeze({ count: 0, bytes: 0 })
