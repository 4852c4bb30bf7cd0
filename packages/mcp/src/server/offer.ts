import { McpError } from '../errors.ts'
import { shown } from '../jsonrpc/shown.ts'
import type { Call, Result } from '../protocol/call.ts'
import { hasCapability, type ServerCapabilities } from '../protocol/capabilities.ts'
import { SKILLS, TASKS } from '../protocol/extensions.ts'
import { hasTasks } from '../protocol/features/tasks.ts'
import { METHODS } from '../protocol/methods.ts'
import type { Access } from './access.ts'
import { type CacheHint, type Hinted, toHintedAnswer, toPrivateAnswer } from './cache-hints.ts'
import { complete } from './completion.ts'
import { LIST_CHANGES, type ListChange, type Listeners } from './listeners.ts'
import { callMethod, findMethod, type MethodRegistry } from './methods.ts'
import { fits, type Layer, toLayered } from './middleware.ts'
import { toAggregate } from './mount/aggregate.ts'
import type { Mounts } from './mount/mounts.ts'
import { getPrompt, listPrompts } from './prompts.ts'
import { listResources, listTemplates, type ResourceShelf, readResource, type TemplateShelf } from './resources.ts'
import type { ServerSettings } from './settings.ts'
import { isAt, isGuarded, type Registries, type Shelves, toSeen } from './shelves.ts'
import { findSkillFile, getSkill, listSkills, readDirectory, toSeenSkills, toSkillContents } from './skills/skills.ts'
import { listenWithTasks } from './tasks/listen.ts'
import type { Tasks } from './tasks/tasks.ts'
import { listWithTemplates } from './template-lists.ts'
import { callTool, listTools } from './tools.ts'

/** What one server is made of. */
export interface Parts extends Registries {
  readonly settings: ServerSettings
  readonly methods: MethodRegistry
  readonly listeners: Listeners
  readonly access: Access
  /** In order of registration. */
  readonly layers: readonly Layer[]
  readonly mounts: Mounts
  readonly tasks: Tasks
}

/** The methods a server answers now, by name: what it has not announced it does not have. */
export type Offer = ReadonlyMap<string, Answer>

type Answer = (call: Call) => Result | Promise<Result>

/** Made anew when something is registered or removed, so that a call pays one look-up. */
export function createOffer(parts: Parts): Offer {
  const { settings, listeners, tasks, access, layers } = parts
  const guarded = isGuarded(parts, access)
  const capabilities = toCapabilities(parts)
  const hasMounts = parts.mounts.used
  const changes = hasMounts ? new Set(LIST_CHANGES) : toListChanges(capabilities)
  const discovered: Result = {
    supportedVersions: settings.revisions,
    capabilities,
    ...(settings.instructions === undefined ? {} : { instructions: settings.instructions }),
  }
  const offer = new Map<string, Answer>([
    ['server/discover', () => discovered],
    ...(guarded ? toGuarded(parts) : toOpen(parts)),
  ])
  for (const method of [...offer.keys()]) {
    const needed = METHODS.get(method)?.capability
    if (needed !== undefined && !hasCapability(capabilities, needed)) offer.delete(method)
  }
  /** Whether there is anything at a URI for this caller to watch. */
  const toWatchable = ({ principal }: Call) => {
    const seen = guarded ? toSeen(parts, access, principal) : parts
    return (uri: string) => isAt(seen, uri)
  }
  if (parts.skills.used) addSkills(offer, parts, guarded)
  if (changes.size > 0) offer.set('subscriptions/listen', (call) => listeners.listen(call, changes, toWatchable(call)))
  if (hasTasks(capabilities)) {
    offer.set('tasks/get', (call) => tasks.get(call))
    offer.set('tasks/update', (call) => tasks.update(call))
    offer.set('tasks/cancel', (call) => tasks.cancel(call))
    offer.set('tasks/list', (call) => tasks.list(call))
    offer.set('subscriptions/listen', (call) =>
      listenWithTasks(tasks, settings.maxWatched, call, (heard) =>
        listeners.listen(call, changes, toWatchable(call), heard),
      ),
    )
  }
  for (const method of parts.methods.keys()) offer.set(method, (call) => callOwn(parts, method, call))
  const shares = toSharing(parts)
  for (const method of READS) addHint(offer, method, settings.cache.reads, shares)
  if (hasMounts) addMounts(offer, parts, guarded)
  for (const method of LISTS) addHint(offer, method, settings.cache.lists, shares)
  addHint(offer, 'server/discover', settings.cache.discover, shares)
  for (const method of READS) if (!shares(method)) change(offer, method, toPrivateAnswer)
  if (layers.length === 0) return offer
  return new Map([...offer].map(([method, answer]) => [method, toLayered(method, answer, layers)]))
}

