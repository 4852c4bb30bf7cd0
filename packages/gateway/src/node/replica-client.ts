import { Agent, type IncomingMessage, request as sendHttp } from 'node:http'
import { request as sendHttps, Agent as TlsAgent } from 'node:https'
import type { Principal } from '@crosspoint/mcp'
import type { Errand } from '@crosspoint/mcp/transports'
import { DIGEST, PASS, type Passes, TO, toPassed } from './passes.ts'
import { sha256Of } from './sha256.ts'

/** What became of a request that was handed on. `refused`: the other one does not believe us. */
export type Handed = 'answered' | 'gone' | 'lost' | 'broken' | 'refused'

/** A request to another gateway that is not a client's own. */
export interface Own {
  readonly method: string
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
  readonly principal: Principal
}

/** Hands requests to other gateways, over connections that are kept. */
export interface ReplicaClient {
  /** @param abort is given a way to give it up, for as long as it is under way: the other one is gone */
  forward(address: string, to: string, errand: Errand, abort: (give: () => void) => () => void): Promise<Handed>
  /** @returns the body of the answer; or what became of it instead */
  ask(
    address: string,
    to: string,
    own: Own,
    abort: (give: () => void) => () => void,
  ): Promise<string | { readonly became: Exclude<Handed, 'answered'> }>
  close(): void
}

export function createReplicaClient(passes: Passes): ReplicaClient {
  const agents = { 'http:': new Agent(POOL), 'https:': new TlsAgent(POOL) }
  /** Rejects with `gone` for what surely did not get there. */
  function send(address: string, to: string, { method, url, headers, body, principal }: Own) {
    const passing = { to, method, url, headers, digest: sha256Of(body) }
    const target = new URL(address)
    const isTls = target.protocol === 'https:'
    const sent = (isTls ? sendHttps : sendHttp)({
      host: target.hostname.replace(/^\[(.*)\]$/, '$1'),
      port: target.port === '' ? (isTls ? 443 : 80) : target.port,
      agent: isTls ? agents['https:'] : agents['http:'],
      method,
      path: url,
      headers: {
        ...headers,
        [PASS]: passes.write(passing, principal),
        [TO]: to,
        [DIGEST]: passing.digest,
        'content-length': body.length,
      },
    })
    let isThere = false
    sent.on('socket', (socket) => {
      if (socket.connecting)
        socket.once('connect', () => {
          isThere = true
        })
      else isThere = true
    })
    const answered = new Promise<IncomingMessage>((resolve, reject) => {
      sent.on('response', resolve)
      sent.on('error', () => reject(isThere && !(isHarmless(method) && sent.reusedSocket) ? LOST : GONE))
    })
    sent.end(body)
    return { sent, answered }
  }
  return {
    async forward(address, to, { request, response, principal, body }, abort) {
      const { method = 'GET', url = '/', headers } = request
      const { sent, answered } = send(address, to, {
        method,
        url,
        headers: toPassed(headers),
        body: body ?? EMPTY,
        principal,
      })
      let isGivenUp = false
      const settled = abort(() => {
        isGivenUp = true
        sent.destroy(new Error('Given up'))
      })
      const left = () => void sent.destroy(new Error('Left'))
      response.on('close', left)
      try {
        const answer = await answered
        const { statusCode = 502 } = answer
        if (statusCode === 421 || statusCode === 401) {
          answer.resume()
          return statusCode === 421 ? 'gone' : 'refused'
        }
        return await relay(answer, response)
      } catch (error) {
        if (response.destroyed) return 'answered' // there is nobody to answer
        return error === GONE || (isGivenUp && isHarmless(method)) ? 'gone' : 'lost'
      } finally {
        settled()
        response.off('close', left)
      }
    },
    async ask(address, to, own, abort) {
      const { sent, answered } = send(address, to, own)
      const settled = abort(() => void sent.destroy(new Error('Given up')))
      try {
        const answer = await answered
        if (answer.statusCode === 421 || answer.statusCode === 401) {
          answer.resume()
          return { became: answer.statusCode === 421 ? 'gone' : 'refused' }
        }
        let text = ''
        for await (const chunk of answer.setEncoding('utf8') as AsyncIterable<string>) text += chunk
        return text
      } catch (error) {
        return { became: error === GONE ? 'gone' : 'lost' }
      } finally {
        settled()
      }
    },
    close() {
      for (const agent of Object.values(agents)) agent.destroy()
    },
  }
}

/** Passes an answer on, no faster than it is read. */
function relay(answer: IncomingMessage, response: Errand['response']): Promise<Handed> {
  const { statusCode = 502, headers } = answer
  const isStream = headers['content-type']?.startsWith('text/event-stream') === true
  response.writeHead(statusCode, toAnswered(answer))
  if (isStream) response.flushHeaders()
  return new Promise((resolve) => {
    const drained = () => void answer.resume()
    response.on('drain', drained)
    answer.on('data', (chunk: Buffer) => {
      if (!response.write(chunk)) answer.pause()
    })
    answer.on('end', () => void response.end())
    answer.on('error', () => {}) // told by its close
    answer.on('close', () => {
      response.off('drain', drained)
      if (answer.complete || response.destroyed) resolve('answered')
      else if (isStream) resolve('broken')
      else {
        response.destroy()
        resolve('answered')
      }
    })
  })
}

function toAnswered({ headers }: IncomingMessage): Record<string, string> {
  const answered: Record<string, string> = {}
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined && !HOP_HEADERS.has(name)) answered[name] = String(value)
  }
  return answered
}

/** Whether it may be sent again without anything done twice. */
function isHarmless(method: string): boolean {
  return method === 'GET' || method === 'DELETE'
}

const GONE = new Error('Not sent')
const LOST = new Error('Sent, and not answered')
const EMPTY = new Uint8Array(0)
const POOL = { keepAlive: true, maxSockets: 10_000, maxFreeSockets: 256, timeout: 0 }
const HOP_HEADERS: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'transfer-encoding',
  'date',
  'upgrade',
  'trailer',
])
