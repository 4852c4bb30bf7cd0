// Keeps declarations out of the package that no door leads to: more than half of what the compiler writes of them, which
// nobody can import. The compiler needs them where they are, so they are left out when the package is made.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'

/**
 * @param shipped the folder that ships; an `.npmignore` is written there
 * @param doors the declarations one can import
 */
export function leaveOutUnreachable(shipped, doors) {
  const reached = new Set()
  const waiting = [...doors]
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    if (reached.has(path) || !existsSync(path)) continue
    reached.add(path)
    for (const [, from] of readFileSync(path, 'utf8').matchAll(IMPORT)) {
      waiting.push(resolve(dirname(path), from).replace(/[.][jt]s$/, '.d.ts'))
    }
  }
  const written = readdirSync(shipped, { recursive: true })
    .filter((path) => path.endsWith('.d.ts'))
    .filter((path) => !reached.has(join(shipped, path)))
    .sort()
  writeFileSync(
    join(shipped, '.npmignore'),
    `${['.npmignore', ...written].map((path) => `/${relative('.', path)}`).join('\n')}\n`,
  )
}

/** `from '…'` and `import('…')` of this package. */
const IMPORT = /(?:from|import\()\s*['"]([.][^'"]+)['"]/g
