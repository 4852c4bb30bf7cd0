/** The names most like the one that was not found, nearest first. Empty when none is near enough to be meant. */
export function suggest(wrong: string, names: Iterable<string>, most = 3): readonly string[] {
  const scored: { name: string; distance: number }[] = []
  for (const name of new Set(names)) {
    const distance = nearness(wrong.toLowerCase(), name.toLowerCase())
    if (distance <= Math.max(1, Math.floor(Math.max(wrong.length, name.length) / 3))) scored.push({ name, distance })
  }
  const nearest = Math.min(...scored.map(({ distance }) => distance))
  return scored
    .filter(({ distance }) => distance <= nearest + 1) // a long prefix in common makes much look alike
    .sort((a, b) => a.distance - b.distance || (a.name < b.name ? -1 : 1))
    .slice(0, most)
    .map(({ name }) => name)
}

/** `Did you mean "a" or "b"?`, or undefined when nothing is near. */
export function didYouMean(wrong: string, names: Iterable<string>): string | undefined {
  const near = suggest(wrong, names).map((name) => `"${name}"`)
  if (near.length === 0) return undefined
  const last = near.pop()
  return near.length === 0 ? `Did you mean ${last}?` : `Did you mean ${near.join(', ')} or ${last}?`
}

/** A whole part of a name (`echo` of `everything__echo`) is as near as one slip of the finger. */
function nearness(wrong: string, name: string): number {
  if (wrong === name) return 0
  if (wrong.length >= 3 && (name.endsWith(`__${wrong}`) || wrong.endsWith(`__${name}`))) return 1
  if (wrong.length > MAX_COMPARED || name.length > MAX_COMPARED) return Number.POSITIVE_INFINITY
  return editDistance(wrong, name)
}

/** Names of peers may be of any length; beyond this many characters comparing costs more than it tells. */
const MAX_COMPARED = 128

/** Optimal string alignment: insertions, deletions, substitutions and swaps of neighbours cost one each. */
function editDistance(a: string, b: string): number {
  let beforeLast: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1]
      let cost = Math.min(at(last, j) + 1, at(row, j - 1) + 1, at(last, j - 1) + (same ? 0 : 1))
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        cost = Math.min(cost, at(beforeLast, j - 2) + 1)
      }
      row.push(cost)
    }
    beforeLast = last
    last = row
  }
  return at(last, b.length)
}

function at(row: readonly number[], index: number): number {
  return row[index] ?? Number.POSITIVE_INFINITY
}
