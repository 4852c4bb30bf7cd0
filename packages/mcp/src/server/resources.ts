import { McpError } from '../errors.ts'
import type { JsonObject } from '../jsonrpc/frame.ts'
import { shown } from '../jsonrpc/shown.ts'
import type { Call, Result } from '../protocol/call.ts'
import type { Resource, ResourceTemplate } from '../protocol/features/resources.ts'
import type { OptionNames } from '../protocol/option-names.ts'
import type { UriVariables } from '../protocol/uri-template/variables.ts'
import { parseUriTemplate, type UriTemplate } from '../protocol/uri-template.ts'
import type { Guarded, Subject } from './access.ts'
import { perform } from './asking/perform.ts'
import { toAuthoredText } from './authored.ts'
import { type CacheHint, type Hinted, toHinted, withHint } from './cache-hints.ts'
import type { Completer } from './completer.ts'
import { type Context, OpenContext } from './context.ts'
import { checkDefinition, checkListedName } from './definition.ts'
import { notFound, type ReadOutput, toReadResult } from './read-result.ts'
import { type ChangedThing, type Entry, Registry, type Shelf, toListResult } from './registry.ts'
import { type ResourceVersion, toUnchanged, toVersionMembers, toVersionMeta, withVersion } from './resource-version.ts'
import type { ServerSettings } from './settings.ts'
import type { TemplateLister } from './template-lists.ts'

/** How a resource is listed. */
export interface ResourceDefinition extends Guarded, ResourceVersion {
  readonly name: string
  readonly title?: string
  readonly description?: string
  /** Also given to contents that name no type of their own. */
  readonly mimeType?: string
  /** Raw bytes. */
  readonly size?: number
  readonly annotations?: JsonObject
  readonly icons?: readonly JsonObject[]
  /** As for a tool: a run that asks is kept in memory instead of being run again. Default false. */
  readonly parked?: boolean
  /**
   * How long callers may keep what is read. Default: what the server's `cache.reads` says. Where any resource, template or
   * skill has an access rule, or the server has, all that is read is private.
   */
  readonly cache?: CacheHint
  readonly _meta?: JsonObject
}

/** How a template is listed, and who completes its variables. */
export interface TemplateDefinition<Variables = UriVariables>
  extends Omit<ResourceDefinition, 'size' | keyof ResourceVersion> {
  /** By variable. */
  readonly complete?: Readonly<Record<string, Completer>>
  /** Default: what the template matches is not listed. After a change, `registration.update({})` tells callers. */
  readonly list?: TemplateLister
  /**
   * Which state a resource is in: asked before each read, so that a caller who has it is spared the read. Default: what
   * the contents say that are read.
   */
  readonly version?: TemplateVersion<Variables>
}

export type ReadHandler = (uri: string, context: Context) => ReadOutput | Promise<ReadOutput>

/** The variables are decoded and as hostile as the caller: a `{path}` may hold `../`. */
export type TemplateReadHandler<Variables = UriVariables> = (
  uri: string,
  variables: Variables,
  context: Context,
) => ReadOutput | Promise<ReadOutput>

/** Says which state the resource at a URI is in; undefined where nothing is known of it. */
export type TemplateVersion<Variables = UriVariables> = (
  uri: string,
  variables: Variables,
  context: Pick<Context, 'call' | 'principal' | 'signal'>,
) => ResourceVersion | undefined | Promise<ResourceVersion | undefined>

/** What a list or contents say of a state. */
type StatedVersion = JsonObject | undefined

interface LiveResource {
  readonly parked: boolean
  readonly hint: Hinted | undefined
  /** Which state it is in, where its author says so. */
  readonly version: StatedVersion | ((context: Context) => Promise<StatedVersion>)
  readonly mimeType: string | undefined
  readonly read: ReadHandler
}

interface LiveTemplate {
  readonly parked: boolean
  readonly hint: Hinted | undefined
  readonly template: UriTemplate
  readonly mimeType: string | undefined
  readonly read: TemplateReadHandler
  readonly complete: Readonly<Record<string, Completer>>
  readonly list: TemplateLister | undefined
  readonly version: TemplateVersion | undefined
}

export type ResourceRegistry = Registry<ResourceDefinition, ReadHandler, Resource, LiveResource>
export type TemplateRegistry = Registry<TemplateDefinition, TemplateReadHandler, ResourceTemplate, LiveTemplate>
export type ResourceShelf = Shelf<Resource, LiveResource>
export type TemplateShelf = Shelf<ResourceTemplate, LiveTemplate>

export function createResourceRegistry(
  pageSize: number,
  changed: (what: ChangedThing) => void,
  toSubject?: (uri: string) => Subject | undefined,
): ResourceRegistry {
  return new Registry({ what: 'resource', pageSize, build: buildResource, changed, toSubject })
}

export function createTemplateRegistry(pageSize: number, changed: (what: ChangedThing) => void): TemplateRegistry {
  return new Registry({ what: 'resource template', pageSize, build: buildTemplate, changed })
}

export function listResources(resources: ResourceShelf, call: Call): Result {
  return toListResult(resources.page(call.params.cursor), 'resources')
}

export function listTemplates(templates: TemplateShelf, call: Call): Result {
  return toListResult(templates.page(call.params.cursor), 'resourceTemplates')
}

