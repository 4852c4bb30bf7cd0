import type { JsonObject } from '../jsonrpc/frame.ts'
import { systemClock } from '../peer/clock.ts'
import type { Handle } from '../protocol/call.ts'
import type { UriVariablesOf } from '../protocol/uri-template/variables.ts'
import type { Endpoint } from '../transports/endpoint.ts'
import { Access, type AccessRule } from './access.ts'
import { introduceListeners, LIST_CHANGES, type ListChange, Listeners } from './listeners.ts'
import {
  type AnyMethodHandler,
  createMethodRegistry,
  findMethod,
  type MethodDefinition,
  type MethodHandler,
} from './methods.ts'
import { checkPattern, type Layer, type MethodPattern, type Middleware } from './middleware.ts'
import { checkMountable } from './mount/check.ts'
import type { Mountable } from './mount/mount.ts'
import { Mounts } from './mount/mounts.ts'
import { createOffer, noMethod, type Offer, type Parts } from './offer.ts'
import {
  type AnyPromptHandler,
  createPromptRegistry,
  type PromptArguments,
  type PromptDefinition,
  type PromptHandler,
  type TemplatedPrompt,
} from './prompts.ts'
import type { ChangedThing, Registration } from './registry.ts'
import {
  createResourceRegistry,
  createTemplateRegistry,
  type ReadHandler,
  type ResourceDefinition,
  type TemplateDefinition,
  type TemplateReadHandler,
} from './resources.ts'
import type { Schema } from './schema.ts'
import { ENDPOINT_OPTIONS, type ServerOptions, toSettings } from './settings.ts'
import { toRule } from './shelves.ts'
import type { SkillFolder } from './skills/files.ts'
import type { SkillDefinition } from './skills/live-skill.ts'
import { registerSkill, type SkillRegistration } from './skills/register.ts'
import { createSkillRegistry, toSkillSubject } from './skills/skills.ts'
import { Tasks } from './tasks/tasks.ts'
import { type AnyToolHandler, createToolRegistry, type ToolDefinition, type ToolHandler } from './tools.ts'

/** A server that was mounted. */
export interface Mounted {
  readonly name: string
  /** Takes it out again; a connection stays open until it is closed by who made it. */
  remove(): void
}

