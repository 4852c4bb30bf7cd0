import { RequiredPages } from '../bridge/required-pages.ts'
import { ALL_LISTS, toMissed } from '../bridge/standing-listen.ts'
import { McpError } from '../errors.ts'
import type { JsonObject } from '../jsonrpc/frame.ts'
import { type Clock, checkClock, systemClock } from '../peer/clock.ts'
import type { Call, Handle, Notification, Result } from '../protocol/call.ts'
import type { ClientCapabilities, Implementation } from '../protocol/capabilities.ts'
import type { DiscoverResult } from '../protocol/features/base.ts'
import type { CompleteParams, CompleteResult } from '../protocol/features/completion.ts'
import type { GetPromptResult, ListPromptsResult, Prompt } from '../protocol/features/prompts.ts'
import type {
  ListResourcesResult,
  ListResourceTemplatesResult,
  ReadResourceResult,
  Resource,
  ResourceTemplate,
} from '../protocol/features/resources.ts'
import type { GetSkillResult, ListSkillsResult, ReadDirectoryResult, Skill } from '../protocol/features/skills.ts'
import type { ListenFilter } from '../protocol/features/subscriptions.ts'
import { type TaskWish, withTaskWish } from '../protocol/features/tasks.ts'
import type { CallToolResult, ListToolsResult, Tool } from '../protocol/features/tools.ts'
import { withSafeItems } from '../protocol/icons.ts'
import type { MethodTypes } from '../protocol/method-types.ts'
import { checkMembers, checkOptions, LIMIT_NAMES, type OptionNames } from '../protocol/option-names.ts'
import { findRevision } from '../revisions/index.ts'
import { createAnswering } from './answering.ts'
import { askUntilComplete } from './ask-rounds.ts'
import { type ConnectTarget, checkTarget, toTarget } from './connect-target.ts'
import type { Connection, ConnectionOptions, Target } from './connection.ts'
import { checkHandlers, type Handlers, toCapabilities } from './handlers.ts'
import { listenTo, type Subscription } from './listen.ts'
import { createListing, type Listing } from './listing.ts'
import { openConnection } from './open.ts'
import { OutputCheck } from './output-check.ts'
import { type CacheOptions, ResponseCache } from './response-cache.ts'
import { openRestarting, type RestartOptions } from './restart.ts'
import { CONNECTION_OPTIONS, OURSELVES } from './settings.ts'
import { type LoadedSkill, loadSkill } from './skills.ts'
import { QuestionTasks } from './tasks/question-tasks.ts'
import { beginTask, openTask, type ToolTask } from './tasks/tool-task.ts'
import { type CallerOptions, checkWhat, NEVER, REQUEST_OPTIONS, type RequestOptions, toCall } from './to-call.ts'

export interface ToolResult<T> extends CallToolResult {
  readonly structuredContent?: T
}

