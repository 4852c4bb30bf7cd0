import type { JsonObject } from '../../jsonrpc/frame.ts'
import { isObject } from '../../jsonrpc/members.ts'
import type { Result } from '../../protocol/call.ts'

/**
 * A URI keeps its form unless something here has it already: then it is `crosspoint:<mount>/<uri>`, which always leads
 * to that mount and is undone by cutting it off.
 */
export function toQualifiedUri(mount: string, native: string): string {
  return `${SCHEME}${mount}/${native}`
}

export function fromQualifiedUri(uri: string): { readonly mount: string; readonly native: string } | undefined {
  if (!uri.startsWith(SCHEME)) return undefined
  const slash = uri.indexOf('/', SCHEME.length)
  return slash === -1 ? undefined : { mount: uri.slice(SCHEME.length, slash), native: uri.slice(slash + 1) }
}

/** What looks qualified already (a mount in a mount) would lead elsewhere as it is. */
export function isQualified(uri: string): boolean {
  return uri.startsWith(SCHEME)
}

/**
 * The URIs of a result as they lead back to the mount it came from: of contents, links and embedded resources. Text and
 * structured content are never touched.
 */
export function toPublicUris(method: string, result: Result, toPublic: (native: string) => string): Result {
  switch (method) {
    case 'tools/call':
      return mapList(result, 'content', (block) => toPublicBlock(block, toPublic))
    case 'prompts/get':
      return mapList(result, 'messages', (message) =>
        isObject(message.content) ? { ...message, content: toPublicBlock(message.content, toPublic) } : message,
      )
    case 'resources/read':
      return mapList(result, 'contents', (contents) => withPublicUri(contents, toPublic))
    default:
      return result
  }
}

/** Whether a tool names the page that shows it. */
export function hasPage({ _meta: meta }: JsonObject): boolean {
  return isObject(meta) && (isObject(meta.ui) || meta[EARLIER_PAGE] !== undefined)
}

/** A tool may name the page that shows it (MCP Apps): it must lead there from here. */
export function toPublicTool(tool: JsonObject, toPublic: (native: string) => string): JsonObject {
  const meta = withPublicMember(tool._meta, EARLIER_PAGE, toPublic)
  const ui = isObject(meta) ? withPublicMember(meta.ui, 'resourceUri', toPublic) : undefined
  if (isObject(meta) && ui !== meta.ui) return { ...tool, _meta: { ...meta, ui } }
  return meta === tool._meta ? tool : { ...tool, _meta: meta }
}

function toPublicBlock(block: JsonObject, toPublic: (native: string) => string): JsonObject {
  if (block.type === 'resource_link') return withPublicUri(block, toPublic)
  if (block.type !== 'resource' || !isObject(block.resource)) return block
  return { ...block, resource: withPublicUri(block.resource, toPublic) }
}

function withPublicMember(value: unknown, member: string, toPublic: (native: string) => string): unknown {
  const native = isObject(value) ? value[member] : undefined
  if (!isObject(value) || typeof native !== 'string') return value
  const uri = toPublic(native)
  return uri === native ? value : { ...value, [member]: uri }
}

function withPublicUri(value: JsonObject, toPublic: (native: string) => string): JsonObject {
  if (typeof value.uri !== 'string') return value
  const uri = toPublic(value.uri)
  return uri === value.uri ? value : { ...value, uri }
}

function mapList(result: Result, member: string, convert: (item: JsonObject) => JsonObject): Result {
  const items = result[member]
  if (!Array.isArray(items)) return result
  return { ...result, [member]: items.map((item: unknown) => (isObject(item) ? convert(item) : item)) }
}

const SCHEME = 'crosspoint:'
/** Where pages were named before `_meta.ui`; servers name both for older hosts. */
const EARLIER_PAGE = 'ui/resourceUri'
