import { McpError } from '../errors.ts'
import { INVALID_PARAMS } from '../jsonrpc/codes.ts'
import type { JsonObject } from '../jsonrpc/frame.ts'
import { isObject, without } from '../jsonrpc/members.ts'
import { hasList, Relayed } from '../jsonrpc/relayed.ts'
import type { Timer } from '../peer/clock.ts'
import { toOutgoing } from '../peer/outgoing.ts'
import type { Answer } from '../peer/pending.ts'
import type { Call, Handle, Result } from '../protocol/call.ts'
import { hasCapability, type ServerCapabilities } from '../protocol/capabilities.ts'
import { SERVER_INFO } from '../protocol/envelope.ts'
import type { LogLevel } from '../protocol/features/logging.ts'
import { hasTasks } from '../protocol/features/tasks.ts'
import { defineMethod } from '../protocol/method.ts'
import { METHODS } from '../protocol/methods.ts'
import { findRevision } from '../revisions/index.ts'
import type { MethodCodec, Revision } from '../revisions/revision.ts'
import type { Wire } from '../transports/wire.ts'
import { toFailure } from './failure.ts'
import { Listening } from './legacy-listen.ts'
import { SessionLogLevel } from './log-level.ts'
import { type Opened, parseIdentity, withContent } from './opened.ts'
import type { Settings } from './settings.ts'
import { LegacyTasks } from './tasks/legacy-tasks.ts'

/**
 * Opens a conversation with `initialize`.
 * @param asked the revision we offer; the server may answer with an older one, unless one is pinned
 */
export async function openHandshake(
  wire: Wire,
  asked: Revision,
  settings: Settings,
  signal: AbortSignal,
): Promise<Opened> {
  const { revision, result } = await initialize(wire, asked, settings, signal)
  const identity = parseIdentity(result, result.serverInfo)
  const session = new HandshakeSession(wire, revision, identity, settings)
  return { wire, revision, ...identity, handle: session.handle }
}

async function initialize(
  wire: Wire,
  asked: Revision,
  settings: Settings,
  signal?: AbortSignal,
): Promise<{ revision: Revision; result: JsonObject }> {
  wire.adopt(asked, false)
  const { client, capabilities } = settings
  const params = toWords(asked).downParams({ protocolVersion: asked.name, capabilities, clientInfo: client })
  const answer = await wire.request(toOutgoing('initialize', params, signal), '', settings.connectTimeoutMs)
  if (answer.kind !== 'result') throw toFailure(answer, 'initialize', asked)
  const { protocolVersion } = answer.result
  const revision = typeof protocolVersion === 'string' ? findRevision(protocolVersion) : undefined
  if (revision === undefined || revision.traits.lifecycle !== 'handshake') {
    const named = typeof protocolVersion === 'string' ? `"${protocolVersion.slice(0, 40)}"` : 'no revision'
    throw new McpError('upstream.protocol', `Cannot speak with the server: it answers initialize with ${named}`)
  }
  if (settings.revision !== undefined && revision !== findRevision(settings.revision)) {
    throw new McpError('upstream.protocol', `Cannot speak "${settings.revision}": the server wants "${revision.name}"`)
  }
  wire.adopt(revision, true)
  await wire.notify('notifications/initialized', {})
  return { revision, result: toWords(revision).upResult(answer.result) }
}

/** How a revision says `initialize`, and with it the capabilities of both sides. */
function toWords(revision: Revision): MethodCodec {
  const codec = revision.methods.get('initialize')
  if (codec === undefined) throw new McpError('internal.error', `Revision "${revision.name}" has no handshake`)
  return codec
}

class HandshakeSession {
  readonly #wire: Wire
  readonly #settings: Settings
  readonly #identity: Pick<Opened, 'serverInfo' | 'capabilities' | 'instructions'>
  readonly #listening: Listening
  readonly #logLevel: SessionLogLevel
  /** Where the server has tasks. */
  readonly #tasks: LegacyTasks | undefined
  #revision: Revision
  #methods: ReadonlyMap<string, MethodCodec>
  /** Counts sessions, so that of many calls which find the old one gone only the first opens a new one. */
  #generation = 0
  #renewal: Promise<void> | undefined
  /** The session is gone and no new one could be opened yet. */
  #isStale = false
  #mending: Timer | undefined