export interface ClientOptions extends ConnectionOptions {
  /** Who answers what the server asks: declared as they are given, beside `capabilities`. Default: nobody. */
  readonly handlers?: Handlers
  /**
   * Holds tools to the output schema they were listed with: a call whose structured content does not conform fails with
   * `upstream.protocol`. Tools that nobody has listed yet are not checked. Default true.
   */
  readonly validateOutput?: boolean
  /** Keeps answers for as long as the server says, within these bounds. Default: on; false asks every time. */
  readonly cache?: CacheOptions | false
  /** Starts a child again that died: see {@link RestartOptions}. Default false. */
  readonly restart?: RestartOptions | boolean
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
  /**
   * A tool that fails answers with `isError`; what throws is the request, not the tool.
   * @param args any object, so that one of an interface will do
   * @typeParam T what `structuredContent` is, by the tool's own account
   */
  callTool<T = unknown>(name: string, args?: object, options?: CallToolOptions): Promise<ToolResult<T>>
  /**
   * Calls a tool that may take long: the server may answer with a task, and works on. `signal` gives up the call, and
   * later the waiting for the task, which goes on.
   */
  startTask(name: string, args?: object, options?: StartTaskOptions): Promise<ToolTask>
  /** A task that was begun before, perhaps by another process. Nothing is sent yet. */
  task(id: string, options?: Pick<RequestOptions, 'signal'>): ToolTask
  listResources(options?: RequestOptions): Listing<ListResourcesResult, Resource>
  listResourceTemplates(options?: RequestOptions): Listing<ListResourceTemplatesResult, ResourceTemplate>
  readResource(uri: string, options?: RequestOptions): Promise<ReadResourceResult>
  listPrompts(options?: RequestOptions): Listing<ListPromptsResult, Prompt>
  getPrompt<Args extends { readonly [Name in keyof Args]: string | undefined }>(
    name: string,
    args?: Args,
    options?: RequestOptions,
  ): Promise<GetPromptResult>
  complete(params: CompleteParams, options?: RequestOptions): Promise<CompleteResult>
  /** Skills the server publishes, which may be fewer than it has. Nothing of them is read. */
  listSkills(options?: RequestOptions): Listing<ListSkillsResult, Skill>
  /** The entry of one skill, listed or not. */
  getSkill(uri: string, options?: RequestOptions): Promise<Skill>
  /** Reads the SKILL.md of an entry, holds it against that, and reads further files of the skill the same way. */
  loadSkill(skill: Skill, options?: RequestOptions): Promise<LoadedSkill>
  /** What is in a folder, for a server that says `directoryRead`. */
  readDirectory(uri: string, options?: RequestOptions): Listing<ReadDirectoryResult, Resource>
  /**
   * Any request, such as one of an extension, in the newest vocabulary. Methods we know are sent where the server's
   * revision has them, and their results have a type; those we do not are sent as they are.
   */
  request<Method extends keyof MethodTypes>(
    method: Method,
    params?: MethodTypes[Method]['params'],
    options?: RequestOptions,
  ): Promise<MethodTypes[Method]['result']>
  request<R extends Result = Result>(method: string, params?: object, options?: RequestOptions): Promise<R>
  /** Says that the roots are others now, to a server whose revision can be told; it asks for them anew. */
  rootsChanged(): Promise<void>
  /** Hears of changes until it is closed, the signal aborts or the connection is over; a break is mended. */
  listen(filter: ListenFilter, options?: Pick<RequestOptions, 'signal'>): Subscription
  close(): Promise<void>
  /** Closes it where a block with `await using` is left. */
  [Symbol.asyncDispose](): Promise<void>
}

/**
 * Connects to a server of any revision.
 * @param target a URL, as text or object, a command, a {@link Target}, or a server in this process
 * @example
 * const client = await connect('http://127.0.0.1:3000/mcp', { client: { name: 'example', version: '1.0.0' } })
 * for (const tool of await client.listTools().all()) console.log(tool.name)
 * await client.close()
 */
export async function connect(target: ConnectTarget, options: ClientOptions = {}): Promise<Client> {
  checkTarget(target)
  checkClientOptions(options)
  const { handlers, capabilities, clock = systemClock, stray, changed } = options
  const to = toTarget(target)
  let connection: Connection | undefined // not yet while it is opened, and servers ask then, too
  const asked = handlers === undefined ? {} : toAsked(handlers, capabilities, () => connection, clock)
  const pages = handlers?.elicitUrl === undefined ? undefined : new RequiredPages(clock)
  const news: News = { heard: () => {} } // nothing is kept before it is open
  const answering: ClientOptions = {
    ...options,
    ...asked,
    stray(notification) {
      pages?.hear(notification)
      news.heard(notification)
      stray?.(notification)
    },
    changed(notification) {
      news.heard(notification)
      changed?.(notification)
    },
  }
  connection = await openAgain(to, carryingTasks(answering))
  return createClient(connection, answering, { pages, news, where: to.kind === 'http' ? to.url : undefined })
}

/** Plain JavaScript is told here what types would have said. */
function checkClientOptions(options: ClientOptions): void {
  const { name, version }: Partial<Implementation> = options.client ?? OURSELVES
  if (typeof name !== 'string' || typeof version !== 'string') {
    const usage = "{ client: { name: 'example', version: '1.0.0' } }"
    throw new TypeError(`Cannot connect as a client without a name and a version: give ${usage}, or nothing`)
  }
  checkOptions('connect', options, OPTION_NAMES)
  checkClock('connect', options.clock)
  checkMembers('connect', 'limits', options.limits, LIMIT_NAMES)
  checkMembers('connect', 'cache', options.cache, CACHE_NAMES)
  checkMembers('connect', 'restart', options.restart, { maxFailures: true })
  if (options.handlers !== undefined) checkHandlers(options.handlers)
}

/** The typed functions over a connection that is open. */
export function toClient(connection: Connection, options: ClientOptions): Client {
  return createClient(connection, options, { pages: undefined, news: { heard: () => {} }, where: undefined })
}

function openAgain(target: Target, options: ClientOptions): Promise<Connection> {
  const { restart = false, clock = systemClock } = options
  if (restart === false || target.kind !== 'stdio') return openConnection(target, options)
  // What is known of the server's era saves its next start a probe.
  const open = async (before: Connection | undefined) => {
    if (before === undefined) return openConnection(target, options)
    const again = await openConnection(target, { ...options, verdict: before.verdict })
    // Another process may have other things, whatever its revision would have said.
    for (const notification of toMissed(ALL_LISTS)) options.changed?.(notification)
    return again
  }
  return openRestarting(open, clock, restart === true ? {} : restart)
}

