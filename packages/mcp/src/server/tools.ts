import { McpError } from '../errors.ts'
import type { JsonObject } from '../jsonrpc/frame.ts'
import { isObject } from '../jsonrpc/members.ts'
import { shown } from '../jsonrpc/shown.ts'
import type { Call, Result } from '../protocol/call.ts'
import type { InputRequiredResult } from '../protocol/features/asking.ts'
import { NEEDS_TASKS, toTaskWish } from '../protocol/features/tasks.ts'
import type { CallToolResult, Tool, ToolAnnotations } from '../protocol/features/tools.ts'
import { didYouMean } from '../protocol/nearest.ts'
import type { OptionNames } from '../protocol/option-names.ts'
import { isOfObjects } from '../revisions/structured-output.ts'
import type { Guarded } from './access.ts'
import { perform } from './asking/perform.ts'
import { toAuthoredText } from './authored.ts'
import type { Context } from './context.ts'
import { checkDefinition } from './definition.ts'
import { type ChangedThing, type Entry, Registry, type Shelf, toListResult } from './registry.ts'
import { type Checked, type CompiledSchema, compileSchema, type Parsed, type Schema } from './schema.ts'
import type { ServerSettings } from './settings.ts'
import type { StandardSchema } from './standard-schema.ts'
import type { Tasks } from './tasks/tasks.ts'
import { LaterWork, type LiveToolTasks, type TaskSupport, type ToolTasks, toToolTasks } from './tasks/tool-tasks.ts'
import {
  isFullerResult,
  type ToolOutput,
  toFailedResult,
  toStructuredResult,
  toToolResult,
  withText,
} from './tool-result.ts'
import { type ToolUi, toUiMeta } from './ui.ts'

/** How a tool is listed and what it takes. */
export interface ToolDefinition<Input extends Schema = Schema, Output extends Schema = Schema> extends Guarded {
  readonly title?: string
  readonly description?: string
  /**
   * The arguments: a Standard Schema whose input is an object, or one of several, or plain JSON Schema (2020-12 or
   * draft-07) with `type: 'object'`. What does not conform is answered with what is wrong, for the caller to try again. Default: none.
   */
  readonly input?: Input
  /** What is listed for `input` where its library offers no JSON Schema itself. */
  readonly inputSchema?: JsonObject
  /**
   * Of `structuredContent`, which may be any JSON. It is checked; a Standard Schema is applied to it too, and decides what
   * the handler may return.
   */
  readonly output?: Output
  /** What is listed for `output` where its library offers no JSON Schema itself. */
  readonly outputSchema?: JsonObject
  readonly annotations?: ToolAnnotations
  /** The page that shows what the tool does (MCP Apps). */
  readonly ui?: ToolUi
  /**
   * A run that asks its caller is kept in memory until the answers come, instead of being run again with them, where
   * the caller cannot be asked meanwhile: for work that cannot be repeated. Its retries have to reach this process.
   * Default false.
   */
  readonly parked?: boolean
  readonly icons?: readonly JsonObject[]
  /**
   * Long work: a call becomes a task that the caller asks for later, and the handler works on apart from the call.
   * `true` says the same as `optional`. Default false.
   */
  readonly task?: boolean | TaskSupport | ToolTasks
  readonly _meta?: JsonObject
}

/**
 * Does the work. Returns text, content blocks, an object (sent as structured content and as text) or a full
 * result: {@link ToolOutput} says which is which. An error it throws becomes a result with `isError` and the error's
 * message; see `toAuthoredText` for errors whose message stays in the log. An {@link McpError} goes to the caller as a
 * protocol error.
 */
export type ToolHandler<Input extends Schema = JsonObject, Output extends Schema = Schema> = (
  args: Parsed<Input>,
  context: Context,
) => ToolReturn<Output> | Promise<ToolReturn<Output>>

/**
 * What a handler may return for an `output`: for a Standard Schema what that takes, a full result, or the rest of the work
 * (`context.task`); anything for plain JSON Schema, which has no type, or none.
 */
export type ToolReturn<Output extends Schema> =
  | ToolValue<Output>
  | CallToolResult
  | InputRequiredResult
  | LaterWork<Context, ToolOutput>

// Apart from the rest of its return type, so that the compiler knows literals of that while a handler is written.
type ToolValue<Output extends Schema> = [Output] extends [StandardSchema<infer Value, infer _Parsed>]
  ? Value
  : ToolOutput

interface LiveOutput extends CompiledSchema {
  /** It describes a member `content`. */
  readonly hasContent: boolean
}

interface LiveTool {
  readonly name: string
  readonly input: CompiledSchema
  readonly output: LiveOutput | undefined
  readonly task: LiveToolTasks | undefined
  readonly parked: boolean
  readonly run: (args: unknown, context: Context) => ToolOutput | Promise<ToolOutput>
}

export type AnyToolHandler = LiveTool['run']
export type ToolRegistry = Registry<ToolDefinition, AnyToolHandler, Tool, LiveTool>
export type ToolShelf = Shelf<Tool, LiveTool>

