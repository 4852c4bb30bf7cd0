import { McpError } from '../errors.ts'
import type { JsonObject } from '../jsonrpc/frame.ts'
import { isObject, without } from '../jsonrpc/members.ts'
import { shown } from '../jsonrpc/shown.ts'
import { AWAITED, type Clock } from '../peer/clock.ts'
import type { Call, Handle, Interim, Notification, Result } from '../protocol/call.ts'
import { toRequiredCapabilities } from '../protocol/features/asking.ts'
import { isTasksNeeded } from '../protocol/features/tasks.ts'
import { METHODS } from '../protocol/methods.ts'

/**
 * A handle for callers whose revision knows no `input_required`: what it asks by its result is asked by requests of
 * the server while the call is open, and the handle is called again with the answers (PROTOCOL §15.7). What a caller
 * cannot be asked, or would not answer, becomes a result of the tool, so that the model behind it reads why.
 */
export function askForInput(handle: Handle, clock: Clock): Handle {
  return async (plain) => {
    const mayAsk = METHODS.get(plain.method)?.mayAsk === true
    const rising = mayAsk && plain.interim.progress ? new RisingProgress(plain.interim) : undefined
    const call = rising === undefined ? plain : { ...plain, interim: rising }
    try {
      const result = await handle(call)
      if (result.resultType !== 'input_required' || !mayAsk) return result
      return await askInRounds(handle, call, result, clock, rising)
    } catch (error) {
      const told = call.method === 'tools/call' ? toToldResult(error) : undefined
      if (told === undefined) throw error
      return told
    }
  }
}

async function askInRounds(
  handle: Handle,
  call: Call,
  first: Result,
  clock: Clock,
  rising: RisingProgress | undefined,
): Promise<Result> {
  const bare = without(call.params, ['inputResponses', 'requestState'])
  let result = first
  for (let round = 0; result.resultType === 'input_required'; round++) {
    if (round === MAX_ROUNDS) {
      throw new McpError('upstream.protocol', `Cannot finish "${call.method}": it wanted input ${MAX_ROUNDS} times`)
    }
    const { requestState } = result
    const requests = parseRequests(call.method, result)
    if (requests === undefined) await pause(clock)
    const inputResponses = requests === undefined ? undefined : await askAll(call, requests)
    if (call.cancellation.isCancelled) throw new McpError('caller.cancelled', 'The caller cancelled the request')
    const params: JsonObject = {
      ...bare,
      ...(inputResponses === undefined ? {} : { inputResponses }),
      ...(requestState === undefined ? {} : { requestState }),
    }
    rising?.beginAnew()
    result = await handle({ ...call, params })
  }
  return result
}

/** For its caller all rounds are one call, whose progress never falls back to what it was (trap 49). */
class RisingProgress implements Interim {
  readonly progress = true
  readonly canAsk: boolean
  readonly logLevel: Interim['logLevel']
  readonly ask: Interim['ask']
  readonly pause: Interim['pause']
  readonly #inner: Interim
  #before = 0
  #latest = 0

  constructor(inner: Interim) {
    this.canAsk = inner.canAsk
    this.logLevel = inner.logLevel
    this.ask = inner.ask
    this.pause = inner.pause
    this.#inner = inner
  }

  /** The next round counts from where this one came to. */
  beginAnew(): void {
    this.#before = this.#latest
  }

  notify(notification: Notification): void {
    const { method, params } = notification
    const { progress, total } = params
    if (method !== 'notifications/progress' || typeof progress !== 'number') {
      this.#inner.notify(notification)
      return
    }
    this.#latest = Math.max(this.#latest, this.#before + progress)
    if (this.#before === 0) this.#inner.notify(notification)
    else {
      const sum = typeof total === 'number' ? { total: this.#before + total } : {}
      this.#inner.notify({ method, params: { ...params, progress: this.#before + progress, ...sum } })
    }
  }
}

type Requests = readonly (readonly [key: string, request: Notification])[]

function parseRequests(method: string, { inputRequests, requestState }: Result): Requests | undefined {
  if (inputRequests === undefined && requestState !== undefined) return undefined
  if (!isObject(inputRequests)) {
    throw new McpError('upstream.protocol', `Cannot finish "${method}": it wants input and asks nothing`)
  }
  return Object.entries(inputRequests).map(([key, request]) => {
    if (isObject(request) && typeof request.method === 'string') {
      return [key, { method: request.method, params: isObject(request.params) ? request.params : {} }]
    }
    throw new McpError('upstream.protocol', `Cannot finish "${method}": its question "${shown(key)}" is no request`)
  })
}

async function askAll(call: Call, requests: Requests): Promise<JsonObject> {
  if (!call.interim.canAsk) throw cannotAsk(call.method, requests)
  const answers = await Promise.all(
    requests.map(async ([key, request]) => [key, await call.interim.ask(request)] as const),
  )
  return Object.fromEntries(answers)
}

function cannotAsk(method: string, requests: Requests): McpError {
  const requiredCapabilities: Record<string, JsonObject> = {}
  for (const [, request] of requests) {
    for (const [name, needed] of Object.entries(toRequiredCapabilities(request) ?? {})) {
      requiredCapabilities[name] = { ...requiredCapabilities[name], ...(needed as JsonObject) } // objects, each of them
    }
  }
  return new McpError(
    'caller.missing_capability',
    `Cannot finish "${method}": it asks the client, and nothing carries a question there`,
    { data: { requiredCapabilities } },
  )
}

function toToldResult(error: unknown): Result | undefined {
  // Whether a tool may be called at all, and how, is said by the protocol.
  if (!(error instanceof McpError) || !TOLD.has(error.code) || isTasksNeeded(error.data)) return undefined
  return { content: [{ type: 'text', text: error.message }], isError: true }
}

/** What only hands out state wants to be called again, not at once. */
function pause(clock: Clock): Promise<void> {
  return new Promise((resolve) => {
    clock.setTimer(PAUSE_MS, resolve, AWAITED)
  })
}

const TOLD: ReadonlySet<string> = new Set(['caller.missing_capability', 'caller.unanswered'])
/** Rounds of one call; official servers stop there too. */
const MAX_ROUNDS = 8
const PAUSE_MS = 250