  constructor(
    wire: Wire,
    revision: Revision,
    identity: Pick<Opened, 'serverInfo' | 'capabilities' | 'instructions'>,
    settings: Settings,
  ) {
    this.#wire = wire
    this.#settings = settings
    this.#identity = identity
    this.#revision = revision
    this.#methods = toOffered(revision, identity.capabilities)
    this.#logLevel = new SessionLogLevel((level) => this.#setLevel(level))
    this.#tasks = hasTasks(identity.capabilities)
      ? new LegacyTasks({
          clock: settings.clock,
          send: (call, timeoutMs) => this.#send(call, this.#toCodec(call.method), timeoutMs),
        })
      : undefined
    this.#listening = new Listening({
      wire,
      capabilities: identity.capabilities,
      changed: settings.changed,
      subscribe: (method, uri) => this.#agrees(method, { uri }),
    })
    wire.onLost(() => this.#mend(FIRST_WAIT_MS))
    void wire.closed.then(() => this.#mending?.cancel())
  }

  /**
   * Nobody waits for this session but those who listen. While there are any it is tried again, later each time; else what
   * cannot be mended now is for the next call, which tells its caller.
   */
  #mend(waitMs: number): void {
    this.#mending?.cancel()
    this.#renew(this.#generation).catch((error: unknown) => {
      const { clock, fault } = this.#settings
      fault?.(String(error), '')
      this.#mending = clock.setTimer(waitMs, () => {
        if (this.#isStale && this.#listening.isWanted) this.#mend(Math.min(2 * waitMs, MAX_WAIT_MS))
      })
    })
  }

  readonly handle: Handle = (call) => {
    const answered = this.#tasks?.handle(call)
    if (answered !== undefined) return answered
    const codec = this.#methods.get(call.method)
    if (codec === undefined) return this.#special(call)
    const { logLevel } = call.interim
    if (logLevel === undefined || this.#identity.capabilities.logging === undefined) return this.#send(call, codec)
    return this.#logged(call, codec, logLevel)
  }

  async #logged(call: Call, codec: MethodCodec, level: LogLevel): Promise<Result> {
    const unwanted = await this.#logLevel.want(level)
    try {
      return await this.#send(call, codec)
    } finally {
      unwanted()
    }
  }

  /** How a call about tasks is said, which are offered by no capability that has a name here. */
  #toCodec(method: string): MethodCodec {
    const { methods } = this.#revision
    const codec = methods.get(method)
    if (codec === undefined) throw new McpError('caller.unsupported_feature', `The server cannot do "${method}"`)
    // The result of a task is that of the call it was.
    return method === 'tasks/result'
      ? { ...codec, upResult: methods.get('tools/call')?.upResult ?? codec.upResult }
      : codec
  }

  async #send(call: Call, codec: MethodCodec, timeoutMs?: number): Promise<Result> {
    if (this.#renewal !== undefined) await this.#renewal
    else if (this.#isStale) await this.#renew(this.#generation)
    const generation = this.#generation
    const params = codec.downParams(call.params)
    const outgoing = params === call.params ? call : { ...call, params }
    const answer = await this.#wire.request(outgoing, '', timeoutMs)
    if (answer.kind === 'result') {
      if (call.method === 'tools/list') this.#tasks?.learn(answer.result)
      return read(call.method, codec, answer.result)
    }
    const plainer = this.#withoutContext(call, answer)
    if (plainer !== undefined) return this.#send(plainer, codec)
    if (!isSessionGone(answer)) throw toFailure(answer, call.method, this.#revision)
    await this.#renew(generation)
    if (call.method === 'tools/call') {
      throw new McpError(
        'upstream.closed',
        'The server had forgotten our session during "tools/call", its outcome is unknown; a new session is open',
        // A session that is not known is refused before anything is done in it (session management of Streamable HTTP).
        { neverRan: answer.status === 404 },
      )
    }
    const second = await this.#wire.request(outgoing, '')
    if (second.kind === 'result') return read(call.method, codec, second.result)
    throw toFailure(second, call.method, this.#revision)
  }

  /** What was typed elsewhere is news to servers of the first revisions, and some refuse it. */
  #withoutContext(call: Call, answer: Answer): Call | undefined {
    const { context, ...params } = call.params
    if (call.method !== 'completion/complete' || context === undefined) return undefined
    const isRefused = answer.kind === 'error' && answer.error.code === INVALID_PARAMS
    return isRefused && !this.#revision.traits.completionContext ? { ...call, params } : undefined
  }

  async #special(call: Call): Promise<Result> {
    if (call.method === 'server/discover') return this.#discover()
    if (call.method === 'subscriptions/listen') return this.#listening.listen(call)
    // Of the hop like others, and the least a server can be asked to see whether it is there.
    if (call.method === 'ping') return this.#send(call, AS_IT_IS)
    if (this.#isForeign(call.method)) return this.#send(call, AS_IT_IS)
    throw new McpError('caller.unsupported_feature', `The server cannot do "${call.method}": it does not offer it`)
  }

  /** What we have never heard of, or know as part of an extension the server says it has: not for a revision to say. */
  #isForeign(method: string): boolean {
    const descriptor = METHODS.get(method)
    if (descriptor === undefined) return true
    const { extensions } = this.#identity.capabilities
    return descriptor.extension !== undefined && isObject(extensions) && Object.hasOwn(extensions, descriptor.extension)
  }

  /** What `server/discover` would say, from what `initialize` said. */
  async #discover(): Promise<Result> {
    const { serverInfo, capabilities, instructions } = this.#identity
    return {
      supportedVersions: [this.#revision.name],
      capabilities: (await this.#wire.hearsChanges) ? capabilities : withoutChanges(capabilities),
      ...(instructions === undefined ? {} : { instructions }),
      ...(serverInfo === undefined ? {} : { _meta: { [SERVER_INFO]: serverInfo } }),
    }
  }

  async #setLevel(level: LogLevel): Promise<void> {
    await this.#agrees('logging/setLevel', { level })
  }

  async #agrees(method: string, params: JsonObject): Promise<boolean> {
    try {
      const answer = await this.#wire.request(toOutgoing(method, params), '')
      if (answer.kind === 'result') return true
      this.#settings.fault?.(toFailure(answer, method, this.#revision).message, method)
    } catch (error) {
      this.#settings.fault?.(error instanceof Error ? error.message : String(error), method)
    }
    return false
  }

  async #renew(generation: number): Promise<void> {
    if (generation === this.#generation) {
      this.#generation++
      this.#renewal = this.#reinitialize()
    }
    await this.#renewal
  }

  async #reinitialize(): Promise<void> {
    try {
      const { revision } = await initialize(this.#wire, this.#revision, this.#settings)
      this.#revision = revision
      this.#methods = toOffered(revision, this.#identity.capabilities)
      this.#isStale = false
    } catch (error) {
      this.#isStale = true
      throw error
    } finally {
      this.#renewal = undefined
    }
    this.#logLevel.forget()
    this.#listening.renew()
  }
}

