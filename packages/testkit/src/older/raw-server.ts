import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { JsonObject } from '@crosspoint/mcp'
import type { Target } from '@crosspoint/mcp/client'
import { createMemoryPipe } from '@crosspoint/mcp/transports'
import { Heard } from '../heard.ts'
import type { Message } from '../http.ts'
import type { OlderTransport } from './client.ts'
import { createJudge } from './judge.ts'

/** A server of one older revision and nothing else, written by hand. */
export interface OlderServer {
  readonly target: Target
  /** Every message of the client, batches taken apart, in order. */
  readonly got: readonly Message[]
  until(fits: (message: Message) => boolean): Promise<Message>
  /** Says something of its own accord. */
  tell(message: JsonObject): void
  /** What a server of this revision would not have understood, and what its official schema says is wrong. */
  readonly faults: readonly string[]
  close(): Promise<void>
}

/** Says something on behalf of a request, the answer included; text is sent as it is, `undefined` breaks the connection. */
type Say = (message: JsonObject | readonly JsonObject[] | undefined) => void
/** What a request gets besides what every server answers. */
export type OlderScript = (message: Message, say: Say) => void

interface Core {
  receive(message: Message, say: Say): void
  fault(text: string): void
}
type Serve = (core: Core, revision: string) => Promise<Pick<OlderServer, 'target' | 'tell' | 'close'>>

export async function startOlderServer(
  revision: string,
  transport: OlderTransport,
  script: OlderScript,
): Promise<OlderServer> {
  const judge = createJudge(revision)
  const faults: string[] = []
  const heard = new Heard()
  let isOpen = false
  const answer = (message: Message, say: Say) => {
    const { id, method, params } = message
    judge.judge(message, 'client')
    if (id === undefined || method === undefined) return
    const error = (code: number, text: string) => say({ jsonrpc: '2.0', id, error: { code, message: text } })
    if (method === 'initialize') {
      isOpen = true
      for (const name of ['tasks', ...(revision < '2025-06-18' ? ['elicitation'] : [])]) {
        if (Object.hasOwn(params.capabilities, name)) faults.push(`the capability "${name}" is newer`)
      }
      say({
        jsonrpc: '2.0',
        id,
        result: { ...OPENED, capabilities: toCapabilities(revision), protocolVersion: revision },
      })
    } else if (method === 'ping') say({ jsonrpc: '2.0', id, result: {} })
    else if (!isOpen) error(-32600, 'Not initialized')
    else if (KNOWN.has(method)) script(message, say)
    else {
      faults.push(`the method "${method}" is newer`)
      error(-32601, 'Unknown')
    }
  }
  const core: Core = {
    receive(message, say) {
      if (Array.isArray(message) && revision !== '2025-03-26') faults.push('a batch')
      for (const one of Array.isArray(message) ? message : [message]) {
        heard.add(one)
        answer(one, say)
      }
      heard.wake()
    },
    fault: (text) => void faults.push(text),
  }
  const served = await SERVE[transport](core, revision)
  return {
    ...served,
    got: heard.got,
    get faults() {
      return [...faults, ...judge.faults]
    },
    until: (fits) => heard.until(fits),
  }
}

const OPENED: JsonObject = {
  serverInfo: { name: 'older', version: '1' },
}

/** The first revision has completion and no word to announce it. */
function toCapabilities(revision: string): JsonObject {
  const first = { tools: { listChanged: true }, resources: { subscribe: true }, prompts: {}, logging: {} }
  return revision === '2024-11-05' ? first : { ...first, completions: {} }
}

const KNOWN = new Set([
  'tools/list',
  'tools/call',
  'resources/list',
  'resources/templates/list',
  'resources/read',
  'resources/subscribe',
  'resources/unsubscribe',
  'prompts/list',
  'prompts/get',
  'completion/complete',
  'logging/setLevel',
])

const servePipe: Serve = (core) => {
  const { client, server } = createMemoryPipe()
  const say: Say = (message) => void server.send(JSON.stringify(message))
  server.start({
    message: (text) => core.receive(JSON.parse(text), say),
    fault: core.fault,
    closed() {},
  })
  return Promise.resolve({ target: { kind: 'channel', channel: client }, tell: say, close: () => server.close() })
}

