import { McpError } from '../../errors.ts'
import type { JsonObject } from '../../jsonrpc/frame.ts'
import { isObject } from '../../jsonrpc/members.ts'
import { shown } from '../../jsonrpc/shown.ts'
import type { Call, Notification, Result } from '../../protocol/call.ts'
import type { ServerCapabilities } from '../../protocol/capabilities.ts'
import { hasTrail, withMarks } from '../../protocol/trail.ts'
import { isAt, type Shelves } from '../shelves.ts'
import { joinCapabilities, toCapabilities } from './capabilities.ts'
import { ALL_KINDS, KINDS, type Kind } from './kinds.ts'
import { listAll } from './list-all.ts'
import { type Mounts, type Route, withNativeState, withOwnState } from './mounts.ts'
import { toPage } from './pages.ts'
import { toPublicUris } from './uris.ts'
import type { Watch } from './watch.ts'

type Answer = (call: Call) => Result | Promise<Result>

export interface AggregateOptions {
  readonly mounts: Mounts
  readonly pageSize: number
  /** What the server itself answers. */
  readonly own: ReadonlyMap<string, Answer>
  /** What it has itself, as this caller sees it. */
  readonly seen: (call: Call) => Shelves
}

/** The answers of a server together with those mounted on it: its own come first. */
export function toAggregate(options: AggregateOptions): readonly (readonly [method: string, answer: Answer])[] {
  return [
    ['server/discover', (call) => discover(options, call)],
    ...ALL_KINDS.map((kind) => [KINDS[kind].method, (call: Call) => list(options, kind, call)] as const),
    ['tools/call', (call) => byName(options, 'tools', call)],
    ['prompts/get', (call) => byName(options, 'prompts', call)],
    ['resources/read', (call) => read(options, call)],
    ['completion/complete', (call) => complete(options, call)],
    ['subscriptions/listen', (call) => listen(options, call)],
  ]
}

async function discover({ mounts, own }: AggregateOptions, call: Call): Promise<Result> {
  const result = await answerItself(own, call)
  const others = await Promise.all(mounts.all.map((mount) => mount.discover(call)))
  const all = others.map(toCapabilities).reduce(joinCapabilities, result.capabilities as ServerCapabilities)
  return { ...result, capabilities: joinCapabilities(all, mounts.past) }
}

async function list({ mounts, own, pageSize }: AggregateOptions, kind: Kind, call: Call): Promise<Result> {
  const { method, listKey, key } = KINDS[kind]
  const answer = own.get(method)
  const [first, others] = await Promise.all([
    answer === undefined ? [] : listAll(async (asked) => answer(asked), kind, call),
    mounts.listed(kind, call),
  ])
  const page = toPage(listKey, key, [...first, ...others], pageSize, call.params.cursor)
  return hasTrail(call) ? withMarks(page, await mounts.marks()) : page
}

async function byName(options: AggregateOptions, kind: 'tools' | 'prompts', call: Call): Promise<Result> {
  const { mounts, own, seen } = options
  const { name } = call.params
  const shelf = seen(call)[kind]
  if (typeof name !== 'string' || shelf.find(name) !== undefined) return answerItself(own, call)
  const route = await mounts.findNamed(kind, name, call)
  if (route !== undefined) return forward(options, call, route, { ...call.params, name: route.native })
  throw await mounts.unknown(kind === 'tools' ? 'tool' : 'prompt', name, shelf.keys(), call)
}

async function read(options: AggregateOptions, call: Call): Promise<Result> {
  const { uri } = call.params
  if (typeof uri !== 'string' || isOwn(options, uri, call)) return answerItself(options.own, call)
  const route = await options.mounts.findResource(uri, call)
  if (route === undefined) return answerItself(options.own, call, notFound(uri))
  return forward(options, call, route, { ...call.params, uri: route.native })
}

function isOwn({ seen }: AggregateOptions, uri: string, call: Call): boolean {
  return isAt(seen(call), uri)
}

async function complete(options: AggregateOptions, call: Call): Promise<Result> {
  const { mounts, own, seen } = options
  const ref = isObject(call.params.ref) ? call.params.ref : {}
  let route: Route | undefined
  if (ref.type === 'ref/prompt' && typeof ref.name === 'string' && seen(call).prompts.find(ref.name) === undefined) {
    route = await mounts.findNamed('prompts', ref.name, call)
    if (route !== undefined)
      return forward(options, call, route, { ...call.params, ref: { ...ref, name: route.native } })
    throw await mounts.unknown('prompt', ref.name, seen(call).prompts.keys(), call)
  }
  if (ref.type === 'ref/resource' && typeof ref.uri === 'string' && seen(call).templates.find(ref.uri) === undefined) {
    route = await mounts.findTemplate(ref.uri, call)
    if (route !== undefined)
      return forward(options, call, route, { ...call.params, ref: { ...ref, uri: route.native } })
  }
  return answerItself(own, call, new McpError('caller.invalid_params', 'Cannot complete: there is no such "ref" here'))
}

