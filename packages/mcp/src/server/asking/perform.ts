import { parseResponses } from '../../bridge/parking/responses.ts'
import { isParked, resumeParked } from '../../bridge/parking/rounds.ts'
import { isRunState, refusedState } from '../../bridge/parking/states.ts'
import { McpError } from '../../errors.ts'
import type { JsonObject } from '../../jsonrpc/frame.ts'
import type { Call, Result } from '../../protocol/call.ts'
import { hasCapability } from '../../protocol/capabilities.ts'
import { METHODS } from '../../protocol/methods.ts'
import { OpenContext } from '../context.ts'
import type { ServerSettings } from '../settings.ts'
import { visit } from './asker.ts'
import { Asking } from './asking.ts'
import { UrlElicitationRequired } from './errors.ts'
import { warnOfForgotten } from './forgotten.ts'
import { checkOwnQuestions } from './own-questions.ts'
import { startParked } from './parking.ts'
import { type RunState, toInputRequests } from './rounds.ts'
import type { Work } from './work.ts'

/**
 * Runs a handler that may ask its caller. Where the caller cannot be asked while its call is open, a run that comes to
 * an unanswered question ends there, and its result is the question (2026-07-28 basic/patterns/mrtr).
 */
export function perform(settings: ServerSettings, call: Call, work: Work): Promise<Result> {
  const { inputResponses, requestState } = call.params
  if (inputResponses !== undefined || requestState !== undefined) return resume(settings, call, work)
  if (work.parked && !call.interim.canAsk) return startParked(settings, call, work)
  return finish(settings, new OpenContext(call, settings), work)
}

async function resume(settings: ServerSettings, call: Call, work: Work): Promise<Result> {
  const { requestState } = call.params
  const responses = parseResponses(call.params)
  const { states } = settings.asking
  if (requestState !== undefined && typeof requestState !== 'string') throw refusedState()
  const isOurs = requestState !== undefined && isRunState(requestState) && !call.interim.canAsk
  const state = isOurs ? await states.open(call, 'run', requestState) : undefined
  if (isParked(state)) return toUncached(call, await resumeParked(settings.asking, call, state, responses))
  if (work.parked && requestState === undefined && !call.interim.canAsk) {
    return startParked(settings, call, work, responses)
  }
  const asking = new Asking(call, {
    mode: 'replay',
    responses,
    ...(state === undefined ? {} : { state: state as RunState }), // what we sealed as one
    ...(requestState === undefined || isOurs ? {} : { refusal: refusedState() }),
  })
  return toUncached(call, await finish(settings, new OpenContext(call, settings, asking), work))
}

async function finish(settings: ServerSettings, context: OpenContext, work: Work): Promise<Result> {
  let result: Result | undefined
  let error: unknown
  try {
    const made = await work.run(context)
    if (made.resultType === 'input_required') checkOwnQuestions(settings, context.call, made)
    if (context.asking !== undefined) warnOfForgotten(settings, context.asking)
    result = made
  } catch (thrown) {
    error = await toError(settings, context, thrown)
  } finally {
    context.end()
  }
  const { asking } = context
  if (asking?.fault !== undefined) throw asking.fault
  if (asking?.isSuspended === true) return toQuestions(settings, asking)
  if (result === undefined) return work.fail(error)
  return result
}

async function toError(settings: ServerSettings, context: OpenContext, thrown: unknown): Promise<unknown> {
  if (!(thrown instanceof UrlElicitationRequired) || context.asking?.isSuspended === true) return thrown
  return requirePages(settings, context.openAsking(), thrown)
}

/** The questions of a run that came no further, and what the next one has to know. */
async function toQuestions({ asking: { states } }: ServerSettings, asking: Asking): Promise<Result> {
  const state = await asking.toState()
  if (state.n > MAX_ROUNDS) {
    throw new McpError(
      'internal.error',
      `Cannot finish "${asking.call.method}": it asked in ${MAX_ROUNDS} rounds already`,
    )
  }
  return {
    resultType: 'input_required',
    inputRequests: toInputRequests(asking.open.values()),
    requestState: await states.seal(asking.call, 'run', state),
  }
}

/**
 * Tells the caller which pages have to be visited, in the way of its revision: as an error, or by asking. The handler
 * that ran just now had all answers so far and still needs the visit, so it is asked for once more.
 * @returns what to fail with, if the run is not suspended
 */
async function requirePages(
  settings: ServerSettings,
  asking: Asking,
  { pages, message }: UrlElicitationRequired,
): Promise<unknown> {
  const { call } = asking
  if (call.interim.canAsk) return toPagesError(settings, call, pages, message)
  try {
    for (let round = 1; ; round++) {
      await Promise.all(pages.map((page, at) => visit(asking, page.url, page.message, `page-${round}.${at + 1}`)))
    }
  } catch (error) {
    return error
  }
}

function toPagesError(
  settings: ServerSettings,
  call: Call,
  pages: UrlElicitationRequired['pages'],
  message: string,
): McpError {
  if (!hasCapability(call.downstream.capabilities, 'elicitation.url')) {
    const data = { requiredCapabilities: { elicitation: { url: {} } } }
    return new McpError('caller.missing_capability', message, { data })
  }
  const elicitations = pages.map(({ url, message: why, elicitationId = crypto.randomUUID() }) => {
    settings.asking.pages.sent(elicitationId, call)
    return { mode: 'url', elicitationId, url, message: why }
  })
  return new McpError('caller.page_required', message, { data: { elicitations } })
}

/** The result of a retry is nobody else's (2026-07-28 server/utilities/caching). */
function toUncached({ method }: Call, result: Result): Result {
  if (METHODS.get(method)?.cacheable !== true || result.resultType === 'input_required') return result
  const uncached: JsonObject = { ...result, ttlMs: 0, cacheScope: 'private' }
  return uncached
}

/** Clients give up before. */
const MAX_ROUNDS = 32
