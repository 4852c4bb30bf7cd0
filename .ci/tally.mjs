import { appendFileSync } from 'node:fs'

/**
 * Counts checks for the last line of `.ci/run`. A script makes one tally, runs its checks through it and ends with
 * `finish()`, which sets the exit code and, inside `.ci/run`, reports the counts to the file named by CI_TALLY.
 * @param {string} name how the script is called in the report
 */
export function createTally(name) {
  let passed = 0
  let failed = 0
  const fail = (title, why) => {
    failed++
    console.error(`✗ ${name}: ${title}\n${indent(why)}`)
  }
  return {
    fail,
    pass(title) {
      passed++
      if (title !== undefined) console.log(`✓ ${name}: ${title}`)
    },
    /** Runs one check; what it throws is the reason it failed. */
    async check(title, run) {
      try {
        await run()
        this.pass(title)
      } catch (error) {
        fail(title, error instanceof Error ? error.message : String(error))
      }
    },
    finish() {
      report(name, passed, failed)
      if (passed + failed === 0) fail('ran nothing', 'A check that checks nothing does not pass')
      if (failed > 0) process.exitCode = 1
    },
  }
}

/** @returns {void} Adds counts to the report of `.ci/run`; does nothing outside of it. */
export function report(name, passed, failed) {
  if (process.env.CI_TALLY) appendFileSync(process.env.CI_TALLY, `${JSON.stringify({ name, passed, failed })}\n`)
}

function indent(text) {
  return text.replace(/^/gm, '    ')
}
