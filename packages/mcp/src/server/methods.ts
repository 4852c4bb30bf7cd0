import { McpError } from '../errors.ts'
import { isObject } from '../jsonrpc/members.ts'
import { shown } from '../jsonrpc/shown.ts'
import type { Call, Principal, Result } from '../protocol/call.ts'
import { METHODS } from '../protocol/methods.ts'
import type { OptionNames } from '../protocol/option-names.ts'
import type { Access, Guarded } from './access.ts'
import { perform } from './asking/perform.ts'
import { toAuthoredText } from './authored.ts'
import { nameOf } from './blocks.ts'
import type { Context } from './context.ts'
import { checkDefinition } from './definition.ts'
import { type ChangedThing, Registry } from './registry.ts'
import { type CompiledSchema, compileSchema, type Parsed, type Schema } from './schema.ts'
import type { ServerSettings } from './settings.ts'
import { findUnsendable } from './unsendable.ts'

/** A request of an author's own, which no revision of the protocol knows. */
export interface MethodDefinition<Params extends Schema = Schema> extends Guarded {
  /** What its parameters have to be: a Standard Schema of an object, or plain JSON Schema. Default: any. */
  readonly params?: Params
}

/**
 * Answers with an object, which is the result as it is; nothing returned is an empty one. Text, a list, a Map and
 * whatever else is no object in JSON is an error that the log tells of. An error it throws is the answer, with its
 * message where that was meant to be read (as for tools).
 */
export type MethodHandler<Params extends Schema = Schema> = (
  params: Parsed<Params>,
  context: Context,
) => MethodOutput | Promise<MethodOutput>

// biome-ignore lint/suspicious/noConfusingVoidType: a handler that returns nothing is meant
type MethodOutput = object | undefined | void

interface LiveMethod {
  readonly params: CompiledSchema | undefined
  readonly answer: AnyMethodHandler
}

export type AnyMethodHandler = (params: unknown, context: Context) => MethodOutput | Promise<MethodOutput>
export type MethodRegistry = Registry<MethodDefinition, AnyMethodHandler, undefined, LiveMethod>

export function createMethodRegistry(changed: (what: ChangedThing) => void): MethodRegistry {
  return new Registry({ what: 'method', pageSize: 1, build: buildMethod, changed })
}

/** The method as this caller may use it. */
export function findMethod(
  methods: MethodRegistry,
  access: Access,
  name: string,
  principal: Principal,
): LiveMethod | undefined {
  return (methods.hasRules || access.hasRules ? methods.seenBy(principal, access) : methods).find(name)
}

export async function callMethod(method: LiveMethod, settings: ServerSettings, call: Call): Promise<Result> {
  const { inputResponses: _, requestState: __, ...given } = call.params
  const checked = (await method.params?.check(given)) ?? { value: given }
  const what = shown(call.method)
  if ('fault' in checked) throw new McpError('caller.invalid_params', `Cannot answer "${what}": ${checked.fault}`)
  return perform(settings, call, {
    parked: false,
    run: async (context) => toMethodResult(what, await method.answer(checked.value, context)),
    fail(error) {
      const text = error instanceof McpError ? undefined : toAuthoredText(error)
      // Anything else goes on as it is: the edge logs it and says no more than that something failed.
      throw text === undefined
        ? error
        : new McpError('internal.error', `Cannot answer "${what}": ${text}`, { cause: error })
    },
  })
}

/** @throws {TypeError} for what is no object, or has in it what JSON does not have */
function toMethodResult(name: string, output: unknown): Result {
  if (output === undefined) return {}
  const sending = `what the method "${name}" returned`
  const { toJSON } = Object(output) as { toJSON?: unknown }
  const value = isObject(output) && typeof toJSON === 'function' ? toJSON.call(output) : output
  const unsendable = findUnsendable(value, sending)
  if (unsendable !== undefined) throw new TypeError(unsendable)
  if (isObject(value)) return { ...value }
  throw new TypeError(`Cannot send ${sending}: it is ${nameOf(value)}, and must be an object, such as { value: … }`)
}

function buildMethod(name: string, definition: MethodDefinition, answer: AnyMethodHandler) {
  const [space = ''] = name.split('/', 1)
  if (!METHOD_NAME.test(name) || name.length > MAX_NAME) {
    throw new Error(
      `Cannot register the method "${shown(name)}": write it as "acme/thing", of letters, digits, "_", "-" and "."`,
    )
  }
  if (SPACES.has(space)) {
    throw new Error(`Cannot register the method "${name}": names below "${space}/" are the protocol's own`)
  }
  checkDefinition(`the method "${name}"`, definition, answer, `server.method('${name}', { params }, handler)`, MEMBERS)
  const { params } = definition
  // It is listed nowhere, so nobody needs to know its JSON Schema.
  const compiled = params === undefined ? undefined : compileSchema(params, 'input', {})
  return { listed: undefined, live: { params: compiled, answer } }
}

const MEMBERS: OptionNames<MethodDefinition> = { params: true, access: true }
const METHOD_NAME = /^[A-Za-z0-9_.-]+(?:\/[A-Za-z0-9_.-]+)+$/
const MAX_NAME = 128
/** What the names of the protocol begin with, of methods it may yet have too. */
const SPACES: ReadonlySet<string> = new Set([...METHODS.keys()].map((name) => name.split('/', 1)[0] ?? name))
