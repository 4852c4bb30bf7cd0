import type { Beside } from '@crosspoint/mcp/transports'
import type { ConnectDesk } from '../credentials/connect/desk.ts'
import type { PageReply } from '../credentials/connect/pages.ts'

type Request = Parameters<Beside>[0]
type Response = Parameters<Beside>[1]
type Desk = Pick<ConnectDesk, 'serves' | 'answer'>

/**
 * The pages to sign in at, at a path of a door; undefined for any other path.
 * @param base public address of the gateway: proxies may ask with its path or without
 */
export function toConnectPages(desk: Desk | undefined, path: string, base: string | undefined): Beside | undefined {
  const prefix = base === undefined ? '' : new URL(base).pathname.replace(/\/$/, '')
  const inner = prefix !== '' && path.startsWith(`${prefix}/`) ? path.slice(prefix.length) : path
  if (desk?.serves(inner) !== true) return undefined
  return (request, response) => void serve(desk, inner, request, response)
}

async function serve(desk: Desk, path: string, request: Request, response: Response): Promise<void> {
  const { method = 'GET', url = '/', headers } = request
  const at = url.indexOf('?')
  const reply = await desk.answer({
    method,
    path,
    query: new URLSearchParams(at === -1 ? '' : url.slice(at)),
    headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value].flat().join('; ')])),
    fields: () => readFields(request),
  })
  send(response, reply)
}

function send(response: Response, { status, headers, body }: PageReply): void {
  // What was not read of a body is not waited for.
  response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(body), connection: 'close' })
  response.end(body)
}

async function readFields(request: Request): Promise<URLSearchParams> {
  const pieces: Buffer[] = []
  let size = 0
  // Without an encoding a stream gives bytes.
  for await (const piece of request as AsyncIterable<Buffer>) {
    size += piece.length
    if (size > MAX_BODY) throw new Error('The form is too long')
    pieces.push(piece)
  }
  return new URLSearchParams(Buffer.concat(pieces).toString())
}

const MAX_BODY = 16 * 1024
