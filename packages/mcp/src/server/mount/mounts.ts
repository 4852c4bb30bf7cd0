import { McpError } from '../../errors.ts'
import type { JsonObject } from '../../jsonrpc/frame.ts'
import { shown } from '../../jsonrpc/shown.ts'
import type { Clock } from '../../peer/clock.ts'
import type { Call, Principal, Result } from '../../protocol/call.ts'
import type { ServerCapabilities } from '../../protocol/capabilities.ts'
import { withSafeIcons } from '../../protocol/icons.ts'
import { didYouMean } from '../../protocol/nearest.ts'
import { toMark } from '../../protocol/trail.ts'
import { parseUriTemplate, type UriTemplate } from '../../protocol/uri-template.ts'
import type { EndpointEvent, ToolSchema } from '../../transports/endpoint.ts'
import type { Access, Subject } from '../access.ts'
import type { Concerns, ListChange } from '../listeners.ts'
import type { Registries } from '../shelves.ts'
import { joinCapabilities, toCapabilities } from './capabilities.ts'
import { KINDS, type Kind } from './kinds.ts'
import { type Entry, Mount, type Mountable } from './mount.ts'
import { fromQualifiedUri, hasPage, isQualified, toPublicTool, toQualifiedUri } from './uris.ts'

export interface MountsOptions {
  readonly registries: Registries
  readonly access: Access
  readonly clock: Clock
  readonly log: (event: EndpointEvent) => void
  readonly changed: (change: ListChange, concerns?: Concerns) => void
}

/** What leads to a mounted server. */
export interface Route {
  readonly mount: Mount
  readonly native: string
}

/** What leads to a resource, and what access rules are asked about it. */
export interface ResourceRoute extends Route {
  readonly subject: Subject
}

/** The servers mounted on one, in order, and who of them has what. */
export class Mounts {
  readonly #options: MountsOptions
  /** Tells this server from others on the trail of a call. */
  readonly #id = crypto.randomUUID()
  #mark: Promise<string> | undefined
  readonly #mounts: Mount[] = []
  /**
   * URIs that have another form here, by mount: those that several have. What one caller sees twice another may see
   * once, so none is taken back: the other form leads there for everybody.
   */
  readonly #renamed = new Map<Mount, Map<string, string>>()
  readonly #clashes = new Set<string>()

  constructor(options: MountsOptions) {
    this.#options = options
  }

  /** What was announced once stays announced: of those that were taken out. */
  past: ServerCapabilities = {}
  /** Whether any was ever mounted. */
  used = false

  get all(): readonly Mount[] {
    return this.#mounts
  }

