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
