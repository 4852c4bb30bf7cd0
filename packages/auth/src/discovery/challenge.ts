/** What a server says it is missing, from `WWW-Authenticate` (RFC 9110 §11.6.1, RFC 6750 §3, RFC 9728 §5.1). */
export interface Challenge {
  readonly error?: string
  readonly scope?: string
  readonly resourceMetadata?: string
}

/** The challenge that is about tokens; an empty one where there is none. */
export function parseChallenge(header: string | undefined): Challenge {
  if (header === undefined) return {}
  const challenges = split(header.slice(0, MAX_HEADER)).filter(({ scheme }) => /^(?:bearer|dpop)$/i.test(scheme))
  const merged = new Map(challenges.reverse().flatMap(({ params }) => [...params]))
  const error = merged.get('error')
  const scope = merged.get('scope')
  const resourceMetadata = merged.get('resource_metadata')
  return {
    ...(error === undefined ? {} : { error }),
    ...(scope === undefined ? {} : { scope }),
    ...(resourceMetadata === undefined ? {} : { resourceMetadata }),
  }
}

interface Parsed {
  readonly scheme: string
  readonly params: Map<string, string>
}

/** Schemes and their parameters; of two parameters of one name the first counts. */
function split(header: string): Parsed[] {
  const parsed: Parsed[] = []
  let at = 0
  const take = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at
    const found = pattern.exec(header)
    if (found !== null) at = pattern.lastIndex
    return found
  }
  while (at < header.length) {
    take(SEPARATOR)
    const param = take(PARAM)
    if (param !== null) {
      const [, name = '', token, quoted] = param
      const params = parsed.at(-1)?.params
      const value = token ?? (quoted ?? '').replace(/\\(.)/gs, '$1')
      if (params?.has(name.toLowerCase()) === false) params.set(name.toLowerCase(), value)
      continue
    }
    const scheme = take(SCHEME)
    if (scheme === null) break
    parsed.push({ scheme: scheme[1] ?? '', params: new Map() })
    if (!isParam(header, at)) take(TOKEN68)
  }
  return parsed
}

function isParam(header: string, at: number): boolean {
  PARAM.lastIndex = at
  return PARAM.test(header)
}

const SEPARATOR = /[\s,]*/y
const PARAM =
  /([!#$%&'*+.^_`|~0-9A-Za-z-]+)\s*=\s*(?:([!#$%&'*+.^_`|~0-9A-Za-z:/-]+)(?=\s*(?:,|$))|"((?:[^"\\]|\\.)*)")/sy
const SCHEME = /([!#$%&'*+.^_`|~0-9A-Za-z-]+)(?:\s+|(?=,|$))/y
const TOKEN68 = /[A-Za-z0-9._~+/-]+=*(?=\s*(?:,|$))/y
const MAX_HEADER = 8_192
