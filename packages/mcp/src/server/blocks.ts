import { isObject } from '../jsonrpc/members.ts'
import { shown } from '../jsonrpc/shown.ts'
import type { ContentBlock } from '../protocol/features/content.ts'

/**
 * Whether an author means this to be a content block: its `type` is that of one, all its members are members of that
 * kind, and it has another besides `type`. An object of their own that has a `type` of its own is none.
 */
export function isMeantAsBlock(value: object): boolean {
  const kind = kindOf(value)
  if (kind === undefined) return false
  const members = Object.keys(value)
  return members.length > 1 && members.every((name) => kind.members.has(name))
}

/** Whether an author means this to be a list of content blocks: each has the `type` of one. An empty list is none. */
export function isMeantAsBlocks(values: readonly unknown[]): boolean {
  return values.length > 0 && values.every((value) => isObject(value) && kindOf(value) !== undefined)
}

/**
 * What the members that every client reads of a block lack, as a sentence's part; the rest goes out as it is.
 * @param at where it is, such as `content[0]`
 */
function findBlockFault(value: unknown, at: string): string | undefined {
  if (!isObject(value))
    return `${at} is ${nameOf(value)}, and must be a content block such as { type: 'text', text: '…' }`
  const kind = kindOf(value)
  if (kind === undefined)
    return `${at}.type is ${nameOf(value.type)}, and must be one of ${[...KINDS.keys()].join(', ')}`
  for (const [name, wanted] of kind.needed) {
    const member = value[name]
    if (wanted === RESOURCE ? isObject(member) : typeof member === 'string') continue
    return `${at}.${name} is ${nameOf(member)}, and must be ${wanted} in a block of the type "${value.type}"`
  }
  return value.type === 'resource' ? findResourceFault(value.resource, `${at}.resource`) : undefined
}

/** @throws {TypeError} which names the member */
export function checkBlock(sending: string, value: unknown, at: string, remedy = ''): ContentBlock {
  const fault = findBlockFault(value, at)
  if (fault === undefined) return value as ContentBlock // as was found
  throw new TypeError(`Cannot send ${sending}: ${fault}${remedy}`)
}

/** The list itself. @throws {TypeError} which names the first block that is none, and its member */
export function checkBlocks(
  sending: string,
  values: readonly unknown[],
  at: string,
  remedy?: string,
): readonly ContentBlock[] {
  for (let index = 0; index < values.length; index++) checkBlock(sending, values[index], `${at}[${index}]`, remedy)
  return values as readonly ContentBlock[] // each was found to be one
}

/** What stands where something else should, in words. */
export function nameOf(value: unknown): string {
  if (value === undefined) return 'missing'
  if (value === null) return 'null'
  if (typeof value === 'string') return `"${shown(value)}"`
  if (Array.isArray(value)) return 'a list'
  if (typeof value !== 'object') return `a ${typeof value}`
  return `of the type ${shown(Object.prototype.toString.call(value).slice('[object '.length, -1))}`
}

/** What is wrong with contents of a resource; undefined where nothing is. */
export function findResourceFault(resource: unknown, at: string): string | undefined {
  const { uri, text, blob } = resource as { uri?: unknown; text?: unknown; blob?: unknown } // was found to be an object
  if (typeof uri !== 'string') return `${at}.uri is ${nameOf(uri)}, and must be ${TEXT}`
  if (typeof text === 'string' || (text === undefined && typeof blob === 'string')) return undefined
  return text === undefined
    ? `${at}.blob is ${nameOf(blob)}, and must be ${BASE64}, where there is no text`
    : `${at}.text is ${nameOf(text)}, and must be ${TEXT}`
}

function kindOf(value: object): Kind | undefined {
  return KINDS.get((value as { type?: unknown }).type)
}

interface Kind {
  /** What it must have, and what that must be. */
  readonly needed: readonly (readonly [name: string, wanted: string])[]
  readonly members: ReadonlySet<string>
}

function kind(needed: Readonly<Record<string, string>>, others: readonly string[] = []): Kind {
  const members = new Set(['type', ...Object.keys(needed), ...others, 'annotations', '_meta'])
  return { needed: Object.entries(needed), members }
}

const TEXT = 'text'
const BASE64 = 'text (base64)'
const RESOURCE = 'an object with a "uri" and "text" or "blob"'
const LINK_MEMBERS = ['title', 'description', 'mimeType', 'size', 'icons']
const KINDS: ReadonlyMap<unknown, Kind> = new Map([
  ['text', kind({ text: TEXT })],
  ['image', kind({ data: BASE64, mimeType: TEXT })],
  ['audio', kind({ data: BASE64, mimeType: TEXT })],
  ['resource', kind({ resource: RESOURCE })],
  ['resource_link', kind({ uri: TEXT, name: TEXT }, LINK_MEMBERS)],
])
