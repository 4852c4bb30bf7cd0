import { McpError } from '../../errors.ts'
import { type Share, Tally } from '../../peer/tally.ts'
import { type TaskBounds, toBounds } from './store.ts'

/** The handlers at work and the parameters they have, also of tasks that were cancelled meanwhile. */
export class Workload {
  readonly #tally = new Tally()
  readonly #bounds: TaskBounds

  constructor(bounds: TaskBounds) {
    this.#bounds = bounds
  }

  /**
   * @returns to be called once, when the handler is done
   * @throws {McpError} `policy.limit`
   */
  begin(owner: string, bytes: number): () => void {
    const share: Share = { count: 1, bytes }
    const excess = this.#tally.excess(owner, share, toBounds(this.#bounds))
    if (excess !== undefined) {
      throw new McpError('policy.limit', `Cannot begin another task: no more than ${excess.text} may be at work`)
    }
    this.#tally.add(owner, share)
    return () => this.#tally.add(owner, { count: -1, bytes: -bytes })
  }
}
