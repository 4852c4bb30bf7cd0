import { closest } from '@crosspoint/mcp'

/** The names most like the one that was not found, nearest first. Empty when none is near enough to be meant. */
export function suggest(wrong: string, names: Iterable<string>, most = 3): readonly string[] {
  const all = [...new Set(names)]
  const parts = all.filter((name) => isPart(wrong, name))
  return parts.length > 0 ? parts.slice(0, most) : closest(wrong, all, most)
}

/** `Did you mean "a" or "b"?`, or undefined when nothing is near. */
export function didYouMean(wrong: string, names: Iterable<string>): string | undefined {
  const near = suggest(wrong, names).map((name) => `"${name}"`)
  if (near.length === 0) return undefined
  const last = near.pop()
  return near.length === 0 ? `Did you mean ${last}?` : `Did you mean ${near.join(', ')} or ${last}?`
}

/** Whether one is the other with or without its server in front: `echo` of `everything__echo`. */
function isPart(wrong: string, name: string): boolean {
  const [a, b] = [wrong.toLowerCase(), name.toLowerCase()]
  return a.length >= 3 && (b.endsWith(`__${a}`) || a.endsWith(`__${b}`))
}
