import { type JsonObject, withMember } from '@crosspoint/mcp'
import type { AddressBook } from './address-book.ts'
import type { Destination } from './catalog.ts'

/** A skill whose URI and those of its files lead here. Digests, sizes and all else are as its server says. */
export function toPublicSkill(skill: JsonObject, destination: Destination, book: AddressBook): JsonObject {
  const { resources } = skill
  const here = withPublicUri(skill, destination, book)
  if (!Array.isArray(resources)) return here
  const files = resources.map((file: unknown) => (isObject(file) ? withPublicUri(file, destination, book) : file))
  return files.every((file, at) => file === resources[at]) ? here : withMember(here, 'resources', files)
}

/** The value with its `uri` as callers know it; the same value where that is the same. */
export function withPublicUri(value: JsonObject, destination: Destination, book: AddressBook): JsonObject {
  if (typeof value.uri !== 'string') return value
  const uri = book.toPublic(destination, value.uri)
  return uri === value.uri ? value : withMember(value, 'uri', uri)
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
