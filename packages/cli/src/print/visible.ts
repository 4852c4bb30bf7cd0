/**
 * Text of a peer as it may reach a terminal: escape sequences, control characters, characters that turn the writing
 * direction and those that show nothing are written out (`\x1b`, `\u{202e}`), so that nothing a server says moves
 * the cursor, recolours the screen or reads otherwise than it is.
 */
export function visible(text: string): string {
  return text.replace(UNSAFE, escaped)
}

/** As {@link visible}, for text of several lines: line breaks and tabs stay. */
export function visibleLines(text: string): string {
  return text.replace(/\r\n/g, '\n').replace(UNSAFE, (c) => (c === '\n' || c === '\t' ? c : escaped(c)))
}

/** Line one of a text, escaped and cut to `most` characters. */
export function visibleSummary(text: string, most = 160): string {
  const [line = ''] = text.trim().split(/[\r\n]/, 1)
  const shown = visible(line.length > most * 2 ? line.slice(0, most * 2) : line)
  return shown.length > most ? `${shown.slice(0, most - 1)}…` : shown
}

/**
 * JSON for standard output. Everything {@link visible} would write out is escaped the JSON way: the same value for
 * a parser, harmless on a screen.
 */
export function visibleJson(value: unknown, indent?: number): string {
  const json = JSON.stringify(value, undefined, indent) ?? 'null'
  return json.replace(UNSAFE, (c) => (c === '\n' ? c : jsonEscaped(c)))
}

// Cc; marks and controls of direction; zero-width space, word joiner and its invisible kin; line and paragraph
// separators; the byte order mark; interlinear annotation; tag characters. The joiners U+200C and U+200D stay: words
// of living scripts and most emoji need them.
const UNSAFE =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: finding them is what this is for
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]/gu

function escaped(character: string): string {
  const code = character.codePointAt(0) ?? 0
  const short = SHORT[character]
  if (short !== undefined) return short
  return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`
}

const SHORT: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }

function jsonEscaped(character: string): string {
  let text = ''
  for (let i = 0; i < character.length; i++) text += `\\u${character.charCodeAt(i).toString(16).padStart(4, '0')}`
  return text
}
