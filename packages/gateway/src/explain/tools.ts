import type { JsonObject, Revision } from '@crosspoint/mcp'
import { toMergedNames } from '../catalog/names.ts'
import { toWellFormed } from '../catalog/well-formed.ts'
import type { Selection } from '../config/model.ts'
import { toSelector } from '../config/selection.ts'
import { shown } from '../shown.ts'

/** What becomes of one tool of a server. */
export interface ExplainedTool {
  /** As its server names it; a place in the list where it has no name. */
  readonly native: string
  /** As callers see it. Undefined: they do not. */
  readonly name?: string
  /** What is different from what the server says, or why it is missing: sentences without a final period. */
  readonly notes: readonly string[]
}

export interface ListedTools {
  /** As the server gave them, in the newest words. */
  readonly tools: readonly unknown[]
  /** Names of those that clients see which declare nothing. */
  readonly plain: ReadonlySet<string>
  readonly server: string
  readonly prefix: string
  /** Which are offered at all. */
  readonly selection: Selection
}

/** What a client of a revision sees of each tool, in the order of the server. */
export function explainTools(
  { tools, plain, server, prefix, selection }: ListedTools,
  client: Revision,
): readonly ExplainedTool[] {
  const isOffered = toSelector(selection)
  const seen = new Set<string>()
  return tools.map((tool, at): ExplainedTool => {
    const native = isObject(tool) && typeof tool.name === 'string' ? tool.name : ''
    if (!isObject(tool) || native === '') return { native: `#${at + 1}`, notes: ['missing: it has no name'] }
    const missing = (why: string): ExplainedTool => ({ native: shown(native), notes: [`missing: ${why}`] })
    if (seen.has(native)) return missing('a tool before it has the same name')
    seen.add(native)
    const fit = toWellFormed('tools', tool)
    if (fit === undefined) return missing('its "inputSchema" is not an object of "type": "object"')
    if (!isOffered(native)) return missing(`"tools" of the server "${server}" in the configuration leaves it out`)
    const [name = native] = toMergedNames([{ server, prefix, native }])
    const lost = fit.lost ? ['members of a wrong shape are left out'] : []
    const header = fit.badHeader === undefined ? [] : [`without an annotation that is not valid: ${fit.badHeader}`]
    const gated = plain.has(native) ? [] : ['works only for clients that declare what it asks of them']
    return { native: shown(native), name, notes: [...lost, ...header, ...toDifferences(fit.item, client), ...gated] }
  })
}

function toDifferences(item: JsonObject, client: Revision): readonly string[] {
  const down = client.methods.get('tools/list')?.downResult({ tools: [item] }).tools
  const [told] = Array.isArray(down) ? (down as readonly unknown[]) : []
  if (!isObject(told)) return [`not shown to clients of ${client.name}`]
  const gone = Object.keys(item).filter((key) => told[key] === undefined && item[key] !== undefined)
  const other = Object.keys(told).filter((key) => JSON.stringify(told[key]) !== JSON.stringify(item[key]))
  return [
    ...(gone.length === 0 ? [] : [`without ${toNames(gone)}, which ${client.name} does not have`]),
    ...(other.length === 0 ? [] : [`${toNames(other)} in the words of ${client.name}`]),
  ]
}

function toNames(keys: readonly string[]): string {
  return keys.map((key) => `"${shown(key)}"`).join(', ')
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
