/** A half sentence for the end of an error message: `; did you mean "x"?`, or nothing. */
export function didYouMean(asked: string, names: readonly string[]): string {
  const word = asked.toLowerCase()
  const near = names
    .map((name) => ({ name, slips: slipsBetween(word, name.toLowerCase()) }))
    .filter(
      ({ name, slips }) => slips <= allowedSlips(asked) || (word.length >= 4 && name.toLowerCase().includes(word)),
    )
    .sort((a, b) => a.slips - b.slips)
  const [best] = near
  return best === undefined ? '' : `; did you mean "${best.name}"?`
}

/** A third of what was written, and never more than three. Text without end is no slip of a pen. */
function allowedSlips({ length }: string): number {
  return length > MAX_LENGTH ? -1 : Math.min(3, Math.floor(length / 3))
}

/** Levenshtein distance; beyond {@link MAX_LENGTH} nobody counts. */
function slipsBetween(a: string, b: string): number {
  if (a.length > MAX_LENGTH) return Number.POSITIVE_INFINITY
  let above = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const [over, left, before] = [above[j] ?? 0, row[j - 1] ?? 0, above[j - 1] ?? 0]
      row.push(Math.min(over + 1, left + 1, before + (a[i - 1] === b[j - 1] ? 0 : 1)))
    }
    above = row
  }
  return above[b.length] ?? 0
}

const MAX_LENGTH = 64
