import { parseScopes, union } from '../discovery/scopes.ts'
import { asString, asStrings, type JsonObject } from '../json.ts'

/** What a token is good for: `scope` (RFC 9068 §2.2.3), or `scp` as some issuers write it. */
export function parseGranted({ scope, scp }: JsonObject): readonly string[] {
  return parseScopes(asString(scope) ?? asString(scp) ?? asStrings(scope ?? scp)?.join(' '))
}

/** With what each scope implies, and what that implies in its turn. */
export function expand(
  granted: readonly string[],
  implied: Readonly<Record<string, readonly string[]>>,
): readonly string[] {
  let known = granted
  for (;;) {
    const more = union(known, ...known.map((scope) => (Object.hasOwn(implied, scope) ? implied[scope] : undefined)))
    if (more.length === known.length) return known
    known = more
  }
}
