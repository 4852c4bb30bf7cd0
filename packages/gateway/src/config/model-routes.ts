/** One tool that several servers offer, each under a name of its own. */
export interface RouteConfig {
  /** What it is called in the catalog. */
  readonly name: string
  readonly by: RouteOrder
  /** In the order of the file. */
  readonly tools: readonly RouteMemberConfig[]
  /** The tools behind it are not listed by themselves. Default false. */
  readonly hide: boolean
  /** Tools that take other arguments than the first are taken too. Default false: they are left out. */
  readonly unchecked: boolean
}

export interface RouteMemberConfig {
  /** Its merged name, `<prefix>__<tool>`. */
  readonly tool: string
  /** What a call costs, next to the others. Default 1. */
  readonly cost: number
  /** How much of the calls it gets, next to the others. Default 1. */
  readonly weight: number
  /** Calls it may get: a condition over `principal`, `arguments`, `view`, `client` and `now`. Default: all. */
  readonly when?: string
}

/** `order`: the first that is well. `cost`: the cheapest. `latency`: the quickest of late. `weight`: by lot. */
export type RouteOrder = 'order' | 'cost' | 'latency' | 'weight'
