/** Scopes of a space-separated list that could be scopes (RFC 6749 §3.3), each once, no more than 100. */
export function parseScopes(text: string | undefined): readonly string[] {
  return toScopes(text?.slice(0, MAX_TEXT).split(' ') ?? [])
}

/** The union, in the order of appearance. */
export function union(...lists: readonly (readonly string[] | undefined)[]): readonly string[] {
  return toScopes(lists.flatMap((list) => list ?? []))
}

function toScopes(list: readonly string[]): readonly string[] {
  return [...new Set(list.filter((scope) => SCOPE.test(scope)))].slice(0, MAX_SCOPES)
}

const SCOPE = /^[\x21\x23-\x5b\x5d-\x7e]{1,256}$/
const MAX_SCOPES = 100
const MAX_TEXT = 16_384
