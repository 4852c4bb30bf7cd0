import {
  type Call,
  type Clock,
  type Handle,
  type Implementation,
  type JsonObject,
  McpError,
  type Principal,
  type Result,
  toTaskWish,
} from '@crosspoint/mcp'
import type { TaskDesk } from '@crosspoint/mcp/server'
import type { Endpoint } from '@crosspoint/mcp/transports'
import type { Hop } from '../catalog/hop.ts'
import { KINDS, type Kind } from '../catalog/kinds.ts'
import type { View } from '../catalog/view.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { handOnTasks, watchTasks } from '../cluster/tasks.ts'
import { createPipeline, type PipelineNeeds } from '../pipeline/pipeline.ts'
import { scopesFor } from '../policy/asked.ts'
import type { ViewPolicy } from '../policy/view-policy.ts'
import { type ForwardNeeds, forward } from '../routes/forward.ts'
import { beginOwnTask } from '../routes/own-tasks.ts'
import { Passage } from '../routes/passage.ts'
import { shown } from '../shown.ts'
import { Listeners, type ListenersOptions } from './listeners.ts'

/** Settings of an endpoint that a reload may change while it is served; all are given, and none is forgotten below. */
export type EndpointSettings = Required<
  Pick<Endpoint, 'limits' | 'maxConcurrent' | 'maxSessions' | 'sessionIdleMs' | 'maxStreamBytes' | 'callTimeoutMs'>
>

export interface ViewEndpointOptions extends PipelineNeeds, ListenersOptions {
  readonly clock: Clock
  /** This gateway among others that a call may pass. */
  readonly hop: Hop
  /** Who we say we are; the title of the view is added. */
  readonly serverInfo: Implementation
  readonly settings: () => EndpointSettings
  readonly authenticate: NonNullable<Endpoint['authenticate']>
  readonly sessionEnded: NonNullable<Endpoint['sessionEnded']>
  readonly rootsChanged: NonNullable<Endpoint['rootsChanged']>
  /** The view; undefined for everything. */
  readonly name?: string | undefined
  /** Other gateways that serve the same callers. */
  readonly cluster?: Cluster | undefined
  /** Tasks made of calls here. */
  readonly tasks: TaskDesk
}

/** One endpoint over changing catalogs: the same for as long as the gateway lives, whatever is reloaded. */
export class ViewEndpoint {
  readonly endpoint: Endpoint
  /** The same, with callers over HTTP asked who they are; sessions of the one are none of the other. */
  readonly guarded: Endpoint
  readonly #listeners: Listeners
  readonly #plainInfo: Implementation
  #serverInfo: Implementation
  #view: View | undefined
  #policy: ViewPolicy | undefined
  readonly #compose: () => Handle<Passage>
  #passage: Handle<Passage>

