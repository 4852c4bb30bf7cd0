import { McpError } from '../errors.ts'
import type { JsonObject } from '../jsonrpc/frame.ts'
import type { Clock } from '../peer/clock.ts'
import type { Call, Handle, Interim, Result } from '../protocol/call.ts'
import { isObject } from './opened.ts'

/**
 * Makes a call and answers what the server asks back, until the result is complete (2026-07-28
 * basic/patterns/mrtr): the same request again, with the answers and the server's state as it came.
 */
export async function askUntilComplete(handle: Handle, call: Call, ask: Interim['ask'], clock: Clock): Promise<Result> {
  let result = await handle(call)
  for (let round = 0; result.resultType === 'input_required'; round++) {
    if (round === MAX_ROUNDS) {
      throw new McpError('upstream.protocol', `Cannot finish "${call.method}": the server asked ${MAX_ROUNDS} times`)
    }
    const { inputRequests, requestState } = result
    if (inputRequests === undefined && requestState === undefined) {
      throw new McpError('upstream.protocol', `Cannot finish "${call.method}": the server wants input and asks nothing`)
    }
    const inputResponses = isObject(inputRequests) ? await answerAll(inputRequests, ask) : undefined
    if (inputResponses === undefined) await pause(clock)
    const params: JsonObject = {
      ...call.params,
      ...(inputResponses === undefined ? {} : { inputResponses }),
      ...(requestState === undefined ? {} : { requestState }),
    }
    result = await handle({ ...call, params })
  }
  return result
}

async function answerAll(requests: JsonObject, ask: Interim['ask']): Promise<JsonObject> {
  const answers = await Promise.all(
    Object.entries(requests).map(async ([key, request]): Promise<[string, unknown]> => {
      if (!isObject(request) || typeof request.method !== 'string') {
        throw new McpError('upstream.protocol', `Cannot answer "${key}": it is no request`)
      }
      return [key, await ask({ method: request.method, params: isObject(request.params) ? request.params : {} })]
    }),
  )
  return Object.fromEntries(answers)
}

/** A server that only hands out state wants to be asked again, not at once. */
function pause(clock: Clock): Promise<void> {
  return new Promise((resolve) => {
    clock.setTimer(PAUSE_MS, resolve)
  })
}

const MAX_ROUNDS = 10
const PAUSE_MS = 250