/** Whether reading this URI would reach a handler of ours. */
export function hasResource(resources: ResourceShelf, templates: TemplateShelf, uri: string): boolean {
  return resources.find(uri) !== undefined || templates.all().some(({ template }) => template.match(uri) !== undefined)
}

export async function readResource(
  resources: ResourceShelf,
  templates: TemplateShelf,
  settings: ServerSettings,
  call: Call,
): Promise<Result> {
  const { uri } = call.params
  if (typeof uri !== 'string') throw new McpError('caller.invalid_params', 'Cannot read a resource without its "uri"')
  const found = findReader(resources, templates, uri)
  if (found === undefined) throw notFound(uri)
  const version =
    typeof found.version === 'function' ? await askVersion(found.version, uri, settings, call) : found.version
  const unchanged = toUnchanged(call, uri, found.mimeType, version)
  if (unchanged !== undefined) return unchanged
  return perform(settings, call, {
    parked: found.parked,
    async run(context) {
      const result = toReadResult(uri, found.mimeType, await found.read(uri, context))
      const said = withVersion(call, result, version)
      return found.hint === undefined ? said : withHint(said, found.hint)
    },
    fail(error) {
      throw toReadError(uri, error)
    },
  })
}

/** Before the read: contents that changed meanwhile are read once more, and never taken for what they were. */
async function askVersion(
  version: (context: Context) => Promise<StatedVersion>,
  uri: string,
  settings: ServerSettings,
  call: Call,
): Promise<StatedVersion> {
  const context = new OpenContext(call, settings)
  try {
    return await version(context)
  } catch (error) {
    throw toReadError(uri, error)
  } finally {
    context.end()
  }
}

function findReader(resources: ResourceShelf, templates: TemplateShelf, uri: string): LiveResource | undefined {
  const resource = resources.find(uri)
  if (resource !== undefined) return resource
  for (const { template, mimeType, parked, hint, read, version } of templates.all()) {
    const variables = template.match(uri)
    if (variables === undefined) continue
    return {
      mimeType,
      parked,
      hint,
      version: version && (async (context) => toVersionMeta((await version(uri, variables, context)) ?? {})),
      read: (asked, context) => read(asked, variables, context),
    }
  }
  return undefined
}

function toReadError(uri: string, error: unknown): unknown {
  if (error instanceof McpError) return error
  const text = toAuthoredText(error)
  // Anything else goes on as it is: the edge logs it and says no more than that something failed.
  return text === undefined
    ? error
    : new McpError('internal.error', `Cannot read "${shown(uri)}": ${text}`, { cause: error })
}

function buildResource(uri: string, definition: ResourceDefinition, read: ReadHandler): Entry<Resource, LiveResource> {
  if (!HAS_SCHEME.test(uri))
    throw new Error(`Cannot register the resource "${uri}": a URI starts with a scheme, as in "app://x"`)
  const what = `the resource "${uri}"`
  checkDefinition(what, definition, read, `server.resource('${uri}', { name }, read)`, RESOURCE_MEMBERS)
  checkListedName(what, definition)
  const { parked = false, cache, lastModified: _, etag: __, revision: ___, ...shownMembers } = definition
  const version = toVersionMeta(definition)
  return {
    listed: { uri, ...shownMembers, ...toVersionMembers(definition) },
    live: { mimeType: definition.mimeType, parked, hint: toHinted(`register ${what}`, cache), version, read },
  }
}

function buildTemplate(
  uriTemplate: string,
  given: TemplateDefinition,
  read: TemplateReadHandler,
): Entry<ResourceTemplate, LiveTemplate> {
  const what = `the resource template "${uriTemplate}"`
  checkDefinition(what, given, read, `server.template('${uriTemplate}', { name }, read)`, TEMPLATE_MEMBERS)
  checkListedName(what, given)
  const { complete = {}, parked = false, cache, list, version, ...definition } = given
  if (list !== undefined && typeof list !== 'function') {
    throw new TypeError(`Cannot register ${what}: its "list" is the function that says which there are`)
  }
  if (version !== undefined && typeof version !== 'function') {
    throw new TypeError(`Cannot register ${what}: its "version" is the function that says it of each resource`)
  }
  const template = parseUriTemplate(uriTemplate)
  const unknown = Object.keys(complete).find((name) => !template.variables.includes(name))
  if (unknown !== undefined) throw new Error(`Cannot complete "${unknown}": "${uriTemplate}" has no such variable`)
  return {
    listed: { uriTemplate, ...definition },
    live: {
      template,
      mimeType: definition.mimeType,
      parked,
      hint: toHinted(`register ${what}`, cache),
      read,
      complete,
      list,
      version,
    },
  }
}

const RESOURCE_MEMBERS: OptionNames<ResourceDefinition> = {
  name: true,
  title: true,
  description: true,
  mimeType: true,
  size: true,
  annotations: true,
  icons: true,
  parked: true,
  cache: true,
  lastModified: true,
  etag: true,
  revision: true,
  _meta: true,
  access: true,
}
const TEMPLATE_MEMBERS: OptionNames<TemplateDefinition> = {
  name: true,
  title: true,
  description: true,
  mimeType: true,
  annotations: true,
  icons: true,
  parked: true,
  cache: true,
  complete: true,
  list: true,
  version: true,
  _meta: true,
  access: true,
}
const HAS_SCHEME = /^[A-Za-z][A-Za-z0-9+.-]*:/
