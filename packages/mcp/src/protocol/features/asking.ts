import { McpError } from '../../errors.ts'
import type { JsonObject } from '../../jsonrpc/frame.ts'
import { shown } from '../../jsonrpc/shown.ts'
import type { Notification, Result } from '../call.ts'
import { type ClientCapabilities, hasCapability } from '../capabilities.ts'
import { defineMethod } from '../method.ts'
import type { ContentBlock } from './content.ts'

/** What a server may ask of the client behind a call: sampling, elicitation, roots. */

/** A message to or from a model. `tool_use` and `tool_result` blocks stand beside the common ones. */
export interface SamplingMessage extends JsonObject {
  readonly role: 'user' | 'assistant'
  readonly content: ContentBlock | JsonObject | readonly (ContentBlock | JsonObject)[]
}

/** What a model is asked (schema `CreateMessageRequestParams`). */
export interface CreateMessageParams extends JsonObject {
  readonly messages: readonly SamplingMessage[]
  readonly maxTokens: number
  readonly systemPrompt?: string
  readonly temperature?: number
  readonly stopSequences?: readonly string[]
  /** Advice, which the client weighs as it likes. */
  readonly modelPreferences?: JsonObject
  /**
   * What of servers the model is shown besides; deprecated. `ctx.sample` leaves all but `none` out for clients that did
   * not declare `sampling.context`.
   */
  readonly includeContext?: 'none' | 'thisServer' | 'allServers'
  /** Only for clients that declared `sampling.tools`. */
  readonly tools?: readonly JsonObject[]
  readonly toolChoice?: JsonObject
}

export interface CreateMessageResult extends Result, SamplingMessage {
  readonly model: string
  readonly stopReason?: string
}

/** What a person said to a form or a page. `content` comes with an accepted form and nothing else. */
export interface ElicitResult extends Result {
  readonly action: 'accept' | 'decline' | 'cancel'
  readonly content?: JsonObject
}

export interface Root extends JsonObject {
  /** A `file:` URI. */
  readonly uri: string
  readonly name?: string
}

export interface ListRootsResult extends Result {
  readonly roots: readonly Root[]
}

/** A result that asks first (2026-07-28 basic/patterns/mrtr): at least one of the two members is there. */
export interface InputRequiredResult extends Result {
  readonly resultType: 'input_required'
  readonly inputRequests?: Readonly<Record<string, Notification>>
  readonly requestState?: string
}

/** What a client must have declared to be asked this; undefined for what is no question to a client. */
export function toRequiredCapabilities({ method, params }: Notification): ClientCapabilities | undefined {
  switch (method) {
    case 'sampling/createMessage':
      return { sampling: usesTools(params) ? { tools: {} } : {} }
    case 'elicitation/create':
      return { elicitation: params.mode === 'url' ? { url: {} } : { form: {} } }
    case 'roots/list':
      return { roots: {} }
  }
  return undefined
}

/**
 * Refuses a question beyond what the client declared. An elicitation capability that names no mode means forms.
 * @throws {McpError} `caller.missing_capability`, which names in `data.requiredCapabilities` what would be needed
 */
export function checkMayAsk(capabilities: ClientCapabilities, request: Notification): void {
  if (!mayAsk(capabilities, request)) throw lacking(request, `it did not declare ${toCapabilityText(request)}`)
}

export function lacking(request: Notification, why: string): McpError {
  const required = toRequiredCapabilities(request)
  const message = `Cannot ask the client for "${shown(request.method)}"${inWhichWay(request)}: ${why}`
  return new McpError(
    'caller.missing_capability',
    message,
    required === undefined ? {} : { data: { requiredCapabilities: required } },
  )
}

function mayAsk(capabilities: ClientCapabilities, { method, params }: Notification): boolean {
  switch (method) {
    case 'sampling/createMessage':
      return hasCapability(capabilities, usesTools(params) ? 'sampling.tools' : 'sampling')
    case 'elicitation/create':
      if (params.mode === 'url') return hasCapability(capabilities, 'elicitation.url')
      if (hasCapability(capabilities, 'elicitation.form')) return true
      return hasCapability(capabilities, 'elicitation') && !hasCapability(capabilities, 'elicitation.url')
    case 'roots/list':
      return hasCapability(capabilities, 'roots')
  }
  return false
}

function usesTools({ tools, toolChoice }: JsonObject): boolean {
  return (Array.isArray(tools) && tools.length > 0) || toolChoice !== undefined
}

/** `the capability "elicitation.form"`, as a client would declare it. */
function toCapabilityText(request: Notification): string {
  const [[feature, modes] = ['', {}]] = Object.entries(toRequiredCapabilities(request) ?? {})
  return `the capability "${[feature, ...Object.keys(modes ?? {})].join('.')}"`
}

function inWhichWay({ method, params }: Notification): string {
  if (method === 'elicitation/create') return params.mode === 'url' ? ' by URL' : ''
  return method === 'sampling/createMessage' && usesTools(params) ? ' with tools' : ''
}

const request = { kind: 'request', from: 'server' } as const

export const createMessage = defineMethod({ ...request, name: 'sampling/createMessage', feature: 'sampling' })
export const elicit = defineMethod({ ...request, name: 'elicitation/create', feature: 'elicitation' })
export const listRoots = defineMethod({ ...request, name: 'roots/list', feature: 'roots' })
export const rootsListChanged = defineMethod({
  name: 'notifications/roots/list_changed',
  kind: 'notification',
  from: 'client',
  feature: 'roots',
})
export const elicitationComplete = defineMethod({
  name: 'notifications/elicitation/complete',
  kind: 'notification',
  from: 'server',
  feature: 'elicitation',
})