export function createToolRegistry(pageSize: number, changed: (what: ChangedThing) => void): ToolRegistry {
  return new Registry({ what: 'tool', pageSize, build: buildTool, changed })
}

export function listTools(tools: ToolShelf, call: Call): Result {
  const page = tools.page(call.params.cursor)
  const { extensions } = call.downstream.capabilities
  const decides = extensions !== undefined && toTaskWish(call.downstream.capabilities)?.core === true
  if (!decides || !page.items.some((tool) => tools.find(tool.name)?.task)) return toListResult(page, 'tools')
  const items = page.items.map((tool) => withExecution(tool, tools.find(tool.name)?.task))
  return toListResult({ items, nextCursor: page.nextCursor }, 'tools')
}

function withExecution(tool: Tool, task: LiveToolTasks | undefined): Tool {
  return task === undefined ? tool : { ...tool, execution: { taskSupport: task.support } }
}

export async function callTool(tools: ToolShelf, settings: ServerSettings, tasks: Tasks, call: Call): Promise<Result> {
  const { name, arguments: given = NO_ARGUMENTS } = call.params
  const tool = typeof name === 'string' ? tools.find(name) : undefined
  if (tool === undefined) throw unknownTool(tools, name)
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw new McpError('caller.invalid_params', `Cannot call the tool "${tool.name}": its arguments are not an object`)
  }
  const checked = await tool.input.check(given)
  const { extensions } = call.downstream.capabilities
  if (tool.task !== undefined) return callLongTool(tool, tool.task, settings, tasks, call, checked)
  if (extensions !== undefined && toTaskWish(call.downstream.capabilities)?.insists === true) throw noTask(tool)
  if ('fault' in checked) return toFaultyResult(tool, checked.fault)
  return runTool(tool, settings, call, tool.run, checked.value)
}

/** A tool whose calls may become tasks. Who declared no tasks waits for the result, or is refused. */
async function callLongTool(
  tool: LiveTool,
  plan: LiveToolTasks,
  settings: ServerSettings,
  tasks: Tasks,
  call: Call,
  checked: Checked,
): Promise<Result> {
  const wish = toTaskWish(call.downstream.capabilities)
  if (wish === undefined && plan.support === 'required') throw needsTasks(tool)
  if ('fault' in checked) {
    const faulty = toFaultyResult(tool, checked.fault)
    return wish?.insists === true ? tasks.start(call, plan, async () => faulty) : faulty
  }
  const { value } = checked
  if (wish === undefined) return runTool(tool, settings, call, tool.run, value)
  if (plan.start === 'at-once' || wish.insists === true) {
    return tasks.start(call, plan, (detached) => runTool(tool, settings, detached, tool.run, value))
  }
  return runTool(tool, settings, call, tool.run, value, ({ work }) =>
    tasks.start(call, plan, (detached) => runTool(tool, settings, detached, (_, context) => work(context), undefined)),
  )
}

/**
 * Lets a handler work and makes a result of what it returns.
 * @param goOn begins the task that the handler wants to go on as; by default the rest of its work is done here
 */
async function runTool(
  tool: LiveTool,
  settings: ServerSettings,
  call: Call,
  run: LiveTool['run'],
  args: unknown,
  goOn?: (later: LaterWork<Context, ToolOutput>) => Promise<Result>,
): Promise<Result> {
  return perform(settings, call, {
    parked: tool.parked,
    async run(context) {
      let output = await run(args, context)
      if (isLater(output)) {
        if (goOn !== undefined) return goOn(output)
        output = await output.work(context)
      }
      return tool.output === undefined ? toToolResult(output) : toCheckedResult(tool, tool.output, settings, output)
    },
    fail: (error) => toFailure(tool, settings, call, error),
  })
}

function isLater(output: ToolOutput): output is LaterWork<Context, ToolOutput> {
  return output instanceof LaterWork // only `Context.task` makes one
}

function toFaultyResult(tool: LiveTool, fault: string): Result {
  return toFailedResult(`Cannot call the tool "${tool.name}": ${fault}`)
}

function needsTasks(tool: LiveTool): McpError {
  const message = `Cannot call the tool "${tool.name}" like this: it works only as a task`
  return new McpError('caller.missing_capability', message, { data: NEEDS_TASKS })
}

function noTask(tool: LiveTool): McpError {
  return new McpError('caller.unsupported_feature', `Cannot call the tool "${tool.name}" as a task: it is none`)
}

function unknownTool(tools: ToolShelf, name: unknown): McpError {
  if (typeof name !== 'string') return new McpError('caller.invalid_params', 'Cannot call a tool without its "name"')
  return new McpError('caller.invalid_params', `No tool named "${shown(name)}"${didYouMean(name, tools.keys())}`)
}

