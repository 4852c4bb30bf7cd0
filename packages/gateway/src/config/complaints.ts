import type { ConfigIssue } from './config-error.ts'
import type { Origin } from './tree.ts'

/** Collects what there is to say while a configuration is read, so that everything is said at once. */
export class Complaints {
  readonly errors: ConfigIssue[] = []
  readonly warnings: ConfigIssue[] = []
  readonly #file: string

  constructor(file: string) {
    this.#file = file
  }

  error(origin: Origin, message: string, hint?: string): void {
    this.errors.push(this.#issue(origin, message, hint))
  }

  warning(origin: Origin, message: string, hint?: string): void {
    this.warnings.push(this.#issue(origin, message, hint))
  }

  #issue(origin: Origin, message: string, hint: string | undefined): ConfigIssue {
    return {
      message,
      path: origin.path,
      ...placeOf(origin, this.#file),
      ...(hint === undefined ? {} : { hint }),
    }
  }
}

/** File, line and column of an origin; what is no file has no line. */
export function placeOf(origin: Origin, file: string): { file: string; line: number; column: number } {
  if (origin.source === 'env') return { file: `environment variable ${origin.variable}`, line: 0, column: 0 }
  if (origin.source === 'flag') return { file: `flag ${origin.flag}`, line: 0, column: 0 }
  return { file, line: origin.line, column: origin.column }
}
