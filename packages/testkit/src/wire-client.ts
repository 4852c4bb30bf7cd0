import type { OutgoingHttpHeaders } from 'node:http'
import { type Id, type JsonObject, METHODS, NEWEST, NEWEST_HANDSHAKE } from '@crosspoint/mcp'
import { type HttpAnswer, type HttpRequest, type HttpStream, openHttp, sendHttp } from './http.ts'

/** Requests as a client writes them, without an engine: what an edge is tested with must not be the engine itself. */

export interface WireOptions {
  /** Default 1. */
  readonly id?: Id
  /** More `_meta`; a key set to undefined is left out. */
  readonly meta?: JsonObject
  /** More headers; one set to undefined is left out. */
  readonly headers?: Readonly<Record<string, string | readonly string[] | undefined>>
}

export const JSON_HEADERS = Object.freeze({
  'content-type': 'application/json',
  accept: 'application/json, text/event-stream',
})

/** `params` with the envelope that the newest revision asks for. */
export function withEnvelope(params: JsonObject = {}, meta: JsonObject = {}): JsonObject {
  return {
    ...params,
    _meta: {
      'io.modelcontextprotocol/protocolVersion': NEWEST.name,
      'io.modelcontextprotocol/clientInfo': { name: 'wire-client', version: '1' },
      'io.modelcontextprotocol/clientCapabilities': {},
      ...meta,
    },
  }
}

/** A request of the newest revision with all its headers. */
export function toEnveloped(method: string, params: JsonObject = {}, options: WireOptions = {}): HttpRequest {
  const nameParam = METHODS.get(method)?.nameParam
  const name = nameParam === undefined ? undefined : params[nameParam]
  const headers = {
    ...JSON_HEADERS,
    'mcp-protocol-version': NEWEST.name,
    'mcp-method': method,
    ...(typeof name === 'string' ? { 'mcp-name': name } : {}),
    ...options.headers,
  }
  const message = { jsonrpc: '2.0', id: options.id ?? 1, method, params: withEnvelope(params, options.meta) }
  return { headers: withoutUndefined(headers), body: JSON.stringify(message) }
}

export function sendEnveloped(
  url: string,
  method: string,
  params: JsonObject = {},
  options: WireOptions = {},
): Promise<HttpAnswer> {
  return sendHttp(url, toEnveloped(method, params, options))
}

/** A session over HTTP, opened by a handshake. */
export interface WireSession {
  readonly initialized: HttpAnswer
  /** Goes with every later request. */
  readonly headers: Readonly<Record<string, string>>
  request(method: string, params?: JsonObject, options?: WireOptions): Promise<HttpAnswer>
  /** As `request`, to be read event by event. */
  open(method: string, params?: JsonObject, options?: WireOptions): Promise<HttpStream>
  notify(method: string, params?: JsonObject): Promise<HttpAnswer>
  /** The stream for what belongs to no request, or the rest of any stream after an event of it. */
  listen(lastEventId?: string): Promise<HttpStream>
  /** Sends a body as it is. */
  post(body: string, headers?: Readonly<Record<string, string>>): Promise<HttpAnswer>
  end(): Promise<HttpAnswer>
}

/**
 * @param revision default: the newest with a handshake
 * @param confirm whether to send `notifications/initialized`. Default true.
 */
export async function openWireSession(
  url: string,
  options: {
    readonly revision?: string
    readonly confirm?: boolean
    readonly capabilities?: JsonObject
    readonly headers?: Readonly<Record<string, string>>
  } = {},
): Promise<WireSession> {
  const { revision = NEWEST_HANDSHAKE.name, confirm = true, capabilities = {}, headers: more = {} } = options
  const base = { ...JSON_HEADERS, ...more }
  const initialized = await sendHttp(url, {
    headers: base,
    body: JSON.stringify({
      jsonrpc: '2.0',
      id: 0,
      method: 'initialize',
      params: { protocolVersion: revision, capabilities, clientInfo: { name: 'wire-client', version: '1' } },
    }),
  })
  const headers = { ...base, 'mcp-session-id': String(initialized.headers['mcp-session-id']) }
  const toRequest = (method: string, params: JsonObject = {}, { id = 1, headers: extra = {} }: WireOptions = {}) => ({
    headers: withoutUndefined({ ...headers, ...extra }),
    body: JSON.stringify({ jsonrpc: '2.0', id, method, params }),
  })
  const session: WireSession = {
    initialized,
    headers,
    request: (method, params, given) => sendHttp(url, toRequest(method, params, given)),
    open: (method, params, given) => openHttp(url, toRequest(method, params, given)),
    notify: (method, params = {}) =>
      sendHttp(url, { headers, body: JSON.stringify({ jsonrpc: '2.0', method, params }) }),
    listen(lastEventId) {
      const from = lastEventId === undefined ? {} : { 'last-event-id': lastEventId }
      return openHttp(url, { method: 'GET', headers: { ...headers, accept: 'text/event-stream', ...from } })
    },
    post: (body, extra = {}) => sendHttp(url, { headers: { ...headers, ...extra }, body }),
    end: () => sendHttp(url, { method: 'DELETE', headers }),
  }
  if (confirm) await session.notify('notifications/initialized')
  return session
}

function withoutUndefined(
  headers: Readonly<Record<string, string | readonly string[] | undefined>>,
): OutgoingHttpHeaders {
  const kept: OutgoingHttpHeaders = {}
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) kept[name] = typeof value === 'string' ? value : [...value]
  }
  return kept
}
