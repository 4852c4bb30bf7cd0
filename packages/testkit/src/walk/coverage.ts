import { type Profiler, Session } from 'node:inspector/promises'

/** One function that ran, and how often. */
export interface Visit {
  /** Path of the file inside the folder that was watched. */
  readonly file: string
  /** The name V8 gives it, and where it begins in the file: functions without a name are told apart by that. */
  readonly name: string
  readonly count: number
}

/** What one call took. */
export interface Walk {
  /** The revisions spoken on both sides. */
  readonly downstream: string
  readonly upstream: string
  readonly visits: readonly Visit[]
}

/**
 * Which functions of the modules under `folder` run while `work` does, by V8's precise coverage. Counts calls, so
 * functions that were inlined before are counted too.
 * @param folder a `file:` URL that ends with a slash
 */
export async function visitedBy(folder: string, work: () => Promise<void>): Promise<readonly Visit[]> {
  const session = new Session()
  session.connect()
  try {
    await session.post('Profiler.enable')
    await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: false })
    await session.post('Profiler.takePreciseCoverage') // what ran so far is not of interest
    await work()
    const { result } = await session.post('Profiler.takePreciseCoverage')
    return result.filter(({ url }) => url.startsWith(folder)).flatMap((script) => toVisits(script, folder))
  } finally {
    session.disconnect()
  }
}

function toVisits({ url, functions }: Profiler.ScriptCoverage, folder: string): readonly Visit[] {
  return functions.flatMap(({ functionName, ranges }): readonly Visit[] => {
    const [range] = ranges
    if (range === undefined || range.count === 0) return []
    return [{ file: url.slice(folder.length), name: `${functionName}@${range.startOffset}`, count: range.count }]
  })
}
