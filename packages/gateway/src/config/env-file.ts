/**
 * The `NAME=value` lines of an environment file: `#` comments, an optional `export`, single quotes as they are,
 * double quotes with `\n`, `\"` and `\\`. Nothing is replaced inside values.
 * @param complain told of the number of each line that is none of these, never of what it says
 */
export function parseEnvFile(text: string, complain: (line: number) => void): Map<string, string> {
  const values = new Map<string, string>()
  const lines = text.replace(/^\uFEFF/, '').split(/\r?\n/)
  for (const [index, line] of lines.entries()) {
    const trimmed = line.trim()
    if (trimmed === '' || trimmed.startsWith('#')) continue
    const [, name, rest] = /^(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_.]*)[ \t]*=(.*)$/.exec(trimmed) ?? []
    const value = rest === undefined ? undefined : toValue(rest.trim())
    if (name === undefined || value === undefined || value.includes('\0')) complain(index + 1)
    else values.set(name, value)
  }
  return values
}

function toValue(written: string): string | undefined {
  const quote = written[0]
  if (quote !== '"' && quote !== "'") {
    const comment = written.search(/[ \t]#/)
    return (comment < 0 ? written : written.slice(0, comment)).trim()
  }
  const end = closingQuote(written, quote)
  if (end < 0 || !/^(?:[ \t]*|[ \t]+#.*)$/.test(written.slice(end + 1))) return undefined
  const inside = written.slice(1, end)
  if (quote === "'") return inside
  return inside.replaceAll(/\\(.)/g, (match, letter: string) => ESCAPES[letter] ?? match)
}

function closingQuote(written: string, quote: string): number {
  for (let at = 1; at < written.length; at++) {
    if (written[at] === '\\' && quote === '"') at++
    else if (written[at] === quote) return at
  }
  return -1
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', '"': '"', '\\': '\\', $: '$' }
