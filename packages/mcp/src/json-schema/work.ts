import { JsonSchemaError } from './refused.ts'

/**
 * What is left of the work that compiling one schema may take. It is counted, not timed, so that a schema is accepted
 * on every machine or on none.
 */
export class Work {
  #left: number

  constructor(most: number) {
    this.#left = most
  }

  /** @throws {JsonSchemaError} when it is used up */
  spend(work: number): void {
    this.#left -= work
    if (this.#left < 0) throw new JsonSchemaError('', TOO_MUCH)
  }
}

const TOO_MUCH =
  'reading the schema takes more work than is allowed: fewer subschemas, references and patterns, or simpler ones, would do'
