import type { Readable } from 'node:stream'
import { CommanderError } from 'commander'
import { CliError, EXIT_CODES, type ExitKind } from './exit.ts'
import { splitArgv } from './grammar/argv.ts'
import type { CommonOptions } from './options.ts'
import { createTerminal, type OutputStream, type Terminal } from './print/terminal.ts'
import { createProgram } from './program.ts'
import { NUMBERS, type Stopping } from './signals.ts'

/** The process, or what stands for it in a test. */
export interface Host {
  readonly stdin: Readable
  readonly stdout: OutputStream
  readonly stderr: OutputStream
  readonly env: Readonly<Record<string, string | undefined>>
  readonly cwd: string
  /** The command that runs us, in whole paths. */
  readonly program: readonly [command: string, ...args: string[]]
  readonly version: string
  readonly stopping: Stopping
}

/**
 * Runs one command line to its end.
 * @param argv the words after the program's name
 * @returns the exit code; everything written has left by then
 */
export async function main(argv: readonly string[], host: Host): Promise<number> {
  const { own, child } = splitArgv(argv)
  // Until the options are read, so that wrong usage is told in the form that was asked for.
  let terminal = createTerminal({ ...host, json: own.includes('--json') })
  let end: ExitKind = 'ok'
  const program = createProgram({
    version: host.version,
    child,
    writeOut: (text) => void host.stdout.write(text),
    writeErr: (text) => void host.stderr.write(text),
    run: async (options, command) => {
      terminal = createTerminal({ ...host, ...loudness(options) })
      end = await command({ ...host, terminal })
    },
  })
  let code: number
  try {
    await program.parseAsync(own, { from: 'user' })
    code = toExitCode(end, host.stopping)
  } catch (error) {
    code = await tellFault(error, terminal, host.stopping)
  }
  await terminal.flushed()
  return code
}

/** That a supervisor's SIGTERM found us putting everything away in order is a success; Ctrl-C is told as such. */
function toExitCode(end: ExitKind, stopping: Stopping): number {
  if (stopping.by === undefined || stopping.by === 'SIGTERM') return EXIT_CODES[end].code
  return 128 + NUMBERS[stopping.by]
}

async function tellFault(error: unknown, terminal: Terminal, stopping: Stopping): Promise<number> {
  if (error instanceof CommanderError) return tellUsage(error, terminal)
  // Work that was cut off by a signal fails in many ways; none of them is news.
  if (stopping.by !== undefined) return 128 + NUMBERS[stopping.by]
  const { toCliError } = await import('./faults.ts') // it loads the engine, which `--version` does not need
  const fault = toCliError(error)
  terminal.fail(fault)
  return fault.exitCode
}

/** Help and version were printed by the parser; what it did not understand was not. */
function tellUsage(error: CommanderError, terminal: Terminal): number {
  if (error.exitCode === 0) return EXIT_CODES.ok.code
  if (error.code === 'commander.help') return EXIT_CODES.usage.code
  const [first = '', ...more] = error.message.replace(/^error: /, '').split('\n')
  const message = first.charAt(0).toUpperCase() + first.slice(1)
  const hint = more.join(' ').replace(/^\((.*)\)$/, '$1')
  terminal.fail(new CliError('usage', message, { hint: hint === '' ? 'See crosspoint --help' : hint }))
  return EXIT_CODES.usage.code
}

function loudness({ json = false, quiet = false, verbose = false }: CommonOptions) {
  if (quiet && verbose) throw new CliError('usage', 'Cannot be quiet and verbose at once')
  return { json, quiet, verbose }
}
