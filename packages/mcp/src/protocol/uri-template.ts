import { expandPart } from './uri-template/expand.ts'
import { isExpression, type Part, toParts, toUriText } from './uri-template/expression.ts'
import { matchSteps } from './uri-template/match.ts'
import { toSteps } from './uri-template/steps.ts'
import type { UriValue, UriVariables } from './uri-template/variables.ts'

/**
 * URI templates (RFC 6570, level 4), both ways. Templates may come from a peer, so matching is linear in the length of
 * the URI and no pattern is compiled from them.
 *
 * Expansion is the RFC's. Matching, which it leaves open, reads a URI like this:
 * - A variable is one character or more, of its segment (`{id}`), or of anything (`{+path}`, `{#part}`): it is a text,
 *   also where a comma is in it. Of two that touch, the first takes as much as it can.
 * - `{/path*}`, `{.labels*}` and `{ids*}` are lists.
 * - Pairs (`{?q,page}`, `{&q}`, `{;v}`) come in any order, each may be missing, and others than those named are ignored.
 *   `{?tag*}` is a list of what is called `tag`; where nothing is, and there are pairs that nothing is named after, it is
 *   a map of them. Pairs begin as early as they can: `{+path}{?q}` leaves no `?` in the path.
 * - `{id:3}` is three characters or less.
 * - A variable that is there twice has one value, or nothing matches; `{id:1}/{id}` begins with its first character.
 */
export interface UriTemplate {
  readonly template: string
  /** Names in order of appearance, each once. */
  readonly variables: readonly string[]
  /** The variables of a URI this template could have made, decoded; undefined for any other. */
  match(uri: string): UriVariables | undefined
  /** The URI with these variables in it; one that is missing, or an empty list or map, leaves nothing behind. */
  expand(variables: Readonly<Record<string, UriValue | undefined>>): string
}

/** @throws {Error} for a template that is malformed, too long or has too many variables */
export function parseUriTemplate(template: string): UriTemplate {
  if (template.length > MAX_TEMPLATE)
    throw new Error(`Cannot read a URI template longer than ${MAX_TEMPLATE} characters`)
  const parts = toParts(template)
  const names = parts.flatMap((part) => (isExpression(part) ? part.variables.map(({ name }) => name) : []))
  if (names.length > MAX_VARIABLES) {
    throw new Error(`Cannot read a URI template of more than ${MAX_VARIABLES} variables`)
  }
  const steps = toSteps(parts)
  const [first = ''] = parts
  // Most URIs are of other templates: what begins otherwise, and cannot be written in two ways, is not looked at further.
  const beginning = isExpression(first) ? '' : (/^[^%]*/.exec(first)?.[0] ?? '')
  return {
    template,
    variables: [...new Set(names)],
    match(uri) {
      const asked = uri.length > MAX_URI || !uri.startsWith(beginning) ? undefined : toUriText(uri)
      return asked === undefined || asked.length > MAX_URI ? undefined : matchSteps(steps, asked)
    },
    expand: (values) => parts.map((part: Part) => expandPart(part, values)).join(''),
  }
}

const MAX_TEMPLATE = 2048
/** Each is one more walk along a URI. */
const MAX_VARIABLES = 64
/** Characters, as they are sent. */
const MAX_URI = 8192
