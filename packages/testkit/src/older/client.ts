import type { Id, JsonObject } from '@crosspoint/mcp'
import { type Endpoint, openHttpDoor } from '@crosspoint/mcp/transports'
import { Heard } from '../heard.ts'
import type { HttpAnswer, Message } from '../http.ts'
import { openLines } from '../lines.ts'
import { createJudge } from './judge.ts'
import { openSsePipe, openStreamablePipe, type Pipe } from './pipes.ts'

/** How a client of an older revision reaches a server of ours. */
export type OlderTransport = 'stdio' | 'HTTP+SSE' | 'Streamable HTTP'

/** A client of an older revision, written by hand. */
export interface OlderClient {
  /** Everything the server said, batches taken apart, in the order in which it came. */
  readonly got: readonly Message[]
  request(method: string, params?: JsonObject, id?: Id): Promise<Message>
  notify(method: string, params?: JsonObject): Promise<unknown>
  /** Writes text as it is; over HTTP that is a POST, whose answer this is. */
  write(text: string): Promise<HttpAnswer | undefined>
  /** The first message that fits, come or to come. */
  until(fits: (message: Message) => boolean): Promise<Message>
  initialize(version?: string): Promise<Message>
  /** What the official schema says is wrong with what the server said. */
  readonly faults: readonly string[]
  close(): Promise<void>
}

/** What the client answers when the server asks. */
const ANSWERS: Readonly<Record<string, JsonObject>> = {
  'roots/list': { roots: [{ uri: 'file:///home' }] },
  'sampling/createMessage': { role: 'assistant', model: 'm', content: { type: 'text', text: 'sampled' } },
}

export async function openOlderClient(
  revision: string,
  transport: OlderTransport,
  endpoint: Endpoint,
): Promise<OlderClient> {
  const judge = createJudge(revision)
  const heard = new Heard()
  const take = (message: Message) => {
    for (const one of Array.isArray(message) ? message : [message]) {
      judge.judge(one, 'server')
      heard.add(one)
      const result = one.id === undefined ? undefined : ANSWERS[one.method]
      if (result === undefined) continue
      // Never while the server is still writing: no pipe between processes does that.
      setImmediate(() => void pipe.write(JSON.stringify({ jsonrpc: '2.0', id: one.id, result })))
    }
    heard.wake()
  }
  const until = (fits: (message: Message) => boolean) => heard.until(fits)
  const pipe = await PIPES[transport](endpoint, revision, take)
  let last = 0
  const request = async (method: string, params: JsonObject = {}, id: Id = `r${++last}`) => {
    judge.asked({ id, method })
    void pipe.write(JSON.stringify({ jsonrpc: '2.0', id, method, params }))
    return until((message) => message.id === id && message.method === undefined)
  }
  const notify = (method: string, params: JsonObject = {}) =>
    pipe.write(JSON.stringify({ jsonrpc: '2.0', method, params }))
  return {
    got: heard.got,
    request,
    notify,
    write: pipe.write,
    until,
    faults: judge.faults,
    async initialize(version = revision) {
      const capabilities = { sampling: {}, roots: { listChanged: true } }
      const clientInfo = { name: 'older', version: '1' }
      const answer = await request('initialize', { protocolVersion: version, capabilities, clientInfo })
      await notify('notifications/initialized')
      await pipe.ready?.()
      return answer
    },
    close: pipe.close,
  }
}

type OpenPipe = (endpoint: Endpoint, revision: string, take: (message: Message) => void) => Promise<Pipe>

const openStdio: OpenPipe = async (endpoint, _revision, take) => {
  const peer = openLines(endpoint, take)
  return {
    write(text) {
      peer.send(text)
      return Promise.resolve(undefined)
    },
    close: peer.close,
  }
}

const openSse: OpenPipe = async (endpoint, _revision, take) => {
  const door = await openHttpDoor({ endpoint: () => undefined, sse: () => endpoint })
  const pipe = await openSsePipe(`${door.url}/sse`, take)
  return closedWith(pipe, () => door.close({ drainMs: 0 }))
}

const openStreamable: OpenPipe = async (endpoint, revision, take) => {
  const door = await openHttpDoor({ endpoint: () => endpoint })
  const pipe = openStreamablePipe(`${door.url}/mcp`, revision, take)
  return closedWith(pipe, () => door.close({ drainMs: 0 }))
}

function closedWith(pipe: Pipe, close: () => Promise<void>): Pipe {
  return {
    ...pipe,
    async close() {
      await pipe.close()
      await close()
    },
  }
}

const PIPES: Readonly<Record<OlderTransport, OpenPipe>> = {
  stdio: openStdio,
  'HTTP+SSE': openSse,
  'Streamable HTTP': openStreamable,
}
