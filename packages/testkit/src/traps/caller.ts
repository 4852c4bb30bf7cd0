import type { Id, JsonObject } from '@crosspoint/mcp'
import { type Endpoint, openHttpDoor } from '@crosspoint/mcp/transports'
import { type HttpStream, type Message, openHttp, sendHttp } from '../http.ts'
import { openLines } from '../lines.ts'
import { toEnveloped, type WireOptions, withEnvelope } from '../wire-client.ts'

/** Requests of the newest revision on the wire of either transport, to a server of ours. */
export interface Caller {
  /** Sends a request and reads to its answer. */
  ask(method: string, params?: JsonObject, options?: WireOptions): Promise<Heard>
  /** Sends a request that has no answer yet: what is said of it is read message by message. */
  begin(method: string, params?: JsonObject, options?: WireOptions): Promise<Begun>
  close(): Promise<void>
}

export interface Heard {
  readonly answer: Message
  /** Messages that came before the answer. */
  readonly before: readonly Message[]
  /** Over HTTP only. */
  readonly status: number | undefined
}

export interface Begun {
  /** Messages so far, once there are this many. */
  untilHeard(count: number): Promise<readonly Message[]>
  /** Takes the request back in the way of the transport. */
  cancel(): void
}

export async function openHttpCaller(endpoint: Endpoint): Promise<Caller> {
  const door = await openHttpDoor({ endpoint: () => endpoint })
  const url = `${door.url}/mcp`
  const streams: HttpStream[] = []
  return {
    async ask(method, params, options) {
      const { status, messages } = await sendHttp(url, toEnveloped(method, params, options))
      return { status, answer: messages.at(-1), before: messages.slice(0, -1) }
    },
    async begin(method, params, options) {
      const stream = await openHttp(url, toEnveloped(method, params, options))
      streams.push(stream)
      const heard: Message[] = []
      return {
        async untilHeard(count) {
          while (heard.length < count) heard.push(await stream.next())
          return heard
        },
        cancel: () => stream.destroy(),
      }
    },
    async close() {
      for (const stream of streams) stream.destroy()
      await door.close({ drainMs: 0 })
    },
  }
}

export function openStdioCaller(endpoint: Endpoint): Promise<Caller> {
  const peer = openLines(endpoint)
  let last = 0
  const write = (method: string, params: JsonObject | undefined, options: WireOptions, id: Id) =>
    peer.send({ jsonrpc: '2.0', id, method, params: withEnvelope(params, options.meta) })
  return Promise.resolve({
    async ask(method, params, options = {}) {
      const id = options.id ?? `r${++last}`
      const from = peer.got.length
      write(method, params, options, id)
      const answer = await peer.until((message) => message.id === id && message.method === undefined)
      const before = peer.got.slice(from, peer.got.indexOf(answer))
      return { status: undefined, answer, before }
    },
    async begin(method, params, options = {}) {
      const id = options.id ?? `r${++last}`
      const from = peer.got.length
      write(method, params, options, id)
      return {
        async untilHeard(count) {
          await peer.until(() => peer.got.length >= from + count)
          return peer.got.slice(from)
        },
        cancel: () =>
          peer.send({ jsonrpc: '2.0', method: 'notifications/cancelled', params: withEnvelope({ requestId: id }) }),
      }
    },
    close: () => peer.close(),
  })
}
