import { CliError } from '../exit.ts'

/**
 * Puts into words what a server said. A server asked directly may answer with anything: what cannot be read as the
 * protocol has it is the server's fault, and said as that.
 * @param what is shown, for the error
 */
export function asSaid<T>(what: string, words: () => T): T {
  try {
    return words()
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
    throw new CliError(
      'refused',
      `Cannot show ${what}: the server's answer has not the shape that the protocol gives it`,
      {
        cause: error,
      },
    )
  }
}