function toFailure(tool: LiveTool, settings: ServerSettings, call: Call, error: unknown): Result {
  // That nobody answered is for the model to read, not a fault of the protocol.
  if (error instanceof McpError && error.code !== 'caller.unanswered') throw error
  if (call.cancellation.isCancelled) {
    throw new McpError('caller.cancelled', `The call of the tool "${tool.name}" was cancelled`, { cause: error })
  }
  const text = toAuthoredText(error)
  if (text !== undefined) return toFailedResult(text)
  settings.log({ level: 'error', event: 'tool_failed', tool: tool.name, error })
  return toFailedResult(`The tool "${tool.name}" failed`)
}

/**
 * The schema's parsed value is what is sent, so that what it strips from an output is sent nowhere. Where the schema
 * has a `content` of its own, a value that looks like a full result is held against it first.
 */
async function toCheckedResult(
  tool: LiveTool,
  schema: LiveOutput,
  settings: ServerSettings,
  output: ToolOutput,
): Promise<Result> {
  if (schema.hasContent) {
    const checked = await schema.check(output)
    if (!('fault' in checked)) return toStructuredResult(checked.value)
  }
  const full = isFullerResult(output) ? output : undefined
  if (full !== undefined && (full.isError === true || full.resultType === 'input_required')) return full
  const value = full === undefined ? output : full.structuredContent
  const checked: Checked = value === undefined ? { fault: 'no structured content' } : await schema.check(value)
  if ('fault' in checked) {
    settings.log({ level: 'error', event: 'tool_output_invalid', tool: tool.name, fault: checked.fault })
    return toFailedResult(`The tool "${tool.name}" gave an output that its own schema does not allow`)
  }
  if (full === undefined) return toStructuredResult(checked.value)
  return withText(checked.value === value ? full : { ...full, structuredContent: checked.value })
}

function buildTool(name: string, definition: ToolDefinition, run: AnyToolHandler): Entry<Tool, LiveTool> {
  if (!TOOL_NAME.test(name)) {
    throw new Error(`Cannot register the tool "${name}": a name is 1 to 128 of letters, digits, "_", "-" and "."`)
  }
  checkDefinition(`the tool "${name}"`, definition, run, `server.tool('${name}', { input }, handler)`, MEMBERS)
  const {
    input: inputGiven,
    inputSchema,
    output: outputGiven,
    outputSchema,
    parked = false,
    task = false,
    ui,
    ...shownMembers
  } = definition
  checkSide(name, 'input', inputGiven, inputSchema)
  checkSide(name, 'output', outputGiven, outputSchema)
  const input = withObjectRoot(compileOf(name, 'input', inputGiven ?? NOTHING_IN, inputSchema))
  const output =
    outputGiven === undefined ? undefined : toLiveOutput(compileOf(name, 'output', outputGiven, outputSchema))
  if (input.json.type !== 'object') {
    throw new Error(
      `Cannot register the tool "${name}": its input must be an object, such as z.object({ … }) or JSON Schema with "type": "object"`,
    )
  }
  const listed: Tool = {
    name,
    ...shownMembers,
    ...(ui === undefined ? {} : { _meta: toUiMeta(name, ui, shownMembers._meta) }),
    inputSchema: input.json,
    ...(output === undefined ? {} : { outputSchema: output.json }),
  }
  return { listed, live: { name, input, output, parked, task: toToolTasks(name, task), run } }
}

function toLiveOutput(output: CompiledSchema): LiveOutput {
  const { properties } = output.json
  return { ...output, hasContent: isObject(properties) && Object.hasOwn(properties, 'content') }
}

/** A choice among objects (`z.discriminatedUnion`) says only of each branch that it is one; callers want it at the root. */
function withObjectRoot(input: CompiledSchema): CompiledSchema {
  const { json } = input
  return json.type === undefined && isOfObjects(json) ? { ...input, json: { type: 'object', ...json } } : input
}

/** `inputSchema` alone, as other libraries call it, would leave the arguments unchecked. */
function checkSide(name: string, side: 'input' | 'output', schema: unknown, listed: unknown): void {
  if (schema === undefined && listed !== undefined) {
    throw new TypeError(
      `Cannot register the tool "${name}": "${side}Schema" only says how "${side}" is listed; give the schema as "${side}"`,
    )
  }
}

function compileOf(name: string, side: 'input' | 'output', schema: Schema, listed?: JsonObject): CompiledSchema {
  try {
    return compileSchema(schema, side, listed)
  } catch (error) {
    if (!(error instanceof Error)) throw error
    const message = `Cannot register the tool "${name}": its ${side} schema cannot be used: ${error.message}`
    throw new Error(message, { cause: error })
  }
}

const MEMBERS: OptionNames<ToolDefinition> = {
  title: true,
  description: true,
  input: true,
  inputSchema: true,
  output: true,
  outputSchema: true,
  annotations: true,
  ui: true,
  parked: true,
  icons: true,
  task: true,
  _meta: true,
  access: true,
}
const NO_ARGUMENTS: JsonObject = Object.freeze({})
const NOTHING_IN: JsonObject = Object.freeze({ type: 'object', additionalProperties: false })
/** Tool Names, as the newer revisions of the specification recommend them (server/tools). */
const TOOL_NAME = /^[A-Za-z0-9_.-]{1,128}$/
