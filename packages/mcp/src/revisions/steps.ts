import type { JsonObject } from '../jsonrpc/frame.ts'
import { isObject, without } from '../jsonrpc/members.ts'
import type { Step } from './revision.ts'

/**
 * What conversion steps are made of, beside {@link without}. Each returns its input where there is nothing to change,
 * and never assigns a key of a peer: spreads and `Object.fromEntries` define members, so that `__proto__` stays one
 * like any other.
 */

/** The step that has nothing to do. */
export function same<T>(value: T): T {
  return value
}

/** A step that leaves these members out. */
export function omitting(...members: readonly string[]): Step {
  return (value) => {
    for (const member of members) if (value[member] !== undefined) return without(value, members)
    return value
  }
}

/** Converts a member that is an object; undefined leaves it out. */
export function changeMember(
  value: JsonObject,
  member: string,
  convert: (at: JsonObject) => JsonObject | undefined,
): JsonObject {
  const before = value[member]
  if (!isObject(before) || !Object.hasOwn(value, member)) return value
  const after = convert(before)
  if (after === before) return value
  return after === undefined ? without(value, [member]) : { ...value, [member]: after }
}

/** Converts each object of an array member; undefined leaves that one out, anything else is kept as it is. */
export function mapMember(
  value: JsonObject,
  member: string,
  convert: (item: JsonObject, index: number) => JsonObject | undefined,
): JsonObject {
  const items = value[member]
  if (!Array.isArray(items)) return value
  let converted: unknown[] | undefined // a copy, once one item differs
  for (let index = 0; index < items.length; index++) {
    const item: unknown = items[index]
    const next = isObject(item) ? convert(item, index) : item
    if (converted === undefined) {
      if (next === item) continue
      converted = items.slice(0, index)
    }
    if (next !== undefined) converted.push(next)
  }
  return converted === undefined ? value : { ...value, [member]: converted }
}

/** A step for the capabilities inside `initialize`, of either side. */
export function onCapabilities(convert: Step): Step {
  return (value) => changeMember(value, 'capabilities', convert)
}

/** Capabilities of either side without one extension; where it was the only one there is nothing left to say of them. */
export function withoutExtension(capabilities: JsonObject, id: string): JsonObject {
  return changeMember(capabilities, 'extensions', (extensions) => {
    const rest = without(extensions, [id])
    return rest !== extensions && Object.keys(rest).length === 0 ? undefined : rest
  })
}
