/** A thing as its server names it. */
export interface NativeName {
  readonly server: string
  readonly native: string
  /** What stands before `__` in the merged name. Default: the server's name; with `''` its own names stay as they are. */
  readonly prefix?: string
}

/**
 * Gives each thing its merged name, `<server>__<name>`, or with another prefix than the server's name, or none: unique,
 * at most 64 of `[A-Za-z0-9_-]`, which is what every client and model accepts. A name that had to be cut, or that several
 * things would share, ends in a digest of what it stands for. Depends on the set given, never on its order.
 *
 * Where several would share one, the thing whose own name needed no change keeps it, if there is exactly one.
 * @param toDigest eight digits that stand for a text
 * @param isTaken names that something else has already
 * @returns names in the order given
 */
export function toMergedNames(
  things: readonly NativeName[],
  toDigest: (text: string) => string,
  isTaken: (name: string) => boolean = () => false,
): readonly string[] {
  const wanted = new Map<string, NativeName[]>()
  for (const thing of things) {
    const name = toPlainName(thing)
    if (name === '' || name.length > MAX_MERGED_NAME || isTaken(name)) continue
    const sharers = wanted.get(name)
    if (sharers === undefined) wanted.set(name, [thing])
    else sharers.push(thing)
  }
  const names = new Map<NativeName, string>()
  for (const [name, sharers] of wanted) {
    const owner = sharers.length === 1 ? sharers[0] : toOnlyExact(sharers, name)
    if (owner !== undefined) names.set(owner, name)
  }
  nameTheRest(things, names, toDigest, isTaken)
  return things.map((thing) => names.get(thing) ?? toPlainName(thing))
}

function toOnlyExact(sharers: readonly NativeName[], name: string): NativeName | undefined {
  const exact = sharers.filter((thing) => toWholeName(thing) === name)
  return exact.length === 1 ? exact[0] : undefined
}

function nameTheRest(
  things: readonly NativeName[],
  names: Map<NativeName, string>,
  toDigest: (text: string) => string,
  isTaken: (name: string) => boolean,
): void {
  const rest = things.filter((thing) => !names.has(thing)).sort(compare)
  if (rest.length === 0) return
  const taken = new Set(names.values())
  for (const thing of rest) {
    let round = 0
    let name = toDigestName(thing, round, toDigest)
    while (taken.has(name) || isTaken(name)) name = toDigestName(thing, ++round, toDigest)
    taken.add(name)
    names.set(thing, name)
  }
}

function toWholeName({ server, native, prefix = server }: NativeName): string {
  return prefix === '' ? native : `${prefix}${SEPARATOR}${native}`
}

function toPlainName(thing: NativeName): string {
  return toAllowed(toWholeName(thing))
}

/** @param round goes up when the digest itself is taken */
function toDigestName(thing: NativeName, round: number, toDigest: (text: string) => string): string {
  const { server, native } = thing
  const suffix = `_${toDigest(JSON.stringify(round === 0 ? [server, native] : [server, native, round]))}`
  return toPlainName(thing).slice(0, MAX_MERGED_NAME - suffix.length) + suffix
}

function toAllowed(text: string): string {
  return text.replace(/[^A-Za-z0-9_-]/gu, '_')
}

function compare(a: NativeName, b: NativeName): number {
  if (a.server !== b.server) return a.server < b.server ? -1 : 1
  return a.native < b.native ? -1 : a.native > b.native ? 1 : 0
}

/** What every client and every model accepts. */
export const MAX_MERGED_NAME = 64
const SEPARATOR = '__'