const serveSse: Serve = async (core) => {
  let stream: ServerResponse | undefined
  const say: Say = (message) => void stream?.write(`event: message\ndata: ${JSON.stringify(message)}\n\n`)
  const { url, close } = await listen(async (request, response) => {
    if (request.method === 'GET' && request.url === '/mcp') {
      stream = response.writeHead(200, { 'content-type': 'text/event-stream' })
      stream.write('event: endpoint\ndata: /messages?session=1\n\n')
    } else if (request.method === 'POST' && request.url === '/messages?session=1') {
      const body = await readBody(request)
      response.writeHead(202).end()
      core.receive(JSON.parse(body), say)
    } else response.writeHead(405).end()
  })
  return { target: { kind: 'http', url }, tell: say, close }
}

/** Every request is answered by a stream, whose events have ids; one that broke is replayed after the last that arrived. */
const serveStreamable: Serve = async (core, revision) => {
  const SESSION = 'session-of-the-older'
  const sent: { readonly stream: number; readonly text: string }[] = []
  const open = new Map<number, ServerResponse>()
  let streams = 0
  let news: ServerResponse | undefined
  const write = (stream: number, message: unknown) => {
    const text = `id: ${sent.length}\nevent: message\ndata: ${JSON.stringify(message)}\n\n`
    sent.push({ stream, text })
    open.get(stream)?.write(text)
    const last = Array.isArray(message) ? message.at(-1) : message
    if (last.method === undefined) open.get(stream)?.end()
  }
  const checkHeaders = (request: IncomingMessage, isFirst: boolean): boolean => {
    const { headers } = request
    for (const name of ['mcp-method', 'mcp-name']) if (headers[name] !== undefined) core.fault(`the header "${name}"`)
    const version = revision === '2025-06-18' && !isFirst ? revision : undefined
    if (headers['mcp-protocol-version'] !== version) core.fault(`the version header ${headers['mcp-protocol-version']}`)
    return isFirst || headers['mcp-session-id'] === SESSION
  }
  const { url, close } = await listen(async (request, response) => {
    const body = await readBody(request)
    const message: Message = body === '' ? undefined : JSON.parse(body)
    if (!checkHeaders(request, message?.method === 'initialize')) {
      response.writeHead(400).end()
      return
    }
    if (request.method === 'DELETE') {
      response.writeHead(200).end()
      return
    }
    if (request.method === 'GET') {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders()
      const after = request.headers['last-event-id']
      if (after === undefined) {
        news = response
        return
      }
      const stream = sent[Number(after)]?.stream ?? -1
      for (const event of sent.slice(Number(after) + 1)) if (event.stream === stream) response.write(event.text)
      response.end()
      return
    }
    if (message.id === undefined || message.method === undefined) {
      response.writeHead(202).end()
      core.receive(message, () => {})
      return
    }
    const stream = streams++
    open.set(stream, response)
    const session = message.method === 'initialize' ? { 'mcp-session-id': SESSION } : {}
    response.writeHead(200, { 'content-type': 'text/event-stream', ...session })
    core.receive(message, (said) => {
      if (said !== undefined) write(stream, said)
      else {
        open.delete(stream)
        response.destroy()
      }
    })
  })
  const tell: Say = (message) => void news?.write(`event: message\ndata: ${JSON.stringify(message)}\n\n`)
  return { target: { kind: 'http', url }, tell, close }
}

const SERVE: Readonly<Record<OlderTransport, Serve>> = {
  stdio: servePipe,
  'HTTP+SSE': serveSse,
  'Streamable HTTP': serveStreamable,
}

async function listen(take: (request: IncomingMessage, response: ServerResponse) => Promise<void>) {
  const server = createServer((request, response) => void take(request, response)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('No port')
  return {
    url: `http://127.0.0.1:${address.port}/mcp`,
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

async function readBody(request: IncomingMessage): Promise<string> {
  let body = ''
  for await (const chunk of request.setEncoding('utf8')) body += chunk
  return body
}
