/** One thing to say about a configuration, and where. Values of the file are never repeated in it. */
export interface ConfigIssue {
  readonly message: string
  /** What it is about, as written in the file: `servers.github.env.TOKEN`, `servers.fs.args[2]`. Empty: the whole file. */
  readonly path: string
  /** The file, an environment variable or a flag; as given to `parseConfig`. */
  readonly file: string
  /** From 1; 0 where there is no line (an environment variable, a flag, a file that cannot be read). */
  readonly line: number
  /** From 1, in UTF-16 units. */
  readonly column: number
  /** What would work. */
  readonly hint?: string
}

/** Most issues of one configuration that are reported; the rest are counted. */
export const MAX_ISSUES = 100

/** A configuration that cannot be used. `issues` holds everything found at once, in the order of the file. */
export class ConfigError extends Error {
  readonly issues: readonly ConfigIssue[]

  constructor(issues: readonly ConfigIssue[], options: { readonly cause?: unknown } = {}) {
    const shown = sortIssues(issues).slice(0, MAX_ISSUES)
    const more = issues.length - shown.length
    const lines = shown.map(formatIssue)
    if (more > 0) lines.push(`and ${more} more`)
    super(lines.join('\n'), options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'ConfigError'
    this.issues = shown
  }
}

/** `file:line:column: message` and the hint, on one line, as problem matchers of editors and CI read it. */
export function formatIssue(issue: ConfigIssue): string {
  const place = issue.line > 0 ? `${issue.file}:${issue.line}:${issue.column}` : issue.file
  const about = issue.path === '' ? '' : `${issue.path}: `
  const hint = issue.hint === undefined ? '' : ` (${issue.hint})`
  return `${place}: ${about}${issue.message}${hint}`
}

export function sortIssues(issues: readonly ConfigIssue[]): ConfigIssue[] {
  return [...issues].sort((a, b) => a.line - b.line || a.column - b.column)
}
