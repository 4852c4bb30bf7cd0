import type { ExitKind } from '../exit.ts'
import type { Io } from '../io.ts'
import type { CommonOptions } from '../options.ts'

/** Makes a command's {@link Io} from its options and runs it. */
export type Run = (options: CommonOptions, command: (io: Io) => Promise<ExitKind>) => Promise<void>