/** Whether the answer to a method is the same for every caller, as far as we know. */
function toSharing({ access, layers, mounts, tools, prompts, resources, templates, skills }: Parts) {
  const hasRules = (...registries: readonly { readonly hasRules: boolean }[]) =>
    access.hasRules || registries.some((registry) => registry.hasRules)
  const filtered: Readonly<Record<string, boolean>> = {
    'tools/list': hasRules(tools),
    'prompts/list': hasRules(prompts),
    'resources/list': hasRules(resources, templates) || templates.all().some(({ list }) => list !== undefined),
    'resources/templates/list': hasRules(templates),
    'resources/read': hasRules(resources, templates, skills),
    'skills/list': hasRules(skills),
    'skills/get': hasRules(skills),
  }
  return (method: string) =>
    filtered[method] !== true && !mounts.used && !layers.some(({ pattern }) => fits(pattern, method))
}

function addHint(
  offer: Map<string, Answer>,
  method: string,
  hint: CacheHint | undefined,
  shares: (method: string) => boolean,
): void {
  if (hint === undefined) return
  const { ttlMs, scope = 'private' } = hint
  const honest: Hinted = { ttlMs, cacheScope: shares(method) ? scope : 'private' }
  change(offer, method, (answer) => toHintedAnswer(answer, honest))
}

function change(offer: Map<string, Answer>, method: string, to: (answer: Answer) => Answer): void {
  const answer = offer.get(method)
  if (answer !== undefined) offer.set(method, to(answer))
}

/** Who may not use it learns no more than of a method that is not there. */
function callOwn({ methods, access, settings }: Parts, name: string, call: Call): Promise<Result> {
  const method = findMethod(methods, access, name, call.principal)
  if (method === undefined) throw noMethod(name)
  return callMethod(method, settings, call)
}

export function noMethod(name: string): McpError {
  return new McpError('caller.unknown_method', `This server does not have the method "${shown(name)}"`)
}

type Answers = readonly (readonly [method: string, answer: Answer])[]

/** Where nothing is guarded everybody sees the registries themselves. */
function toOpen({ settings, tasks, tools, prompts, resources, templates }: Parts): Answers {
  const list = toResourceList(templates)
  return [
    ['tools/list', (call) => listTools(tools, call)],
    ['tools/call', (call) => callTool(tools, settings, tasks, call)],
    ['resources/list', (call) => list(resources, templates, settings, call)],
    ['resources/templates/list', (call) => listTemplates(templates, call)],
    ['resources/read', (call) => readResource(resources, templates, settings, call)],
    ['prompts/list', (call) => listPrompts(prompts, call)],
    ['prompts/get', (call) => getPrompt(prompts, settings, call)],
    ['completion/complete', (call) => complete(prompts, templates, call)],
  ]
}

/** The same, of what each caller may see. */
function toGuarded(parts: Parts): Answers {
  const { settings, tasks, access } = parts
  const seen = (call: Call): Shelves => toSeen(parts, access, call.principal)
  const list = toResourceList(parts.templates)
  return [
    ['tools/list', (call) => listTools(seen(call).tools, call)],
    ['tools/call', (call) => callTool(seen(call).tools, settings, tasks, call)],
    [
      'resources/list',
      (call) => {
        const { resources, templates } = seen(call)
        return list(resources, templates, settings, call)
      },
    ],
    ['resources/templates/list', (call) => listTemplates(seen(call).templates, call)],
    ['resources/read', (call) => readResource(seen(call).resources, seen(call).templates, settings, call)],
    ['prompts/list', (call) => listPrompts(seen(call).prompts, call)],
    ['prompts/get', (call) => getPrompt(seen(call).prompts, settings, call)],
    ['completion/complete', (call) => complete(seen(call).prompts, seen(call).templates, call)],
  ]
}

