import { once } from 'node:events'
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import type { Message } from '../http.ts'
import { createJudge } from '../older/judge.ts'
import { refereeOf } from './referees.ts'

/** Stands before a server and passes everything on; what comes for the server is judged by its revision's schema. */
export interface Recorder {
  readonly url: string
  /** What a client of the revision would not have said, since it was last asked for. */
  takeFaults(): readonly string[]
  close(): Promise<void>
}

export async function openRecorder(target: string, revision: string): Promise<Recorder> {
  const judge = createJudge(revision, refereeOf(revision))
  let taken = 0
  const look = (text: string) => {
    if (text === '') return
    const message: Message = JSON.parse(text)
    // How a client finds out the revision is newer than some revisions.
    if (message.method === 'server/discover') return
    judge.judge(message, 'client')
  }
  const server = createServer((incoming, outgoing) => void pass(incoming, outgoing, target, look))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('No port')
  return {
    url: `http://127.0.0.1:${address.port}`,
    takeFaults() {
      const faults = judge.faults.slice(taken)
      taken += faults.length
      return faults
    },
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

async function pass(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  target: string,
  look: (text: string) => void,
): Promise<void> {
  let body = ''
  for await (const chunk of incoming.setEncoding('utf8')) body += chunk
  look(body)
  const { method, headers, url = '/' } = incoming
  const sent = request(new URL(url, target), { method, headers, agent: false })
  sent.on('error', () => outgoing.destroy())
  sent.on('response', (response) => {
    outgoing.writeHead(response.statusCode ?? 502, response.headers).flushHeaders()
    response.on('error', () => outgoing.destroy())
    response.pipe(outgoing)
  })
  // Who goes away, goes away there too.
  outgoing.on('close', () => sent.destroy())
  sent.end(body)
}
