/** The name somebody probably meant: the first of {@link closest}. */
export function nearest(asked: string, names: Iterable<string>): string | undefined {
  return closest(asked, names, 1)[0]
}

/**
 * The names somebody may have meant, nearest first: within a third of the length of what was asked, at most three
 * slips away, and at most one more than the nearest, since a long prefix in common makes much look alike.
 * Looks at the first 1,000 candidates only, since a caller decides how often this runs.
 * @param most how many to name. Default 3
 */
export function closest(asked: string, names: Iterable<string>, most = 3): readonly string[] {
  const allowed = allowedSlips(asked)
  let fewest = allowed
  let left = MAX_CANDIDATES
  const near: { readonly name: string; readonly slips: number }[] = []
  for (const name of names) {
    if (left-- === 0) break
    const limit = Math.min(allowed, fewest + 1) + 1
    if (Math.abs(name.length - asked.length) >= limit) continue
    const slips = distance(asked.toLowerCase(), name.toLowerCase(), limit)
    if (slips >= limit) continue
    fewest = Math.min(fewest, slips)
    near.push({ name, slips })
  }
  return near
    .filter(({ slips }) => slips <= fewest + 1)
    .sort((a, b) => a.slips - b.slips)
    .slice(0, most)
    .map(({ name }) => name)
}

/** Of two letters one may be wrong; of one letter none, or everything would be near. */
function allowedSlips({ length }: string): number {
  if (length > MAX_LENGTH) return -1
  return length < 2 ? 0 : Math.min(MAX_SLIPS, Math.max(1, Math.floor(length / 3)))
}

/** A half sentence for the end of an error message: `; did you mean "x"?`, or nothing. */
export function didYouMean(asked: string, names: Iterable<string>): string {
  const name = nearest(asked, names)
  return name === undefined ? '' : `; did you mean "${name}"?`
}

/**
 * Levenshtein distance with swaps of neighbours as one slip; gives up at `limit`. What both begin and end with is not
 * looked at twice, and of the table only the band that `limit` slips can reach: long names must not cost a server more
 * than short ones.
 */
function distance(a: string, b: string, limit: number): number {
  let start = 0
  while (start < a.length && a[start] === b[start]) start++
  let ends = 0
  while (ends < Math.min(a.length, b.length) - start && a.at(-1 - ends) === b.at(-1 - ends)) ends++
  return distanceWithin(a.slice(start, a.length - ends), b.slice(start, b.length - ends), limit)
}

function distanceWithin(a: string, b: string, limit: number): number {
  let before: number[] = []
  let above = Array.from({ length: Math.min(b.length, limit) + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const row: number[] = []
    let least = limit
    if (i <= limit) {
      row[0] = i
      least = i
    }
    for (let j = Math.max(1, i - limit); j <= Math.min(b.length, i + limit); j++) {
      const same = a[i - 1] === b[j - 1]
      let cost = Math.min(at(above, j) + 1, at(row, j - 1) + 1, at(above, j - 1) + (same ? 0 : 1))
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) cost = Math.min(cost, at(before, j - 2) + 1)
      row[j] = cost
      least = Math.min(least, cost)
    }
    if (least >= limit) return limit
    before = above
    above = row
  }
  return Math.min(limit, at(above, b.length))
}

function at(row: readonly number[], index: number): number {
  return row[index] ?? Number.POSITIVE_INFINITY
}

const MAX_SLIPS = 3
const MAX_LENGTH = 256
const MAX_CANDIDATES = 1000