/** A server being written. What is registered may change while it is served; clients are told. */
export interface Server {
  /** What a door serves: `openHttpDoor`, `serveStdio` and `serveChannel` take it. */
  readonly endpoint: Endpoint
  /**
   * Something a model may do.
   * @param definition its `input` decides the type of the handler's arguments, its `output` what that may return
   * @example
   * server.tool(
   *   'forecast',
   *   { description: 'The weather of tomorrow', input: z.object({ city: z.string(), days: z.number().default(1) }) },
   *   async ({ city, days }, { signal }) => fetchWeather(city, days, signal), // an object: structured, and as text
   * )
   */
  tool<Input extends Schema = JsonObject, Output extends Schema = Schema>(
    name: string,
    definition: ToolDefinition<Input, Output>,
    handler: ToolHandler<Input, Output>,
  ): Registration<ToolDefinition<Input, Output>, ToolHandler<Input, Output>>
  /**
   * Something to read, at one URI.
   * @example
   * server.resource('weather://stations', { name: 'Stations', mimeType: 'text/csv' }, () => 'Rome,41.9,12.5')
   */
  resource(
    uri: string,
    definition: ResourceDefinition,
    read: ReadHandler,
  ): Registration<ResourceDefinition, ReadHandler>
  /**
   * Resources by pattern (RFC 6570). One that is registered by its URI wins; then the first template that matches.
   * @param uriTemplate its variables decide the type of the handler's: of `{id}` a text, of `{/path*}` a list
   * @example
   * server.template('weather://station/{id}', { name: 'Station' }, (_uri, { id }) => stations.get(id)) // undefined: none
   */
  template<const Template extends string>(
    uriTemplate: Template,
    definition: TemplateDefinition<UriVariablesOf<Template>>,
    read: TemplateReadHandler<UriVariablesOf<Template>>,
  ): Registration<TemplateDefinition<UriVariablesOf<Template>>, TemplateReadHandler<UriVariablesOf<Template>>>
  /**
   * A prompt made by a template.
   * @example
   * server.prompt('review', {
   *   template: 'Review this {{language}} code:\n{{code}}\n{{focus?}}',
   *   arguments: { language: { complete: (typed) => languages.filter((name) => name.startsWith(typed)) } },
   * })
   */
  prompt(name: string, definition: TemplatedPrompt): Registration<TemplatedPrompt, never>
  /**
   * A prompt made by a handler.
   * @example
   * server.prompt('brief', { arguments: { city: { required: true } } }, ({ city }) => `Describe the weather in ${city}.`)
   */
  prompt<const Arguments extends PromptArguments>(
    name: string,
    definition: PromptDefinition<Arguments>,
    make: PromptHandler<Arguments>,
  ): Registration<PromptDefinition<Arguments>, PromptHandler<Arguments>>
  /**
   * A folder of instructions for models (SEP-2640): its files are read as resources at `skill://<path>/<file>`.
   * @param path of the folder among all skills; its last segment is the skill's name
   * @example
   * server.skill('billing/refunds', {
   *   files: {
   *     'SKILL.md': '---\nname: refunds\ndescription: How to refund a customer\n---\nRead `policy.md` first.',
   *     'policy.md': 'Within 30 days, and never twice.',
   *   },
   * })
   */
  skill(path: string, definition: SkillDefinition): SkillRegistration
  /**
   * Several skills at once, such as `readSkillFolders` finds on disk.
   * @example
   * server.skills(await readSkillFolders(new URL('skills', import.meta.url)))
   */
  skills(folders: readonly SkillFolder[]): readonly SkillRegistration[]
  /**
   * A request of your own, in every revision: clients send it with `client.request`. Middleware and access rules hold
   * for it. It is of this server alone: one that mounts it does not have it.
   * @param name such as `acme/thing`; what the protocol's names begin with is taken
   * @example
   * server.method('acme/stock', { params: z.object({ sku: z.string() }) }, ({ sku }) => ({ left: stock.get(sku) }))
   */
  method<Params extends Schema = JsonObject>(
    name: string,
    definition: MethodDefinition<Params>,
    handler: MethodHandler<Params>,
  ): Registration<MethodDefinition<Params>, MethodHandler<Params>>
  /**
   * Puts a function around a method, around all that begin alike, or around all. What is registered first is the
   * outermost. Counts from the next call on.
   * @param pattern `tools/call`, `tools/*` or `*`; one of your own methods once it is registered
   * @example
   * server.use('tools/call', async (call, next) => {
   *   const startedAt = performance.now()
   *   try {
   *     return await next(call)
   *   } finally {
   *     console.error(call.params.name, performance.now() - startedAt)
   *   }
   * })
   */
  use<const Pattern extends MethodPattern>(pattern: Pattern, middleware: Middleware<Pattern>): void
  /**
   * Adds a rule for everything this server has, beside the `access` of single definitions: a caller sees and uses what
   * all of them allow. The rest answers exactly as if it did not exist.
   * @example
   * server.access((principal, { key }) => !key.startsWith('admin_') || admins.has(principal.id))
   */
  access(rule: AccessRule): void
  /**
   * Puts another server into this one: its tools and prompts appear as `<name>__<tool>`, its resources and templates by
   * their URIs. It is asked as itself: its own middleware and access rules hold. What fails in it is left out of lists,
   * and the log says why.
   * @param name of letters, digits, `-` and single `_`; at most 32
   * @param target a server, or a connection that `connectTo` of `@crosspoint/mcp/client` makes when it is needed
   * @example
   * server.mount('weather', weather)
   * server.mount('github', connectTo('https://github.example/mcp'))
   */
  mount(name: string, target: Mountable): Mounted
  /**
   * Tells those who watch this resource that it changed.
   * @example
   * stations.on('change', () => server.resourceUpdated('weather://stations'))
   */
  resourceUpdated(uri: string): void
  /**
   * Says that the visit to a page is over which an `UrlElicitationRequired` asked for, by the id it gave: the client
   * that was sent there is told, where its revision has a word for it. An unknown id is ignored.
   */
  elicitationComplete(elicitationId: string): void
  /** Ends every open subscription; calls at work go on. The doors are closed by who opened them. */
  close(): void
}

/**
 * Starts a server without anything in it.
 *
 * ```ts
 * const server = createServer({ name: 'weather', version: '1.0.0' })
 * server.tool('forecast', { input: z.object({ city: z.string() }) }, async ({ city }, { signal }) => forecast(city, signal))
 * await serve(server)
 * ```
 */
