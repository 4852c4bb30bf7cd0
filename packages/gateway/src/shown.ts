/**
 * Text of a peer inside our own messages and log lines: one line, no control, format or bidirectional characters
 * (each becomes its escape), cut at `max` characters. Default 200.
 */
export function shown(text: string, max = 200): string {
  const short = text.length > max ? `${text.slice(0, max)}…` : text
  return PLAIN.test(short) ? short : short.replace(UNSAFE, toEscape)
}

const PLAIN = /^[\x20-\x7e…]*$/
/** Controls, format characters (bidirectional overrides among them), line separators, halves of surrogate pairs. */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu

function toEscape(character: string): string {
  return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`
}
