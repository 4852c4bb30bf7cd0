// Removes what the compiler wrote of sources that are gone: it leaves that where it is, and it would ship.
import { existsSync, readdirSync, rmSync } from 'node:fs'
import { join, relative } from 'node:path'

/**
 * @param written a folder the compiler writes to
 * @param sources the folder it compiles, of the same shape
 * @param ending of the files that are compared, such as `/[.]d[.]ts$/`
 * @param keeps whether a file without a source is kept, by its path in `written`
 */
export function removeOrphans(written, sources, ending, keeps = () => false) {
  if (!existsSync(written)) return
  for (const entry of readdirSync(written, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !ending.test(entry.name)) continue
    const path = relative(written, join(entry.parentPath, entry.name))
    const source = join(sources, path.replace(ending, '.ts'))
    if (!existsSync(source) && !keeps(path)) rmSync(join(written, path))
  }
}
