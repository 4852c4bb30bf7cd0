import { type Run, spend, TOO_DEEP } from './run.ts'

/**
 * A text that is the same for two JSON values exactly when they are equal (2020-12 core §4.2.2): members in any order,
 * `1.0` is `1`, `-0` is `0`.
 * @param run pays for every value in it; undefined where it was paid for when the schema was read
 */
export function toCanonicalText(value: unknown, run: Run | undefined): string {
  const parts: string[] = []
  write(value, parts, run, 0)
  return parts.join('')
}

function write(value: unknown, parts: string[], run: Run | undefined, depth: number): void {
  if (depth > MAX_DEPTH) throw TOO_DEEP
  if (run !== undefined)
    spend(
      run,
      VALUE_STEPS +
        (typeof value === 'string'
          ? value.length >> 3
          : typeof value !== 'number' || Number.isInteger(value)
            ? 0
            : FRACTION_STEPS),
    )
  if (typeof value === 'string') {
    writeText(value, parts)
  } else if (typeof value !== 'object' || value === null) {
    parts.push(value === 0 ? '0' : String(value))
  } else if (Array.isArray(value)) {
    parts.push('[')
    for (const item of value) {
      write(item, parts, run, depth + 1)
      parts.push(',')
    }
    parts.push(']')
  } else {
    parts.push('{')
    const members = value as { readonly [key: string]: unknown }
    const keys = Object.keys(value)
    if (run !== undefined) spend(run, keys.length * VALUE_STEPS)
    for (const key of keys.sort()) {
      if (members[key] === undefined) continue
      writeText(key, parts)
      write(members[key], parts, run, depth + 1)
      parts.push(',')
    }
    parts.push('}')
  }
}

/** With its length in front nothing in it needs to be escaped, which would take longer than all the rest. */
function writeText(text: string, parts: string[]): void {
  parts.push('"', String(text.length), ':', text)
}

/** No frame nests deeper than 64, but what a handler returns may go round. */
const MAX_DEPTH = 1_000
const VALUE_STEPS = 15
/** What writing a number that is not whole costs besides. */
const FRACTION_STEPS = 80
