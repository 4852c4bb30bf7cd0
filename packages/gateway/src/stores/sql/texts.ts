import { StoreError } from '../contract/store-error.ts'

/** NUL, which neither database keeps in a text, and halves of surrogate pairs, which UTF-8 has no form for. */
const UNKEEPABLE = /[\0\p{Cs}]/u

/** Whether a text would come back as it is. One that would not is kept nowhere, so that it need not be looked for. */
export function isKeepable(text: string): boolean {
  return !UNKEEPABLE.test(text)
}

/** @throws {StoreError} `invalid` */
export function checkKeepable(what: string, texts: Iterable<string | undefined>): void {
  for (const text of texts) {
    if (text !== undefined && !isKeepable(text)) {
      throw new StoreError('invalid', `Cannot keep ${what}: a text of it holds NUL or half of a surrogate pair`)
    }
  }
}

/**
 * What somebody is good for must never be read as more than it is.
 * @throws {StoreError} `damaged` for anything but a list of texts
 */
export function parseTexts(json: string, complaint: string): readonly string[] {
  try {
    const list: unknown = JSON.parse(json)
    if (Array.isArray(list) && list.every((item) => typeof item === 'string')) return list
  } catch {
    // Told below.
  }
  throw new StoreError('damaged', complaint)
}

/** Any text in a form that can be kept, and no two in the same: U+FFFD introduces the number of a unit in its stead. */
export function toKept(text: string): string {
  return UNPLAIN.test(text) ? text.replace(ALL_UNPLAIN, toEscape) : text
}

export function fromKept(text: string): string {
  if (!text.includes('\ufffd')) return text
  return text.replace(/\ufffd([0-9a-f]{4})/g, (_, unit: string) => String.fromCharCode(Number.parseInt(unit, 16)))
}

const UNPLAIN = /[\0\ufffd\p{Cs}]/u
const ALL_UNPLAIN = /[\0\ufffd\p{Cs}]/gu

function toEscape(unit: string): string {
  return `\ufffd${unit.charCodeAt(0).toString(16).padStart(4, '0')}`
}
