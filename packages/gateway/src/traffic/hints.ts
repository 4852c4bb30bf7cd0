import type { Item } from '../catalog/kinds.ts'
import type { Passage } from '../routes/passage.ts'

/** What a call asks for, as its server listed it; undefined for what is not listed. */
export function itemOf({ method, params, view }: Passage): Item | undefined {
  if (method === 'resources/read') return view.entries.resources.get(String(params.uri))?.item
  if (method === 'tools/call') return view.entries.tools.get(String(params.name))?.item
  return method === 'prompts/get' ? view.entries.prompts.get(String(params.name))?.item : undefined
}

/** What a server says of a tool, which it says of all calls of it alike. */
export function hasHint(item: Item | undefined, hint: 'readOnlyHint' | 'idempotentHint'): boolean {
  const { annotations } = item ?? {}
  return typeof annotations === 'object' && annotations !== null && Object.hasOwn(annotations, hint)
    ? (annotations as Readonly<Record<string, unknown>>)[hint] === true
    : false
}
