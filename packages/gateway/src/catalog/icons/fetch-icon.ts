import { type Clock, McpError } from '@crosspoint/mcp'
import { type Picture, parsePicture } from './picture.ts'

export interface FetchIconOptions {
  readonly fetch: typeof fetch
  readonly clock: Clock
  readonly maxBytes: number
  readonly timeoutMs: number
  /** Nobody wants it any more. */
  readonly signal: AbortSignal
}

/**
 * Fetches a picture as anybody could: without credentials, without the headers that are configured for its server, without
 * following it elsewhere (2025-11-25 basic, Icons).
 * @throws {McpError} for whatever is no picture that may be shown, is too large, or takes too long
 */
export async function fetchIcon(url: string, options: FetchIconOptions): Promise<Picture> {
  const { clock, timeoutMs, signal } = options
  const late = new AbortController()
  const timer = clock.setTimer(timeoutMs, () => late.abort(new McpError('upstream.timeout', 'It took too long')))
  try {
    const response = await options.fetch(url, {
      redirect: 'manual',
      credentials: 'omit',
      referrerPolicy: 'no-referrer',
      headers: { accept: 'image/png, image/jpeg, image/webp, image/gif, image/svg+xml' },
      signal: AbortSignal.any([signal, late.signal]),
    })
    return await toPicture(response, options.maxBytes)
  } finally {
    timer.cancel()
  }
}

async function toPicture(response: Response, maxBytes: number): Promise<Picture> {
  if (response.status !== 200) {
    await response.body?.cancel()
    throw new McpError('upstream.error', `The server answered ${response.status}`)
  }
  return parsePicture(response.headers.get('content-type') ?? '', await readAll(response, maxBytes))
}

/** As many bytes as they are when nothing of them is compressed any more. */
async function readAll(response: Response, maxBytes: number): Promise<Uint8Array> {
  const pieces: Uint8Array[] = []
  let size = 0
  // The body is a stream of bytes; leaving the loop early cancels it.
  for await (const piece of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    size += piece.length
    if (size > maxBytes) throw new McpError('upstream.protocol', `It has more than ${maxBytes} bytes`)
    pieces.push(piece)
  }
  return Buffer.concat(pieces)
}