async function forward(
  { mounts }: AggregateOptions,
  call: Call,
  { mount }: Route,
  params: JsonObject,
): Promise<Result> {
  const result = await mount.forward(call, withNativeState(mount, params))
  return withOwnState(
    mount,
    toPublicUris(call.method, result, (native) => mounts.toPublic(mount, native)),
  )
}

/** One subscription of the caller, kept up here and in every mount that has something it watches. */
async function listen(options: AggregateOptions, call: Call): Promise<Result> {
  const { mounts, own } = options
  for (const mount of mounts.all) mount.listen()
  const answer = own.get(call.method)
  if (answer === undefined) throw new McpError('caller.unknown_method', 'This server has nothing to listen to')
  const wanted = toUris(call.params.notifications).filter((uri) => !isOwn(options, uri, call))
  const early: Notification[] = []
  let isAcknowledged = false
  const tell = (uri: string) => {
    const notification = { method: 'notifications/resources/updated', params: { uri } }
    if (isAcknowledged) call.interim.notify(notification)
    else if (early.length < MAX_EARLY) early.push(notification)
  }
  const watches = await openWatches(options, call, wanted, tell)
  const watched = new Set(watches.flatMap(({ uris }) => uris))
  // Nothing comes before the acknowledgement, which says what is heard here and there.
  const notify = (notification: Notification) => {
    if (notification.method !== 'notifications/subscriptions/acknowledged') return call.interim.notify(notification)
    call.interim.notify(withUris(notification, [...watched]))
    isAcknowledged = true
    for (const one of early.splice(0)) call.interim.notify(one)
  }
  try {
    return await answer({ ...call, interim: { ...call.interim, notify } })
  } finally {
    for (const { close } of watches) close()
  }
}

interface OpenWatch {
  /** As the caller names them. */
  readonly uris: readonly string[]
  close(): void
}

async function openWatches(
  { mounts }: AggregateOptions,
  call: Call,
  wanted: readonly string[],
  tell: (uri: string) => void,
): Promise<readonly OpenWatch[]> {
  const found = await mounts.findResources(wanted, call)
  const routes = wanted.map((uri, at) => ({ uri, route: found[at] }))
  return Promise.all(
    mounts.all.map(async (mount) => {
      const asked = new Map(
        routes.flatMap(({ uri, route }) => (route?.mount === mount ? [[route.native, { uri, route }]] : [])),
      )
      if (asked.size === 0) return { uris: [], close() {} }
      let watch: Watch | undefined
      // Rules are asked again each time: what was withdrawn is heard of no more.
      const heard = (native: string) => {
        const one = asked.get(native)
        if (one === undefined) return
        if (mounts.allows(call.principal, one.route.subject)) tell(one.uri)
        else asked.delete(native)
        if (asked.size === 0) watch?.close()
      }
      watch = await mount.watch(call, [...asked.keys()], heard)
      const uris = watch.honoured.flatMap((native) => asked.get(native)?.uri ?? [])
      if (uris.length === 0) watch.close()
      return { uris, close: watch.close }
    }),
  )
}

function withUris({ method, params }: Notification, more: readonly string[]): Notification {
  if (more.length === 0) return { method, params }
  const filter = isObject(params.notifications) ? params.notifications : {}
  const resourceSubscriptions = [...toUris(filter), ...more]
  return { method, params: { ...params, notifications: { ...filter, resourceSubscriptions } } }
}

function toUris(filter: unknown): readonly string[] {
  const uris = isObject(filter) ? filter.resourceSubscriptions : undefined
  return Array.isArray(uris) ? uris.filter((uri): uri is string => typeof uri === 'string').slice(0, MAX_WATCHED) : []
}

async function answerItself(own: ReadonlyMap<string, Answer>, call: Call, otherwise?: McpError): Promise<Result> {
  const answer = own.get(call.method)
  if (answer !== undefined) return answer(call)
  throw otherwise ?? new McpError('caller.invalid_params', `Cannot answer "${call.method}": what it names is not here`)
}

function notFound(uri: string): McpError {
  return new McpError('caller.resource_not_found', `No resource at "${shown(uri)}"`, { data: { uri } })
}

/** Changes kept for a caller whose subscription is not acknowledged yet. */
const MAX_EARLY = 1_000
/** Resources of mounts one caller may watch. */
const MAX_WATCHED = 1_000
