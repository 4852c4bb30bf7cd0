import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { JsonObject } from '@crosspoint/mcp'
import type { Target } from '@crosspoint/mcp/client'
import { createMemoryPipe } from '@crosspoint/mcp/transports'
import type { Message } from '../http.ts'

/** A server of the newest revision written by hand, which says what a test wants it to, right or wrong. */
export interface RawServer {
  readonly target: Target
  /** Every message of the client, in order. */
  readonly got: readonly Message[]
  /** Over HTTP, what came with each request, in order. */
  readonly requests: readonly { readonly method: string; readonly headers: IncomingHttpHeaders }[]
  close(): Promise<void>
}

/** Answers a request: says things, and then the last word. */
export type Script = (
  message: Message,
  say: (message: JsonObject) => void,
  result: (result: JsonObject) => void,
) => void

export type StartRaw = (script: Script) => Promise<RawServer>

export const startRawHttp: StartRaw = async (script) => {
  const got: Message[] = []
  const requests: { method: string; headers: IncomingHttpHeaders }[] = []
  const server = createServer(async (request, response) => {
    requests.push({ method: String(request.method), headers: request.headers })
    let body = ''
    for await (const chunk of request.setEncoding('utf8')) body += chunk
    if (body === '') {
      response.writeHead(405).end()
      return
    }
    const message: Message = JSON.parse(body)
    got.push(message)
    if (message.id === undefined || message.method === undefined) {
      response.writeHead(202).end()
      return
    }
    response.writeHead(200, { 'content-type': 'text/event-stream', 'mcp-session-id': 'nobody-asked' })
    const say = (said: JsonObject) => void response.write(`data: ${JSON.stringify({ jsonrpc: '2.0', ...said })}\n\n`)
    const result = (value: JsonObject) => {
      say({ id: message.id, result: value })
      response.end()
    }
    answer(script, message, say, result)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('No port')
  return {
    target: { kind: 'http', url: `http://127.0.0.1:${address.port}/mcp` },
    got,
    requests,
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

export const startRawStdio: StartRaw = (script) => {
  const { client, server } = createMemoryPipe()
  const got: Message[] = []
  const say = (said: JsonObject) => void server.send(JSON.stringify({ jsonrpc: '2.0', ...said }))
  server.start({
    message(text) {
      const message: Message = JSON.parse(text)
      got.push(message)
      if (message.id === undefined || message.method === undefined) return
      answer(script, message, say, (result) => say({ id: message.id, result }))
    },
    fault(reason) {
      throw new Error(reason)
    },
    closed() {},
  })
  return Promise.resolve({
    target: { kind: 'channel', channel: client },
    got,
    requests: [],
    close: () => server.close(),
  })
}

/** The probe is answered the same by all; the rest is the script's. */
function answer(
  script: Script,
  message: Message,
  say: (said: JsonObject) => void,
  result: (value: JsonObject) => void,
) {
  if (message.method !== 'server/discover') script(message, say, result)
  else result({ resultType: 'complete', supportedVersions: ['2026-07-28'], capabilities: CAPABILITIES, ...HINTS })
}

export const HINTS = { ttlMs: 0, cacheScope: 'private' }
const CAPABILITIES = { tools: { listChanged: true }, resources: {}, prompts: {}, completions: {} }
