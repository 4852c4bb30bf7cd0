import { type ClientCapabilities, hasCapability, type JsonObject, McpError, TASKS, UI } from '@crosspoint/mcp'
import { CAPABILITY_PATHS } from '../upstreams/context.ts'
import type { Passage } from './passage.ts'

interface Missed {
  readonly call: Passage
  /** The server, by its name here. */
  readonly server: string
  /** `caller.missing_capability` */
  readonly error: McpError
}

/**
 * A server wants something of its client (-32021). What it names describes what we declared to it, and so is read: of
 * capabilities that can be carried to a caller those are named that this caller did not declare. What it declared, or
 * could declare in vain, is no business of the caller's.
 */
export function toMissing({ call, server, error }: Missed): McpError {
  const { requiredCapabilities: required } = (error.data ?? {}) as { readonly requiredCapabilities?: unknown }
  const declared = call.downstream.capabilities
  const missing = CAPABILITY_PATHS.filter((path) => hasCapability(toObject(required), path) && !has(declared, path))
  const extensions = EXTENSIONS.filter((id) => hasExtension(toObject(required), id) && !hasExtension(declared, id))
  if (missing.length + extensions.length === 0) {
    const message = `The server "${server}" does not take "${call.method}": it wants the client to have a capability that cannot be carried to it`
    return new McpError('upstream.protocol', message, { cause: error })
  }
  // A part says its whole.
  const names = missing.filter((path) => !missing.some((other) => other.startsWith(`${path}.`)))
  const message = `The server "${server}" does not take "${call.method}" from a client that did not declare ${toText([...names, ...extensions])}`
  return new McpError('caller.missing_capability', message, {
    data: { requiredCapabilities: toCapabilities(names, extensions) },
    cause: error,
  })
}

/** An elicitation that names no mode means forms. */
function has(declared: ClientCapabilities, path: string): boolean {
  if (hasCapability(declared, path)) return true
  return path === 'elicitation.form' && hasCapability(declared, 'elicitation') && !hasCapability(declared, URL_MODE)
}

function hasExtension({ extensions }: ClientCapabilities, id: string): boolean {
  const declared = toObject(extensions)
  return Object.hasOwn(declared, id) && declared[id] !== undefined
}

function toCapabilities(paths: readonly string[], extensions: readonly string[]): JsonObject {
  const capabilities: Record<string, JsonObject> = {}
  for (const path of paths) {
    const [name = '', part] = path.split('.')
    capabilities[name] = { ...capabilities[name], ...(part === undefined ? {} : { [part]: {} }) }
  }
  if (extensions.length > 0) capabilities.extensions = Object.fromEntries(extensions.map((id) => [id, {}]))
  return capabilities
}

function toText(paths: readonly string[]): string {
  const quoted = paths.map((path) => `"${path}"`).join(', ')
  return `${paths.length === 1 ? 'the capability' : 'the capabilities'} ${quoted}`
}

function toObject(value: unknown): ClientCapabilities {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as ClientCapabilities) : {}
}

const EXTENSIONS = [TASKS, UI]
const URL_MODE = 'elicitation.url'
