import type { JsonObject } from '@crosspoint/mcp'
import type { Entry } from './catalog.ts'

/**
 * How calls of a tool become tasks for callers who decide that themselves: as its server says, or, where that has no words
 * for it, by our own doing. Undefined where they do not.
 */
export function toTaskSupport({ item, source: { offer } }: Pick<Entry, 'item' | 'source'>): unknown {
  const { execution } = item as { readonly execution?: JsonObject } // of the right shape, or it is not listed
  if (execution !== undefined) return execution.taskSupport
  return offer?.saysTasks === true ? undefined : 'own'
}

/** The tool as such callers see it. */
export function withTaskSupport(tool: JsonObject, entry: Entry): JsonObject {
  const support = toTaskSupport(entry)
  return support === undefined
    ? tool
    : { ...tool, execution: { taskSupport: support === 'own' ? 'optional' : support } }
}
