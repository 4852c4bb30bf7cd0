import type { JsonObject } from '@crosspoint/mcp'
import type { Item } from './kinds.ts'

/**
 * Through which gateways a listed item came, nearest first, in its `_meta`: told to other gateways only (to callers that
 * come with a trail, see `Hop`). A gateway leaves out what came through itself, so that gateways in a circle list
 * each thing by each way once, and a list does not grow by being read. Anybody may write one; it hides nothing but the
 * items it is written on.
 */
const VIA = 'crosspoint/via'

/** Whether the item went round in a circle, or came further than anything should. */
export function isRound(item: Item, mark: string): boolean {
  const via = viaOf(item)
  return via.length >= MAX_VIA || via.includes(mark)
}

/** For everybody. */
export function withoutVia(item: JsonObject): JsonObject {
  const { _meta: meta, ...rest } = item
  if (!isObject(meta) || !Object.hasOwn(meta, VIA)) return item
  const { [VIA]: _, ...others } = meta
  return Object.keys(others).length === 0 ? rest : { ...rest, _meta: others }
}

/**
 * For another gateway.
 * @param shown the item as everybody sees it
 * @param item as its server listed it
 * @param mark of this gateway
 */
export function withVia(shown: JsonObject, item: Item, mark: string): JsonObject {
  const meta = isObject(shown._meta) ? shown._meta : {}
  return { ...shown, _meta: { ...meta, [VIA]: [mark, ...viaOf(item)] } }
}

function viaOf({ _meta: meta }: JsonObject): readonly string[] {
  const via = isObject(meta) ? meta[VIA] : undefined
  return Array.isArray(via) ? via.filter((mark) => typeof mark === 'string') : []
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

const MAX_VIA = 8
