import { type CharSet, mayOverlap, NONE, unionOf } from './char-set.ts'
import type { Regex } from './parse.ts'

/**
 * Whether the platform's own engine takes linear time for a pattern. It goes back to every choice it made. So at every
 * character at most one choice may lead on (Brüggemann-Klein 1993: the expression is deterministic), and it must be
 * bound to the start of the text or be short: otherwise it begins again at every character.
 */
export function isLinear(regex: Regex): boolean {
  return isDeterministic(regex, NONE) && (isAnchored(regex) || maxLength(regex) <= MAX_UNANCHORED)
}

/** @param follow characters that may come after this part */
function isDeterministic(regex: Regex, follow: CharSet): boolean {
  switch (regex.kind) {
    case 'set':
      return regex.set.properties.length === 0
    case 'place':
      return true
    case 'look':
      return false
    case 'sequence':
      return regex.parts.every((part, at) => isDeterministic(part, firstOf(regex.parts.slice(at + 1), follow)))
    case 'choice':
      return areApart(regex.ways, follow) && regex.ways.every((way) => isDeterministic(way, follow))
    case 'repeat': {
      const { part, min, max } = regex
      if (isNullable(part)) return false
      const first = firstOf([part], NONE)
      const mayStop = min !== max
      if (mayStop && mayOverlap(first, follow)) return false
      return isDeterministic(part, max > 1 ? unionOf([first, follow]) : follow)
    }
  }
}

function areApart(ways: readonly Regex[], follow: CharSet): boolean {
  let taken = NONE
  let nullable = 0
  for (const way of ways) {
    const first = firstOf([way], NONE)
    if (mayOverlap(first, taken)) return false
    taken = unionOf([taken, first])
    if (isNullable(way)) nullable++
  }
  return nullable === 0 || (nullable === 1 && !mayOverlap(taken, follow))
}

/** Characters a sequence may begin with; those after it too, where it may be empty. */
function firstOf(parts: readonly Regex[], follow: CharSet): CharSet {
  let first = NONE
  for (const part of parts) {
    first = unionOf([first, firstOfOne(part)])
    if (!isNullable(part)) return first
  }
  return unionOf([first, follow])
}

function firstOfOne(regex: Regex): CharSet {
  switch (regex.kind) {
    case 'set':
      return regex.set
    case 'place':
    case 'look':
      return NONE
    case 'sequence':
      return firstOf(regex.parts, NONE)
    case 'choice':
      return unionOf(regex.ways.map(firstOfOne))
    case 'repeat':
      return regex.max === 0 ? NONE : firstOfOne(regex.part)
  }
}

function isNullable(regex: Regex): boolean {
  switch (regex.kind) {
    case 'set':
      return false
    case 'place':
    case 'look':
      return true
    case 'sequence':
      return regex.parts.every(isNullable)
    case 'choice':
      return regex.ways.some(isNullable)
    case 'repeat':
      return regex.min === 0 || isNullable(regex.part)
  }
}

function isAnchored(regex: Regex): boolean {
  switch (regex.kind) {
    case 'place':
      return regex.place === 'start'
    case 'sequence':
      return regex.parts[0] !== undefined && isAnchored(regex.parts[0])
    case 'choice':
      return regex.ways.every(isAnchored)
    default:
      return false
  }
}

/** Most characters one match takes. */
function maxLength(regex: Regex): number {
  switch (regex.kind) {
    case 'set':
      return 1
    case 'place':
    case 'look':
      return 0
    case 'sequence':
      return regex.parts.reduce((sum, part) => sum + maxLength(part), 0)
    case 'choice':
      return Math.max(...regex.ways.map(maxLength))
    case 'repeat':
      return regex.max === 0 ? 0 : maxLength(regex.part) * regex.max
  }
}

const MAX_UNANCHORED = 64
