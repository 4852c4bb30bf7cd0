import type { View } from '../catalog/view.ts'
import type { Passage } from '../routes/passage.ts'
import { type Asked, toAsked } from './target.ts'

/**
 * What is known of a call by what it asks for alone. Of tools it is worked out once for each moment of a view; what else
 * may be asked for has no bound on its names.
 */
export class PerTool<T> {
  readonly #make: (asked: Asked) => T
  readonly #known = new WeakMap<View, Map<string, T>>()

  constructor(make: (asked: Asked) => T) {
    this.#make = make
  }

  of(call: Pick<Passage, 'method' | 'params' | 'view'>): T {
    const { method, params, view } = call
    const { name } = params
    if (method !== 'tools/call' || typeof name !== 'string') return this.#make(toAsked(call))
    let known = this.#known.get(view)
    if (known === undefined) {
      known = new Map()
      this.#known.set(view, known)
    }
    const found = known.get(name)
    if (found !== undefined) return found
    const made = this.#make(toAsked(call))
    if (view.entries.tools.has(name)) known.set(name, made)
    return made
  }
}
