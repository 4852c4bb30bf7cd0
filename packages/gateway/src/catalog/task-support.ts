import { hasTasks, type JsonObject } from '@crosspoint/mcp'
import type { Entry } from './catalog.ts'

/**
 * How calls of a tool become tasks for callers who decide that themselves: as its server says, or, where that decides by
 * itself, by our own doing. Undefined where they do not.
 */
export function toTaskSupport({ item, source: { offer } }: Pick<Entry, 'item' | 'source'>): unknown {
  const { execution } = item as { readonly execution?: JsonObject } // of the right shape, or it is not listed
  if (execution !== undefined) return execution.taskSupport
  return offer?.makesTasks === true && hasTasks(offer.capabilities) ? 'own' : undefined
}

/** The tool as such callers see it. */
export function withTaskSupport(tool: JsonObject, entry: Entry): JsonObject {
  const support = toTaskSupport(entry)
  return support === undefined
    ? tool
    : { ...tool, execution: { taskSupport: support === 'own' ? 'optional' : support } }
}
