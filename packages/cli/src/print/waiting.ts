import { type Clock, systemClock } from '@crosspoint/mcp'
import type { Terminal } from './terminal.ts'

/** How long nobody minds that nothing is said. */
const SILENCE_MS = 1_000

/**
 * Waits for what may take long; to somebody at a screen it says so after a second.
 * @param describe what is waited for, asked only then; undefined when there is nothing to say
 */
export async function waiting<T>(
  terminal: Pick<Terminal, 'isWatched' | 'say' | 'err'>,
  describe: () => string | undefined,
  work: Promise<T>,
  clock: Clock = systemClock,
): Promise<T> {
  if (!terminal.isWatched) return work
  const timer = clock.setTimer(SILENCE_MS, () => {
    const what = describe()
    if (what !== undefined) terminal.say(terminal.err.dim(what))
  })
  try {
    return await work
  } finally {
    timer.cancel()
  }
}
