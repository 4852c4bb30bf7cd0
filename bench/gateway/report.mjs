// From what was measured to what is held against the budgets.

/** @param measured a row's `figures` are of one round each; rows of the same round are neighbours in time */
export function toReport({ name, budgets }, measured) {
  return {
    name,
    rows: measured.map((row) => ({
      name: row.name,
      cpuUs: median(row.figures.map(({ cpuUs }) => cpuUs)),
      rate: median(row.figures.map(({ rate }) => rate)),
      p50Us: median(row.figures.map(({ p50Us }) => p50Us)),
    })),
    budgets: budgets.map((budget) => judge(budget, measured)),
  }
}

/** A budget compares two rows, round by round; `less` names one whose share is not theirs, such as the upstream's. */
function judge(budget, measured) {
  const { what, row = measured[0]?.name, beside, less, most, least } = budget
  const bound = most === undefined ? `at least ${least} x` : `at most ${most} x`
  const text = `${WORDS[what]} of ${row} ${bound} that of ${beside}${less === undefined ? '' : `, each less that of ${less}`}`
  const [ours, theirs, base] = [row, beside, less].map((wanted) => measured.find(({ name }) => name === wanted))
  if (ours === undefined || theirs === undefined) return { text, value: undefined, held: true }
  const value = median(
    ours.figures.map((figure, at) => {
      const own = base?.figures[at][what] ?? 0
      return (figure[what] - own) / (theirs.figures[at][what] - own)
    }),
  )
  return { text, value, held: most === undefined ? value >= least : value <= most }
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}

const WORDS = { cpuUs: 'CPU', rate: 'Rate', p50Us: 'Median latency' }
