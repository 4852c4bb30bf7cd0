import type { JsonObject } from '../jsonrpc/frame.ts'

/** Name and version a peer gives itself (schema `Implementation`). */
export interface Implementation extends JsonObject {
  readonly name: string
  readonly version: string
  readonly title?: string
  readonly description?: string
  readonly websiteUrl?: string
}

/** Open objects: what we do not know passes through untouched. */
export interface ClientCapabilities extends JsonObject {
  readonly experimental?: JsonObject
  readonly roots?: JsonObject
  readonly sampling?: JsonObject
  readonly elicitation?: JsonObject
  readonly extensions?: JsonObject
}

export interface ServerCapabilities extends JsonObject {
  readonly experimental?: JsonObject
  readonly completions?: JsonObject
  readonly logging?: JsonObject
  readonly prompts?: { readonly listChanged?: boolean }
  readonly resources?: { readonly subscribe?: boolean; readonly listChanged?: boolean }
  readonly tools?: { readonly listChanged?: boolean }
  readonly extensions?: JsonObject
}

/** Reads a dotted capability path, such as `resources.subscribe`: present and not `false`. */
export function hasCapability(capabilities: JsonObject, path: string): boolean {
  let at: unknown = capabilities
  for (const key of path.split('.')) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, key)) return false
    at = (at as JsonObject)[key]
  }
  return at !== undefined && at !== null && at !== false
}
