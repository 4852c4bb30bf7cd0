/** Characters, by code point. Ranges are sorted, apart from each other, and inclusive. */
export interface CharSet {
  readonly ranges: readonly (readonly [from: number, to: number])[]
  /** Those of which one of these is true too: what only the platform knows of a character. */
  readonly properties: readonly ((character: string) => boolean)[]
  /** How many expressions of the platform may be asked about one character. */
  readonly asks: number
}

export const MAX_CODE_POINT = 0x10ffff

export function charSet(
  ranges: Iterable<readonly [number, number]>,
  properties: CharSet['properties'] = [],
  asks = properties.length,
): CharSet {
  const sorted = [...ranges].sort((a, b) => a[0] - b[0])
  const apart: [number, number][] = []
  for (const [from, to] of sorted) {
    const last = apart.at(-1)
    if (last !== undefined && from <= last[1] + 1) last[1] = Math.max(last[1], to)
    else apart.push([from, to])
  }
  return { ranges: apart, properties, asks }
}

export function negate(set: CharSet): CharSet {
  if (set.properties.length > 0) {
    return { ranges: [], properties: [(character) => !hasChar(set, character.codePointAt(0) ?? 0)], asks: set.asks }
  }
  const ranges: [number, number][] = []
  let next = 0
  for (const [from, to] of set.ranges) {
    if (from > next) ranges.push([next, from - 1])
    next = to + 1
  }
  if (next <= MAX_CODE_POINT) ranges.push([next, MAX_CODE_POINT])
  return { ranges, properties: [], asks: 0 }
}

export function hasChar(set: CharSet, codePoint: number): boolean {
  return isInRanges(set.ranges, codePoint) || hasProperty(set.properties, codePoint)
}

function isInRanges(ranges: CharSet['ranges'], codePoint: number): boolean {
  let low = 0
  let high = ranges.length - 1
  while (low <= high) {
    const middle = (low + high) >> 1
    const range = ranges[middle]
    if (range === undefined) return false
    if (codePoint < range[0]) high = middle - 1
    else if (codePoint > range[1]) low = middle + 1
    else return true
  }
  return false
}

function hasProperty(properties: CharSet['properties'], codePoint: number): boolean {
  if (properties.length === 0) return false
  const character = String.fromCodePoint(codePoint)
  return properties.some((property) => property(character))
}

function isEmpty({ ranges, properties }: CharSet): boolean {
  return ranges.length === 0 && properties.length === 0
}

/** Whether no character is in two of the sets; false where that is not known. */
export function areApart(sets: readonly CharSet[]): boolean {
  const filled = sets.filter((set) => !isEmpty(set))
  if (filled.length < 2) return true
  if (filled.some(({ properties }) => properties.length > 0)) return false
  const sorted = filled.flatMap(({ ranges }) => ranges).sort((a, b) => a[0] - b[0])
  return sorted.every(([from], at) => from > (sorted[at - 1]?.[1] ?? -1))
}

export function unionOf(sets: readonly CharSet[]): CharSet {
  const filled = sets.filter((set) => !isEmpty(set))
  const [only] = filled
  if (filled.length < 2) return only ?? NONE
  return charSet(
    filled.flatMap(({ ranges }) => ranges),
    filled.flatMap(({ properties }) => properties),
    filled.reduce((sum, { asks }) => sum + asks, 0),
  )
}

export const NONE: CharSet = charSet([])
export const DIGIT: CharSet = charSet([[0x30, 0x39]])
export const WORD: CharSet = charSet([
  [0x30, 0x39],
  [0x41, 0x5a],
  [0x5f, 0x5f],
  [0x61, 0x7a],
])
export const LINE_END: CharSet = charSet([
  [0x0a, 0x0a],
  [0x0d, 0x0d],
  [0x2028, 0x2029],
])
/** WhiteSpace and LineTerminator of ECMA-262. */
export const SPACE: CharSet = charSet([
  [0x09, 0x0d],
  [0x20, 0x20],
  [0xa0, 0xa0],
  [0x1680, 0x1680],
  [0x2000, 0x200a],
  [0x2028, 0x2029],
  [0x202f, 0x202f],
  [0x205f, 0x205f],
  [0x3000, 0x3000],
  [0xfeff, 0xfeff],
])