function toAsked(
  handlers: Handlers,
  capabilities: ClientCapabilities | undefined,
  connection: () => Connection | undefined,
  clock: Clock,
): Pick<ConnectionOptions, 'capabilities' | 'ask'> {
  const plain = createAnswering(handlers)
  const tasks = handlers.tasks === true ? new QuestionTasks(plain, clock) : undefined
  const answer: typeof plain = (...asked) =>
    (tasks !== undefined && mayBeTasks(connection()) ? tasks.answer : plain)(...asked)
  return {
    capabilities: { ...capabilities, ...toCapabilities(handlers) },
    ask: ({ method, params }, withdrawn = NEVER) =>
      answer(method, params, {
        server: connection()?.serverInfo,
        get signal() {
          return withdrawn.signal
        },
      }),
  }
}

/** Before it is open only a server that sends requests can ask. */
function mayBeTasks(connection: Connection | undefined): boolean {
  return connection === undefined || findRevision(connection.verdict.revision)?.traits.tasks === 'core'
}

/** The connection can carry tasks; a call says whether it wants any. */
function carryingTasks<Options extends ConnectionOptions>(options: Options): Options {
  return { ...options, capabilities: withTaskWish(options.capabilities ?? {}, {}) }
}

/** What is kept of a server's answers must hear of its changes, also of those that nobody listens to. */
interface News {
  heard(notification: Notification): void
}

interface Surroundings {
  readonly news: News
  readonly pages: RequiredPages | undefined
  /** Which server this is among those that share a cache. */
  readonly where: string | undefined
}

