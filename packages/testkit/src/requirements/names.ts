import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** A trap as the name of a test has it, and the file of that test. */
export interface NamedTrap {
  readonly trap: number
  readonly file: string
}

/** The traps that names of tests begin with, in all `*.test.ts` below a folder: `'trap-7, abuse-12: …'` names one. */
export function findNamedTraps(folder: string): readonly NamedTrap[] {
  return testFilesIn(folder).flatMap((file) =>
    readNamedTraps(readFileSync(file, 'utf8')).map((trap) => ({ trap, file })),
  )
}

/** Files that name a trap and leave some test out: what does not run proves nothing. */
export function findSkippingFiles(folder: string): readonly string[] {
  return testFilesIn(folder).filter((file) => {
    const source = readFileSync(file, 'utf8')
    return readNamedTraps(source).length > 0 && hasSkipped(source)
  })
}

/**
 * Whether a test file leaves something out whatever the machine, or expects it to fail. That counts for all of the file,
 * as a group that is left out may hold the proof. What only some machines lack (`skipIf`) runs in CI.
 */
export function hasSkipped(source: string): boolean {
  return SKIPS.some((skip) => skip.test(source))
}

/** The traps named in the text of one test file. A comment names none, nor does a text that only mentions one. */
export function readNamedTraps(source: string): readonly number[] {
  const labels = [...source.matchAll(LABELS)].map(([, found = '']) => found)
  return labels.flatMap((label) => [...label.matchAll(/trap-(\d+)/g)].map(([, number]) => Number(number)))
}

/** What a name of a test or of a group begins with: requirements, each followed by a comma or a colon. */
const LABELS = /['"`]((?:(?:trap|abuse)-\d+[:,] )*trap-\d+[:,](?: (?:trap|abuse)-\d+[:,])*)/g

const SKIPS = [
  /\b(?:it|test|describe|suite)(?:\s*\.\s*\w+)*?\s*\.\s*(?:skip|todo|fails)\b/,
  /\bx(?:it|test|describe)\s*[.(]/,
  // As options of a test, and from inside of it.
  /\b(?:skip|todo|fails)\s*:\s*true\b/,
  /\bskip\s*\(/,
  /\b(?:skipIf\s*\(\s*true|runIf\s*\(\s*false)\s*\)/,
]

function testFilesIn(folder: string): readonly string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (entry.isDirectory()) return PASSED_OVER.has(entry.name) ? [] : testFilesIn(join(folder, entry.name))
    return entry.name.endsWith('.test.ts') ? [join(folder, entry.name)] : []
  })
}

const PASSED_OVER = new Set(['node_modules', 'dist', 'build', '.git'])
