import { IncomingMessage, type ServerResponse } from 'node:http'
import { isLoopbackHost } from '../config/hosts.ts'

/** Bytes of a body: forms and registrations are small. */
const MAX_BODY_BYTES = 48 * 1024

/**
 * The body of a request; undefined, with the answer given, where it is too large. How long it may take is for the door.
 */
export async function readBody(request: IncomingMessage, response: ServerResponse): Promise<Buffer | undefined> {
  const chunks: Buffer[] = []
  let bytes = 0
  try {
    for await (const chunk of request.iterator({ destroyOnReturn: false })) {
      bytes += (chunk as Buffer).length // nobody set an encoding
      if (bytes > MAX_BODY_BYTES) {
        // What is still to come is no request.
        response.shouldKeepAlive = false
        response.writeHead(413, { 'content-type': 'text/plain' }).end('Too large\n')
        return undefined
      }
      chunks.push(chunk as Buffer)
    }
  } catch {
    // Who sent it has gone in the middle: nobody is there to answer.
    return undefined
  }
  return Buffer.concat(chunks)
}

/** The same request once more, with a body that was read already, or another one. */
export function toReplayed(
  request: IncomingMessage,
  body: Buffer,
  change: { readonly url?: string; readonly headers?: IncomingMessage['headers'] } = {},
): IncomingMessage {
  const copy = new IncomingMessage(request.socket)
  copy.method = request.method ?? 'GET'
  copy.url = change.url ?? request.url ?? '/'
  copy.httpVersion = request.httpVersion
  copy.httpVersionMajor = request.httpVersionMajor
  copy.httpVersionMinor = request.httpVersionMinor
  const headers = { ...request.headers, ...change.headers }
  delete headers['transfer-encoding']
  if (body.length > 0 || headers['content-length'] !== undefined) headers['content-length'] = String(body.length)
  copy.headers = headers
  copy.complete = true
  if (body.length > 0) copy.push(body)
  copy.push(null)
  return copy
}

/** The fields of a form; undefined for what is none. One that is there twice is refused: who reads it would choose. */
export function parseForm({ headers }: IncomingMessage, body: Buffer): ReadonlyMap<string, string> | undefined {
  if (!/^application\/x-www-form-urlencoded *(?:;|$)/i.test(headers['content-type'] ?? '')) return undefined
  const fields = [...new URLSearchParams(body.toString('utf8'))]
  const form = new Map(fields)
  return form.size === fields.length ? form : undefined
}

/**
 * Who sent it, as far as can be told: behind a proxy of this machine or network, whom that one says. Only the last name in
 * the list is the proxy's; those before it are whatever was sent to it.
 */
export function addressOf({ socket, headers }: IncomingMessage): string {
  const direct = (socket.remoteAddress ?? '').replace(/^::ffff:/, '')
  const said = [headers['x-forwarded-for']].flat().join(',').split(',').at(-1)?.trim()
  const isProxy = isLoopbackHost(direct) || /^(?:10\.|192\.168\.|172\.(?:1[6-9]|2\d|3[01])\.|f[cd])/.test(direct)
  return isProxy && said !== undefined && /^[\da-fA-F.:]{2,45}$/.test(said) ? said : direct
}