function createClient(connection: Connection, options: ClientOptions, { pages, news, where }: Surroundings): Client {
  const { clock = systemClock, ask = refuseToAnswer } = options
  const { revision } = connection.verdict
  const caller: CallerOptions = {
    downstream: {
      revision,
      client: options.client ?? OURSELVES,
      capabilities: options.capabilities ?? {},
      session: undefined,
    },
    ask,
    clock,
  }
  const handle = pages?.around(connection.handle) ?? connection.handle
  const cache = toCache(options, revision, where)
  const cached = cache?.around(handle) ?? handle
  const fresh = cache?.around(handle, true) ?? handle
  const listening = new Set<Subscription>()
  const outputs = options.validateOutput === false ? undefined : new OutputCheck(options.fault)
  news.heard = (notification) => {
    cache?.forget(notification)
    outputs?.hear(notification)
  }
  let isOver = false
  void connection.closed.then(() => {
    isOver = true
  })

  // Each method's result has the shape its descriptor names; servers are trusted no further than their frames.
  const send = <R extends Result>(through: Handle, method: string, params: JsonObject, of: RequestOptions) =>
    askUntilComplete(through, toCall(method, params, of, caller), ask, clock) as Promise<R>
  const request = async <R extends Result>(method: string, params: JsonObject, of?: RequestOptions): Promise<R> => {
    checkRequest(of)
    return send(of?.fresh === true ? fresh : cached, method, params, of ?? {})
  }
  const list = <Page extends Result, Item>(
    method: string,
    member: string,
    of?: RequestOptions,
    about: JsonObject = {},
  ): Listing<Page, Item> =>
    createListing(member, async (params) =>
      withSafeItems(await request<Page>(method, { ...about, ...params }, of), member),
    )

  const wishing = (method: string, params: JsonObject, of: RequestOptions, wish: TaskWish): Call => {
    const { downstream } = caller
    const capabilities = withTaskWish(downstream.capabilities, wish)
    return toCall(method, params, of, { ...caller, downstream: { ...downstream, capabilities } })
  }
  const startTask: Client['startTask'] = async (name, args = {}, options = {}) => {
    checkWhat(name, 'startTask(name, args, options)')
    checkOptions('start a task', options, START_TASK_OPTIONS)
    const { ttlMs, ...of } = options
    const call = wishing('tools/call', { name, arguments: args }, of, ttlMs === undefined ? {} : { ttlMs })
    return beginTask(handle, call, ask, clock)
  }

  const drive = (name: string, args: object, { tasks: _, ...of }: CallToolOptions) => startTask(name, args, of)

  const close: Client['close'] = () => {
    for (const subscription of listening) subscription.close()
    return connection.close()
  }

  return {
    connection,
    discover: (of) => request('server/discover', {}, of),
    listTools: (of) =>
      createListing('tools', async (params) => {
        const since = outputs?.changes
        const page = await request<ListToolsResult>('tools/list', params, of)
        outputs?.note(page, params.cursor === undefined, since)
        return withSafeItems(page, 'tools')
      }),
    async callTool<T>(name: string, args: object = {}, of?: CallToolOptions) {
      checkWhat(name, 'callTool(name, args, options)')
      if (of !== undefined) checkOptions('call a tool', of, CALL_TOOL_OPTIONS)
      const result =
        of?.tasks === 'drive'
          ? await drive(name, args, of).then((task) => task.result())
          : await send<CallToolResult>(handle, 'tools/call', { name, arguments: args }, of ?? {})
      // What the tool is said to give; the output check holds it to what it says itself.
      return (outputs === undefined ? result : outputs.check(name, result)) as ToolResult<T>
    },
    startTask,
    task: (id, of = {}) => openTask(handle, wishing('tasks/get', { taskId: id }, of, {}), id, ask, clock),
    listResources: (of) => list('resources/list', 'resources', of),
    listResourceTemplates: (of) => list('resources/templates/list', 'resourceTemplates', of),
    readResource: async (uri, of) => {
      checkWhat(uri, 'readResource(uri, options)')
      return request('resources/read', { uri }, of)
    },
    listPrompts: (of) => list('prompts/list', 'prompts', of),
    getPrompt: async (name, args, of) => {
      checkWhat(name, 'getPrompt(name, args, options)')
      checkRequest(of)
      return send(handle, 'prompts/get', { name, arguments: args ?? {} }, of ?? {})
    },
    complete: async (params, of) => {
      checkRequest(of)
      return send(handle, 'completion/complete', params, of ?? {})
    },
    listSkills: (of) => list('skills/list', 'skills', of),
    getSkill: async (uri, of) => (await request<GetSkillResult>('skills/get', { uri }, of)).skill,
    loadSkill: (skill, of) => loadSkill(skill, (uri) => request<ReadResourceResult>('resources/read', { uri }, of)),
    readDirectory: (uri, of) => list('resources/directory/read', 'resources', of, { uri }),
    // An object by any type has string keys only as far as JSON goes.
    request: (method: string, params: object = {}, of?: RequestOptions) => request(method, params as JsonObject, of),
    listen(filter, of = {}) {
      const subscription = listenTo({
        filter,
        handle: connection.handle,
        toCall: (interim, signal) => ({
          ...(filter.taskIds === undefined
            ? toCall('subscriptions/listen', { notifications: filter }, { signal }, caller)
            : wishing('subscriptions/listen', { notifications: filter }, { signal }, {})),
          interim,
        }),
        signal: of.signal,
        clock,
        isReachable: () => !isOver,
        heard: news.heard,
      })
      listening.add(subscription)
      void subscription.ended.then(() => listening.delete(subscription))
      return subscription
    },
    rootsChanged: () => connection.tell({ method: 'notifications/roots/list_changed', params: {} }),
    close,
    [Symbol.asyncDispose]: close,
  }
}

/** A slip of the pen in plain JavaScript is told, and costs nothing where there are no options. */
function checkRequest(of: RequestOptions | undefined): void {
  if (of !== undefined) checkOptions('send a request', of, REQUEST_OPTIONS)
}

/** Only newer revisions say how long something holds. */
function toCache(options: ClientOptions, revision: string, where: string | undefined): ResponseCache | undefined {
  const { cache = {}, clock = systemClock } = options
  if (cache === false || findRevision(revision)?.traits.cacheHints !== true) return undefined
  return new ResponseCache({ ...cache, clock, where: where === undefined ? undefined : `${where} ${revision} ` })
}

function refuseToAnswer({ method }: Notification): Promise<Result> {
  const message = `Cannot answer "${method}": this client was given nothing to answer it with`
  return Promise.reject(new McpError('caller.missing_capability', message))
}

const CALL_TOOL_OPTIONS: OptionNames<CallToolOptions> = { ...REQUEST_OPTIONS, tasks: true }
const START_TASK_OPTIONS: OptionNames<StartTaskOptions> = { ...REQUEST_OPTIONS, ttlMs: true }
const CACHE_NAMES: OptionNames<CacheOptions> = {
  maxEntries: true,
  maxBytes: true,
  maxTtlMs: true,
  staleIfError: true,
  shared: true,
}
const OPTION_NAMES: OptionNames<ClientOptions> = {
  ...CONNECTION_OPTIONS,
  handlers: true,
  validateOutput: true,
  cache: true,
  restart: true,
}
