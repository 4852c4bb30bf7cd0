import { isUtf8 } from 'node:buffer'
import type { IncomingHttpHeaders } from 'node:http'
import type { JsonObject } from '../../jsonrpc/frame.ts'
import { isObject } from '../../jsonrpc/members.ts'
import { readMirroredParams } from '../../protocol/mirrored-params.ts'

/**
 * Holds `Mcp-Param-*` against the arguments that the schema says are mirrored.
 * @returns the name of the first header that does not agree
 */
export function checkMirroredArguments(
  schema: JsonObject,
  params: JsonObject,
  headers: IncomingHttpHeaders,
): string | undefined {
  for (const { header, path } of toMirroredArguments(schema)) {
    const value = valueAt(params.arguments, path)
    const given = headers[header]
    const isBare = value === undefined || value === null
    if (isBare ? given !== undefined : typeof given !== 'string' || !agrees(given, value)) return header
  }
  return undefined
}

/** Undoes `=?base64?…?=`; undefined for a value that is neither that nor plain. */
export function decodeMirrored(value: string): string | undefined {
  if (!value.startsWith('=?base64?') || !value.endsWith('?=') || value.length < 11) return value
  const encoded = value.slice(9, -2)
  const bytes = Buffer.from(encoded, 'base64')
  if (bytes.toString('base64') !== encoded || !isUtf8(bytes)) return undefined
  return bytes.toString('utf8')
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

const NUMBER = /^-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?$/