/** These revisions have one kind of result: what says to be of another is not believed. */
function read(method: string, codec: MethodCodec, result: JsonObject): Result {
  const bare = result.resultType === undefined ? result : without(result, ['resultType'])
  if (method !== 'tools/call') return codec.upResult(bare)
  const hasContent = bare instanceof Relayed ? hasList(bare, 'content') : Array.isArray(bare.content)
  return codec.upResult(hasContent ? bare : withContent(bare))
}

/**
 * The methods a caller may use: those of the revision that are a client's to send, belong to no hop and are
 * offered by the server (2025-06-18 basic/lifecycle: both sides use only what was negotiated).
 */
function toOffered(revision: Revision, capabilities: ServerCapabilities): ReadonlyMap<string, MethodCodec> {
  const offered = new Map<string, MethodCodec>()
  for (const [name, codec] of revision.methods) {
    const { kind, from, extension } = codec.descriptor
    if (kind !== 'request' || from === 'server' || extension !== undefined || OF_THE_HOP.has(name)) continue
    if (codec.needs === undefined || hasCapability(capabilities, codec.needs)) offered.set(name, codec)
  }
  return offered
}

/** A session that is gone is told by 404; some servers say 400 and the word. */
function isSessionGone(answer: Answer): boolean {
  if (answer.kind === 'result') return false
  const { status } = answer
  const text = answer.kind === 'refused' ? answer.text : answer.error.message
  return status === 404 || (status === 400 && /session/i.test(text))
}

function withoutChanges(capabilities: ServerCapabilities): ServerCapabilities {
  return Object.fromEntries(
    Object.entries(capabilities).map(([name, value]) => {
      if (typeof value !== 'object' || value === null) return [name, value]
      const { listChanged: _, subscribe: __, ...rest } = value as JsonObject // any object has members of unknown type
      return [name, rest]
    }),
  )
}

/** Between attempts to open a session that only listeners wait for. */
const FIRST_WAIT_MS = 1_000
const MAX_WAIT_MS = 30_000

/** A method that no revision says anything about. */
const AS_IT_IS: MethodCodec = {
  descriptor: defineMethod({ name: '', kind: 'request', from: 'client', feature: 'extension' }),
  needs: undefined,
  upParams: (params) => params,
  downParams: (params) => params,
  upResult: (result) => result,
  downResult: (result) => result,
}

const OF_THE_HOP: ReadonlySet<string> = new Set([
  'initialize',
  'ping',
  'logging/setLevel',
  'resources/subscribe',
  'resources/unsubscribe',
])
