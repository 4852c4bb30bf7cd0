import type { JsonObject } from '../jsonrpc/frame.ts'
import { isObject, without } from '../jsonrpc/members.ts'
import { SERVER_INFO, SUBSCRIPTION_ID } from '../protocol/envelope.ts'
import { SKILLS } from '../protocol/extensions.ts'
import {
  toCoreCapabilities,
  toCoreCreated,
  toCoreError,
  toCoreTask,
  toNewerTask,
  toTaskExtension,
  withoutTaskExtension,
} from './core-tasks.ts'
import { toNewerError, toOlderError } from './error-codes.ts'
import type { Delta } from './revision.ts'
import { changeMember, mapMember, omitting, onCapabilities, withoutExtension } from './steps.ts'
import { toObjectOutput } from './structured-output.ts'
import { toNewerTool, toOlderTool } from './tools.ts'

/** Answers to questions of a server and its sealed state mean nothing to one that asks by requests. */
const withoutAnswers = omitting('inputResponses', 'requestState')
/** A receiver without core tasks ignores the wish for one (2025-11-25 basic/utilities/tasks). */
const withoutTask = omitting('task')

/** The last revision with a handshake, sessions and server requests. */
export const r20251125: Delta<'2025-11-25'> = {
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
    'tasks/result',
    'tasks/list',
    'notifications/tasks/status',
  ],
  removes: [
    'server/discover',
    'subscriptions/listen',
    'notifications/subscriptions/acknowledged',
    'skills/list',
    'skills/get',
    'resources/directory/read',
    'tasks/update',
    'notifications/tasks',
  ],
  needs: { 'tasks/get': 'tasks', 'tasks/cancel': 'tasks' },
  down: {
    params: {
      initialize: onCapabilities((capabilities) => withoutSkills(withoutTaskExtension(capabilities))),
      'tools/call': withoutAnswers,
      'prompts/get': withoutAnswers,
      'resources/read': withoutAnswers,
      'notifications/tools/list_changed': withoutSubscription,
      'notifications/resources/list_changed': withoutSubscription,
      'notifications/resources/updated': withoutSubscription,
      'notifications/prompts/list_changed': withoutSubscription,
    },
    results: {
      initialize: onCapabilities((capabilities) => withoutSkills(toCoreCapabilities(capabilities))),
      'tools/list': (result) => mapMember(result, 'tools', toOlderTool),
      'tools/call': (result) => (result.resultType === 'task' ? toCoreCreated(result) : toObjectOutput(result)),
      'tasks/get': toCoreTask,
      'tasks/cancel': toCoreTask,
      'tasks/list': (result) => mapMember(result, 'tasks', toCoreTask),
    },
    every: withoutNewMembers,
    error: (error, method) => toOlderError(toCoreError(error), method),
  },
  up: {
    params: {
      initialize: onCapabilities(toNewerClient),
      'tools/call': withoutTask,
      'sampling/createMessage': withoutTask,
      'elicitation/create': withoutTask,
    },
    results: {
      initialize: onCapabilities((capabilities) => withoutSkills(toTaskExtension(capabilities))),
      'tasks/get': toNewerTask,
      'tools/list': (result) => mapMember(result, 'tools', toNewerTool),
      'completion/complete': (result) => changeMember(result, 'completion', toFewValues),
    },
    error: toNewerError,
  },
}

const NEW_MEMBERS = ['resultType', 'ttlMs', 'cacheScope']

/** Core tasks are gone, changes of roots have no way to be told, and an empty elicitation always meant forms. */
function toNewerClient(capabilities: JsonObject): JsonObject {
  const bare = changeMember(
    withoutSkills(withoutTaskExtension(without(capabilities, ['tasks']))),
    'roots',
    withoutListChanged,
  )
  return changeMember(bare, 'elicitation', (modes) =>
    isObject(modes.form) || isObject(modes.url) ? modes : { ...modes, form: {} },
  )
}

/** The extension is one of newer revisions; its files are resources in this one, too. */
function withoutSkills(capabilities: JsonObject): JsonObject {
  return withoutExtension(capabilities, SKILLS)
}

function withoutListChanged(roots: JsonObject): JsonObject {
  return without(roots, ['listChanged'])
}

function withoutNewMembers(result: JsonObject): JsonObject {
  const { resultType, ttlMs, cacheScope, _meta } = result
  const isBare = resultType === undefined && ttlMs === undefined && cacheScope === undefined
  if (_meta !== undefined) return withoutHopMeta(result, HOP_OF_RESULT, NEW_MEMBERS)
  return isBare ? result : without(result, NEW_MEMBERS)
}

function withoutSubscription(params: JsonObject): JsonObject {
  return withoutHopMeta(params, HOP_OF_NOTIFICATION, [])
}

/** A value without these members, and its `_meta` without these keys; without `_meta` where nothing is left of it. */
function withoutHopMeta(value: JsonObject, keys: readonly string[], members: readonly string[]): JsonObject {
  if (!isObject(value._meta)) return without(value, members)
  const meta = without(value._meta, keys)
  if (meta === value._meta) return without(value, members)
  const bare = without(value, [...members, '_meta'])
  return Object.keys(meta).length === 0 ? bare : { ...bare, _meta: meta }
}

const HOP_OF_RESULT = [SERVER_INFO, SUBSCRIPTION_ID]
const HOP_OF_NOTIFICATION = [SUBSCRIPTION_ID]

/** The bound of 100 was a sentence before it became a rule of the schema. */
function toFewValues(completion: JsonObject): JsonObject {
  const { values } = completion
  if (!Array.isArray(values) || values.length <= 100) return completion
  return { ...completion, values: values.slice(0, 100), hasMore: true }
}
