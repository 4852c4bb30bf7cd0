/** A name of the file inside a sentence: cut, and without anything a terminal would act on. */
export function quoted(name: string): string {
  const cut = name.length > 80 ? `${name.slice(0, 79)}…` : name
  return JSON.stringify(cut).replaceAll(UNPRINTABLE, '?')
}

/** What JSON leaves as it is: DEL, the second control block, and marks that turn the direction of a line. */
const UNPRINTABLE = /[\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g
