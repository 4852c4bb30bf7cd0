import { isUrl, parseTarget, type Target } from './target.ts'

/** What `ls` can list. */
export const KINDS = ['servers', 'tools', 'resources', 'templates', 'prompts'] as const
export type Kind = (typeof KINDS)[number]

/**
 * Reads `[kind] [target]`. A first word that is no kind is the target, so that a URL or a server's name alone is
 * never dropped.
 */
export function parseListing(
  words: readonly string[],
  child: readonly string[] | undefined,
): { kind: Kind; target: Target } {
  const [first, ...others] = words
  const kind = first === undefined || isUrl(first) ? undefined : toKind(first)
  return { kind: kind ?? 'servers', target: parseTarget(kind === undefined ? words : others, child) }
}

function toKind(word: string): Kind | undefined {
  return KINDS.find((kind) => kind === word || kind.slice(0, -1) === word)
}

/** How each kind is asked for. */
export const LIST_METHODS: Readonly<Record<Exclude<Kind, 'servers'>, string>> = {
  tools: 'tools/list',
  resources: 'resources/list',
  templates: 'resources/templates/list',
  prompts: 'prompts/list',
}
