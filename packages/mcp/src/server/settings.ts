import type { JsonObject } from '../jsonrpc/frame.ts'
import { shown } from '../jsonrpc/shown.ts'
import { checkClock } from '../peer/clock.ts'
import { LISTENERS_OF_ONE, toShare } from '../peer/shares.ts'
import type { Implementation } from '../protocol/capabilities.ts'
import { checkIcons } from '../protocol/icons.ts'
import { checkMembers, checkOptions, LIMIT_NAMES, type OptionNames } from '../protocol/option-names.ts'
import { REVISIONS } from '../revisions/index.ts'
import type { Endpoint, EndpointEvent } from '../transports/endpoint.ts'
import type { ResumeOptions } from '../transports/http/resume/options.ts'
import { type AskingOptions, type AskingSettings, toAskingSettings } from './asking/settings.ts'
import { type CacheHints, checkHints } from './cache-hints.ts'
import { TASK_NAMES, type TaskOptions, type TaskSettings, toTaskSettings } from './tasks/settings.ts'

/** A part of the protocol a server may announce before anything of it is registered. */
export type Feature = 'tools' | 'resources' | 'prompts' | 'completions'

/** What a server is. The members of {@link Endpoint} are settings of the doors it is served through. */
export interface ServerOptions
  extends Omit<Endpoint, 'handle' | 'serverInfo' | 'toolSchema' | 'hasMethod' | 'rootsChanged'>,
    AskingOptions {
  readonly name: string
  readonly version: string
  readonly title?: string
  readonly description?: string
  readonly websiteUrl?: string
  /** At https addresses, or as `data:`. */
  readonly icons?: readonly JsonObject[]
  /** For the model: how the parts of this server go together. */
  readonly instructions?: string
  /** Most entries of one page of a list. Default 1,000, so that clients which do not page see everything. */
  readonly pageSize?: number
  /**
   * Features announced although nothing of them is registered yet, for servers that register later: a client
   * with a handshake asks only once what there is. Default: none; what is or was registered is always announced.
   */
  readonly features?: readonly Feature[]
  /** Handlers may send log messages, and the server says so. Default true. */
  readonly logging?: boolean
  /** Clients may ask to hear when one resource changes (`server.resourceUpdated`). Default true. */
  readonly watching?: boolean
  /** Extensions announced, by id. Default: none. */
  readonly extensions?: JsonObject
  /** Most `subscriptions/listen` calls open at once; one more is refused. Default 10,000. */
  readonly maxListeners?: number
  /** Most resources one listener may watch; one more is refused. Default 1,000. */
  readonly maxWatched?: number
  /** How long callers may keep lists and what they read. Default: not at all. */
  readonly cache?: CacheHints
  /** How the tasks of its tools are kept. */
  readonly tasks?: TaskOptions
  /** Default: errors go to `console.error`, the rest is dropped. */
  readonly log?: (event: EndpointEvent) => void
}

/** The options with every default in its place. */
export interface ServerSettings {
  readonly serverInfo: Implementation
  readonly instructions: string | undefined
  readonly pageSize: number
  readonly features: readonly Feature[]
  readonly logging: boolean
  readonly watching: boolean
  readonly extensions: JsonObject | undefined
  readonly maxListeners: number
  readonly maxListenersPerPrincipal: number
  /** Callers are asked who they are: who is nobody then, is one of them. */
  readonly knowsCallers: boolean
  readonly maxWatched: number
  readonly cache: CacheHints
  readonly tasks: TaskSettings
  readonly revisions: readonly string[]
  readonly asking: AskingSettings
  readonly log: (event: EndpointEvent) => void
}

