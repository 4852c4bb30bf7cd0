/**
 * A method is a declared value. Adding one means a descriptor in a feature file and one line in `methods.ts`;
 * which revisions have it is said in `revisions/`.
 */
export interface MethodDescriptor {
  readonly name: string
  readonly kind: 'request' | 'notification'
  /** Who sends it. */
  readonly from: 'client' | 'server' | 'both'
  readonly feature: string
  /** Server capability that must be advertised for a client to use it; absent: always there. */
  readonly capability?: string
  /** Extension the method belongs to (`extensions.ts`): there only where the server announces it. */
  readonly extension?: string
  /** Parameter mirrored in the `Mcp-Name` header where the revision has standard headers. */
  readonly nameParam?: 'name' | 'uri' | 'taskId'
  /** A complete result carries caching hints (`ttlMs`, `cacheScope`) where the revision has them. */
  readonly cacheable?: true
  /** May be answered with `input_required` (a multi round-trip request). */
  readonly mayAsk?: true
  /** The member of the result that holds the listed things, for methods that page. */
  readonly listKey?: string
}

export function defineMethod<const D extends MethodDescriptor>(descriptor: D): D {
  return Object.freeze(descriptor)
}
