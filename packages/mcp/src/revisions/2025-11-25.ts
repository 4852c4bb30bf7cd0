import type { JsonObject, RpcError } from '../jsonrpc/frame.ts'
import { SERVER_INFO, SUBSCRIPTION_ID } from '../protocol/envelope.ts'
import type { Delta } from './revision.ts'
import { isObject, mapMember, without } from './steps.ts'
import { toObjectOutput, toObjectTool } from './structured-output.ts'

/** The last revision with a handshake, sessions and server requests. */
export const r20251125: Delta = {
  name: '2025-11-25',
  traits: {
    lifecycle: 'handshake',
    sessions: true,
    versionHeader: 'after-initialize',
    standardHeaders: false,
    resumable: true,
    priming: true,
    serverRequests: true,
    subscriptions: 'subscribe',
    logLevel: 'session',
    disconnectCancels: false,
    tasks: 'core',
    resultType: false,
    cacheHints: false,
    errorCodes: 'legacy',
  },
  adds: [
    'initialize',
    'notifications/initialized',
    'ping',
    'logging/setLevel',
    'resources/subscribe',
    'resources/unsubscribe',
    'sampling/createMessage',
    'elicitation/create',
    'roots/list',
    'notifications/roots/list_changed',
    'notifications/elicitation/complete',
    'tasks/get',
    'tasks/result',
    'tasks/list',
    'tasks/cancel',
    'notifications/tasks/status',
  ],
  removes: ['server/discover', 'subscriptions/listen', 'notifications/subscriptions/acknowledged'],
  down: {
    results: {
      'tools/list': (result) => mapMember(result, 'tools', toObjectTool),
      'tools/call': toObjectOutput,
    },
    every: withoutNewMembers,
    params: {
      'notifications/tools/list_changed': withoutSubscription,
      'notifications/resources/list_changed': withoutSubscription,
      'notifications/resources/updated': withoutSubscription,
      'notifications/prompts/list_changed': withoutSubscription,
    },
    error: toOlderError,
  },
  up: {
    results: {
      'tools/list': (result) => mapMember(result, 'tools', toOpenTool),
    },
    error: toNewerError,
  },
}

function withoutNewMembers(result: JsonObject): JsonObject {
  const bare = without(result, ['resultType', 'ttlMs', 'cacheScope'])
  if (!isObject(bare._meta)) return bare
  const meta = without(bare._meta, [SERVER_INFO, SUBSCRIPTION_ID])
  if (meta === bare._meta) return bare
  return Object.keys(meta).length === 0 ? without(bare, ['_meta']) : { ...bare, _meta: meta }
}

function withoutSubscription(params: JsonObject): JsonObject {
  if (!isObject(params._meta)) return params
  const meta = without(params._meta, [SUBSCRIPTION_ID])
  return Object.keys(meta).length === 0 ? without(params, ['_meta']) : { ...params, _meta: meta }
}

/** `execution` left with core tasks; an input schema must now say that it is an object. */
function toOpenTool(tool: JsonObject): JsonObject | undefined {
  const bare = without(tool, ['execution'])
  const schema = bare.inputSchema
  if (!isObject(schema)) return undefined
  if (schema.type === 'object') return bare
  return schema.type === undefined ? { ...bare, inputSchema: { ...schema, type: 'object' } } : undefined
}

const RESOURCE_NOT_FOUND = -32002
const INVALID_PARAMS = -32602
const INTERNAL_ERROR = -32603

function toOlderError(error: RpcError, method: string): RpcError {
  if (
    error.code === INVALID_PARAMS &&
    method === 'resources/read' &&
    isObject(error.data) &&
    typeof error.data.uri === 'string'
  ) {
    return { ...error, code: RESOURCE_NOT_FOUND }
  }
  // Codes this revision does not know mean nothing to its clients; the text and the data stay readable.
  return error.code <= -32020 && error.code >= -32099 ? { ...error, code: INTERNAL_ERROR } : error
}

function toNewerError(error: RpcError): RpcError {
  if (error.code === RESOURCE_NOT_FOUND) return { ...error, code: INVALID_PARAMS }
  // The newer revision gives -32000…-32019 no meaning, and reserves the rest to itself.
  if (error.code <= -32000 && error.code >= -32099) {
    return {
      code: INTERNAL_ERROR,
      message: error.message,
      data: { upstream: { code: error.code, message: error.message, data: error.data } },
    }
  }
  return error
}
