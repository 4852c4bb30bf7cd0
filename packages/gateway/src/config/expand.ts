import { SECRET_NAME, toSecretMark } from './secret-marks.ts'
import type { Tree } from './tree.ts'

/**
 * Variables in texts, replaced after the file has been parsed, so that a value can never change the structure.
 * `${NAME}`, `${NAME:-default}` (default when unset or empty) and `${env:NAME}`; `$${` writes a literal `${`.
 * `${secret:NAME}` becomes a mark (`secret-marks.ts`), which is allowed in few places.
 * `${configFolder}` is the folder of the file; the caller puts it into `env`.
 * Other tools' files may use more spellings: see `foreign`.
 */
export interface ExpandScope {
  readonly env: Readonly<Record<string, string | undefined>>
  /** Answers the spellings of other tools' files; undefined for one it does not know. Default: none are known. */
  readonly foreign?: (kind: string, name: string) => Expansion | undefined
  /** Also `$NAME` (Gemini CLI, Crush). Default false. */
  readonly bareNames?: boolean
  /** Also `{env:NAME}` and `{file:path}` (opencode). Default false. */
  readonly bracesOnly?: boolean
}

export type Expansion = { readonly text: string } | { readonly problem: string; readonly hint: string }

export interface ExpandProblem {
  readonly origin: Tree['origin']
  readonly message: string
  readonly hint: string
}

/** Most text that variables of one configuration may add up to, in UTF-16 units. */
export const MAX_EXPANDED_LENGTH = 4 * 1024 * 1024

/** Replaces variables everywhere in a tree, keys excepted. What cannot be replaced stays, with a problem each. */
export function expandTree(tree: Tree, scope: ExpandScope, problems: ExpandProblem[]): Tree {
  const budget = { left: MAX_EXPANDED_LENGTH }
  const walk = (node: Tree): Tree => {
    if (node.kind === 'list') return { ...node, items: node.items.map(walk) }
    if (node.kind === 'table') {
      const entries = [...node.entries].map(([key, entry]) => [key, { ...entry, value: walk(entry.value) }] as const)
      return { ...node, entries: new Map(entries) }
    }
    if (typeof node.value !== 'string' || !HAS_VARIABLE.test(node.value)) return node
    const expanded = expandText(node.value, scope, (message, hint) => {
      problems.push({ origin: node.origin, message, hint })
    })
    if (expanded === node.value) return node
    budget.left -= expanded.length
    if (budget.left >= 0) return { ...node, value: expanded, written: node.value }
    if (budget.left + expanded.length >= 0) {
      const message = `The variables of the configuration add up to more than ${MAX_EXPANDED_LENGTH} characters`
      problems.push({ origin: node.origin, message, hint: 'shorten their values' })
    }
    return node
  }
  return walk(tree)
}

const HAS_VARIABLE = /\$|\{(?:env|file):/
const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/

/** Replaces the variables of one text. */
export function expandText(
  text: string,
  scope: ExpandScope,
  complain: (message: string, hint: string) => void,
): string {
  return text.replaceAll(REFERENCE, (match: string, braced?: string, plain?: string, bare?: string) => {
    if (match === '$${') return '${'
    if (match === '${') {
      complain('A "${" is not closed by "}"', 'write "$${" for a literal "${"')
      return match
    }
    if (bare !== undefined && scope.bareNames !== true) return match
    if (plain !== undefined && scope.bracesOnly !== true) return match
    const expansion = resolve(braced ?? plain ?? bare ?? '', scope)
    if ('text' in expansion) return expansion.text
    complain(expansion.problem, expansion.hint)
    return match
  })
}

/** `$${`, `${…}`, an unclosed `${`, `{env:…}`, `$NAME`; each alternative is linear in the text. */
const REFERENCE = /\$\$\{|\$\{([^{}]*)\}|\$\{|\{((?:env|file):[^{}]*)\}|\$([A-Za-z_][A-Za-z0-9_]*)/g

function resolve(reference: string, scope: ExpandScope): Expansion {
  const [head, fallback] = splitDefault(reference)
  const name = head.startsWith('env:') ? head.slice('env:'.length) : head
  if (NAME.test(name)) {
    // Own properties only: `${constructor}` must be unset, not a function.
    const value = Object.hasOwn(scope.env, name) ? scope.env[name] : undefined
    if (value !== undefined && (value !== '' || fallback === undefined)) return { text: value }
    if (fallback !== undefined) return { text: fallback }
    return {
      problem: `The environment variable ${name} is not set`,
      hint: `set ${name}, or write \${${name}:-default}`,
    }
  }
  const secret = head.startsWith('secret:') ? head.slice('secret:'.length) : ''
  if (SECRET_NAME.test(secret) && fallback === undefined) return { text: toSecretMark(secret) }
  const [, kind = head, rest = ''] = /^(\w+):(.*)$/s.exec(head) ?? []
  return (
    scope.foreign?.(kind, rest) ?? {
      problem: 'This is not a variable: a name has letters, digits and "_" only',
      hint: 'write ${NAME} or ${NAME:-default}; "$${" for a literal "${"',
    }
  )
}

function splitDefault(reference: string): [head: string, fallback: string | undefined] {
  const at = reference.indexOf(':-')
  return at < 0 ? [reference, undefined] : [reference.slice(0, at), reference.slice(at + 2)]
}
