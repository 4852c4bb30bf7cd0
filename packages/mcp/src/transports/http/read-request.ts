import type { IncomingMessage } from 'node:http'
import type { HttpRequest } from './exchange.ts'

/** A request whose body somebody has read already: what they made of it is told once more, as soon as anybody listens. */
export function toReplayed(request: IncomingMessage): HttpRequest {
  const bytes = toBytes((request as { body?: unknown }).body)
  const listeners: ((chunk: Buffer) => void)[] = []
  let isTold = false
  const on = (event: string, listener: (chunk: Buffer) => void): void => {
    if (event === 'data') listeners.push(listener)
    else if (event === 'end') whenDone(listener as () => void)
    else request.on(event, listener)
  }
  const whenDone = (ended: () => void) => {
    queueMicrotask(() => {
      if (!isTold && bytes.length > 0) for (const listener of listeners) listener(bytes)
      isTold = true
      ended()
    })
  }
  const { method, url, headers, rawHeaders, complete, socket } = request
  return { method, url, headers, rawHeaders, complete, socket, on, once: on, pause() {}, resume() {} }
}

/** Bytes and text as they came; anything else is what a parser of JSON made. */
function toBytes(body: unknown): Buffer {
  if (body instanceof Uint8Array) return Buffer.from(body.buffer, body.byteOffset, body.byteLength)
  return Buffer.from(typeof body === 'string' ? body : (JSON.stringify(body) ?? ''))
}
