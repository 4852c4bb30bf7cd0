import { LOG_LEVELS, type LogLevel } from '../protocol/features/logging.ts'

/**
 * The one log level a handshake session has, for calls that each want their own: as verbose as the most verbose
 * of them. What is too verbose for a call is filtered when it arrives.
 */
export class SessionLogLevel {
  readonly #set: (level: LogLevel) => Promise<void>
  readonly #wanted: number[] = LOG_LEVELS.map(() => 0)
  #current: LogLevel | undefined
  #setting: Promise<void> = Promise.resolve()

  /** @param set tells the server; never rejects */
  constructor(set: (level: LogLevel) => Promise<void>) {
    this.#set = set
  }

  /** A call wants this level until the function it gets is called. Resolves when the server knows. */
  async want(level: LogLevel): Promise<() => void> {
    const at = LOG_LEVELS.indexOf(level)
    this.#wanted[at] = (this.#wanted[at] ?? 0) + 1
    await this.#adjust()
    return () => {
      // Not lowered here: the next call that cares does it, so that a row of like calls sets it once.
      this.#wanted[at] = (this.#wanted[at] ?? 0) - 1
    }
  }

  /** The server forgot: a new session begins with its own default. */
  forget(): void {
    this.#current = undefined
  }

  #adjust(): Promise<void> {
    const most = LOG_LEVELS[this.#wanted.findIndex((count) => count > 0)]
    if (most === undefined || most === this.#current) return this.#setting
    this.#current = most
    this.#setting = this.#setting.then(() => this.#set(most))
    return this.#setting
  }
}
