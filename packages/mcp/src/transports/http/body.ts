import { isUtf8 } from 'node:buffer'
import type { IncomingMessage } from 'node:http'
import { McpError } from '../../errors.ts'
import { PARSE_ERROR } from '../../jsonrpc/codes.ts'
import { FrameFault } from '../../jsonrpc/parse.ts'

/**
 * Reads a body as text and hands it, or what is wrong with it, to `done`, once; never when the client leaves
 * before the end. At most `maxBytes` and one chunk are held. Compressed bodies are refused: no client of this
 * protocol sends them, and what is not decompressed cannot explode.
 */
export function readBody(
  request: IncomingMessage,
  maxBytes: number,
  done: (text: string, fault: McpError | FrameFault | undefined) => void,
): void {
  const { headers } = request
  const encoding = headers['content-encoding']
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity') {
    done('', new McpError('peer.unsupported_media', 'Cannot read a compressed body; send it as it is'))
    return
  }
  if (Number(headers['content-length'] ?? 0) > maxBytes) {
    done('', tooLarge(maxBytes))
    return
  }
  let first: Buffer | undefined
  let rest: Buffer[] | undefined
  let bytes = 0
  request.on('data', (chunk: Buffer) => {
    bytes += chunk.length
    if (bytes > maxBytes) {
      if (bytes - chunk.length <= maxBytes) done('', tooLarge(maxBytes))
      first = undefined
      rest = undefined
    } else if (first === undefined) first = chunk
    else if (rest === undefined) rest = [first, chunk]
    else rest.push(chunk)
  })
  request.on('end', () => {
    if (bytes > maxBytes) return
    const body = rest === undefined ? (first ?? EMPTY) : Buffer.concat(rest)
    if (isUtf8(body)) done(body.toString('utf8'), undefined)
    else done('', new FrameFault(PARSE_ERROR, 'Cannot read a body that is not UTF-8'))
  })
}

function tooLarge(maxBytes: number): McpError {
  return new McpError('peer.too_large', `Cannot read a body of more than ${maxBytes} bytes`)
}

const EMPTY = Buffer.alloc(0)
