import { type Call, type Clock, type Handle, McpError, type Result, type Trace, toRpcError } from '@crosspoint/mcp'
import { toContent } from '../audit/arguments.ts'
import type { RecordSettings } from '../audit/settings.ts'
import { cleaned } from '../audit/text.ts'
import type { Destination } from '../catalog/catalog.ts'
import { digest } from '../node/digest.ts'
import type { Passage, Route } from '../routes/passage.ts'
import { toOutcome, toThing } from './metrics.ts'
import type { Attributes } from './names.ts'
import { outcomeOf, outcomeOfError } from './outcome.ts'
import { parseTraceparent, parseTracestate, type Remote } from './propagation.ts'
import type { Sampler } from './sampling.ts'
import type { Span } from './span.ts'
import { OTHER } from './tally.ts'

export interface TracerOptions {
  readonly sampler: Sampler
  readonly take: (span: Span) => void
  readonly clock: Clock
  /** Says of which resource. */
  readonly uris: boolean
  /** Says what arguments were, by the rules of evidence; absent: nothing. */
  readonly content: RecordSettings | undefined
}

/** Makes the spans of calls that are recorded. */
export class Tracer {
  readonly isSampled: Sampler
  readonly #options: TracerOptions

  constructor(options: TracerOptions) {
    this.isSampled = options.sampler
    this.#options = options
  }

  /** What a caller asks of us. */
  async serve(call: Passage, trace: Trace, parent: Remote | undefined, next: Handle<Passage>): Promise<Result> {
    const begun = this.#begin()
    const link = parent === undefined || call.meta.traceparent === undefined ? undefined : this.#ambient(call, parent)
    const end = (outcome: string, error: unknown) => {
      const attributes = this.#ofServed(call, outcome, error)
      const name = toName(attributes)
      const isJoined = parseTraceparent(call.meta.traceparent) !== undefined
      const tracestate = isJoined ? parseTracestate(call.meta.tracestate) : undefined
      this.#take({ name, kind: 'server', ...begun, trace, parentSpanId: parent?.spanId, tracestate, link, attributes })
    }
    try {
      const result = await next(call)
      end(call.refusal?.code ?? outcomeOf(result), call.refusal)
      return result
    } catch (error) {
      end(outcomeOfError(error), error)
      throw error
    }
  }

  /** What we ask of a server for a caller. @param trace with the id of this span */
  async send(call: Call, trace: Trace, of: Passage, { destination, params }: Route, handle: Handle): Promise<Result> {
    const begun = this.#begin()
    const end = (outcome: string, error: unknown) => {
      const { method } = call
      const attributes = {
        ...toThing(method, typeof params.name === 'string' ? params.name : undefined),
        ...this.#resource(method, params.uri),
        ...toPeer(destination),
        ...toOutcome(outcome, toCode(error)),
      }
      const tracestate = parseTracestate(call.meta.tracestate)
      const parentSpanId = of.trace?.spanId
      this.#take({ name: toName(attributes), kind: 'client', ...begun, trace, parentSpanId, tracestate, attributes })
    }
    try {
      const result = await handle(call)
      end(outcomeOf(result), undefined)
      return result
    } catch (error) {
      end(outcomeOfError(error), error)
      throw error
    }
  }

  #begin() {
    const { clock } = this.#options
    return { startedAt: clock.wallNow(), since: clock.now() }
  }

  #ambient({ origin }: Passage, parent: Remote): Remote | undefined {
    const ambient = parseTraceparent(origin?.traceparent)
    return ambient?.spanId === parent.spanId && ambient.traceId === parent.traceId ? undefined : ambient
  }

  #ofServed(call: Passage, outcome: string, error: unknown): Attributes {
    const { method, params, view, downstream, route, id, origin } = call
    const kind = method === 'prompts/get' ? 'prompts' : 'tools'
    const name = typeof params.name === 'string' && view.entries[kind].has(params.name) ? params.name : undefined
    const attributes: Attributes = {
      // A method that nobody has is in its caller's words.
      ...toThing(view.methods.has(method) ? method : OTHER, name),
      ...this.#resource(method, params.uri),
      ...toOutcome(outcome, toCode(error)),
      'mcp.protocol.version': downstream.revision,
    }
    if (route !== undefined) attributes['crosspoint.upstream'] = route.destination.name
    if (view.name !== undefined) attributes['crosspoint.view'] = view.name
    if (downstream.session !== undefined) attributes['mcp.session.id'] = digest(downstream.session, 32)
    if (id !== undefined) attributes['jsonrpc.request.id'] = cleaned(String(id))
    if (call.isFromCache) attributes['crosspoint.cache.hit'] = true
    if (origin?.network !== undefined) attributes['network.transport'] = origin.network
    if (origin?.network === 'tcp') attributes['network.protocol.name'] = 'http'
    const content = name === undefined ? undefined : this.#content(params.arguments, call.via?.name ?? name)
    if (content !== undefined) attributes['gen_ai.tool.call.arguments'] = content
    return attributes
  }

  #resource(method: string, uri: unknown): Attributes {
    if (!this.#options.uris || typeof uri !== 'string' || !method.startsWith('resources/')) return {}
    return { 'mcp.resource.uri': cleaned(uri, MAX_URI) }
  }

  #content(given: unknown, target: string): string | undefined {
    const { content } = this.#options
    if (content === undefined || typeof given !== 'object' || given === null) return undefined
    return toContent(given, content.ruleFor(target).redaction, content.maxContentLength)
  }

  #take({ trace, since, parentSpanId, link, ...rest }: Ending): void {
    this.#options.take({
      ...rest,
      traceId: trace.traceId,
      spanId: trace.spanId,
      parentSpanId,
      isParentRemote: rest.kind === 'server',
      link,
      ms: this.#options.clock.now() - since,
    })
  }
}

interface Ending extends Pick<Span, 'name' | 'kind' | 'parentSpanId' | 'tracestate' | 'startedAt' | 'attributes'> {
  readonly trace: Trace
  readonly link?: Remote | undefined
  /** On the clock of durations. */
  readonly since: number
}

function toName(attributes: Attributes): string {
  const { 'mcp.method.name': method, 'gen_ai.tool.name': tool, 'gen_ai.prompt.name': prompt } = attributes
  const thing = tool ?? prompt
  return thing === undefined ? String(method) : `${method} ${thing}`
}

function toPeer({ name, peer }: Destination): Attributes {
  const attributes: Attributes = { 'crosspoint.upstream': name }
  if (peer === undefined) return attributes
  const { network, address, port, revision } = peer
  attributes['network.transport'] = network
  if (network === 'tcp') attributes['network.protocol.name'] = 'http'
  if (address !== undefined) attributes['server.address'] = address
  if (port !== undefined) attributes['server.port'] = port
  if (revision !== undefined) attributes['mcp.protocol.version'] = revision
  return attributes
}

function toCode(error: unknown): number | undefined {
  return error instanceof McpError ? toRpcError(error, 'modern').code : undefined
}

const MAX_URI = 1_024
