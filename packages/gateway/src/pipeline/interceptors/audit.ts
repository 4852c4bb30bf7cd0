import type { Clock, Handle, Interceptor, Result } from '@crosspoint/mcp'
import type { Evidence } from '../../audit/evidence.ts'
import { quote, toTarget } from '../../audit/text.ts'
import type { Log } from '../../log.ts'
import type { Passage } from '../../routes/passage.ts'
import { outcomeOf, outcomeOfError } from '../../telemetry/outcome.ts'
import type { Tally } from '../../telemetry/tally.ts'

/**
 * One line per call, refused ones included: who asked what of whom through which view, how it ended and how long
 * it took. Never a value of an argument or of a result. Where evidence is kept, a record as well: see `audit/`.
 * @param evidence where it is kept now. Default: nowhere
 * @param tally what counts calls. Default: nobody does
 */
export function audit(
  log: Log,
  clock: Clock,
  evidence: () => Evidence | undefined = nowhere,
  tally?: Pick<Tally, 'ended'>,
): Interceptor<Passage> {
  const { recorder } = log
  const write = (call: Passage, outcome: string, ms: number) => {
    if (recorder === undefined) log.info(JSON.parse(`{${toMembers(call, outcome, ms)}}`), 'call')
    else if (recorder.isOn) recorder.write('call', toMembers(call, outcome, ms))
  }
  const end = (call: Passage, start: number, outcome: string, result?: Result) => {
    const ms = clock.now() - start
    write(call, outcome, ms)
    tally?.ended(call, outcome, ms)
    return evidence()?.call(call, { at: clock.wallNow(), ms, outcome, result })
  }
  const fail = (call: Passage, start: number, error: unknown) => {
    const outcome = outcomeOfError(error)
    if (outcome === 'internal.error') log.error({ trace: call.trace?.traceId, error }, 'A call failed inside')
    const kept = end(call, start, outcome)
    if (kept === undefined) throw error
    return kept.then(() => Promise.reject(error))
  }
  // No async function: its frame would stay with every open listen.
  return (next) => (call) => {
    const start = clock.now()
    const refusal = evidence()?.refusal()
    if (refusal !== undefined) {
      write(call, refusal.code, 0)
      tally?.ended(call, refusal.code, 0)
      return Promise.reject(refusal)
    }
    return attempt(next, call).then(
      (result) => {
        const kept = end(call, start, call.refusal?.code ?? outcomeOf(result), result)
        return kept === undefined ? result : kept.then(() => result)
      },
      (error: unknown) => fail(call, start, error),
    )
  }
}

function nowhere(): undefined {}

/** What is thrown at once is a rejection too. */
function attempt(next: Handle<Passage>, call: Passage): Promise<Result> {
  try {
    return next(call)
  } catch (error) {
    return Promise.reject(error)
  }
}

/** JSON text put together by hand: this runs with every call, and a general writer costs several times as much. */
function toMembers(call: Passage, outcome: string, ms: number): string {
  const { principal, downstream, view, route, trace } = call
  const target = toTarget(call.params)
  let members = `"method":${quote(call.method)}`
  if (target !== undefined) members += `,"target":${quote(target)}`
  if (route !== undefined) members += `,"upstream":${quote(route.destination.name)}`
  if (view.name !== undefined) members += `,"view":${quote(view.name)}`
  members += `,"principal":${quote(principal.id)}`
  if (downstream.client !== undefined) members += `,"client":${quote(downstream.client.name)}`
  members += `,"revision":${quote(downstream.revision)},"outcome":${quote(outcome)},"ms":${Math.round(ms * 100) / 100}`
  return trace === undefined ? members : `${members},"trace":"${trace.traceId}"`
}