  add(name: string, target: Mountable): Mount {
    if (!NAME.test(name) || name.length > MAX_NAME) {
      const rule = `1 to ${MAX_NAME} letters, digits, "-" and single "_" inside`
      throw new Error(`Cannot mount a server as "${name}": a name is ${rule}`)
    }
    if (this.#mounts.some((mount) => mount.name === name)) throw new Error(`Cannot mount two servers as "${name}"`)
    const { registries, clock, log, changed } = this.#options
    const isTaken = (kind: Kind, key: string) => registries[kind].peek(key) !== undefined
    const mount = new Mount({ name, target, id: this.#id, clock, log, isTaken, changed })
    this.#mounts.push(mount)
    this.used = true
    return mount
  }

  remove(mount: Mount): void {
    mount.close()
    this.#renamed.delete(mount)
    for (const uri of this.#clashes) if (fromQualifiedUri(uri)?.mount === mount.name) this.#clashes.delete(uri)
    const at = this.#mounts.indexOf(mount)
    if (at === -1) return
    this.#mounts.splice(at, 1)
    if (mount.met !== undefined) this.past = joinCapabilities(this.past, toCapabilities(mount.met))
  }

  close(): void {
    for (const mount of this.#mounts) mount.close()
  }

  /** What mounted servers offer to this caller, by the name or URI it has here. */
  async entries(kind: Kind, call: Call): Promise<ReadonlyMap<string, Entry>> {
    const found =
      kind === 'tools' || kind === 'prompts' ? await this.#named(kind, call) : await this.#located(kind, call)
    return new Map([...found].filter(([key]) => this.#allows(call, kind, key)))
  }

  /** The same as a list of what callers see. */
  async listed(kind: Kind, call: Call): Promise<readonly JsonObject[]> {
    const entries = await this.entries(kind, call)
    const { key } = KINDS[kind]
    const pages = kind === 'tools' && [...entries.values()].some(({ item }) => hasPage(item))
    if (pages) await this.#located('resources', call) // so that the URIs of pages are known
    return [...entries].map(([name, { mount, item }]) => {
      const safe = withSafeIcons(item)
      const shownItem = pages ? toPublicTool(safe, (uri) => this.toPublic(mount, uri)) : safe
      return shownItem[key] === name ? shownItem : { ...shownItem, [key]: name }
    })
  }

  /** Who has the tool or prompt of this name; undefined where nobody does. */
  async findNamed(kind: 'tools' | 'prompts', name: string, call: Call): Promise<Route | undefined> {
    // Only one of them can have made the name; whether it did, its list says.
    const mount = this.#mounts.find((one) => name.startsWith(`${one.name}__`))
    const entry = (await mount?.named(kind, call))?.get(name)
    if (entry !== undefined) return this.#allows(call, kind, name) ? entry : undefined
    const reason = mount?.failureOf(kind)
    if (mount === undefined || reason === undefined) return undefined
    throw new McpError('upstream.unavailable', `Cannot reach "${shown(name)}": "${mount.name}" is away (${reason})`)
  }

  /** Who has the resource at this URI: who lists it, or who has a template for it. */
  async findResource(uri: string, call: Call): Promise<ResourceRoute | undefined> {
    const [route] = await this.findResources([uri], call)
    return route
  }

  /** The same for many: each mount is asked once, however many URIs a caller names. */
  async findResources(uris: readonly string[], call: Call): Promise<readonly (ResourceRoute | undefined)[]> {
    const listed = await this.#located('resources', call)
    let templates: ReadonlyMap<string, Entry> | undefined
    let byMount: ReadonlyMap<string, string> | undefined
    const effort = new Effort(MIN_EFFORT + uris.length * URI_EFFORT)
    const routes: (ResourceRoute | undefined)[] = []
    for (const uri of uris) {
      const qualified = fromQualifiedUri(uri)
      if (qualified !== undefined) byMount ??= toQualifiedKeys(listed)
      // The form that leads to one mount always leads there, also where the caller is shown the other: one rule for both.
      const key = listed.has(uri) ? uri : byMount?.get(uri)
      const entry = key === undefined ? undefined : listed.get(key)
      if (key !== undefined && entry !== undefined) {
        const subject: Subject = { kind: KINDS.resources.subject, key }
        routes.push(this.allows(call.principal, subject) ? { ...entry, subject } : undefined)
        continue
      }
      templates ??= await this.entries('templates', call)
      routes.push(matchTemplates(templates, uri, qualified, effort))
    }
    return routes
  }

  async findTemplate(uriTemplate: string, call: Call): Promise<Route | undefined> {
    return (await this.entries('templates', call)).get(uriTemplate)
  }

  /** How callers reach what a mounted server calls `native`. */
  toPublic(mount: Mount, native: string): string {
    return this.#renamed.get(mount)?.get(native) ?? (isQualified(native) ? toQualifiedUri(mount.name, native) : native)
  }

  /** The input schema of a mounted tool that this caller may see. */
  toolSchema(name: string, principal: Principal, call: Call | undefined): ToolSchema {
    if (!this.allows(principal, { kind: 'tool', key: name })) return undefined
    return this.#mounts.find((one) => name.startsWith(`${one.name}__`))?.toolSchema(name, principal, call)
  }

  /** Of this server and those behind it, for callers who must know whether a list leads back to them. */
  async marks(): Promise<readonly string[]> {
    this.#mark ??= toMark(this.#id)
    return [await this.#mark, ...this.#mounts.flatMap(({ marks }) => [...marks])]
  }

  async unknown(what: 'tool' | 'prompt', name: string, own: readonly string[], call: Call): Promise<McpError> {
    const others = await this.entries(what === 'tool' ? 'tools' : 'prompts', call)
    const hint = didYouMean(name, [...own, ...others.keys()])
    return new McpError('caller.invalid_params', `No ${what} named "${shown(name)}"${hint}`)
  }

  async #named(kind: 'tools' | 'prompts', call: Call): Promise<ReadonlyMap<string, Entry>> {
    const each = await Promise.all(this.#mounts.map((mount) => mount.named(kind, call)))
    return new Map(each.flatMap((entries) => [...entries]))
  }

  /** The first to have a URI keeps it as it is; to the others it gets a form that leads to them. */
  async #located(kind: 'resources' | 'templates', call: Call): Promise<ReadonlyMap<string, Entry>> {
    const each = await Promise.all(this.#mounts.map(async (mount) => ({ mount, items: await mount.list(kind, call) })))
    const found = new Map<string, Entry>()
    for (const { mount, items } of each) {
      const renamed = this.#renamed.get(mount) ?? new Map<string, string>()
      for (const item of items) {
        const native = String(item[KINDS[kind].key])
        const isFree = !isQualified(native) && !found.has(native) && !this.#isOwn(kind, native)
        const uri = isFree ? native : toQualifiedUri(mount.name, native)
        if (!isFree) {
          if (kind === 'resources' && renamed.size < MAX_CLASHES) renamed.set(native, uri)
          this.#clash(kind, mount, native, uri)
        }
        found.set(uri, { mount, native, item })
      }
      this.#renamed.set(mount, renamed)
    }
    return found
  }

  #isOwn(kind: 'resources' | 'templates', native: string): boolean {
    return this.#options.registries[kind].peek(native) !== undefined
  }

  /** Said once for each. */
  #clash(kind: Kind, mount: Mount, native: string, uri: string): void {
    if (this.#clashes.has(uri) || this.#clashes.size >= MAX_CLASHES) return
    this.#clashes.add(uri)
    this.#options.log({ level: 'warn', event: 'mount_clash', mount: mount.name, of: kind, uri: native, now: uri })
  }

  /** Whether somebody may see it by the rules for everything here. */
  allows(principal: Principal, subject: Subject): boolean {
    const { access } = this.#options
    return !access.hasRules || access.allows(principal, subject)
  }

  #allows({ principal }: Call, kind: Kind, key: string): boolean {
    return this.allows(principal, { kind: KINDS[kind].subject, key })
  }
}

/** By the form that names the mount: the key in the list. */
function toQualifiedKeys(listed: ReadonlyMap<string, Entry>): ReadonlyMap<string, string> {
  return new Map([...listed].map(([key, { mount, native }]) => [toQualifiedUri(mount.name, native), key]))
}

/** @param effort that the templates of one mount may cost, which may be many and hard to read */
function matchTemplates(
  templates: ReadonlyMap<string, Entry>,
  uri: string,
  qualified: ReturnType<typeof fromQualifiedUri>,
  effort: Effort,
): ResourceRoute | undefined {
  for (const [key, { mount, native }] of templates) {
    const asked = qualified === undefined ? uri : qualified.mount === mount.name ? qualified.native : undefined
    if (asked === undefined || !effort.spend(mount, native, asked)) continue
    if (toTemplate(native)?.match(asked) === undefined) continue
    return { mount, native: asked, subject: { kind: KINDS.templates.subject, key } }
  }
  return undefined
}

/** What is spent on templates for one request: parts times characters, each mount by itself. */
class Effort {
  readonly #most: number
  readonly #spent = new Map<Mount, number>()

  constructor(most: number) {
    this.#most = most
  }

  /** False where there is none left. */
  spend(mount: Mount, template: string, uri: string): boolean {
    let parts = 1
    for (const character of template) if (character === '{' || character === ',') parts++
    const spent = (this.#spent.get(mount) ?? 0) + parts * uri.length
    if (spent > this.#most) return false
    this.#spent.set(mount, spent)
    return true
  }
}

/** A template we cannot read is listed, and nothing is found by it. */
function toTemplate(text: string): UriTemplate | undefined {
  const known = TEMPLATES.get(text)
  if (known !== undefined) return known
  try {
    const template = parseUriTemplate(text)
    if (TEMPLATES.size >= MAX_TEMPLATES) TEMPLATES.clear()
    TEMPLATES.set(text, template)
    return template
  } catch {
    return undefined
  }
}

/** The state a mounted server hands out comes back to it, and to no other. */
export function withOwnState(mount: Mount, result: Result): Result {
  if (result.resultType !== 'input_required' || typeof result.requestState !== 'string') return result
  return { ...result, requestState: `${mount.name}:${result.requestState}` }
}

/** @throws {McpError} `caller.invalid_params` for a state that another server handed out */
export function withNativeState(mount: Mount, params: JsonObject): JsonObject {
  const { requestState } = params
  if (requestState === undefined) return params
  const prefix = `${mount.name}:`
  if (typeof requestState !== 'string' || !requestState.startsWith(prefix)) {
    throw new McpError('caller.invalid_params', 'Cannot go on: "requestState" is not what this server handed out')
  }
  return { ...params, requestState: requestState.slice(prefix.length) }
}

const TEMPLATES = new Map<string, UriTemplate>()
const MAX_TEMPLATES = 10_000
const MAX_CLASHES = 10_000
/** Some ten milliseconds, and less than one more for each URI of a list. */
const MIN_EFFORT = 1_000_000
const URI_EFFORT = 20_000
/** Two underscores part the name of a mount from that of a thing, so there are none inside. */
const NAME = /^[A-Za-z0-9-]+(?:_[A-Za-z0-9-]+)*$/
const MAX_NAME = 32