  constructor(options: ViewEndpointOptions) {
    const { cluster, name, settings } = options
    const watched = (inner: Handle) => (cluster === undefined ? inner : watchTasks(inner, cluster, name))
    const leadMs = cluster === undefined ? 0 : LEAD_MS
    const listeners = new Listeners({ ...options, watched, leadMs }, (principal) => this.viewOf(principal))
    this.#listeners = listeners
    const innermost = toAnswer(listeners, options.tasks, options)
    this.#compose = () => createPipeline({ ...options, authorizes: this.#policy !== undefined }, innermost)
    this.#passage = this.#compose()
    const handle: Handle = (call: Call) => {
      const view = this.#view
      if (view === undefined)
        return Promise.reject(new McpError('upstream.unavailable', 'This view is no longer offered'))
      const policy = this.#policy
      if (policy === undefined) return this.#passage(new Passage(call, view))
      const caller = policy.callerOf(call.principal)
      const grant = caller.permit.at(view)
      return this.#passage(new Passage(call, grant.view, { caller, grant }))
    }
    this.#plainInfo = options.serverInfo
    this.#serverInfo = options.serverInfo
    const toolSchema: NonNullable<Endpoint['toolSchema']> = (name, principal) =>
      this.viewOf(principal)?.entries.tools.get(name)?.item.inputSchema as JsonObject | undefined
    const reaching = cluster === undefined ? handle : handOnTasks(handle, cluster, name)
    this.endpoint = toEndpoint(reaching, toolSchema, () => this.#serverInfo, options)
    // The rest stays as it is, whatever a reload makes of it.
    const { authenticate } = options
    const scope = (kind: string) => cluster?.elsewhere(`${kind} ${name ?? ''}`, () => settings().sessionIdleMs)
    if (cluster !== undefined)
      Object.assign(this.endpoint, { elsewhere: scope('open'), resume: { store: cluster.events } })
    this.guarded = Object.create(this.endpoint, {
      ...(cluster && { elsewhere: { value: scope('guarded') } }),
      authenticate: { value: authenticate },
      // Absent where nothing needs any: then nothing is asked.
      scopesFor: { get: () => (this.#policy?.bindsByScopes === true ? this.#scopesFor : undefined) },
    }) as Endpoint
  }

  /** Rules came or went: calls that come from now on pass those that there are. */
  recompose(): void {
    this.#passage = this.#compose()
  }

  /** Shows another moment, or the same by other rules, and tells those who listen what is different for them. */
  show(view: View, policy?: ViewPolicy): void {
    const before = this.#view
    this.#view = view
    const hadPolicy = this.#policy !== undefined
    this.#policy = policy
    if (hadPolicy !== (policy !== undefined)) this.recompose()
    const { title } = view
    if (title !== before?.title)
      this.#serverInfo = title === undefined ? this.#plainInfo : { ...this.#plainInfo, title }
    this.#listeners.reopen()
    if (before !== undefined) this.#listeners.look()
  }

  /** How many listen. */
  get listeners(): number {
    return this.#listeners.size
  }

  /** What a caller sees now. */
  viewOf(principal: Principal): View | undefined {
    const [view, policy] = [this.#view, this.#policy]
    return view === undefined || policy === undefined ? view : policy.callerOf(principal).permit.at(view).view
  }

  readonly #scopesFor: NonNullable<Endpoint['scopesFor']> = (request, principal) => {
    const [view, policy] = [this.#view, this.#policy]
    return view === undefined || policy === undefined ? [] : scopesFor(policy.callerOf(principal), view, request)
  }

  /** Offers nothing any more and ends every open listen; calls at work go on. */
  hide(): void {
    this.#view = undefined
    this.#listeners.close()
  }

  /** Ends every open listen; those who still may listen again. */
  relisten(): void {
    this.#listeners.close()
    if (this.#view !== undefined) this.#listeners.reopen()
  }

  /** Ends every open listen; everything else goes on. */
  end(): void {
    this.#listeners.close()
  }

  get view(): View | undefined {
    return this.#view
  }
}

/** The end of the pipeline: sends on what was routed, and answers the rest from what is known. */
function toAnswer(listeners: Listeners, tasks: TaskDesk, needs: ForwardNeeds): Handle<Passage> {
  const { hop } = needs
  const toListing = (call: Passage) => (hop.isAskedByAnother(call) ? call.view.listingFor(hop.mark) : call.view)
  const own = new Map<string, (call: Passage) => Result | Promise<Result>>([
    ['server/discover', (call) => call.view.discover],
    ['tasks/get', tasks.handle],
    ['tasks/update', tasks.handle],
    ['tasks/cancel', tasks.handle],
  ])
  for (const [kind, { method }] of Object.entries(KINDS)) {
    own.set(method, (call) => {
      return toListing(call).pages[kind as Kind].page(call.params.cursor) // the keys of KINDS are kinds
    })
  }
  own.set('tools/list', (call) => {
    const decides = toTaskWish(call.downstream.capabilities)?.core === true
    const { pages, taskTools } = toListing(call)
    return (decides ? taskTools : pages.tools).page(call.params.cursor)
  })
  const answerOwn = async (call: Passage) => {
    const answer = own.get(call.method)
    if (answer !== undefined) return answer(call)
    throw new McpError('caller.unknown_method', `The gateway does not answer "${shown(call.method)}"`)
  }
  return (call) => {
    const { route } = call
    if (route !== undefined) {
      return route.asOwnTask === true ? beginOwnTask(tasks, call, route, needs) : forward(call, route, needs)
    }
    // Stays open for as long as its caller does, so that nothing of ours stays open around it.
    return call.method === 'subscriptions/listen' ? listeners.listen(call) : answerOwn(call)
  }
}

/** Gateways learn of a change one after the other; whoever is told of it may ask another one. */
const LEAD_MS = 500

function toEndpoint(
  handle: Handle,
  toolSchema: NonNullable<Endpoint['toolSchema']>,
  serverInfo: () => Implementation,
  { settings, clock, log, sessionEnded, rootsChanged }: ViewEndpointOptions,
): Endpoint & EndpointSettings {
  return {
    handle,
    clock,
    toolSchema,
    sessionEnded,
    rootsChanged,
    log: ({ level, event, ...details }) => log[level](details, event),
    get serverInfo() {
      return serverInfo()
    },
    get limits() {
      return settings().limits
    },
    get maxConcurrent() {
      return settings().maxConcurrent
    },
    get maxSessions() {
      return settings().maxSessions
    },
    get sessionIdleMs() {
      return settings().sessionIdleMs
    },
    get maxStreamBytes() {
      return settings().maxStreamBytes
    },
    get callTimeoutMs() {
      return settings().callTimeoutMs
    },
  }
}
