import { shown } from '../../jsonrpc/shown.ts'
import type { ServerSettings } from '../settings.ts'
import type { Asking } from './asking.ts'

/**
 * Says in the log that a handler returned before what it asked was answered, which a forgotten `await` looks like: its
 * result knows nothing of the answer. A run that was suspended, cancelled or spoilt returns for another reason.
 */
export function warnOfForgotten({ log }: ServerSettings, asking: Asking): void {
  const { call } = asking
  if (asking.isSuspended || asking.fault !== undefined || call.cancellation.isCancelled) return
  const name = call.params.name ?? call.params.uri
  for (const question of asking.unanswered()) {
    log({
      level: 'warn',
      event: 'question_forgotten',
      method: call.method,
      ...(typeof name === 'string' ? { name: shown(name) } : {}),
      message: `a question was not awaited: the handler returned before "${question}" was answered; write await before it`,
    })
  }
}
