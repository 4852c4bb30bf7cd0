import type { Passage } from '../routes/passage.ts'
import { shown } from '../shown.ts'

/** JSON text of a string of somebody else: one line, no control characters, cut at `max`. */
export function quote(text: string, max = 200): string {
  return text.length <= max && PLAIN.test(text) ? `"${text}"` : JSON.stringify(shown(text, max))
}

/** What {@link quote} is the JSON text of. */
export function cleaned(text: string, max = 200): string {
  return text.length <= max && PLAIN.test(text) ? text : shown(text, max)
}

/** The tool, prompt or resource asked for. The query of a URI may hold anything and stays out. */
export function toTarget({ name, uri }: Passage['params']): string | undefined {
  if (typeof name === 'string') return name
  return typeof uri === 'string' ? uri.replace(/[?#].*$/s, '?…') : undefined
}

/** Needs no escape. */
const PLAIN = /^[\x20-\x21\x23-\x5b\x5d-\x7e]*$/
