import { appendFile } from 'node:fs/promises'
import { toAnchorLine } from '../audit/checkpoint.ts'
import type { Log } from '../log.ts'
import type { Checkpoint } from '../stores/contract/audit-store.ts'

/**
 * Puts checkpoints where whoever can change the store cannot change them: at the end of a file, one a line, or into the log.
 * @param place path of a file, or `stderr`
 */
export function createAnchor(place: string, log: Log): (checkpoint: Checkpoint) => Promise<void> {
  return place === 'stderr'
    ? async (checkpoint) => log.info({ checkpoint: toAnchorLine(checkpoint) }, 'Checkpoint')
    : (checkpoint) => appendFile(place, `${toAnchorLine(checkpoint)}\n`, { mode: 0o600 })
}
