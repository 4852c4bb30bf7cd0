import type { Id } from '@crosspoint/mcp'
import { type HttpAnswer, type HttpStream, type Message, openHttp, sendHttp } from '../http.ts'
import { openSseSession } from '../sse-session.ts'
import { JSON_HEADERS } from '../wire-client.ts'

/** How a client that opens with a handshake sends its messages. What comes is handed to a {@link Take}. */
export interface Pipe {
  /** Writes text as it is; over HTTP that is a POST, whose answer this is. */
  write(text: string): Promise<HttpAnswer | undefined>
  /** After the handshake: from here on the server may say things of its own accord. */
  ready?(): Promise<void>
  close(): Promise<void>
}

/** @param via the request on whose own stream the message came; undefined for what is shared by all */
export type Take = (message: Message, via: Id | undefined) => void

export async function openSsePipe(url: string, take: Take): Promise<Pipe> {
  const session = await openSseSession(url)
  void readAll(session.stream, (message) => take(message, undefined))
  return {
    write: (text) => session.post(text),
    async close() {
      session.stream.destroy()
    },
  }
}

export function openStreamablePipe(url: string, revision: string, take: Take): Pipe {
  const streams: HttpStream[] = []
  let headers: Record<string, string> = JSON_HEADERS
  return {
    async write(text) {
      const via = toId(text)
      const stream = await openHttp(url, { headers, body: text })
      streams.push(stream)
      const id = stream.headers['mcp-session-id']
      // The version header came with the third revision; before it no client sends one.
      const version = revision < '2025-06-18' ? undefined : { 'mcp-protocol-version': revision }
      if (typeof id === 'string') headers = { ...JSON_HEADERS, ...version, 'mcp-session-id': id }
      if (stream.headers['content-type']?.startsWith('text/event-stream') === true) {
        await readAll(stream, (message) => take(message, via))
        return { status: stream.status, headers: stream.headers, text: '', messages: [] }
      }
      const body = await stream.rest()
      const message: Message = body === '' ? undefined : JSON.parse(body)
      // What says why a request was refused by its status may have no id, whatever the schema of messages says.
      if (message !== undefined && stream.status < 400) take(message, via)
      return { status: stream.status, headers: stream.headers, text: body, messages: [message] }
    },
    async ready() {
      const stream = await openHttp(url, { method: 'GET', headers: { ...headers, accept: 'text/event-stream' } })
      streams.push(stream)
      void readAll(stream, (message) => take(message, undefined))
    },
    async close() {
      await sendHttp(url, { method: 'DELETE', headers })
      for (const stream of streams) stream.destroy()
    },
  }
}

/** Reads to the end of a stream, in order or not: that is the end of what can be read. */
export async function readAll(stream: HttpStream, take: (message: Message) => void): Promise<void> {
  try {
    for (;;) take(await stream.next())
  } catch {
    // The end.
  }
}

/** Of the request that a body is; undefined for a batch, a notification, an answer, or what is no message at all. */
function toId(text: string): Id | undefined {
  try {
    const { id, method } = JSON.parse(text) as { readonly id?: Id; readonly method?: string } // read, not trusted
    return method === undefined ? undefined : id
  } catch {
    return undefined
  }
}
