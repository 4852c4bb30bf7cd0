import { McpError } from '../errors.ts'
import type { JsonObject } from '../jsonrpc/frame.ts'
import { type Clock, systemClock } from '../peer/clock.ts'
import {
  ANONYMOUS,
  type Call,
  type Downstream,
  type Interim,
  type Notification,
  type Result,
} from '../protocol/call.ts'
import { type Cancellation, CancellationSource, cancellationOf } from '../protocol/cancellation.ts'
import type { DiscoverResult, ProgressParams } from '../protocol/features/base.ts'
import type { CompleteParams, CompleteResult } from '../protocol/features/completion.ts'
import type { LogLevel, LogMessageParams } from '../protocol/features/logging.ts'
import type { GetPromptResult, ListPromptsResult, Prompt } from '../protocol/features/prompts.ts'
import type {
  ListResourcesResult,
  ListResourceTemplatesResult,
  ReadResourceResult,
  Resource,
  ResourceTemplate,
} from '../protocol/features/resources.ts'
import type { ListenFilter } from '../protocol/features/subscriptions.ts'
import { type TaskWish, withTaskWish } from '../protocol/features/tasks.ts'
import type { CallToolResult, ListToolsResult, Tool } from '../protocol/features/tools.ts'
import { createAnswering } from './answering.ts'
import { askUntilComplete } from './ask-rounds.ts'
import { type ConnectTarget, toTarget } from './connect-target.ts'
import type { Connection, ConnectionOptions } from './connection.ts'
import { type Handlers, toCapabilities } from './handlers.ts'
import { listenTo, type Subscription } from './listen.ts'
import { createListing, type Listing } from './listing.ts'
import { openConnection } from './open.ts'
import { OutputCheck } from './output-check.ts'
import { beginTask, openTask, type ToolTask } from './tasks/tool-task.ts'

export interface ClientOptions extends ConnectionOptions {
  /** Who answers what the server asks: declared as they are given, beside `capabilities`. Default: nobody. */
  readonly handlers?: Handlers
  /**
   * Holds tools to the output schema they were listed with: a call whose structured content does not conform fails with
   * `upstream.protocol`. Tools that nobody has listed yet are not checked. Default true.
   */
  readonly validateOutput?: boolean
}

export interface RequestOptions {
  /** Gives the request up, and tells the server so. */
  readonly signal?: AbortSignal
  /** How long to wait for the answer. Default: `requestTimeoutMs` of the connection, which progress extends. */
  readonly timeoutMs?: number
  /** Hears of progress, where the server reports any. */
  readonly onProgress?: (progress: ProgressParams) => void
  /** Hears the log messages of this request. */
  readonly onLog?: (message: LogMessageParams) => void
  /** Least severe log messages wanted. Default `info` where there is `onLog`, else none. */
  readonly logLevel?: LogLevel
  /** Travels with the request as `_meta`: trace context, keys of your own. */
  readonly meta?: JsonObject
}

export interface CallToolOptions extends RequestOptions {
  /**
   * `drive`: the server may make a task of the call, whose result is then waited for and whose questions are answered
   * by the handlers. Default: it may not, and tools that work only as tasks are refused.
   */
  readonly tasks?: 'drive'
}

export interface StartTaskOptions extends RequestOptions {
  /** How long the outcome should be kept, for servers that let the client say so, in milliseconds. */
  readonly ttlMs?: number
}

/** A server, with a function for everything one can ask of it. */
export interface Client {
  /** What is underneath: the handle, what the server is, and how the conversation ends. */
  readonly connection: Connection
  discover(options?: RequestOptions): Promise<DiscoverResult>
  listTools(options?: RequestOptions): Listing<ListToolsResult, Tool>
  /** A tool that fails answers with `isError`; what throws is the request, not the tool. */
  callTool(name: string, args?: JsonObject, options?: CallToolOptions): Promise<CallToolResult>
  /**
   * Calls a tool that may take long: the server may answer with a task, and works on. `signal` gives up the call, and
   * later the waiting for the task, which goes on.
   */
  startTask(name: string, args?: JsonObject, options?: StartTaskOptions): Promise<ToolTask>
  /** A task that was begun before, perhaps by another process. Nothing is sent yet. */
  task(id: string, options?: Pick<RequestOptions, 'signal'>): ToolTask
  listResources(options?: RequestOptions): Listing<ListResourcesResult, Resource>
  listResourceTemplates(options?: RequestOptions): Listing<ListResourceTemplatesResult, ResourceTemplate>
  readResource(uri: string, options?: RequestOptions): Promise<ReadResourceResult>
  listPrompts(options?: RequestOptions): Listing<ListPromptsResult, Prompt>
  getPrompt(
    name: string,
    args?: { readonly [name: string]: string },
    options?: RequestOptions,
  ): Promise<GetPromptResult>
  complete(params: CompleteParams, options?: RequestOptions): Promise<CompleteResult>
  /** Says that the roots are others now, to a server whose revision can be told; it asks for them anew. */
  rootsChanged(): Promise<void>
  /** Hears of changes until it is closed, the signal aborts or the server ends it. */
  listen(filter: ListenFilter, options?: Pick<RequestOptions, 'signal'>): Subscription
  close(): Promise<void>
}

/**
 * Connects to a server of any revision.
 * @param target a URL, a command, a {@link Target}, or a server in this process
 * @example
 * const client = await connect('http://127.0.0.1:3000/mcp', { client: { name: 'example', version: '1.0.0' } })
 * for (const tool of await client.listTools().all()) console.log(tool.name)
 * await client.close()
 */
