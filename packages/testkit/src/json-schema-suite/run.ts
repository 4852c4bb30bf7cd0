import { existsSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { judge } from './judge.ts'
import { KNOWN_FAILURES } from './known-failures.ts'
import { DRAFTS, readSuite } from './read.ts'

/**
 * Holds the validator of `@crosspoint/mcp/json-schema` against the public test suite, which is not part of this
 * repository: https://github.com/json-schema-org/JSON-Schema-Test-Suite. Says how many tests of each draft pass, and
 * which did not do what was expected; any of those is exit code 1.
 *
 *   npm run -s json-schema-suite -- <checkout of JSON-Schema-Test-Suite> [--if-there]
 */
const { values, positionals } = parseArgs({ options: { 'if-there': { type: 'boolean' } }, allowPositionals: true })
const [checkout] = positionals
if (checkout === undefined) {
  console.error('Usage: npm run -s json-schema-suite -- <checkout of JSON-Schema-Test-Suite> [--if-there]')
  process.exit(1)
}
if (values['if-there'] === true && !existsSync(checkout)) {
  console.log(`NOT RUN: there is no checkout of JSON-Schema-Test-Suite at "${checkout}"`)
  process.exit()
}

for (const draft of DRAFTS) {
  try {
    const { required, optional, unexpected } = judge(readSuite(checkout, draft), KNOWN_FAILURES)
    const total = required.passed + required.failed
    console.log(`${draft}: ${required.passed}/${total} required tests passed`)
    console.log(`${draft}: ${optional.passed} optional tests passed, ${optional.failed} failed`)
    for (const line of unexpected) console.error(line)
    if (unexpected.length > 0) process.exitCode = 1
  } catch (error) {
    console.error(error instanceof Error ? error.message : error)
    process.exitCode = 1
  }
}
