import { findRevision, type JsonObject, McpError, type Result } from '@crosspoint/mcp'
import { shown } from '../shown.ts'
import { toMissing } from './missing.ts'
import type { Passage, Route } from './passage.ts'
import { noResource } from './resolve.ts'

/** A server's refusal of a call, with what is needed to tell it to the caller. */
interface Refused {
  readonly call: Passage
  /** The server, by its name here. */
  readonly server: string
  readonly error: McpError
  /** Its JSON-RPC error in the newest vocabulary, where it is one. */
  readonly code: number | undefined
  readonly data: JsonObject
  /** What the newest vocabulary has no word for, as the server said it. */
  readonly carried: JsonObject | undefined
}

interface Row {
  readonly said: string
  readonly fits: (refused: Refused) => boolean
  /** For callers of every revision: the edge has the last word on what their revision calls it. */
  readonly told: (refused: Refused) => McpError | Result
}

/**
 * What becomes of what a server refuses with (PROTOCOL §15.5); the first row that fits counts. What is ours to say
 * (unreachable, silent, not signed in) comes here as an error of its own and passes by. Whatever passes is of bounded
 * size, and `data` passes only in rows that say so.
 */
const ROWS: readonly Row[] = [
  {
    said: 'there is no such resource: -32002, or -32602 with `data.uri`',
    fits: ({ call, code, data, carried }) =>
      call.method === 'resources/read' &&
      (carried?.code === RESOURCE_NOT_FOUND || (code === INVALID_PARAMS && typeof data.uri === 'string')),
    // By the URI that the caller asked for: the server has its own for it, or says none.
    // Where some of them are hidden the words are ours, so that they are those of what is hidden.
    told: ({ call, error }) =>
      call.permitted === undefined
        ? new McpError('caller.resource_not_found', bounded(error.message), { data: { uri: call.params.uri } })
        : noResource(String(call.params.uri)),
  },
  {
    said: 'a page must be opened first: -32042',
    fits: ({ carried }) => carried?.code === PAGE_REQUIRED,
    told: toPageRequired,
  },
  {
    said: 'the client lacks a capability: -32021',
    fits: ({ error }) => error.code === 'caller.missing_capability',
    told: toMissing,
  },
  {
    said: 'a code of its own, or one that means nothing: -32000 … -32099',
    fits: ({ carried }) => carried !== undefined,
    // To older callers the edge gives the code back, where it is one of theirs.
    told: ({ call, error, code = INTERNAL, carried = {} }) => {
      const message = bounded(error.message)
      const upstream = { code: carried.code, message, ...(isOlder(call) ? boundedData(carried.data) : {}) }
      return relayed(error, { code, message, data: { upstream } })
    },
  },
  {
    said: 'any other code',
    fits: ({ error }) => error.rpc !== undefined,
    told: ({ error, code = INTERNAL }) =>
      relayed(error, { code, message: bounded(error.message), ...boundedData(error.rpc?.data) }),
  },
]

/**
 * What a caller is told of a call that its server refused: a result that a model can read, or an error.
 * @throws what is an error for the caller too
 */
export function tell(error: unknown, call: Passage, { destination }: Route): Result {
  if (!(error instanceof McpError) || call.cancellation.isCancelled) throw error
  const data = isObject(error.rpc?.data) ? error.rpc.data : {}
  const refused: Refused = {
    call,
    server: destination.name,
    error,
    code: error.rpc?.code,
    data,
    carried: isObject(data.upstream) ? data.upstream : undefined,
  }
  const told = ROWS.find(({ fits }) => fits(refused))?.told(refused) ?? error
  if (told instanceof McpError) throw told
  return told
}

/**
 * Only a person may be sent to a page. Where the caller's revision has a word for that it gets the pages; where it has
 * not, a model gets a sentence without their addresses, which it might otherwise open or read out.
 */
function toPageRequired({ call, server, error, code = INTERNAL, carried }: Refused): McpError | Result {
  const { method, downstream } = call
  const elicitations = toPages(carried?.data)
  const methods = findRevision(downstream.revision)?.methods
  if (elicitations.length > 0 && methods?.has('notifications/elicitation/complete') === true) {
    const message = bounded(error.message)
    const upstream = { code: PAGE_REQUIRED, message, data: { elicitations } }
    return relayed(error, { code, message, data: { upstream } })
  }
  const sentence = `The server "${server}" wants its user to open a web page first, and this client cannot be sent to one: open it with a client that supports URL elicitation, then try again`
  return method === 'tools/call' ? toToolError(sentence) : new McpError('upstream.error', sentence)
}

function toPages(data: unknown): readonly JsonObject[] {
  const pages = isObject(data) && Array.isArray(data.elicitations) ? data.elicitations.slice(0, MAX_PAGES) : []
  return pages.filter(isObject).flatMap(({ elicitationId, url, message }) => {
    const isPage = [elicitationId, url, message].every((text) => typeof text === 'string' && text.length <= MAX_MESSAGE)
    return isPage ? [{ mode: 'url', elicitationId, url, message }] : []
  })
}

function relayed(
  { code, message, cause }: McpError,
  rpc: { readonly code: number; readonly message: string; readonly data?: unknown },
): McpError {
  return new McpError(code, message, { rpc, cause })
}

function isOlder({ downstream }: Passage): boolean {
  return findRevision(downstream.revision)?.traits.errorCodes === 'legacy'
}

function toToolError(text: string): Result {
  return { content: [{ type: 'text', text }], isError: true }
}

/** Relayed as a message of its own, not as part of ours: as it is, but for its length. */
function bounded(message: string): string {
  return message.length <= MAX_MESSAGE ? message : shown(message, MAX_MESSAGE)
}

/** A member `data`; none where it would be too much. */
function boundedData(data: unknown): { readonly data?: unknown } {
  if (data === undefined) return {}
  return JSON.stringify(data).length <= MAX_DATA ? { data } : {}
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

const INVALID_PARAMS = -32602
const INTERNAL = -32603
const RESOURCE_NOT_FOUND = -32002
const PAGE_REQUIRED = -32042
const MAX_PAGES = 16
const MAX_MESSAGE = 2_000
/** Characters of the `data` of an error, as JSON. */
const MAX_DATA = 16_384
