import { isUtf8 } from 'node:buffer'
import type { IncomingHttpHeaders } from 'node:http'
import { McpError } from '../../errors.ts'
import type { JsonObject, RequestFrame } from '../../jsonrpc/frame.ts'
import { shown } from '../../jsonrpc/shown.ts'
import type { MethodDescriptor } from '../../protocol/method.ts'
import { readMirroredParams } from './mirror.ts'

/**
 * Headers that repeat parts of the body, for those who route without reading it. Whoever reads both must see to
 * it that they agree, or a rule judged by one would be passed by the other.
 * @throws {McpError} `caller.header_mismatch`
 */
export function checkMirrored(
  frame: RequestFrame,
  descriptor: MethodDescriptor | undefined,
  headers: IncomingHttpHeaders,
): void {
  if (headers['mcp-method'] !== frame.method) throw mismatch('Mcp-Method', headers['mcp-method'])
  const nameParam = descriptor?.nameParam
  if (nameParam === undefined) return
  const name = frame.params[nameParam]
  const header = textOf(headers['mcp-name'])
  // A body without a name is for the handler to refuse; a header that names one all the same is a mismatch.
  if (typeof name !== 'string' ? header === undefined : header !== undefined && decodeMirrored(header) === name) return
  throw mismatch('Mcp-Name', header)
}

/**
 * Holds `Mcp-Param-*` against the arguments that the schema says are mirrored.
 * @throws {McpError} `caller.header_mismatch`
 */
export function checkMirroredArguments(schema: JsonObject, params: JsonObject, headers: IncomingHttpHeaders): void {
  for (const { header, path } of toMirroredArguments(schema)) {
    const value = valueAt(params.arguments, path)
    const text = textOf(headers[header])
    if (value === undefined || value === null ? text === undefined : text !== undefined && agrees(text, value)) continue
    throw mismatch(header, text)
  }
}

interface MirroredArgument {
  /** Lower case, as Node gives header names. */
  readonly header: string
  readonly path: readonly string[]
}

const known = new WeakMap<JsonObject, readonly MirroredArgument[]>()

/**
 * A schema with an annotation that the protocol forbids mirrors nothing: clients must not offer such a tool, and
 * it is not for the server to guess what they send.
 */
function toMirroredArguments(schema: JsonObject): readonly MirroredArgument[] {
  let found = known.get(schema)
  if (found === undefined) {
    const params = readMirroredParams(schema)
    found = typeof params === 'string' ? [] : params.map(({ header, path }) => ({ header: header.toLowerCase(), path }))
    known.set(schema, found)
  }
  return found
}

/** Undoes `=?base64?…?=`; undefined for a value that is neither that nor plain. */
export function decodeMirrored(value: string): string | undefined {
  if (!value.startsWith('=?base64?') || !value.endsWith('?=') || value.length < 11) return value
  const encoded = value.slice(9, -2)
  const bytes = Buffer.from(encoded, 'base64')
  if (bytes.toString('base64') !== encoded || !isUtf8(bytes)) return undefined
  return bytes.toString('utf8')
}

function valueAt(root: unknown, path: readonly string[]): unknown {
  let at: unknown = root
  for (const name of path) {
    if (!isObject(at) || !Object.hasOwn(at, name)) return undefined
    at = at[name]
  }
  return at
}

/** Numbers agree by value, `42.0` with `42`; everything else by its text. */
function agrees(header: string, value: unknown): boolean {
  const text = decodeMirrored(header)
  if (text === undefined) return false
  if (typeof value === 'number') return NUMBER.test(text) && Number(text) === value
  return (typeof value === 'string' || typeof value === 'boolean') && text === String(value)
}

function textOf(header: string | readonly string[] | undefined): string | undefined {
  return typeof header === 'object' ? header.join(', ') : header
}

function mismatch(header: string, value: string | readonly string[] | undefined): McpError {
  const found = value === undefined ? 'is missing' : `says "${shown(String(value))}"`
  return new McpError('caller.header_mismatch', `Header "${header}" ${found}, which is not what the body says`)
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

const NUMBER = /^-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?$/
