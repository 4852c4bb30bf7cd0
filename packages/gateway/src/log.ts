/** Where the gateway tells what happens. A pino logger is one; see `node/log.ts`. */
export interface Log {
  debug(details: LogDetails, message: string): void
  info(details: LogDetails, message: string): void
  warn(details: LogDetails, message: string): void
  error(details: LogDetails, message: string): void
}

export type LogDetails = Readonly<Record<string, unknown>>

/** Says nothing. */
export const SILENT: Log = Object.freeze({ debug: () => {}, info: () => {}, warn: () => {}, error: () => {} })
