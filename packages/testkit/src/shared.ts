import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

/**
 * Finds material of the specification that is not part of this repository: in the folder that `CROSSPOINT_SHARED`
 * names, else in `shared/` beside the repository. A test that needs it skips visibly where it is missing:
 * `test.skipIf(shared === undefined)`.
 * @throws {Error} where it is missing and `CI` is set: there a skipped test would look like one that passed
 */
export function findShared(...path: readonly string[]): string | undefined {
  const folder = process.env.CROSSPOINT_SHARED ?? resolve(REPOSITORY, '..', 'shared')
  const found = join(folder, ...path)
  if (existsSync(found)) return found
  if (process.env.CI !== undefined && process.env.CI !== '' && process.env.CI !== 'false') {
    throw new Error(
      `Cannot find "${path.join('/')}" beside the repository; set CROSSPOINT_SHARED to the folder that has it`,
    )
  }
  return undefined
}

/** Two folders up from `src` and from `dist` alike. */
const REPOSITORY = fileURLToPath(new URL('../../../', import.meta.url))
