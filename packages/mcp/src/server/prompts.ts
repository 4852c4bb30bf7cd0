import { McpError } from '../errors.ts'
import type { JsonObject } from '../jsonrpc/frame.ts'
import { shown } from '../jsonrpc/shown.ts'
import type { Call, Result } from '../protocol/call.ts'
import type { Prompt, PromptArgument } from '../protocol/features/prompts.ts'
import { didYouMean } from '../protocol/nearest.ts'
import type { OptionNames } from '../protocol/option-names.ts'
import type { Guarded } from './access.ts'
import { perform } from './asking/perform.ts'
import { toAuthoredText } from './authored.ts'
import type { Completer } from './completer.ts'
import type { Context } from './context.ts'
import { checkDefinition } from './definition.ts'
import { type PromptOutput, toPromptResult } from './prompt-result.ts'
import { compilePromptTemplate, type PromptTemplate } from './prompt-template.ts'
import { type ChangedThing, type Entry, Registry, type Shelf, toListResult } from './registry.ts'
import type { ServerSettings } from './settings.ts'
import { isStandardSchema } from './standard-schema.ts'

export interface PromptArgumentDefinition {
  readonly title?: string
  readonly description?: string
  /** Default false; of a template's variables, whether it is written without `?`. */
  readonly required?: boolean
  readonly complete?: Completer
}

/** By argument name, in the order they are listed. */
export type PromptArguments = Readonly<Record<string, PromptArgumentDefinition>>

/** How a prompt is listed and what it takes. */
export interface PromptDefinition<Arguments extends PromptArguments = PromptArguments> extends Guarded {
  readonly title?: string
  readonly description?: string
  readonly arguments?: Arguments
  /** Makes the prompt, in place of a handler. Its variables are the arguments, which `arguments` may describe. */
  readonly template?: PromptTemplate
  readonly icons?: readonly JsonObject[]
  /** As for a tool: a run that asks is kept in memory instead of being run again. Default false. */
  readonly parked?: boolean
  readonly _meta?: JsonObject
}

/** A prompt that its template makes. */
export type TemplatedPrompt = PromptDefinition & { readonly template: PromptTemplate }

/** What a handler receives: required arguments are there, the others may be. */
export type PromptValues<Arguments extends PromptArguments> = {
  readonly [Name in keyof Arguments]: Arguments[Name] extends { readonly required: true } ? string : string | undefined
}

export type PromptHandler<Arguments extends PromptArguments = PromptArguments> = (
  values: PromptValues<Arguments>,
  context: Context,
) => PromptOutput | Promise<PromptOutput>

interface LivePrompt {
  readonly description: string | undefined
  readonly arguments: PromptArguments
  readonly parked: boolean
  readonly make: AnyPromptHandler
}

export type AnyPromptHandler = (
  values: Readonly<Record<string, string>>,
  context: Context,
) => PromptOutput | Promise<PromptOutput>
export type PromptRegistry = Registry<PromptDefinition, AnyPromptHandler | undefined, Prompt, LivePrompt>
export type PromptShelf = Shelf<Prompt, LivePrompt>

export function createPromptRegistry(pageSize: number, changed: (what: ChangedThing) => void): PromptRegistry {
  return new Registry({ what: 'prompt', pageSize, build: buildPrompt, changed })
}

export function listPrompts(prompts: PromptShelf, call: Call): Result {
  return toListResult(prompts.page(call.params.cursor), 'prompts')
}

export async function getPrompt(prompts: PromptShelf, settings: ServerSettings, call: Call): Promise<Result> {
  const { name, arguments: given = {} } = call.params
  const prompt = typeof name === 'string' ? prompts.find(name) : undefined
  if (prompt === undefined || typeof name !== 'string') throw unknownPrompt(prompts, name)
  const values = toValues(name, prompt.arguments, given)
  return perform(settings, call, {
    parked: prompt.parked,
    run: async (context) => toPromptResult(prompt.description, await prompt.make(values, context)),
    fail(error) {
      throw toPromptError(name, error)
    },
  })
}

