import type { JsonObject } from '../jsonrpc/frame.ts'

/** What conversion steps are made of. Each returns its input where there is nothing to change. */

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** A copy without these members, or the value itself when it has none of them. */
export function without(value: JsonObject, members: readonly string[]): JsonObject {
  if (!members.some((member) => Object.hasOwn(value, member))) return value
  return Object.fromEntries(Object.entries(value).filter(([member]) => !members.includes(member)))
}

/** Converts each object of an array member; undefined leaves that one out, anything else is kept as it is. */
export function mapMember(
  value: JsonObject,
  member: string,
  convert: (item: JsonObject) => JsonObject | undefined,
): JsonObject {
  const items = value[member]
  if (!Array.isArray(items)) return value
  let changed = false
  const converted: unknown[] = []
  for (const item of items) {
    const next = isObject(item) ? convert(item) : item
    if (next !== item) changed = true
    if (next !== undefined) converted.push(next)
  }
  return changed ? { ...value, [member]: converted } : value
}
