/**
 * A URL that a peer wrote; undefined for what is none or is longer than any that is meant. The bound is also for the
 * time it takes: that of a host of other scripts grows with the square of its length.
 */
export function parseUrl(text: string, base?: URL): URL | undefined {
  if (text.length > MAX_URL || !URL.canParse(text, base?.href)) return undefined
  return new URL(text, base)
}

const MAX_URL = 2_048
