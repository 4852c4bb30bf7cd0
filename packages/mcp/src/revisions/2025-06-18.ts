import { McpError } from '../errors.ts'
import type { JsonObject } from '../jsonrpc/frame.ts'
import { isObject, without } from '../jsonrpc/members.ts'
import { withoutUrlElicitation } from './error-codes.ts'
import type { Delta } from './revision.ts'
import { toOneBlock, toSingleBlocks } from './sampling.ts'
import { changeMember, onCapabilities } from './steps.ts'

/** No tasks, no URL elicitation, no tools in sampling, no primed streams. */
export const r20250618: Delta<'2025-06-18'> = {
  name: '2025-06-18',
  traits: { priming: false, tasks: 'none', errorWithoutId: false },
  removes: [
    'tasks/get',
    'tasks/result',
    'tasks/list',
    'tasks/cancel',
    'notifications/tasks/status',
    'notifications/elicitation/complete',
  ],
  down: {
    params: {
      initialize: onCapabilities(toPlainClient),
      'elicitation/create': toPlainForm,
      'sampling/createMessage': toSingleBlocks,
    },
    results: {
      initialize: onCapabilities(withoutTasks),
      'elicitation/create': toPlainAnswer,
      'sampling/createMessage': toOneBlock,
    },
    error: withoutUrlElicitation,
  },
  up: {
    params: { initialize: onCapabilities(toModalClient) },
  },
}

function withoutTasks(capabilities: JsonObject): JsonObject {
  return without(capabilities, ['tasks'])
}

/** Neither sampling nor elicitation had kinds: elicitation was by form, sampling without tools. */
function toPlainClient(capabilities: JsonObject): JsonObject {
  const plain = changeMember(withoutTasks(capabilities), 'sampling', toEmpty)
  return changeMember(plain, 'elicitation', (modes) =>
    isObject(modes.url) && !isObject(modes.form) ? undefined : toEmpty(modes),
  )
}

function toModalClient(capabilities: JsonObject): JsonObject {
  return changeMember(changeMember(capabilities, 'sampling', toEmpty), 'elicitation', () => ({ form: {} }))
}

function toEmpty(capability: JsonObject): JsonObject {
  return Object.keys(capability).length === 0 ? capability : {}
}

function toPlainForm(params: JsonObject): JsonObject {
  if (params.mode === 'url') {
    throw new McpError(
      'caller.missing_capability',
      'Cannot ask this client to open a URL: its revision has only forms',
      {
        data: { requiredCapabilities: { elicitation: { url: {} } } },
      },
    )
  }
  const plain = without(params, ['mode'])
  return changeMember(plain, 'requestedSchema', (schema) => changeMember(schema, 'properties', toPlainFields))
}

function toPlainFields(fields: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(fields).map(([name, field]) => [name, isObject(field) ? toPlainField(field, name) : field]),
  )
}

/** Titled choices become `enum` with `enumNames`; defaults are known for booleans only. */
function toPlainField(field: JsonObject, name: string): JsonObject {
  if (field.type === 'array') {
    throw new McpError(
      'caller.missing_capability',
      `Cannot ask this client for "${name}": its revision has no field with several answers`,
    )
  }
  if (field.type === 'boolean') return field
  const bare = without(field, ['default'])
  if (!Array.isArray(bare.oneOf)) return bare
  const choices = bare.oneOf.filter(isObject)
  return {
    ...without(bare, ['oneOf']),
    enum: choices.map((choice) => choice.const),
    enumNames: choices.map((choice) => choice.title ?? choice.const),
  }
}

function toPlainAnswer(result: JsonObject): JsonObject {
  if (isObject(result.content) && Object.values(result.content).some(Array.isArray)) {
    throw new McpError('upstream.protocol', 'Cannot pass on a form in which one field has several answers')
  }
  return result
}
