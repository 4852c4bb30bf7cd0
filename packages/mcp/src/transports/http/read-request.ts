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
  return Buffer.from(typeof body === 'string' ? body : toText(body))
}

/** `JSON.parse` reads nesting of any depth, and `JSON.stringify` runs out of stack over it. */
function toText(body: unknown): string {
  try {
    return JSON.stringify(body) ?? ''
  } catch (error) {
    if (error instanceof RangeError) return toDeepText(body)
    throw error
  }
}

/** The same without a stack, so that a deep body gets the refusal it would get as text: whoever reads it counts levels. */
function toDeepText(body: unknown): string {
  const text: string[] = []
  const ahead: Ahead[] = [{ value: body }]
  for (let next = ahead.pop(); next !== undefined; next = ahead.pop()) {
    if (typeof next === 'string') text.push(next)
    else if (typeof next.value !== 'object' || next.value === null) text.push(JSON.stringify(next.value) ?? 'null')
    else {
      const members = toMembers(next.value)
      for (let i = members.length; i-- > 0; ) ahead.push(members[i] ?? '')
    }
  }
  return text.join('')
}

/** What is still to be written: text, or the text of a value. */
type Ahead = string | { readonly value: unknown }

function toMembers(value: object): Ahead[] {
  const members: Ahead[] = []
  if (Array.isArray(value)) {
    for (const item of value) members.push(members.length === 0 ? '[' : ',', { value: item })
    members.push(members.length === 0 ? '[]' : ']')
  } else {
    for (const [key, member] of Object.entries(value)) {
      members.push(`${members.length === 0 ? '{' : ','}${JSON.stringify(key)}:`, { value: member })
    }
    members.push(members.length === 0 ? '{}' : '}')
  }
  return members
}
