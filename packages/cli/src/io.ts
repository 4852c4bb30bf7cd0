import type { Readable } from 'node:stream'
import type { Terminal } from './print/terminal.ts'
import type { Stopping } from './signals.ts'

/** Everything of the process that a command may touch. */
export interface Io {
  readonly terminal: Terminal
  readonly stdin: Readable
  readonly env: Readonly<Record<string, string | undefined>>
  readonly cwd: string
  /** The command that runs us, in whole paths: for others to start us with. */
  readonly program: readonly [command: string, ...args: string[]]
  /** Our own version, for `clientInfo` and `serverInfo`. */
  readonly version: string
  readonly stopping: Stopping
}
