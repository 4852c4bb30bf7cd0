import { McpError } from '../errors.ts'
import { shown } from '../jsonrpc/shown.ts'
import type { Call, Result } from '../protocol/call.ts'
import { didYouMean } from '../protocol/nearest.ts'
import type { Completer, CompleterOutput } from './completer.ts'
import { type PromptShelf, unknownPrompt } from './prompts.ts'
import type { TemplateShelf } from './resources.ts'

export async function complete(prompts: PromptShelf, templates: TemplateShelf, call: Call): Promise<Result> {
  const { argument, context } = call.params
  if (!isNamedText(argument)) {
    throw new McpError('caller.invalid_params', 'Cannot complete without an "argument" that has a name and a value')
  }
  const completer = findCompleter(prompts, templates, call.params.ref, argument.name)
  if (completer === undefined) return NOTHING
  const output = await completer(argument.value, {
    arguments: toTexts(context),
    signal: call.cancellation.signal,
    principal: call.principal,
  })
  return { completion: toCompletion(output) }
}

/** Undefined for an argument that exists and has no completer. */
function findCompleter(
  prompts: PromptShelf,
  templates: TemplateShelf,
  ref: unknown,
  argument: string,
): Completer | undefined {
  if (isRecord(ref) && ref.type === 'ref/prompt' && typeof ref.name === 'string') {
    const prompt = prompts.find(ref.name)
    if (prompt === undefined) throw unknownPrompt(prompts, ref.name)
    if (!Object.hasOwn(prompt.arguments, argument)) throw unknownArgument(argument, Object.keys(prompt.arguments))
    return prompt.arguments[argument]?.complete
  }
  if (isRecord(ref) && ref.type === 'ref/resource' && typeof ref.uri === 'string') {
    const found = templates.find(ref.uri)
    if (found === undefined) {
      throw new McpError('caller.invalid_params', `No resource template "${shown(ref.uri)}"`)
    }
    if (!found.template.variables.includes(argument)) throw unknownArgument(argument, found.template.variables)
    return Object.hasOwn(found.complete, argument) ? found.complete[argument] : undefined
  }
  throw new McpError('caller.invalid_params', 'Cannot complete a "ref" that is neither "ref/prompt" nor "ref/resource"')
}

function unknownArgument(argument: string, names: readonly string[]): McpError {
  return new McpError('caller.invalid_params', `No argument named "${shown(argument)}"${didYouMean(argument, names)}`)
}

function toCompletion(output: CompleterOutput): { values: readonly string[]; total?: number; hasMore?: boolean } {
  const full = isList(output) ? { values: output } : output
  if (full.values.length <= MAX_VALUES) return full
  return { total: full.values.length, ...full, values: full.values.slice(0, MAX_VALUES), hasMore: true }
}

function toTexts(context: unknown): Readonly<Record<string, string>> {
  if (!isRecord(context) || !isRecord(context.arguments)) return {}
  return Object.fromEntries(
    Object.entries(context.arguments).filter((pair): pair is [string, string] => typeof pair[1] === 'string'),
  )
}

function isNamedText(value: unknown): value is { readonly name: string; readonly value: string } {
  return isRecord(value) && typeof value.name === 'string' && typeof value.value === 'string'
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isList(output: CompleterOutput): output is readonly string[] {
  return Array.isArray(output)
}

/** The most the protocol lets one answer hold. */
const MAX_VALUES = 100
const NOTHING: Result = Object.freeze({ completion: { values: [], hasMore: false } })
