import type { JsonObject } from '../../jsonrpc/frame.ts'
import type { Call } from '../../protocol/call.ts'

/** JSON with the members of every object in one order, so that equal values are equal text (RFC 8785 in spirit). */
export function toCanonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map((item) => toCanonicalJson(item ?? null)).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null'
  const members = Object.entries(value as JsonObject)
    .filter(([, member]) => member !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${toCanonicalJson(member)}`).join(',')}}`
}

/**
 * What a call is of, without what changes from round to round: a state is good for this and nothing else. A caller
 * chooses the parameters, so the digest is one nobody can aim at.
 */
export async function digestOf({ method, params }: Pick<Call, 'method' | 'params'>): Promise<string> {
  const { _meta, inputResponses, requestState, ...bare } = params
  const bytes = new TextEncoder().encode(`${method}\n${toCanonicalJson(bare)}`)
  return Array.from(new Uint8Array(await crypto.subtle.digest('SHA-256', bytes)), toHex).join('')
}

/** A short mark of a question of ours, by which a change of the handler is noticed: nobody gains by two alike. */
export function toMark(text: string): string {
  let high = 0xdeadbeef
  let low = 0x41c6ce57
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at)
    high = Math.imul(high ^ unit, 2654435761)
    low = Math.imul(low ^ unit, 1597334677)
  }
  high = Math.imul(high ^ (high >>> 16), 2246822507) ^ Math.imul(low ^ (low >>> 13), 3266489909)
  low = Math.imul(low ^ (low >>> 16), 2246822507) ^ Math.imul(high ^ (high >>> 13), 3266489909)
  return ((high >>> 0) * 4096 + (low >>> 20)).toString(36)
}

function toHex(byte: number): string {
  return byte.toString(16).padStart(2, '0')
}