export function unknownPrompt(prompts: PromptShelf, name: unknown): McpError {
  if (typeof name !== 'string') return new McpError('caller.invalid_params', 'Cannot find a prompt without its "name"')
  return new McpError('caller.invalid_params', `No prompt named "${shown(name)}"${didYouMean(name, prompts.keys())}`)
}

/** Only declared arguments reach the handler, each of them text. */
function toValues(prompt: string, declared: PromptArguments, given: unknown): Readonly<Record<string, string>> {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw new McpError('caller.invalid_params', `Cannot make the prompt "${prompt}": its arguments are not an object`)
  }
  const values: Record<string, string> = Object.create(null)
  const missing = []
  for (const [name, { required }] of Object.entries(declared)) {
    const value: unknown = Object.hasOwn(given, name) ? (given as JsonObject)[name] : undefined
    if (typeof value === 'string') values[name] = value
    else if (value !== undefined) {
      throw new McpError(
        'caller.invalid_params',
        `Cannot make the prompt "${prompt}": its argument "${name}" is not text`,
      )
    } else if (required === true) missing.push(`"${name}"`)
  }
  if (missing.length > 0) {
    throw new McpError('caller.invalid_params', `Cannot make the prompt "${prompt}" without ${missing.join(' and ')}`)
  }
  return values
}

function toPromptError(name: string, error: unknown): unknown {
  if (error instanceof McpError) return error
  const text = toAuthoredText(error)
  // Anything else goes on as it is: the edge logs it and says no more than that something failed.
  return text === undefined
    ? error
    : new McpError('internal.error', `Cannot make the prompt "${name}": ${text}`, { cause: error })
}

function buildPrompt(
  name: string,
  definition: PromptDefinition,
  handler: AnyPromptHandler | undefined,
): Entry<Prompt, LivePrompt> {
  if (name === '' || name.length > MAX_NAME)
    throw new Error(`Cannot register a prompt whose name has ${name.length} characters`)
  const usage = `server.prompt('${name}', { arguments: { city: { required: true } } }, handler)`
  checkDefinition(`the prompt "${name}"`, definition, handler ?? (() => {}), usage, MEMBERS)
  if (isStandardSchema(definition.arguments)) {
    throw new TypeError(
      `Cannot register the prompt "${name}" with a schema: its arguments are texts by name; write ${usage}`,
    )
  }
  const { arguments: given = {}, template, parked = false, ...shownMembers } = definition
  const { declared, make } = toMaker(name, given, template, handler)
  const listed: Prompt = { name, ...shownMembers, arguments: Object.entries(declared).map(toListedArgument) }
  return { listed, live: { description: definition.description, arguments: declared, parked, make } }
}

interface Maker {
  readonly declared: PromptArguments
  readonly make: AnyPromptHandler
}

function toMaker(
  name: string,
  given: PromptArguments,
  template: PromptTemplate | undefined,
  handler: AnyPromptHandler | undefined,
): Maker {
  if (template === undefined && handler !== undefined) return { declared: given, make: handler }
  if (template === undefined || handler !== undefined) {
    throw new Error(`Cannot register the prompt "${name}": it needs either a handler or a template`)
  }
  const { variables, fill } = compilePromptTemplate(template)
  for (const argument of Object.keys(given)) {
    if (!variables.has(argument)) {
      throw new Error(`Cannot describe "${argument}": the template of the prompt "${name}" has no such variable`)
    }
  }
  const declared = [...variables].map(([variable, { optional }]) => {
    const described = Object.hasOwn(given, variable) ? given[variable] : undefined
    return [variable, { ...described, required: described?.required ?? !optional }] as const
  })
  return { declared: Object.fromEntries(declared), make: fill }
}

function toListedArgument([name, { complete: _complete, ...shownMembers }]: [
  string,
  PromptArgumentDefinition,
]): PromptArgument {
  return { name, ...shownMembers }
}

const MEMBERS: OptionNames<PromptDefinition> = {
  title: true,
  description: true,
  arguments: true,
  template: true,
  icons: true,
  parked: true,
  _meta: true,
  access: true,
}
const MAX_NAME = 128
