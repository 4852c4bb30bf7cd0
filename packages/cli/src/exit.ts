/**
 * What the command line answers its caller with. Printed by `crosspoint --help`; scripts written for the
 * MCP Inspector's command line read 0, 1, 3, 4 and 5 the same way, and 2 means something only there.
 */
export const EXIT_CODES = {
  ok: { code: 0, meaning: 'done' },
  usage: { code: 1, meaning: 'wrong usage, bad configuration, or a name that nothing has' },
  auth: { code: 3, meaning: 'the server wants you to sign in, or refused your credentials' },
  unreachable: { code: 4, meaning: 'the server cannot be started or reached, or gave no answer in time' },
  tool: { code: 5, meaning: 'the tool ran and reported an error' },
  refused: { code: 6, meaning: 'the server answered with a protocol error' },
  tampered: { code: 7, meaning: 'evidence was changed, or a part of it is not there' },
  unexpected: { code: 8, meaning: 'rules do not decide as a test of them expects' },
  internal: { code: 70, meaning: 'a fault in Crosspoint itself' },
  interrupted: { code: 130, meaning: 'stopped by Ctrl-C (SIGINT)' },
  terminated: { code: 143, meaning: 'SIGTERM before everything had stopped; 0 when all was put away in order' },
} as const satisfies Record<string, { code: number; meaning: string }>

export type ExitKind = keyof typeof EXIT_CODES

export interface CliErrorOptions {
  /** What the person at the keyboard can do about it, one sentence. */
  readonly hint?: string | undefined
  /** For `--verbose` only. */
  readonly cause?: unknown
  /** The engine's or the server's own code, for scripts. */
  readonly code?: string | number | undefined
  /** More for scripts: the places of a configuration that are wrong. */
  readonly details?: unknown
}

/** The one way a command fails: a sentence, a remedy and an exit code. */
export class CliError extends Error {
  readonly kind: ExitKind
  readonly hint: string | undefined
  readonly code: string | number | undefined
  readonly details: unknown

  constructor(kind: ExitKind, message: string, options: CliErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'CliError'
    this.kind = kind
    this.hint = options.hint
    this.code = options.code
    this.details = options.details
  }

  get exitCode(): number {
    return EXIT_CODES[this.kind].code
  }
}

/** The table for `--help`. */
export function describeExitCodes(): string {
  const rows = Object.values(EXIT_CODES).map(({ code, meaning }) => `  ${String(code).padStart(3)}  ${meaning}`)
  return ['Exit codes:', ...rows].join('\n')
}
