import { McpError } from '../errors.ts'
import { isObject, without } from '../jsonrpc/members.ts'
import { hasList, Relayed } from '../jsonrpc/relayed.ts'
import { toOutgoing } from '../peer/outgoing.ts'
import type { Answer } from '../peer/pending.ts'
import type { Call, Handle, Result } from '../protocol/call.ts'
import type { ClientCapabilities } from '../protocol/capabilities.ts'
import { CLIENT_CAPABILITIES, CLIENT_INFO, LOG_LEVEL, PROTOCOL_VERSION, SERVER_INFO } from '../protocol/envelope.ts'
import { toTaskWish } from '../protocol/features/tasks.ts'
import { METHODS } from '../protocol/methods.ts'
import { ENVELOPE_REVISIONS } from '../revisions/index.ts'
import type { MethodCodec, Revision } from '../revisions/revision.ts'
import type { Wire } from '../transports/wire.ts'
import { toFailure, UNSUPPORTED_REVISION } from './failure.ts'
import { type Opened, parseIdentity, withContent } from './opened.ts'
import type { Settings } from './settings.ts'

/** Asks a server what it is, in an envelope revision. */
export function askDiscover(wire: Wire, revision: Revision, settings: Settings, signal: AbortSignal): Promise<Answer> {
  wire.adopt(revision, true)
  const hop = toHop(revision, settings, settings.capabilities)
  return wire.request(toOutgoing('server/discover', {}, signal), hop, settings.connectTimeoutMs)
}

/**
 * A conversation without state: every request says who we are and what we can do.
 * @param answer the answer to `server/discover`
 * @throws {McpError} where the answer is no result, or the server has none of our revisions
 */
export function openStateless(wire: Wire, asked: Revision, answer: Answer, settings: Settings): Opened {
  if (answer.kind !== 'result') throw toFailure(answer, 'server/discover', asked)
  const { result } = answer
  const revision = pickRevision(result.supportedVersions, asked, settings)
  wire.adopt(revision, true)
  const meta = isObject(result._meta) ? result._meta : {}
  return { wire, revision, ...parseIdentity(result, meta[SERVER_INFO]), handle: createHandle(wire, settings) }
}

function createHandle(wire: Wire, settings: Settings): Handle {
  let hops = new Hops(wire.revision, settings)

  async function handle(call: Call): Promise<Result> {
    const answer = await send(call)
    if (answer.kind === 'result') return finish(call, answer.result)
    if (answer.kind === 'error' && answer.error.code === UNSUPPORTED_REVISION && renegotiate(answer.error.data)) {
      const second = await send(call)
      if (second.kind === 'result') return finish(call, second.result)
      throw toFailure(second, call.method, wire.revision)
    }
    throw toFailure(answer, call.method, wire.revision)
  }

  function send(call: Call): Promise<Answer> {
    const { method } = call
    const codec = wire.revision.methods.get(method)
    // What we have never heard of is the caller's and the server's own affair.
    if (codec === undefined ? METHODS.has(method) : codec.descriptor.kind !== 'request') {
      throw new McpError(
        'caller.unsupported_feature',
        `The server cannot do "${method}": its revision does not have it`,
      )
    }
    const params = codec?.downParams(call.params) ?? call.params
    const outgoing = params === call.params ? call : { ...call, params }
    return wire.request(
      outgoing,
      hops.of(call),
      method === 'subscriptions/listen' ? Number.POSITIVE_INFINITY : undefined,
    )
  }

  function finish(call: Call, result: Result): Result {
    const codec = wire.revision.methods.get(call.method)
    const { resultType } = result
    if (resultType !== undefined && resultType !== 'complete' && !isAllowed(call, codec, resultType)) {
      const shown = String(resultType).slice(0, 80)
      throw new McpError('upstream.protocol', `Cannot read the answer to "${call.method}": its type is "${shown}"`)
    }
    if (resultType === 'input_required' && result.inputRequests === undefined && result.requestState === undefined) {
      throw new McpError(
        'upstream.protocol',
        `Cannot go on with "${call.method}": the server wants input and asks nothing`,
      )
    }
    if (codec === undefined) return result
    if (call.method !== 'tools/call' || (resultType ?? 'complete') !== 'complete') return codec.upResult(result)
    const hasContent = result instanceof Relayed ? hasList(result, 'content') : Array.isArray(result.content)
    return codec.upResult(hasContent ? result : withContent(result))
  }

  function renegotiate(data: unknown): boolean {
    const offers = isObject(data) ? data.supported : undefined
    if (!Array.isArray(offers)) return false
    const revision = ENVELOPE_REVISIONS.find(({ name }) => offers.includes(name))
    if (revision === undefined || settings.revision !== undefined) return false
    wire.adopt(revision, true)
    hops = new Hops(revision, settings)
    return true
  }

  return handle
}

