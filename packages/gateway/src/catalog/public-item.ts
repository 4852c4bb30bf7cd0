import type { JsonObject } from '@crosspoint/mcp'
import type { AddressBook } from './address-book.ts'
import type { Entry } from './catalog.ts'
import { type Item, KINDS, type Kind } from './kinds.ts'
import { withoutVia } from './via.ts'

/** The item as callers see it: under its public name, otherwise untouched. */
export function toPublicItem(kind: Kind, entry: Entry, description: string | undefined, book: AddressBook): JsonObject {
  const { name, native } = entry
  const item = withoutVia(kind === 'tools' ? toPlainTool(withPublicPage(entry, book)) : entry.item)
  const renamed = name !== native
  if (!renamed && description === undefined) return item
  return {
    ...item,
    ...(renamed ? { [KINDS[kind].key]: name } : {}),
    ...(description === undefined ? {} : { description }),
  }
}

/** Which tools can become tasks is for those alone who decide it (`task-support.ts`). */
function toPlainTool(item: Item): Item {
  if (item.execution === undefined) return item
  const { execution: _, ...plain } = item
  return plain
}

/** A tool may name the resource that shows its results (MCP Apps, `_meta.ui.resourceUri`): it must lead there from here. */
function withPublicPage({ item, source }: Entry, book: AddressBook): Item {
  const meta = item._meta
  const ui = isObject(meta) ? meta.ui : undefined
  if (!isObject(meta) || !isObject(ui) || typeof ui.resourceUri !== 'string') return item
  const resourceUri = book.toPublic(source.destination, ui.resourceUri)
  return resourceUri === ui.resourceUri ? item : { ...item, _meta: { ...meta, ui: { ...ui, resourceUri } } }
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