export async function connect(target: ConnectTarget, options: ClientOptions): Promise<Client> {
  const { handlers, capabilities } = options
  if (handlers === undefined) return toClient(await openConnection(toTarget(target), carryingTasks(options)), options)
  let connection: Connection | undefined
  const answer = createAnswering(handlers)
  const answering: ClientOptions = {
    ...options,
    capabilities: { ...capabilities, ...toCapabilities(handlers) },
    ask: ({ method, params }, withdrawn = NEVER) =>
      answer(method, params, {
        server: connection?.serverInfo,
        get signal() {
          return withdrawn.signal
        },
      }),
  }
  connection = await openConnection(toTarget(target), carryingTasks(answering))
  return toClient(connection, answering)
}

/** The typed functions over a connection that is open. */
export function toClient(connection: Connection, options: ClientOptions): Client {
  const clock = options.clock ?? systemClock
  const downstream: Downstream = {
    revision: connection.verdict.revision,
    client: options.client,
    capabilities: options.capabilities ?? {},
    session: undefined,
  }
  const ask = options.ask ?? refuseToAnswer
  const listening = new Set<Subscription>()
  const outputs = options.validateOutput === false ? undefined : new OutputCheck(options.fault)

  // Each method's result has the shape its descriptor names; servers are trusted no further than their frames.
  const request = <R extends Result>(method: string, params: JsonObject, of: RequestOptions = {}): Promise<R> =>
    askUntilComplete(connection.handle, toCall(method, params, of, downstream, ask, clock), ask, clock) as Promise<R>
  const list = <Page extends Result, Item>(method: string, member: string, of?: RequestOptions): Listing<Page, Item> =>
    createListing(member, (params) => request<Page>(method, params, of))

  const callOf = (method: string, params: JsonObject, of: RequestOptions, wish: TaskWish): Call =>
    toCall(method, params, of, { ...downstream, capabilities: withTaskWish(downstream.capabilities, wish) }, ask, clock)
  const startTask: Client['startTask'] = (name, args = {}, { ttlMs, ...of } = {}) =>
    beginTask(
      connection.handle,
      callOf('tools/call', { name, arguments: args }, of, ttlMs === undefined ? {} : { ttlMs }),
      ask,
      clock,
    )

  return {
    connection,
    discover: (of) => request('server/discover', {}, of),
    listTools: (of) =>
      createListing('tools', async (params) => {
        const page = await request<ListToolsResult>('tools/list', params, of)
        outputs?.note(page, params.cursor === undefined)
        return page
      }),
    async callTool(name, args = {}, of = {}) {
      const result =
        of.tasks === 'drive'
          ? await startTask(name, args, of).then((task) => task.result())
          : await request<CallToolResult>('tools/call', { name, arguments: args }, of)
      return outputs === undefined ? result : outputs.check(name, result)
    },
    startTask,
    task: (id, of = {}) => openTask(connection.handle, callOf('tasks/get', { taskId: id }, of, {}), id, ask, clock),
    listResources: (of) => list('resources/list', 'resources', of),
    listResourceTemplates: (of) => list('resources/templates/list', 'resourceTemplates', of),
    readResource: (uri, of) => request('resources/read', { uri }, of),
    listPrompts: (of) => list('prompts/list', 'prompts', of),
    getPrompt: (name, args = {}, of) => request('prompts/get', { name, arguments: args }, of),
    complete: (params, of) => request('completion/complete', params, of),
    listen(filter, of = {}) {
      const subscription = listenTo(
        connection.handle,
        (interim, signal) => ({
          ...toCall('subscriptions/listen', { notifications: filter }, { signal }, downstream, ask, clock),
          interim: outputs === undefined ? interim : outputs.hearing(interim),
        }),
        of.signal,
      )
      listening.add(subscription)
      void subscription.ended.then(() => listening.delete(subscription))
      return subscription
    },
    rootsChanged: () => connection.tell({ method: 'notifications/roots/list_changed', params: {} }),
    close() {
      for (const subscription of listening) subscription.close()
      return connection.close()
    },
  }
}

/** The connection can carry tasks; a call says whether it wants any. */
function carryingTasks<Options extends ConnectionOptions>(options: Options): Options {
  return { ...options, capabilities: withTaskWish(options.capabilities ?? {}, {}) }
}

function toCall(
  method: string,
  params: JsonObject,
  options: RequestOptions,
  downstream: Downstream,
  ask: Interim['ask'],
  clock: Clock,
): Call {
  return {
    method,
    params,
    meta: options.meta ?? {},
    principal: ANONYMOUS,
    downstream,
    cancellation: options.signal === undefined ? NEVER : cancellationOf(options.signal),
    deadline: options.timeoutMs === undefined ? undefined : clock.now() + options.timeoutMs,
    trace: undefined,
    interim: toInterim(options, ask),
  }
}

function toInterim({ onProgress, onLog, logLevel }: RequestOptions, ask: Interim['ask']): Interim {
  return {
    progress: onProgress !== undefined,
    canAsk: true,
    logLevel: logLevel ?? (onLog === undefined ? undefined : 'info'),
    notify({ method, params }) {
      // The shapes are the protocol's; what else a server puts in is for the listener to look at.
      if (method === 'notifications/progress') onProgress?.(params as unknown as ProgressParams)
      else if (method === 'notifications/message') onLog?.(params as unknown as LogMessageParams)
    },
    ask,
  }
}

function refuseToAnswer({ method }: Notification): Promise<Result> {
  const message = `Cannot answer "${method}": this client was given nothing to answer it with`
  return Promise.reject(new McpError('caller.missing_capability', message))
}

const NEVER: Cancellation = new CancellationSource()