/** Whether this request may be answered with something else than its result. */
function isAllowed(call: Call, codec: MethodCodec | undefined, resultType: unknown): boolean {
  const { capabilities } = call.downstream
  switch (resultType) {
    case 'input_required':
      // Of a request that no revision knows the server decides.
      return codec === undefined || codec.descriptor.mayAsk === true
    case 'task':
      return call.method === 'tools/call' && toTaskWish(capabilities) !== undefined
  }
  return capabilities.extensions !== undefined
}

/** What this hop says in `_meta`, written once per set of capabilities and not per request. */
class Hops {
  readonly #revision: Revision
  readonly #settings: Settings
  /** What we can carry: capabilities by name, extensions one by one. */
  readonly #paths: readonly (readonly [name: string, extension?: string])[]
  /** By which of the paths a caller declared: one digit each, as there may be more of them than bits in a number. */
  readonly #texts = new Map<string, string>()

  constructor(revision: Revision, settings: Settings) {
    this.#revision = revision
    this.#settings = settings
    const { extensions } = settings.capabilities
    this.#paths = Object.keys(settings.capabilities).flatMap((name): [string, string?][] =>
      name === 'extensions' && extensions !== undefined ? Object.keys(extensions).map((id) => [name, id]) : [[name]],
    )
  }

  /** We declare what we can carry and the caller behind us can do (PROTOCOL: the capabilities belong to the hop). */
  of(call: Call): string {
    const declared = call.downstream.capabilities
    let declares = ''
    for (let at = 0; at < this.#paths.length; at++) {
      const [name = '', extension] = this.#paths[at] ?? []
      const value = extension === undefined ? declared[name] : declared.extensions?.[extension]
      declares += value === undefined ? '0' : '1'
    }
    let text = this.#texts.get(declares)
    if (text === undefined) {
      text = toHop(this.#revision, this.#settings, this.#toShared(declares))
      if (this.#texts.size < MAX_TEXTS) this.#texts.set(declares, text)
    }
    const { logLevel } = call.interim
    return logLevel === undefined ? text : `${text},"${LOG_LEVEL}":"${logLevel}"`
  }

  #toShared(declares: string): ClientCapabilities {
    const { capabilities } = this.#settings
    const shared = this.#paths.filter((_, at) => declares[at] === '1')
    const ids = shared.flatMap(([, id]) => (id === undefined ? [] : [id]))
    const names = shared.flatMap(([name, id]) => (id === undefined ? [[name, capabilities[name]] as const] : []))
    const extensions = Object.fromEntries(ids.map((id) => [id, capabilities.extensions?.[id]]))
    return { ...Object.fromEntries(names), ...(ids.length === 0 ? {} : { extensions }) }
  }
}

function toHop(revision: Revision, settings: Settings, capabilities: ClientCapabilities): string {
  return JSON.stringify({
    [PROTOCOL_VERSION]: revision.name,
    [CLIENT_INFO]: settings.client,
    [CLIENT_CAPABILITIES]: withoutTold(capabilities),
  }).slice(1, -1)
}

/** Here nobody can be told that roots have changed, and servers make no tasks of what they ask. */
function withoutTold(capabilities: ClientCapabilities): ClientCapabilities {
  const { roots } = capabilities
  const told = without(capabilities, ['tasks'])
  return isObject(roots) ? { ...told, roots: without(roots, ['listChanged']) } : told
}

function pickRevision(supported: unknown, asked: Revision, settings: Settings): Revision {
  const names = Array.isArray(supported) ? supported : []
  // A server that answers in the revision asked for speaks it, whatever its list says.
  if (names.includes(asked.name) || settings.revision !== undefined) return asked
  return ENVELOPE_REVISIONS.find(({ name }) => names.includes(name)) ?? asked
}

/** Sets of capabilities whose text is kept: callers of a gateway may declare as many different ones as they like. */
const MAX_TEXTS = 256