export function createServer(options: ServerOptions): Server {
  const settings = toSettings(options)
  const listeners = new Listeners(settings, (uri) => toRule(parts, access, uri))
  let offer: Offer | undefined
  const access = new Access(settings.log)
  const changed =
    (change: ListChange) =>
    ({ subject, rules }: ChangedThing) => {
      offer = undefined
      const isOpen = !access.hasRules && rules.includes(undefined)
      if (isOpen) listeners.listChanged(change)
      else listeners.listChanged(change, (who) => rules.some((rule) => access.allows(who, subject, rule)))
    }
  const layers: Layer[] = []
  const clock = options.clock ?? systemClock
  const parts: Parts = {
    settings,
    listeners,
    access,
    layers,
    get mounts() {
      return mounts
    },
    tools: createToolRegistry(settings.pageSize, changed('toolsListChanged')),
    prompts: createPromptRegistry(settings.pageSize, changed('promptsListChanged')),
    resources: createResourceRegistry(settings.pageSize, changed('resourcesListChanged'), (uri) =>
      toSkillSubject(parts.skills, uri),
    ),
    templates: createTemplateRegistry(settings.pageSize, changed('resourcesListChanged')),
    methods: createMethodRegistry(() => {
      offer = undefined
    }),
    skills: createSkillRegistry(settings.pageSize, changed('resourcesListChanged')),
    tasks: new Tasks({
      ...settings.tasks,
      clock,
      log: settings.log,
      changed: (task) => listeners.taskChanged(task),
    }),
  }

  const mounts = new Mounts({
    registries: parts,
    access,
    clock,
    log: settings.log,
    changed: (change, concerns) => listeners.listChanged(change, concerns),
  })

  const handle: Handle = async (call) => {
    offer ??= createOffer(parts)
    const answer = offer.get(call.method)
    if (answer !== undefined) return answer(call)
    throw noMethod(call.method)
  }

  const endpoint = toEndpoint(options, parts, handle)
  introduceListeners(endpoint, listeners)
  const changedAll = () => {
    offer = undefined
    for (const change of LIST_CHANGES) listeners.listChanged(change)
  }

  return {
    endpoint,
    // The registries hold handlers for arguments already checked against the schema they were registered with.
    tool: (name, definition, handler) => parts.tools.add(name, definition, handler as AnyToolHandler) as never,
    resource: (uri, definition, read) => parts.resources.add(uri, definition, read),
    // What its variables are, their types were read off the template.
    template: (uriTemplate, definition, read) =>
      parts.templates.add(uriTemplate, definition as TemplateDefinition, read as TemplateReadHandler) as never,
    prompt: (name: string, definition: PromptDefinition, make?: unknown) =>
      parts.prompts.add(name, definition, make as AnyPromptHandler | undefined) as never,
    skill: (path, definition) => registerSkill(parts.skills, parts.resources, path, definition),
    skills: (folders) =>
      folders.map(({ path, files }) => registerSkill(parts.skills, parts.resources, path, { files })),
    method: (name, definition, handler) => parts.methods.add(name, definition, handler as AnyMethodHandler) as never,
    use(pattern, middleware) {
      checkPattern(pattern, parts.methods.keys())
      layers.push({ pattern, run: middleware as Middleware }) // the offer hands it calls of the methods it fits
      offer = undefined
    },
    access(rule) {
      access.add(rule)
      changedAll()
    },
    mount(name, target) {
      checkMountable(name, target)
      if (target.endpoint === endpoint) throw new Error(`Cannot mount a server on itself, as "${name}"`)
      const mount = mounts.add(name, target)
      changedAll()
      return {
        name,
        remove() {
          mounts.remove(mount)
          changedAll()
        },
      }
    },
    resourceUpdated: (uri) => listeners.resourceUpdated(uri),
    elicitationComplete: (elicitationId) => settings.asking.pages.complete(elicitationId),
    close() {
      listeners.close()
      mounts.close()
      settings.asking.parked.close()
    },
  }
}

/** The options that are settings of the doors go on as they are; a member nobody gave stays away. */
function toEndpoint(options: ServerOptions, parts: Parts, handle: Handle): Endpoint {
  const endpoint: Unfinished = {
    handle,
    serverInfo: parts.settings.serverInfo,
    log: parts.settings.log,
    hasMethod: (name, principal) => findMethod(parts.methods, parts.access, name, principal) !== undefined,
    toolSchema(name, principal, call) {
      const { tools, access } = parts
      const seen = tools.hasRules || access.hasRules ? tools.seenBy(principal, access) : tools
      const own = seen.find(name)
      return own === undefined && parts.mounts.all.length > 0
        ? parts.mounts.toolSchema(name, principal, call)
        : own?.input.json
    },
  }
  for (const member of PASSED_ON) passOn(options, endpoint, member)
  return endpoint
}

type Unfinished = { -readonly [Member in keyof Endpoint]: Endpoint[Member] }

function passOn<Member extends PassedOn>(from: Pick<Endpoint, PassedOn>, to: Unfinished, member: Member): void {
  if (from[member] !== undefined) to[member] = from[member]
}

type PassedOn = keyof typeof ENDPOINT_OPTIONS
const PASSED_ON = Object.keys(ENDPOINT_OPTIONS) as readonly PassedOn[] // the keys of a literal are its type's keys
