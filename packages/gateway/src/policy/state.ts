import type { Part } from '../conditions/condition.ts'
import type { Facts, Told } from '../conditions/facts.ts'

/** How it stands with some parts of a condition. */
export type State = 'holds' | 'failed' | 'not'

/** All parts together, as `&&` has it: one that is not true ends it, whatever else cannot be told. */
export function stateOf(parts: readonly Part[], facts: Facts | Told): State {
  let state: State = 'holds'
  for (const part of parts) {
    const outcome = part.test(facts)
    if (outcome === false) return 'not'
    if (outcome === 'failed') state = 'failed'
  }
  return state
}

export function both(one: State, other: State): State {
  if (one === 'not' || other === 'not') return 'not'
  return one === 'failed' ? one : other
}
