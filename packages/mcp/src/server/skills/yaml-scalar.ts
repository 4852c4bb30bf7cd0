/** Text, numbers and the rest of YAML's core schema, as far as JSON has them. */

export function fault(line: number, why: string): Error {
  return new Error(`Cannot read line ${line} of the frontmatter: ${why}`)
}

/** A plain scalar: null, a boolean or a number where it looks like one, else text. */
export function toScalar(line: number, text: string): unknown {
  if (/^(?:~|null|Null|NULL|)$/.test(text)) return null
  if (/^(?:true|True|TRUE)$/.test(text)) return true
  if (/^(?:false|False|FALSE)$/.test(text)) return false
  if (/^(?:0o[0-7]+|0x[0-9a-fA-F]+)$/.test(text)) return Number(text)
  if (/^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/.test(text)) return Number(text)
  if (/^(?:[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$/.test(text)) throw fault(line, `"${text}" is no number of JSON`)
  return text
}

/** @param text begins with the quote; after the closing one there may be a comment */
export function readQuoted(line: number, text: string): string {
  const match = /^(?:"((?:[^"\\]|\\.)*)"|'((?:[^']|'')*)')\s*(.*)$/.exec(text)
  if (match === null) throw fault(line, 'quotes that open in a line close in it')
  const [, double, single, rest = ''] = match
  if (rest !== '' && !(rest.startsWith('#') && text.endsWith(` ${rest}`))) {
    throw fault(line, `"${rest.slice(0, 40)}" follows a text in quotes`)
  }
  return double === undefined ? (single ?? '').replaceAll("''", "'") : unescaped(line, double)
}

function unescaped(line: number, text: string): string {
  return text.replace(/\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))/g, (_, x, u, U, one) => {
    const hex: string | undefined = x ?? u ?? U
    if (hex !== undefined) return String.fromCodePoint(Math.min(Number.parseInt(hex, 16), 0x10ffff))
    const meant = Object.hasOwn(ESCAPES, one) ? ESCAPES[one] : undefined
    if (meant === undefined) throw fault(line, `"\\${one}" is no escape`)
    return meant
  })
}

const ESCAPES: Readonly<Record<string, string>> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  ' ': ' ',
  '0': '\0',
  a: '\x07',
  b: '\b',
  e: '\x1b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  N: '\x85',
  _: '\xa0',
  L: '\u2028',
  P: '\u2029',
}
