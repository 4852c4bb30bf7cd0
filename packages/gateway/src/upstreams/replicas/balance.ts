import type { Balance } from '../../config/model-replicas.ts'

/** What the choice of a replica rests on. */
export interface Candidate {
  readonly weight: number
  /** Calls at work there. */
  readonly pending: number
  /** How long it takes to answer, in milliseconds; undefined where nobody knows. */
  readonly latencyMs: number | undefined
  /** Of `round-robin`: what it is owed. */
  credit: number
}

/**
 * @param candidates one at least
 * @param random in [0, 1)
 */
export function choose<T extends Candidate>(candidates: readonly T[], balance: Balance, random: () => number): T {
  const [only] = candidates
  if (only === undefined) throw new RangeError('There is nothing to choose from')
  if (candidates.length === 1) return only
  switch (balance) {
    case 'round-robin':
      return takeTurn(candidates, only)
    case 'least-pending':
      return fewestPending(candidates, random)
    case 'random-two':
      return soonerOfTwo(candidates, random)
  }
}

/** Each is owed its weight with every call, and who is owed most gets the call and pays for it (smooth, as nginx has it). */
function takeTurn<T extends Candidate>(candidates: readonly T[], first: T): T {
  let chosen = first
  let total = 0
  for (const candidate of candidates) {
    candidate.credit += candidate.weight
    total += candidate.weight
    if (candidate.credit > chosen.credit) chosen = candidate
  }
  chosen.credit -= total
  return chosen
}

function fewestPending<T extends Candidate>(candidates: readonly T[], random: () => number): T {
  const loadOf = ({ pending, weight }: Candidate) => pending / weight
  const least = Math.min(...candidates.map(loadOf))
  return draw(
    candidates.filter((candidate) => loadOf(candidate) === least),
    random,
  )
}

/** The choice of the lot stands where the other would hardly be sooner: so weights count among equals. */
function soonerOfTwo<T extends Candidate>(candidates: readonly T[], random: () => number): T {
  const known = candidates.flatMap(({ latencyMs }) => latencyMs ?? [])
  const usual = known.length === 0 ? 1 : Math.min(...known)
  const costOf = ({ pending, weight, latencyMs = usual }: Candidate) => (1 + pending / weight) * (latencyMs + LEAST_MS)
  const one = draw(candidates, random)
  const other = draw(
    candidates.filter((candidate) => candidate !== one),
    random,
  )
  return costOf(other) * CLEARLY < costOf(one) ? other : one
}

/** By lot, in proportion to weights. */
export function draw<T extends Pick<Candidate, 'weight'>>(candidates: readonly T[], random: () => number): T {
  let left = candidates.reduce((sum, { weight }) => sum + weight, 0) * random()
  for (const candidate of candidates) {
    left -= candidate.weight
    if (left < 0) return candidate
  }
  const last = candidates.at(-1)
  if (last === undefined) throw new RangeError('There is nothing to draw from')
  return last
}

/** So much sooner that it is more than chance. */
const CLEARLY = 1.25
/** Differences below are noise. */
const LEAST_MS = 1
