import type { Principal } from '@crosspoint/mcp'
import type { Told } from '../conditions/facts.ts'
import { Recent } from './recent.ts'
import type { Pending } from './verdict.ts'

/** What the answer of a task has to pass. */
export interface Held {
  readonly checks: readonly Pending[]
  /** What was told of the call; undefined where nothing is to be checked. */
  readonly facts: Told | undefined
}

/** Tasks that calls became, whose answers come when they are asked for. One that is not known any more lets nothing out. */
export class HeldTasks {
  readonly #held = new Recent<Held>(MAX_TASKS)

  add(of: { readonly principal: Principal }, taskId: unknown, held: Held): void {
    this.#held.set(toKey(of, taskId), held)
  }

  find(of: { readonly principal: Principal }, taskId: unknown): Held | undefined {
    return this.#held.get(toKey(of, taskId))
  }
}

function toKey({ principal: { tenant, id } }: { readonly principal: Principal }, taskId: unknown): string {
  return JSON.stringify([tenant, id, taskId])
}

const MAX_TASKS = 10_000
