import { McpError } from '../errors.ts'
import type { JsonObject } from '../jsonrpc/frame.ts'
import { isObject } from '../jsonrpc/members.ts'
import type { Clock } from '../peer/clock.ts'
import { pause, unlessCancelled } from '../peer/until-cancelled.ts'
import type { Call, Handle, Interim, Result } from '../protocol/call.ts'

/**
 * Makes a call and answers what the server asks back, until the result is complete (2026-07-28
 * basic/patterns/mrtr): the same request again, with the answers and the server's state as it came. The state is
 * never read. A question that gets no answer ends the call: the server holds nothing that would wait for one.
 */
export async function askUntilComplete(handle: Handle, call: Call, ask: Interim['ask'], clock: Clock): Promise<Result> {
  const result = await handle(call)
  return result.resultType === 'input_required' ? goOn(handle, call, ask, clock, result) : result
}

async function goOn(handle: Handle, call: Call, ask: Interim['ask'], clock: Clock, first: Result): Promise<Result> {
  const agreed = new AgreedPages()
  let result = first
  for (let round = 0; result.resultType === 'input_required'; round++) {
    if (round === MAX_ROUNDS) {
      throw new McpError('upstream.protocol', `Cannot finish "${call.method}": the server asked ${MAX_ROUNDS} times`)
    }
    const { inputRequests, requestState } = result
    const asked = isObject(inputRequests)
    const inputResponses = asked
      ? await unlessCancelled(call, answerAll(inputRequests, call, agreed.ask(ask)))
      : undefined
    // A server that only hands out state wants to be asked again, not at once; a person in a browser takes longer.
    const waitMs = asked ? agreed.waitMs : PAUSE_MS
    if (waitMs > 0) await pause(clock, waitMs, call)
    const params: JsonObject = {
      ...call.params,
      ...(inputResponses === undefined ? {} : { inputResponses }),
      ...(requestState === undefined ? {} : { requestState }),
    }
    result = await handle({ ...call, params })
  }
  return result
}

async function answerAll(requests: JsonObject, call: Call, ask: Interim['ask']): Promise<JsonObject> {
  const entries = Object.entries(requests)
  if (entries.length > MAX_QUESTIONS) {
    throw new McpError('upstream.protocol', `Cannot answer ${entries.length} questions at once; ${MAX_QUESTIONS} work`)
  }
  const answers = await Promise.all(
    entries.map(async ([key, request]): Promise<[string, unknown]> => {
      if (!isObject(request) || typeof request.method !== 'string') {
        throw new McpError('upstream.protocol', `Cannot answer "${key.slice(0, 80)}": it is no request`)
      }
      const params = isObject(request.params) ? request.params : {}
      try {
        return [key, await ask({ method: request.method, params }, call.cancellation)]
      } catch (error) {
        throw abandoned(call.method, error)
      }
    }),
  )
  return Object.fromEntries(answers)
}

/** There is no way to tell the server: the call just ends, and whoever made it hears why. */
function abandoned(method: string, error: unknown): McpError {
  if (!(error instanceof McpError)) {
    const why = error instanceof Error ? error.message : String(error)
    return new McpError('internal.error', `Cannot finish "${method}", answering the server failed: ${why}`, {
      cause: error,
    })
  }
  // A question we cannot accept is the server's mistake, not that of whoever called.
  const code = error.code === 'caller.invalid_params' ? 'upstream.protocol' : error.code
  return new McpError(code, `Cannot finish "${method}": ${error.message}`, { cause: error })
}

/**
 * Pages a person agreed to open during this call. A server that asks for one again says only that the person is not
 * done there: nobody is asked twice, the call waits, longer each time.
 */
class AgreedPages {
  readonly #urls = new Set<string>()
  /** How long to wait before the next round. */
  waitMs = 0

  ask(ask: Interim['ask']): Interim['ask'] {
    const before = this.waitMs
    this.waitMs = 0
    return async (request, withdrawn) => {
      const { mode, url } = request.params
      const isPage = request.method === 'elicitation/create' && mode === 'url' && typeof url === 'string'
      if (isPage && this.#urls.has(url)) {
        this.waitMs = Math.min(Math.max(before * 2, FIRST_WAIT_MS), LONGEST_WAIT_MS)
        return { action: 'accept' }
      }
      const answer = await ask(request, withdrawn)
      if (isPage && answer.action === 'accept') this.#urls.add(url)
      return answer
    }
  }
}

const MAX_ROUNDS = 10
/** Questions in one answer of a server. */
const MAX_QUESTIONS = 64
const PAUSE_MS = 250
const FIRST_WAIT_MS = 1_000
const LONGEST_WAIT_MS = 60_000
