/** Where the gateway tells what happens; see `node/log.ts` for the one of a process. */
export interface Log {
  debug(details: LogDetails, message: string): void
  info(details: LogDetails, message: string): void
  warn(details: LogDetails, message: string): void
  error(details: LogDetails, message: string): void
  /** A quicker way for the line that is written with every call. Default: `info` writes it. */
  readonly recorder?: Recorder
}

/** Writes lines at level info whose members are JSON text already, without braces. */
export interface Recorder {
  /** False where nobody would read them. */
  readonly isOn: boolean
  write(message: string, members: string): void
}

export type LogDetails = Readonly<Record<string, unknown>>

/** Says nothing. */
export const SILENT: Log = Object.freeze({
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
  recorder: { isOn: false, write: () => {} },
})
