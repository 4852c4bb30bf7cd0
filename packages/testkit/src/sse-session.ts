import { type Id, type JsonObject, REVISIONS } from '@crosspoint/mcp'
import { type HttpAnswer, type HttpStream, type Message, openHttp, sendHttp } from './http.ts'
import { JSON_HEADERS } from './wire-client.ts'

/** A session over HTTP+SSE as a client writes it, without an engine. */
export interface SseSession {
  readonly stream: HttpStream
  /** What the first event said, as it said it. */
  readonly endpoint: string
  /** Sends a body as it is to where the server said. */
  post(body: string, headers?: Readonly<Record<string, string>>): Promise<HttpAnswer>
  /** Sends a message and reads on to its answer; what came before it is in `heard`. */
  request(method: string, params?: JsonObject, id?: Id): Promise<Message>
  notify(method: string, params?: JsonObject): Promise<HttpAnswer>
  initialize(revision?: string, capabilities?: JsonObject): Promise<Message>
  /** Messages read while waiting for an answer that were none. */
  readonly heard: readonly Message[]
}

/** @param headers go with every request */
export async function openSseSession(url: string, headers: Readonly<Record<string, string>> = {}): Promise<SseSession> {
  const stream = await openHttp(url, { method: 'GET', headers: { accept: 'text/event-stream', ...headers } })
  if (stream.status !== 200) throw new Error(`HTTP ${stream.status}`)
  const { endpoint } = await stream.next()
  const target = new URL(endpoint, url).href
  const heard: Message[] = []
  let last = 0
  const session: SseSession = {
    stream,
    endpoint,
    heard,
    post: (body, more = {}) => sendHttp(target, { headers: { ...JSON_HEADERS, ...headers, ...more }, body }),
    async request(method, params = {}, id = `r${++last}`) {
      const { status, text } = await session.post(JSON.stringify({ jsonrpc: '2.0', id, method, params }))
      if (status !== 202) throw new Error(`HTTP ${status}: ${text}`)
      for (;;) {
        const message = await stream.next()
        if (message.id === id && message.method === undefined) return message
        heard.push(message)
      }
    },
    notify: (method, params = {}) => session.post(JSON.stringify({ jsonrpc: '2.0', method, params })),
    async initialize(revision = REVISIONS.at(-1)?.name ?? '', capabilities = {}) {
      const clientInfo = { name: 'wire-client', version: '1' }
      const opened = await session.request('initialize', { protocolVersion: revision, capabilities, clientInfo })
      await session.notify('notifications/initialized')
      return opened
    },
  }
  return session
}
