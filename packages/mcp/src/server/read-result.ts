import { McpError } from '../errors.ts'
import type { JsonObject } from '../jsonrpc/frame.ts'
import { isObject } from '../jsonrpc/members.ts'
import { shown } from '../jsonrpc/shown.ts'
import type { Result } from '../protocol/call.ts'
import type { InputRequiredResult } from '../protocol/features/asking.ts'
import type { ResourceContents } from '../protocol/features/content.ts'
import { findResourceFault, nameOf } from './blocks.ts'
import type { ResourceVersion } from './resource-version.ts'

/** Contents as a handler gives them, and which state they are in: that goes into their `_meta`. */
export type ReadContents = ResourceContents & ResourceVersion

/** The contents of what was asked for. */
export type OwnContents = ResourceVersion & {
  readonly mimeType?: string
  readonly _meta?: JsonObject
} & ({ readonly text: string } | { readonly blob: string })

/**
 * Text, bytes, one or several contents, or a full result. Contents without a `uri` are those of what was read. Undefined
 * or an empty list: there is no such resource.
 */
export type ReadOutput =
  | string
  | Uint8Array
  | OwnContents
  | ReadContents
  | readonly (ReadContents | OwnContents)[]
  | { readonly contents: readonly (ReadContents | OwnContents)[]; readonly [member: string]: unknown }
  | InputRequiredResult
  | undefined

/**
 * @param mimeType of contents that are the handler's own and name no type
 * @throws {McpError} `caller.resource_not_found` where it says that there is none
 * @throws {TypeError} for what is no contents, with what would work
 */
export function toReadResult(uri: string, mimeType: string | undefined, output: unknown): Result {
  if (output === undefined) throw notFound(uri)
  const typed = mimeType === undefined ? {} : { mimeType }
  if (typeof output === 'string') return { contents: [{ uri, ...typed, text: output }] }
  if (output instanceof Uint8Array) return { contents: [{ uri, ...typed, blob: toBase64(output) }] }
  const own = (content: unknown, at: string) => toContents({ uri, ...typed }, content, at)
  if (Array.isArray(output)) return { contents: toList(uri, output, '', own) }
  if (!isObject(output)) throw new TypeError(`Cannot send ${SENDING}: it is ${nameOf(output)}; ${USAGE}`)
  if (output.resultType === 'input_required') return output
  if (Object.hasOwn(output, 'uri') || !Object.hasOwn(output, 'contents')) return { contents: [own(output, 'it')] }
  const { contents } = output
  if (Array.isArray(contents)) return { ...output, contents: toList(uri, contents, 'contents', own) }
  throw new TypeError(`Cannot send ${SENDING}: contents is ${nameOf(contents)}, and must be a list`)
}

export function notFound(uri: string): McpError {
  return new McpError('caller.resource_not_found', `No resource at "${shown(uri)}"`, { data: { uri } })
}

function toList(
  uri: string,
  list: readonly unknown[],
  at: string,
  own: (content: unknown, at: string) => object,
): readonly object[] {
  if (list.length === 0) throw notFound(uri) // an empty answer must not stand for "no such resource"
  return list.map((content, index) => own(content, `${at}[${index}]`))
}

/** Contents that say of nothing else that they are its contents are those of what was read. */
function toContents(own: { readonly uri: string }, content: unknown, at: string): object {
  if (!isObject(content)) throw new TypeError(`Cannot send ${SENDING}: ${at} is ${nameOf(content)}; ${USAGE}`)
  const { uri, ...rest } = content
  if (uri === undefined && rest.text === undefined && rest.blob === undefined) {
    throw new TypeError(`Cannot send ${SENDING}: ${at} has neither "text" nor "blob"; ${USAGE}`)
  }
  const whole = uri === undefined ? { ...own, ...rest } : content
  const fault = findResourceFault(whole, at)
  if (fault !== undefined) throw new TypeError(`Cannot send ${SENDING}: ${fault}`)
  return whole
}

function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')
}

const SENDING = 'what a resource returned'
const USAGE = 'return text, bytes, { text } or { blob }, or a list of these'
