import { PassThrough } from 'node:stream'
import { type Endpoint, serveStdio } from '@crosspoint/mcp/transports'
import { Heard } from './heard.ts'
import type { Message } from './http.ts'

/** The other end of a pipe that carries one message a line, without an engine. */
export interface LinePeer {
  /** Everything that came, in order: a batch is an array. */
  readonly got: readonly Message[]
  /** Writes a message, or a line as it is. */
  send(message: unknown): void
  /** The first message that fits, come or to come. */
  until(fits: (message: Message) => boolean): Promise<Message>
  /** Ends what we write, waits for the server to end too. */
  close(): Promise<void>
}

/**
 * A server on the streams of stdio, and who speaks with it.
 * @param take told of each message too, as it comes
 */
export function openLines(endpoint: Endpoint, take: (message: Message) => void = () => {}): LinePeer {
  const [stdin, stdout] = [new PassThrough(), new PassThrough()]
  const heard = new Heard()
  let held = ''
  stdout.setEncoding('utf8').on('data', (chunk: string) => {
    const lines = (held + chunk).split('\n')
    held = lines.pop() ?? ''
    for (const line of lines) {
      const message: Message = JSON.parse(line)
      heard.add(message)
      take(message)
    }
    heard.wake()
  })
  const served = serveStdio(endpoint, { stdin, stdout, drainMs: 0 })
  return {
    got: heard.got,
    send: (message) => void stdin.write(`${typeof message === 'string' ? message : JSON.stringify(message)}\n`),
    until: (fits) => heard.until(fits),
    async close() {
      stdin.end()
      await served.closed
    },
  }
}
