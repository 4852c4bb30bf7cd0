/**
 * Compares what the official suite reported with what the baseline expects. Not as expected are: a scenario that
 * fails and is not listed, one that is listed and passes or does not exist, and any number of checks but the one
 * expected, since a suite that reaches no server "passes" a third of its checks. A warning is a failure; a check
 * that was skipped is none at all, and a scenario of nothing else passes only where the baseline says that the suite
 * has nothing else to say there.
 * @param {Map<string, { id: string, status: string, errorMessage?: string, description?: string }[]>} reports by
 *   scenario; an empty list for one that never reported
 * @param {{ checks: number, failing?: Entry[], skipping?: Entry[] }} expected
 * @typedef {{ scenario: string, reason: string }} Entry
 * @returns {{ passed: string[], failed: [title: string, why: string][], summary: string, counts: Counts }}
 * @typedef {{ good: number, all: number }} Count
 * @typedef {{ scenarios: Count, checks: Count, failing: string[] }} Counts what there is, whatever is expected
 */
export function judge(reports, expected) {
  const passed = []
  const failed = []
  const excused = toNames(expected.failing)
  const empty = toNames(expected.skipping)
  const failing = []
  let checks = 0
  let good = 0
  for (const [scenario, found] of reports) {
    const counted = found.filter((check) => COUNTED.has(check.status))
    const bad = counted.filter((check) => check.status !== 'SUCCESS')
    checks += counted.length
    good += counted.length - bad.length
    const passes = counted.length > 0 && bad.length === 0
    if (!passes) failing.push(scenario)
    const isSkipped = found.length > 0 && found.every((check) => check.status === 'SKIPPED')
    if (empty.has(scenario)) {
      if (isSkipped) passed.push(scenario)
      else failed.push([scenario, 'It is not skipped: take it out of the baseline'])
    } else if (passes && excused.has(scenario)) failed.push([scenario, 'It passes: take it out of the baseline'])
    else if (passes) passed.push(scenario)
    else if (!excused.has(scenario)) failed.push([scenario, toWhy(counted, bad)])
  }
  for (const { scenario, reason } of [...(expected.failing ?? []), ...(expected.skipping ?? [])]) {
    if (!reports.has(scenario)) failed.push([scenario, 'The baseline lists it, and the suite has no such scenario'])
    if (!reason) failed.push([scenario, 'The baseline lists it without a reason'])
  }
  if (checks === expected.checks) passed.push(`the expected ${checks} checks ran`)
  else failed.push(['number of checks', `${checks} ran; the baseline expects ${expected.checks}`])
  const summary = `${good} of ${checks} checks pass; ${reports.size} scenarios, ${excused.size} of them expected to fail`
  const scenarios = { good: reports.size - failing.length, all: reports.size }
  return { passed, failed, summary, counts: { scenarios, checks: { good, all: checks }, failing } }
}

function toNames(entries = []) {
  return new Set(entries.map((entry) => entry.scenario))
}

function toWhy(counted, bad) {
  if (counted.length === 0) return 'No check was reported'
  return bad.map((check) => `${check.status} ${check.id}: ${check.errorMessage ?? check.description}`).join('\n')
}

const COUNTED = new Set(['SUCCESS', 'FAILURE', 'WARNING'])
