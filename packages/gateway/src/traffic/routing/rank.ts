import type { RouteOrder } from '../../config/model-routes.ts'
import { draw } from '../../upstreams/replicas/balance.ts'

/** What the order of tools that do the same rests on. */
export interface Ranked {
  readonly cost: number
  readonly weight: number
  /** Calls at work there. */
  readonly pending: number
  /** How long it takes of late, in milliseconds; undefined where nobody knows. */
  readonly latencyMs: number | undefined
}

/**
 * The order in which they are asked.
 * @param members in the order of the configuration, which decides among equals
 * @param random in [0, 1)
 */
export function rank<T extends Ranked>(members: readonly T[], by: RouteOrder, random: () => number): readonly T[] {
  switch (by) {
    case 'order':
      return members
    case 'cost':
      return sorted(members, ({ cost }) => cost)
    case 'latency':
      return sorted(members, toExpected)
    case 'weight':
      return drawn(members, random)
  }
}

function sorted<T>(members: readonly T[], toKey: (member: T) => number): readonly T[] {
  return members
    .map((member) => [toKey(member), member] as const)
    .sort(([a], [b]) => a - b)
    .map(([, member]) => member)
}

/** One of whom nothing is known is tried first, by one call at a time: whoever comes meanwhile does not wait for it. */
function toExpected({ latencyMs, pending }: Ranked): number {
  if (latencyMs === undefined) return pending === 0 ? -1 : Number.MAX_VALUE
  return latencyMs * (1 + pending)
}

function drawn<T extends Ranked>(members: readonly T[], random: () => number): readonly T[] {
  const left = [...members]
  const order: T[] = []
  while (left.length > 0) {
    const next = draw(left, random)
    left.splice(left.indexOf(next), 1)
    order.push(next)
  }
  return order
}