export function toSettings(options: ServerOptions): ServerSettings {
  checkIdentity(options)
  checkOptions('create a server', options, OPTION_NAMES)
  checkHints('create a server', options.cache)
  checkClock('create a server', options.clock)
  checkIcons('create a server', options.icons)
  checkAuthenticate(options.authenticate)
  checkMembers('create a server', 'limits', options.limits, LIMIT_NAMES)
  checkMembers('create a server', 'resume', options.resume, RESUME_NAMES)
  checkMembers('create a server', 'tasks', options.tasks, TASK_NAMES)
  const maxListeners = positive('maxListeners', options.maxListeners ?? 10_000)
  return {
    serverInfo: toServerInfo(options),
    instructions: options.instructions,
    pageSize: positive('pageSize', options.pageSize ?? 1000),
    features: options.features ?? [],
    logging: options.logging ?? true,
    watching: options.watching ?? true,
    extensions: options.extensions,
    maxListeners,
    maxListenersPerPrincipal: options.maxListenersPerPrincipal ?? toShare(maxListeners, LISTENERS_OF_ONE),
    knowsCallers: options.authenticate !== undefined,
    maxWatched: positive('maxWatched', options.maxWatched ?? 1000),
    cache: options.cache ?? {},
    tasks: toTaskSettings(options.tasks),
    revisions: options.revisions ?? REVISIONS.map((revision) => revision.name),
    asking: toAskingSettings(options, options.name, options.clock),
    log: options.log ?? logErrors,
  }
}

/** What is given and cannot be called would let nobody in; whoever wrote it should hear of that before a caller does. */
function checkAuthenticate(authenticate: unknown): void {
  if (authenticate === undefined || typeof authenticate === 'function') return
  throw new TypeError(
    'Cannot create a server whose "authenticate" is no function: it takes headers, returns { id, tenant }, and throws to refuse the caller',
  )
}

/** Clients are told both at once when they connect, and many refuse a server that lacks one. */
function checkIdentity(options: ServerOptions | undefined): void {
  for (const member of ['name', 'version'] as const) {
    const value: unknown = options?.[member]
    if (typeof value !== 'string' || value === '') {
      throw new TypeError(
        `Cannot create a server whose ${member} is ${shown(String(value))}; write createServer({ name: 'weather', version: '1.0.0' })`,
      )
    }
  }
}

function toServerInfo({ name, version, title, description, websiteUrl, icons }: ServerOptions): Implementation {
  return {
    name,
    version,
    ...(title === undefined ? {} : { title }),
    ...(description === undefined ? {} : { description }),
    ...(websiteUrl === undefined ? {} : { websiteUrl }),
    ...(icons === undefined ? {} : { icons }),
  }
}

function positive(name: string, value: number): number {
  if (Number.isInteger(value) && value > 0) return value
  throw new Error(`Cannot create a server with ${name} ${value}: it must be a positive integer`)
}

function logErrors(event: EndpointEvent): void {
  if (event.level === 'error') console.error(event)
}

/**
 * Settings of an endpoint that are the author's to give, passed on as they are. An object, since the compiler misses a
 * member of it that is forgotten, and no member of a list.
 */
export const ENDPOINT_OPTIONS = {
  revisions: true,
  limits: true,
  maxConcurrent: true,
  maxWaiting: true,
  maxWaitingBytes: true,
  maxSessions: true,
  maxSessionsPerPrincipal: true,
  sessionIdleMs: true,
  maxStreamBytes: true,
  maxStreams: true,
  maxListenersPerPrincipal: true,
  resume: true,
  callTimeoutMs: true,
  questionTimeoutMs: true,
  maxQuestions: true,
  authenticate: true,
  sessionEnded: true,
  scopesFor: true,
  elsewhere: true,
  clock: true,
} satisfies Record<
  Exclude<keyof Endpoint, 'handle' | 'serverInfo' | 'toolSchema' | 'hasMethod' | 'rootsChanged' | 'log'>,
  true
>

const RESUME_NAMES: OptionNames<ResumeOptions> = { store: true, retryMs: true, pollAfterMs: true, maxResumed: true }
const OPTION_NAMES: OptionNames<ServerOptions> = {
  name: true,
  version: true,
  title: true,
  description: true,
  websiteUrl: true,
  icons: true,
  instructions: true,
  pageSize: true,
  features: true,
  logging: true,
  watching: true,
  extensions: true,
  maxListeners: true,
  maxWatched: true,
  cache: true,
  tasks: true,
  log: true,
  stateKey: true,
  stateTtlMs: true,
  maxStateBytes: true,
  maxParked: true,
  maxParkedPerPrincipal: true,
  maxParkedBytes: true,
  maxParkedBytesPerPrincipal: true,
  ...ENDPOINT_OPTIONS,
}
