export interface SplitArgv {
  /** What is ours to read. */
  readonly own: readonly string[]
  /** The command to run as a server: everything after the first `--`. Undefined without one. */
  readonly child: readonly string[] | undefined
}

/** `--` always separates the child command, wherever it stands; nothing after it is ever read as an option of ours. */
export function splitArgv(argv: readonly string[]): SplitArgv {
  const at = argv.indexOf('--')
  if (at === -1) return { own: argv, child: undefined }
  return { own: argv.slice(0, at), child: argv.slice(at + 1) }
}
