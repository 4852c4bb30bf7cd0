/**
 * The name somebody probably meant: the closest one within a third of its length, at most three slips away.
 * Looks at the first 1,000 candidates only, since a caller decides how often this runs.
 */
export function nearest(asked: string, names: Iterable<string>): string | undefined {
  if (asked.length > MAX_LENGTH) return undefined
  let best: string | undefined
  let fewest = Math.min(MAX_SLIPS, Math.floor(asked.length / 3)) + 1
  let left = MAX_CANDIDATES
  for (const name of names) {
    if (left-- === 0) break
    if (Math.abs(name.length - asked.length) >= fewest) continue
    const slips = distance(asked.toLowerCase(), name.toLowerCase(), fewest)
    if (slips < fewest) {
      fewest = slips
      best = name
    }
  }
  return best
}

/** A half sentence for the end of an error message: `; did you mean "x"?`, or nothing. */
export function didYouMean(asked: string, names: Iterable<string>): string {
  const name = nearest(asked, names)
  return name === undefined ? '' : `; did you mean "${name}"?`
}

/** Levenshtein distance with swaps of neighbours as one slip; gives up at `limit`. */
function distance(a: string, b: string, limit: number): number {
  let before: number[] = []
  let above = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    let least = i
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1]
      let cost = Math.min(at(above, j) + 1, at(row, j - 1) + 1, at(above, j - 1) + (same ? 0 : 1))
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) cost = Math.min(cost, at(before, j - 2) + 1)
      row.push(cost)
      least = Math.min(least, cost)
    }
    if (least >= limit) return limit
    before = above
    above = row
  }
  return at(above, b.length)
}

function at(row: readonly number[], index: number): number {
  return row[index] ?? Number.POSITIVE_INFINITY
}

const MAX_SLIPS = 3
const MAX_LENGTH = 256
const MAX_CANDIDATES = 1000
