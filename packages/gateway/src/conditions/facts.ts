import type { JsonObject, Principal } from '@crosspoint/mcp'
import type { ResultFacts } from './result-facts.ts'

/**
 * What conditions speak of. Each is a class, since that is how the language knows which fields there are: a name that
 * is written wrong is found when the configuration is read.
 */

export class PrincipalFacts {
  readonly id: string
  readonly tenant: string
  readonly roles: readonly string[]
  readonly scopes: readonly string[]
  readonly claims: JsonObject

  constructor({ id, tenant, scopes = [], attributes }: Principal, roles: readonly string[] = rolesOf({ attributes })) {
    this.id = id
    this.tenant = tenant
    this.roles = roles
    this.scopes = scopes
    this.claims = isObject(attributes?.claims) ? attributes.claims : NONE
  }
}

/** The roles that a principal brings. */
export function rolesOf({ attributes }: { readonly attributes?: JsonObject | undefined }): readonly string[] {
  const roles: unknown = attributes?.roles
  return Array.isArray(roles) ? roles.filter((role) => typeof role === 'string') : []
}

/** A tool, by its merged name, with what its server says it does. What it does not say is as the protocol has it. */
export class ToolFacts {
  readonly name: string
  readonly native: string
  readonly title: string
  readonly annotations: JsonObject

  constructor(name: string, item: JsonObject) {
    this.name = name
    this.native = textOr(item.name, name)
    this.title = textOr(item.title, '')
    this.annotations = { ...UNSAID, ...(isObject(item.annotations) ? item.annotations : NONE) }
  }
}

export class PromptFacts {
  readonly name: string
  readonly native: string
  readonly title: string

  constructor(name: string, item: JsonObject) {
    this.name = name
    this.native = textOr(item.name, name)
    this.title = textOr(item.title, '')
  }
}

/** A resource, a template (by its template) or a skill. Of one that nobody lists only the address is known. */
export class ResourceFacts {
  readonly uri: string
  readonly name: string
  readonly mimeType: string
  readonly annotations: JsonObject

  constructor(uri: string, item: JsonObject) {
    this.uri = uri
    this.name = textOr(item.name, '')
    this.mimeType = textOr(item.mimeType, '')
    this.annotations = isObject(item.annotations) ? item.annotations : NONE
  }
}

/** What a client says of itself, which anybody can say. */
export class ClientFacts {
  readonly name: string
  readonly version: string

  constructor({ name, version }: { readonly name: string; readonly version: string } = UNKNOWN) {
    this.name = name
    this.version = version
  }
}

/** All that is at hand where a condition is asked. What is not is left out, and a condition that reads it fails. */
export interface Facts {
  readonly principal?: PrincipalFacts
  /** The name of the view; empty for the view of everything. */
  readonly view?: string
  readonly server?: string
  readonly tool?: ToolFacts
  readonly prompt?: PromptFacts
  readonly resource?: ResourceFacts
  readonly method?: string
  readonly arguments?: JsonObject
  readonly now?: Date
  readonly client?: ClientFacts
  readonly result?: ResultFacts
}

export type Fact = keyof Facts

/** What is known of a call before it is known which server answers it. */
export const ROUTE_FACTS: readonly Fact[] = Object.freeze(['principal', 'view', 'arguments', 'client', 'now'] as const)

/** The same, with what is left out said: to a condition both are alike. */
export type Told = { readonly [Name in Fact]: Facts[Name] | undefined }

function textOr(value: unknown, other: string): string {
  return typeof value === 'string' ? value : other
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

const NONE: JsonObject = Object.freeze({})
const UNKNOWN = { name: '', version: '' }
/** What the protocol takes a tool for that says nothing of itself. */
const UNSAID: JsonObject = Object.freeze({
  readOnlyHint: false,
  destructiveHint: true,
  idempotentHint: false,
  openWorldHint: true,
})
