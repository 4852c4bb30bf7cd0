import { type JsonObject, mayHoldResources, type Result, withMember } from '@crosspoint/mcp'
import type { AddressBook } from '../catalog/address-book.ts'
import type { Destination } from '../catalog/catalog.ts'
import { toPublicSkill, withPublicUri } from '../catalog/public-skill.ts'

/**
 * Turns the URIs of a result into ones that lead back to the server it came from: in links, in embedded resources
 * and in what was read. Text and structured content are never touched. A result without such URIs, or whose URIs
 * mean the same here, is returned as it is; links to what its caller may not see are left out; so is one that was relayed and names no resource, without being read.
 */
export function toPublicUris(method: string, result: Result, destination: Destination, book: AddressBook): Result {
  switch (method) {
    case 'tools/call':
      if (!mayHoldResources(result, 'content')) return result
      return mapList(result, 'content', (block) => toPublicBlock(block, destination, book))
    case 'resources/read':
      return mapList(result, 'contents', (contents) => withPublicUri(contents, destination, book))
    case 'prompts/get':
      if (!mayHoldResources(result, 'messages')) return result
      return mapList(result, 'messages', (message) => toPublicMessage(message, destination, book))
    case 'skills/get':
      return mapMember(result, 'skill', (skill) => toPublicSkill(skill, destination, book))
    case 'resources/directory/read':
      return mapList(result, 'resources', (resource) => unlessHidden(withPublicUri(resource, destination, book), book))
    case 'tasks/get':
      return mapMember(result, 'result', (outcome) => toPublicUris('tools/call', outcome, destination, book))
    default:
      return result
  }
}

/** Undefined for a link to what its caller may not see. */
function toPublicBlock(block: JsonObject, destination: Destination, book: AddressBook): JsonObject | undefined {
  if (block.type === 'resource_link') return unlessHidden(withPublicUri(block, destination, book), book)
  if (block.type !== 'resource') return block
  return mapMember(block, 'resource', (resource) => withPublicUri(resource, destination, book))
}

function toPublicMessage(message: JsonObject, destination: Destination, book: AddressBook): JsonObject | undefined {
  const { content } = message
  if (!isObject(content)) return message
  const block = toPublicBlock(content, destination, book)
  if (block === undefined) return undefined
  return block === content ? message : withMember(message, 'content', block)
}

function unlessHidden(named: JsonObject, { hides }: AddressBook): JsonObject | undefined {
  return hides !== undefined && typeof named.uri === 'string' && hides(named.uri) ? undefined : named
}

function mapMember(value: JsonObject, member: string, convert: (inner: JsonObject) => JsonObject): JsonObject {
  const inner = value[member]
  if (!isObject(inner)) return value
  const converted = convert(inner)
  return converted === inner ? value : withMember(value, member, converted)
}

/** Copies the list at the first item that changes, or is left out: which undefined says. */
function mapList(result: Result, member: string, convert: (item: JsonObject) => JsonObject | undefined): Result {
  const items = result[member]
  if (!Array.isArray(items)) return result
  let copy: unknown[] | undefined
  for (let at = 0; at < items.length; at++) {
    const item: unknown = items[at]
    const converted = isObject(item) ? convert(item) : item
    if (converted !== item) copy ??= items.slice(0, at) as unknown[]
    if (converted !== undefined) copy?.push(converted)
  }
  return copy === undefined ? result : withMember(result, member, copy)
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
