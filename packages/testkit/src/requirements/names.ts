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

/** The traps named in the text of one test file. A comment names none, nor does a text that only mentions one. */
export function readNamedTraps(source: string): readonly number[] {
  const labels = [...source.matchAll(LABELS)].map(([, found = '']) => found)
  return labels.flatMap((label) => [...label.matchAll(/trap-(\d+)/g)].map(([, number]) => Number(number)))
}

/** What a name of a test or of a group begins with: requirements, each followed by a comma or a colon. */
const LABELS = /['"`]((?:(?:trap|abuse)-\d+[:,] )*trap-\d+[:,](?: (?:trap|abuse)-\d+[:,])*)/g

function testFilesIn(folder: string): readonly string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (entry.isDirectory()) return PASSED_OVER.has(entry.name) ? [] : testFilesIn(join(folder, entry.name))
    return entry.name.endsWith('.test.ts') ? [join(folder, entry.name)] : []
  })
}

const PASSED_OVER = new Set(['node_modules', 'dist', 'build', '.git'])
