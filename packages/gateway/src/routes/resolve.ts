import {
  type Call,
  type Downstream,
  didYouMean,
  type JsonObject,
  McpError,
  NEEDS_TASKS,
  noTask,
  type Params,
  taskTagOf,
  toTaskWish,
} from '@crosspoint/mcp'
import type { Entry } from '../catalog/catalog.ts'
import { toTaskSupport } from '../catalog/task-support.ts'
import type { View } from '../catalog/view.ts'
import { shown } from '../shown.ts'
import type { Route } from './passage.ts'

type Resolve = (params: Params, view: View, call: Pick<Call, 'method' | 'downstream'>) => Route | undefined

/**
 * Methods that one server answers, and how its name for the thing is found: by table, never by taking names apart.
 * Undefined is for what the gateway answers itself.
 */
export const ROUTED: ReadonlyMap<string, Resolve> = new Map<string, Resolve>([
  ['tools/call', toTool],
  ['prompts/get', (params, view) => byName('prompt', params, view.entries.prompts)],
  ['resources/read', toReader],
  ['resources/directory/read', (params, view) => byUri('folder', params, view)],
  ['skills/get', (params, view) => byUri('skill', params, view)],
  ['completion/complete', toCompleter],
  ['tasks/get', toTaskHolder],
  ['tasks/update', toTaskHolder],
  ['tasks/cancel', toTaskHolder],
])

function toTool(params: Params, view: View, { downstream: { capabilities } }: Pick<Call, 'downstream'>): Route {
  const route = byName('tool', params, view.entries.tools)
  if (capabilities.extensions === undefined || toTaskWish(capabilities)?.insists !== true) return route
  // Only a revision in which callers decide what becomes a task has callers who insist.
  const entry = view.entries.tools.get(String(params.name))
  const support = entry === undefined ? undefined : toTaskSupport(entry)
  if (support === 'own') return { ...route, asOwnTask: true }
  if (support !== undefined) return route
  throw new McpError(
    'caller.unsupported_feature',
    `Cannot call the tool "${shown(String(params.name))}" as a task: it is none`,
  )
}

/** Finds whose task it is by its id. Those that were begun here are nobody else's. */
function toTaskHolder(
  params: Params,
  view: View,
  { method, downstream }: Pick<Call, 'method' | 'downstream'>,
): Route | undefined {
  checkTasksDeclared(method, downstream)
  const tag = taskTagOf(params.taskId)
  if (tag === undefined) return undefined
  const destination = view.taskHolders.get(tag)
  if (destination === undefined) throw noTask()
  return { destination, params }
}

/** @throws {McpError} `caller.missing_capability` for a caller who declared no tasks with this very request */
export function checkTasksDeclared(method: string, { capabilities }: Downstream): void {
  if (toTaskWish(capabilities) !== undefined) return
  const message = `Cannot answer "${method}" to a caller that declared no tasks`
  throw new McpError('caller.missing_capability', message, { data: NEEDS_TASKS })
}

function byName(what: string, params: Params, entries: ReadonlyMap<string, Entry>): Route {
  const { name } = params
  const entry = typeof name === 'string' ? entries.get(name) : undefined
  if (entry !== undefined) return toRoute(entry, { ...params, name: entry.native })
  throw new McpError(
    'caller.invalid_params',
    typeof name === 'string'
      ? `There is no ${what} "${shown(name)}" here${didYouMean(name, entries.keys())}`
      : `Cannot look for a ${what} without its "name"`,
  )
}

/** @throws {McpError} with the URI in `data`, as the newest revision wants it for a resource that is not there. */
function toReader(params: Params, view: View): Route {
  const { uri } = params
  if (typeof uri !== 'string') throw new McpError('caller.invalid_params', 'Cannot read a resource without its "uri"')
  const address = view.book.find(uri)
  if (address !== undefined) return toRoute(address, { ...params, uri: address.native })
  throw noResource(uri)
}

/** What is said of a resource that is not there, or is for others. */
export function noResource(uri: string): McpError {
  return new McpError('caller.resource_not_found', `There is no resource "${shown(uri)}" here`, { data: { uri } })
}

/** Of what is no resource by itself. */
function byUri(what: string, params: Params, view: View): Route {
  const { uri } = params
  const address = typeof uri === 'string' ? view.book.find(uri) : undefined
  if (address !== undefined) return toRoute(address, { ...params, uri: address.native })
  throw new McpError('caller.invalid_params', `There is no ${what} at "${shown(String(uri))}" here`)
}

function toCompleter(params: Params, view: View): Route {
  const ref: JsonObject = typeof params.ref === 'object' && params.ref !== null ? (params.ref as JsonObject) : {}
  if (ref.type === 'ref/prompt') {
    const { destination, params: named } = byName('prompt', { name: ref.name }, view.entries.prompts)
    return { destination, params: { ...params, ref: { ...ref, name: named.name } } }
  }
  if (ref.type !== 'ref/resource' || typeof ref.uri !== 'string') {
    throw new McpError(
      'caller.invalid_params',
      'Cannot complete without a "ref" of type "ref/prompt" or "ref/resource"',
    )
  }
  const address = view.entries.templates.get(ref.uri) ?? view.book.find(ref.uri)
  if (address !== undefined) return toRoute(address, { ...params, ref: { ...ref, uri: address.native } })
  throw new McpError('caller.invalid_params', `There is no resource template "${shown(ref.uri)}" here`)
}

function toRoute({ source }: Pick<Entry, 'source'>, params: Params): Route {
  return { destination: source.destination, params }
}
