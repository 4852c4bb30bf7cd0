import { readFileSync } from 'node:fs'
import { relative } from 'node:path'

/**
 * Counts a vitest run from its JSON report. A skipped test is a failure: in CI nothing is missing that a test needs.
 * @returns {{ passed: number, failed: number, notes: string[] }}
 */
export function countVitest(path, root) {
  let passed = 0
  let failed = 0
  const notes = []
  for (const file of read(path).testResults ?? []) {
    const where = relative(root, file.name)
    let bad = 0
    for (const test of file.assertionResults) {
      if (test.status === 'passed') {
        passed++
        continue
      }
      bad++
      notes.push(
        `✗ ${where}: ${test.fullName}${test.status === 'failed' ? '' : ` (${test.status}, which is a failure here)`}`,
      )
    }
    // A file that does not load has no tests to fail.
    if (bad === 0 && file.status === 'failed') {
      bad = 1
      notes.push(`✗ ${where}: ${file.message}`)
    }
    failed += bad
  }
  return { passed, failed, notes }
}

/** A run that died left no report; the runner sees that nothing was counted. */
function read(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch {
    return {}
  }
}
