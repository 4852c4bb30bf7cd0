import { findRevision } from '@crosspoint/mcp'
import type { Message } from '../http.ts'
import { createReferee } from '../referee/index.ts'

/** Says what is wrong with messages of one side, by the official schema of a revision; nothing where that is not at hand. */
export interface Judge {
  /** A request went out: its answer will be judged as one to this method. */
  asked(message: Message): void
  /** @param from who said it */
  judge(message: Message, from: 'client' | 'server'): void
  readonly faults: readonly string[]
}

/** @param referee default: a new one, which reads the schema first */
export function createJudge(revision: string, referee = createReferee(revision)): Judge {
  const methodsOf = findRevision(revision)?.methods
  const isNewest = methodsOf?.has('server/discover') === true
  const faults: string[] = []
  const methods = new Map<unknown, string>()
  const check = (type: string, value: unknown) => {
    const fault = referee?.has(type) === true ? referee.fault(type, value) : undefined
    if (fault !== undefined) faults.push(`${fault}: ${JSON.stringify(value)}`)
  }
  return {
    faults,
    asked: ({ id, method }) => void methods.set(id, method),
    judge(message, from) {
      check('JSONRPCMessage', message)
      const side = from === 'client' ? 'Client' : 'Server'
      if (message.method !== undefined) {
        // What an extension brought is not in the schema of the protocol.
        if (methodsOf?.get(message.method)?.descriptor.extension === undefined) {
          check(`${side}${message.id === undefined ? 'Notification' : 'Request'}`, message)
        }
        if (isNewest) {
          if (from === 'server' && message.id !== undefined)
            faults.push(`the server sent the request ${message.method}`)
          return
        }
        const newer = Object.keys(message.params?._meta ?? {}).filter(
          (key) => key.startsWith('io.modelcontextprotocol/') && key !== RELATED_TASK,
        )
        if (newer.length > 0) faults.push(`${message.method} has ${newer.join(', ')}`)
      } else if (message.result !== undefined) {
        check(toResultType(methods.get(message.id) ?? '', message.result), message.result)
        if (isNewest) return
        for (const word of NEWER_WORDS) if (Object.hasOwn(message.result, word)) faults.push(`a result has "${word}"`)
      } else check(referee?.has('JSONRPCError') === true ? 'JSONRPCError' : 'JSONRPCErrorResponse', message)
    },
  }
}

function toResultType(method: string, { resultType, task }: Message): string {
  if (resultType === 'input_required') return 'InputRequiredResult'
  if (resultType === 'task') return 'Result'
  if (task !== undefined && method === 'tools/call') return 'CreateTaskResult'
  return RESULTS[method] ?? 'Result'
}

const RELATED_TASK = 'io.modelcontextprotocol/related-task'
const NEWER_WORDS = ['resultType', 'ttlMs', 'cacheScope', 'inputRequests', 'requestState']

const RESULTS: Readonly<Record<string, string>> = {
  initialize: 'InitializeResult',
  ping: 'EmptyResult',
  'tools/list': 'ListToolsResult',
  'tools/call': 'CallToolResult',
  'resources/list': 'ListResourcesResult',
  'resources/templates/list': 'ListResourceTemplatesResult',
  'resources/read': 'ReadResourceResult',
  'resources/subscribe': 'EmptyResult',
  'resources/unsubscribe': 'EmptyResult',
  'prompts/list': 'ListPromptsResult',
  'prompts/get': 'GetPromptResult',
  'completion/complete': 'CompleteResult',
  'logging/setLevel': 'EmptyResult',
  'sampling/createMessage': 'CreateMessageResult',
  'roots/list': 'ListRootsResult',
  'elicitation/create': 'ElicitResult',
  'server/discover': 'DiscoverResult',
  'subscriptions/listen': 'SubscriptionsListenResult',
}
