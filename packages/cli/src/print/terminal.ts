import type { CliError } from '../exit.ts'
import { createStyle, type Style, wantsColor } from './style.ts'
import { visible, visibleJson, visibleLines } from './visible.ts'

/** As much of a process stream as is needed to write to it. */
export interface OutputStream {
  readonly isTTY?: boolean
  readonly columns?: number
  write(text: string | Uint8Array, done?: (error?: Error | null) => void): boolean
}

export interface TerminalOptions {
  readonly stdout: OutputStream
  readonly stderr: OutputStream
  readonly env: Readonly<Record<string, string | undefined>>
  /** Data as JSON on standard output, and the error, if any, as one line of JSON on standard error. */
  readonly json?: boolean
  /** No chatter; errors are still told. */
  readonly quiet?: boolean
  /** Causes of errors, what servers log and write to their standard error. */
  readonly verbose?: boolean
}

/** Where a command puts what it found (standard output) and what it has to say about it (standard error). */
export interface Terminal {
  readonly json: boolean
  readonly quiet: boolean
  readonly verbose: boolean
  /** For text on standard output. */
  readonly out: Style
  /** For text on standard error. */
  readonly err: Style
  /** Whether somebody watches standard error on a screen. */
  readonly isWatched: boolean
  /** Columns of the screen behind standard output; undefined for a pipe or a file. */
  readonly width: number | undefined
  /** Data for people: one or more lines, already safe to show. */
  data(text: string): void
  /** Data for programs: one JSON document, on one line where no screen shows it. */
  value(value: unknown): void
  /** Bytes as they are. */
  bytes(bytes: Uint8Array): void
  /** A line on standard error that is told in any case: already safe to show. */
  tell(text: string): void
  /** Chatter: already safe to show, dropped with `--quiet` and with `--json`. */
  say(text: string): void
  /** Chatter for `--verbose`. */
  detail(text: string): void
  fail(error: CliError): void
  /** Resolves when everything written has left the process. */
  flushed(): Promise<void>
}

export function createTerminal(options: TerminalOptions): Terminal {
  const { stdout, stderr, env } = options
  const json = options.json ?? false
  const quiet = options.quiet ?? false
  const verbose = options.verbose ?? false
  const err = createStyle(!json && wantsColor(env, stderr.isTTY === true))
  return {
    json,
    quiet,
    verbose,
    out: createStyle(!json && wantsColor(env, stdout.isTTY === true)),
    err,
    isWatched: stderr.isTTY === true,
    width: widthOf(stdout),
    data: (text) => void stdout.write(`${text}\n`),
    value: (value) => void stdout.write(`${visibleJson(value, stdout.isTTY === true ? 2 : undefined)}\n`),
    bytes: (bytes) => void stdout.write(bytes),
    tell: (text) => void stderr.write(`${text}\n`),
    say: (text) => {
      if (!quiet && !json) stderr.write(`${text}\n`)
    },
    detail: (text) => {
      if (verbose) stderr.write(`${err.dim(text)}\n`)
    },
    fail: (error) => {
      stderr.write(json ? `${visibleJson(toErrorLine(error))}\n` : toErrorText(error, err, verbose))
    },
    flushed: async () => {
      await Promise.all([written(stdout), written(stderr)])
    },
  }
}

/** Some terminals do not know how wide they are and say 0; nothing is cut for them. */
function widthOf({ isTTY, columns = 0 }: OutputStream): number | undefined {
  return isTTY === true && columns >= NARROWEST ? columns : undefined
}

const NARROWEST = 40

/** The stable shape of an error: one object on one line. */
function toErrorLine(error: CliError): unknown {
  return {
    error: {
      kind: error.kind,
      exitCode: error.exitCode,
      message: error.message,
      ...(error.code !== undefined && { code: error.code }),
      ...(error.hint !== undefined && { hint: error.hint }),
      ...(error.details !== undefined && { details: error.details }),
    },
  }
}

function toErrorText(error: CliError, style: Style, verbose: boolean): string {
  const lines = [`${style.red('crosspoint:')} ${visibleLines(error.message)}`]
  if (error.hint !== undefined) lines.push(`  ${visibleLines(error.hint).replaceAll('\n', '\n  ')}`)
  if (verbose) for (const cause of causesOf(error)) lines.push(style.dim(`  because: ${visible(cause)}`))
  return `${lines.join('\n')}\n`
}

/** Messages of what lies under an error, and the stack of the deepest: for whoever asked with `--verbose`. */
function causesOf(error: Error): readonly string[] {
  const causes: string[] = []
  let at: unknown = error.cause
  let deepest: Error | undefined
  while (at instanceof Error && causes.length < MAX_CAUSES) {
    causes.push(`${at.name}: ${at.message}`)
    deepest = at
    at = at.cause
  }
  if (deepest?.stack !== undefined)
    causes.push(
      ...deepest.stack
        .split('\n')
        .slice(1, 8)
        .map((line) => line.trim()),
    )
  return causes
}

const MAX_CAUSES = 8

function written(stream: OutputStream): Promise<void> {
  // A reader who is gone (EPIPE) reports an error here; there is nothing left to wait for then.
  return new Promise((resolve) => void stream.write('', () => resolve()))
}
