import { type Clock, type Handle, type Interceptor, McpError, type Result } from '@crosspoint/mcp'
import type { Log } from '../../log.ts'
import type { Passage } from '../../routes/passage.ts'
import { shown } from '../../shown.ts'

/**
 * One line per call, refused ones included: who asked what of whom through which view, how it ended and how long
 * it took. Never a value of an argument or of a result.
 */
export function audit(log: Log, clock: Clock): Interceptor<Passage> {
  const { recorder } = log
  const write = (call: Passage, outcome: string, ms: number) => {
    if (recorder === undefined) log.info(JSON.parse(`{${toMembers(call, outcome, ms)}}`), 'call')
    else if (recorder.isOn) recorder.write('call', toMembers(call, outcome, ms))
  }
  const fail = (call: Passage, error: unknown, ms: number): never => {
    const outcome = error instanceof McpError ? error.code : 'internal.error'
    write(call, outcome, ms)
    if (outcome === 'internal.error') log.error({ trace: call.trace?.traceId, error }, 'A call failed inside')
    throw error
  }
  // No async function: its frame would stay with every open listen.
  return (next) => (call) => {
    const start = clock.now()
    return attempt(next, call).then(
      (result) => {
        write(call, call.refusal?.code ?? toOutcome(result), clock.now() - start)
        return result
      },
      (error: unknown) => fail(call, error, clock.now() - start),
    )
  }
}

/** What is thrown at once is a rejection too. */
function attempt(next: Handle<Passage>, call: Passage): Promise<Result> {
  try {
    return next(call)
  } catch (error) {
    return Promise.reject(error)
  }
}

function toOutcome(result: Result): string {
  return result.isError === true ? 'tool-error' : (result.resultType ?? 'complete')
}

/** JSON text put together by hand: this runs with every call, and a general writer costs several times as much. */
function toMembers(call: Passage, outcome: string, ms: number): string {
  const { principal, downstream, view, route, trace } = call
  const target = toTarget(call)
  let members = `"method":${quote(call.method)}`
  if (target !== undefined) members += `,"target":${quote(target)}`
  if (route !== undefined) members += `,"upstream":${quote(route.destination.name)}`
  if (view.name !== undefined) members += `,"view":${quote(view.name)}`
  members += `,"principal":${quote(principal.id)}`
  if (downstream.client !== undefined) members += `,"client":${quote(downstream.client.name)}`
  members += `,"revision":${quote(downstream.revision)},"outcome":${quote(outcome)},"ms":${Math.round(ms * 100) / 100}`
  return trace === undefined ? members : `${members},"trace":"${trace.traceId}"`
}

/** The tool, prompt or resource asked for. The query of a URI may hold anything and stays out. */
function toTarget({ params: { name, uri } }: Passage): string | undefined {
  if (typeof name === 'string') return name
  return typeof uri === 'string' ? uri.replace(/[?#].*$/s, '?…') : undefined
}

function quote(text: string): string {
  return PLAIN.test(text) ? `"${text}"` : JSON.stringify(shown(text))
}

/** Needs no escape, and is short enough. */
const PLAIN = /^[\x20-\x21\x23-\x5b\x5d-\x7e]{0,200}$/
