import type { JsonObject } from './frame.ts'
import { Relayed } from './relayed.ts'

/** A JSON object: neither null nor a list. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** A copy without these members, or the value itself when it has none of them. */
export function without(value: JsonObject, members: readonly string[]): JsonObject {
  let has = false
  for (const member of members) if (Object.hasOwn(value, member)) has = true
  if (!has) return value
  if (value instanceof Relayed) return Relayed.without(value, members)
  const rest: Record<string, unknown> = {}
  for (const key of Object.keys(value)) {
    if (members.includes(key)) continue
    // A plain assignment to "__proto__" would reach the setter; a defined property is only data.
    if (key === '__proto__') Object.defineProperty(rest, key, { ...WRITABLE, value: value[key] })
    else rest[key] = value[key]
  }
  return rest
}

const WRITABLE = { enumerable: true, configurable: true, writable: true }
