import type { Routed } from '../catalog/catalog.ts'
import type { Passage } from './passage.ts'

/** The tools behind what a call asks for; undefined for what one server offers. */
export function routedOf({ method, params, view }: Pick<Passage, 'method' | 'params' | 'view'>): Routed | undefined {
  if (view.behind === undefined || method !== 'tools/call' || typeof params.name !== 'string') return undefined
  return view.entries.tools.get(params.name)?.routed
}
