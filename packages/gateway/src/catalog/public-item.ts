import type { JsonObject } from '@crosspoint/mcp'
import type { AddressBook } from './address-book.ts'
import type { Entry } from './catalog.ts'
import { type Item, KINDS, type Kind } from './kinds.ts'
import { toPublicSkill } from './public-skill.ts'
import { withoutVia } from './via.ts'

/** The item as callers see it: under its public name, otherwise untouched. */
export function toPublicItem(kind: Kind, entry: Entry, description: string | undefined, book: AddressBook): JsonObject {
  const { name, native } = entry
  const item = withoutVia(toHere(kind, entry, book))
  const renamed = name !== native
  if (!renamed && description === undefined) return item
  return {
    ...item,
    ...(renamed ? { [KINDS[kind].key]: name } : {}),
    ...(description === undefined ? {} : { description }),
  }
}

function toHere(kind: Kind, entry: Entry, book: AddressBook): Item {
  if (kind === 'tools') return toPlainTool(withPublicPage(entry, book))
  return kind === 'skills' ? toPublicSkill(entry.item, entry.source.destination, book) : entry.item
}

/** Which tools can become tasks is for those alone who decide it (`task-support.ts`). */
function toPlainTool(item: Item): Item {
  if (item.execution === undefined) return item
  const { execution: _, ...plain } = item
  return plain
}

/**
 * A tool may name the resource that shows its results (MCP Apps, `_meta.ui.resourceUri`, and `_meta["ui/resourceUri"]` as
 * they were first written): it must lead there from here.
 */
function withPublicPage({ item, source }: Entry, book: AddressBook): Item {
  const toPublic = (uri: string) => book.toPublic(source.destination, uri)
  const meta = withPublicUri(item._meta, EARLIER_PAGE, toPublic)
  const ui = isObject(meta) ? withPublicUri(meta.ui, 'resourceUri', toPublic) : undefined
  if (isObject(meta) && ui !== meta.ui) return { ...item, _meta: { ...meta, ui } }
  return meta === item._meta ? item : { ...item, _meta: meta }
}

/** The same value where it has no such member, or one that leads there as it is. */
function withPublicUri(value: unknown, member: string, toPublic: (uri: string) => string): unknown {
  const uri = isObject(value) ? value[member] : undefined
  if (!isObject(value) || typeof uri !== 'string') return value
  const led = toPublic(uri)
  return led === uri ? value : { ...value, [member]: led }
}

const EARLIER_PAGE = 'ui/resourceUri'

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