/** Where no template lists anything, the list of resources is made when it changes and not for every call. */
function toResourceList(templates: TemplateShelf): typeof listWithTemplates | typeof listRegistered {
  return templates.all().some(({ list }) => list !== undefined) ? listWithTemplates : listRegistered
}

function listRegistered(resources: ResourceShelf, _: TemplateShelf, __: ServerSettings, call: Call): Result {
  return listResources(resources, call)
}

/** What mounted servers have, beside what is here. */
function addMounts(offer: Map<string, Answer>, parts: Parts, guarded: boolean): void {
  const { mounts, access, settings } = parts
  const seen = (call: Call): Shelves => (guarded ? toSeen(parts, access, call.principal) : parts)
  const own = new Map(offer)
  for (const [method, answer] of toAggregate({ mounts, pageSize: settings.pageSize, own, seen })) {
    offer.set(method, answer)
  }
}

/** Files of skills are resources, found where no resource has their URI. */
function addSkills(offer: Map<string, (call: Call) => Result | Promise<Result>>, parts: Parts, guarded: boolean): void {
  const { settings, access } = parts
  const seen = (call: Call) => (guarded ? toSeenSkills(parts.skills, access, call.principal) : parts.skills)
  const read = offer.get('resources/read')
  offer.set('skills/list', (call) => listSkills(seen(call), call))
  offer.set('skills/get', (call) => getSkill(seen(call), call))
  offer.set('resources/directory/read', (call) => readDirectory(seen(call), settings.pageSize, call))
  if (read === undefined) return
  offer.set('resources/read', (call) => {
    const file = findSkillFile(seen(call), call.params.uri)
    return file === undefined ? read(call) : toSkillContents(file)
  })
}

/** What is or was registered, and what the author announced beforehand. */
function toCapabilities({ settings, tools, prompts, resources, templates, skills, tasks }: Parts): ServerCapabilities {
  const { features, watching, logging, extensions } = settings
  const hasResources = resources.used || templates.used || features.includes('resources')
  const hasCompletions =
    features.includes('completions') ||
    prompts.all().some((prompt) => Object.values(prompt.arguments).some((argument) => argument.complete)) ||
    templates.all().some((template) => Object.keys(template.complete).length > 0)
  const hasLongWork = tasks.used || tools.all().some((tool) => tool.task !== undefined)
  return {
    ...(tools.used || features.includes('tools') ? { tools: { listChanged: true } } : {}),
    ...(hasResources ? { resources: { listChanged: true, ...(watching ? { subscribe: true } : {}) } } : {}),
    ...(prompts.used || features.includes('prompts') ? { prompts: { listChanged: true } } : {}),
    ...(hasCompletions ? { completions: {} } : {}),
    ...(logging ? { logging: {} } : {}),
    ...(extensions === undefined && !hasLongWork && !skills.used
      ? {}
      : {
          extensions: {
            ...(hasLongWork ? { [TASKS]: {} } : {}),
            ...(skills.used ? { [SKILLS]: { directoryRead: true } } : {}),
            ...extensions,
          },
        }),
  }
}

function toListChanges(capabilities: ServerCapabilities): ReadonlySet<ListChange> {
  const changes = new Set<ListChange>()
  if (capabilities.tools?.listChanged === true) changes.add('toolsListChanged')
  if (capabilities.prompts?.listChanged === true) changes.add('promptsListChanged')
  if (capabilities.resources?.listChanged === true) changes.add('resourcesListChanged')
  return changes
}

const READS = ['resources/read', 'skills/get']
const LISTS = ['tools/list', 'prompts/list', 'resources/list', 'resources/templates/list', 'skills/list']
