import type { Selection } from './model.ts'

/**
 * The predicate of a selection: what matches `include` (absent: everything) and not `exclude`, which wins.
 * Matching takes time linear in the name for each `*` of a pattern; patterns are compiled once, here.
 */
export function toSelector(selection: Selection): (name: string) => boolean {
  const included = selection.include === undefined ? undefined : toMatcher(selection.include)
  const excluded = toMatcher(selection.exclude ?? [])
  return (name) => (included === undefined || included(name)) && !excluded(name)
}

function toMatcher(patterns: readonly string[]): (name: string) => boolean {
  const exact = new Set(patterns.filter((pattern) => !pattern.includes('*')))
  const wild = patterns.filter((pattern) => pattern.includes('*')).map((pattern) => pattern.split('*'))
  return (name) => exact.has(name) || wild.some((pieces) => hasPieces(name, pieces))
}

/** Whether the text is the pieces in order, with anything between them; the first and last are anchored. */
function hasPieces(text: string, pieces: readonly string[]): boolean {
  const first = pieces[0] ?? ''
  const last = pieces[pieces.length - 1] ?? ''
  if (text.length < first.length + last.length || !text.startsWith(first) || !text.endsWith(last)) return false
  const end = text.length - last.length
  let at = first.length
  for (const piece of pieces.slice(1, -1)) {
    const found = text.indexOf(piece, at)
    if (found < 0 || found + piece.length > end) return false
    at = found + piece.length
  }
  return true
}
