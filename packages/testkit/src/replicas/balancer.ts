import { once } from 'node:events'
import { type ClientRequest, createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import { createRandom } from './random.ts'

/** Stands before several servers and gives each request to any of them, as a balancer without sticky routing does. */
export interface Balancer {
  readonly url: string
  /** How many requests each target was given, in their order. */
  readonly given: readonly number[]
  /** Another one stands in the place of one, and what that one was asked is given up. */
  replace(at: number, target: string): void
  close(): Promise<void>
}

export interface BalancerOptions {
  /** Of the chance by which a target is chosen. Default 1. */
  readonly seed?: number
}

/** @param origins such as `http://127.0.0.1:8360` */
export async function openBalancer(origins: readonly string[], { seed = 1 }: BalancerOptions = {}): Promise<Balancer> {
  const random = createRandom(seed)
  const targets = [...origins]
  const open = new Set<Asked>()
  const given = targets.map(() => 0)
  const server = createServer(async (incoming, outgoing) => {
    const chunks: Buffer[] = []
    try {
      for await (const chunk of incoming as AsyncIterable<Buffer>) chunks.push(chunk)
    } catch {
      return // its client left
    }
    const first = Math.floor(random() * targets.length)
    // Who does not listen is passed over: nothing of the request got there.
    for (let turn = 0; turn < targets.length; turn++) {
      const at = (first + turn) % targets.length
      given[at] = (given[at] ?? 0) + 1
      const asked: Asked = { to: at, sent: undefined }
      open.add(asked)
      outgoing.on('close', () => open.delete(asked))
      if (await pass(incoming, outgoing, targets[at] ?? '', Buffer.concat(chunks), asked)) return
    }
    outgoing.writeHead(502).end()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('No port')
  return {
    url: `http://127.0.0.1:${address.port}`,
    given,
    replace(at, target) {
      targets[at] = target
      for (const { to, sent } of [...open]) if (to === at) sent?.destroy(new Error('Given up'))
    },
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

/** A request that is under way, and whom it was given to. */
interface Asked {
  readonly to: number
  sent: ClientRequest | undefined
}

/** @returns false where nobody listens */
function pass(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  target: string,
  body: Buffer,
  asked: Asked,
): Promise<boolean> {
  const { method, headers, url = '/' } = incoming
  const { host, ...others } = headers
  return new Promise((resolve) => {
    const sent = request(new URL(url, target), { method, headers: others, agent: false })
    asked.sent = sent
    sent.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNREFUSED') {
        resolve(false)
        return
      }
      // As balancers do: what was sent is sent to no other.
      if (outgoing.headersSent) outgoing.destroy()
      else outgoing.writeHead(502).end()
      resolve(true)
    })
    sent.on('response', (response) => {
      outgoing.writeHead(response.statusCode ?? 502, response.headers).flushHeaders()
      response.on('error', () => outgoing.destroy())
      response.pipe(outgoing)
      resolve(true)
    })
    outgoing.on('close', () => sent.destroy())
    sent.end(body)
  })
}
