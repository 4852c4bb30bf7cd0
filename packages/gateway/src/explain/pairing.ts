import { hasCapability, type JsonObject, McpError, type Revision, type ServerCapabilities } from '@crosspoint/mcp'

/** How one feature fares between a server and clients of a revision. */
export interface ExplainedFeature {
  readonly feature: string
  /** `as it is`, `carried` in other words or another way, or `no`. */
  readonly fares: 'as it is' | 'carried' | 'no'
  /** How, or why not: a sentence without a final period. */
  readonly how: string
}

/** What of the features of a server reaches clients of a revision, and how (PROTOCOL §15). */
export function explainPairing(
  client: Revision,
  server: Revision,
  capabilities: ServerCapabilities,
): readonly ExplainedFeature[] {
  const has = (path: string) => hasCapability(capabilities, path)
  return [
    ...QUESTIONS.map(({ feature, method, params }) => explainQuestion(feature, method, params, client, server)),
    explainChanges(
      'changes of lists',
      ['tools', 'prompts', 'resources'].some((one) => has(`${one}.listChanged`)),
      client,
      server,
    ),
    explainChanges('watched resources', has('resources.subscribe'), client, server),
    explainLogs(has('logging'), client, server),
    explainStructured(client, server),
    has('completions')
      ? { feature: 'completion', fares: 'as it is', how: 'asked of the server' }
      : { feature: 'completion', fares: 'no', how: 'the server does not offer it' },
  ]
}

const QUESTIONS = [
  {
    feature: 'forms',
    method: 'elicitation/create',
    params: { message: '', requestedSchema: { type: 'object', properties: {} } },
  },
  {
    feature: 'pages',
    method: 'elicitation/create',
    params: { mode: 'url', message: '', url: 'https://example.com', elicitationId: '1' },
  },
  { feature: 'sampling', method: 'sampling/createMessage', params: { messages: [], maxTokens: 1 } },
  { feature: 'roots', method: 'roots/list', params: {} },
] as const

function explainQuestion(
  feature: string,
  method: string,
  params: JsonObject,
  client: Revision,
  server: Revision,
): ExplainedFeature {
  if (!hasWords(server, method, params))
    return { feature, fares: 'no', how: `servers of ${server.name} do not ask for that` }
  if (!hasWords(client, method, params)) {
    return {
      feature,
      fares: 'no',
      how: `clients of ${client.name} cannot be asked: a call that needs it fails and says so`,
    }
  }
  const asksByResult = !server.traits.serverRequests
  const isAskedByResult = !client.traits.serverRequests
  if (asksByResult === isAskedByResult) return { feature, fares: 'as it is', how: 'asked of clients that declare it' }
  return {
    feature,
    fares: 'carried',
    how: isAskedByResult
      ? 'asked by the result of the call ("input_required"), which waits with the server meanwhile'
      : 'asked by a request while the call is open; the server is called again with the answers',
  }
}

/** A revision that asks by results asks for all of it. */
function hasWords({ traits, methods }: Revision, method: string, params: JsonObject): boolean {
  if (!traits.serverRequests) return true
  const codec = methods.get(method)
  if (codec === undefined) return false
  try {
    codec.downParams(params)
    return true
  } catch (error) {
    if (error instanceof McpError) return false
    throw error
  }
}

function explainChanges(feature: string, isTold: boolean, client: Revision, server: Revision): ExplainedFeature {
  if (!isTold) return { feature, fares: 'no', how: 'the server does not tell of them' }
  const { subscriptions } = client.traits
  if (subscriptions === server.traits.subscriptions)
    return { feature, fares: 'as it is', how: 'told as the server tells them' }
  return {
    feature,
    fares: 'carried',
    how:
      subscriptions === 'listen'
        ? 'told to those who listen ("subscriptions/listen")'
        : 'told as notifications of the session',
  }
}

function explainLogs(isOffered: boolean, client: Revision, server: Revision): ExplainedFeature {
  const feature = 'log messages'
  if (!isOffered && server.traits.logLevel === 'session')
    return { feature, fares: 'no', how: 'the server does not log' }
  if (client.traits.logLevel === server.traits.logLevel)
    return { feature, fares: 'as it is', how: 'those of a call, with the call' }
  return {
    feature,
    fares: 'carried',
    how:
      client.traits.logLevel === 'request'
        ? 'those of a call, to calls that ask for them; the level of the session follows the calls'
        : 'those of a call, from the level of the session on',
  }
}

function explainStructured(client: Revision, server: Revision): ExplainedFeature {
  const feature = 'structured output'
  const kept = (revision: Revision, value: unknown) =>
    revision.methods.get('tools/call')?.downResult({ content: [], structuredContent: value }).structuredContent
  const isKnown = (revision: Revision) => kept(revision, {}) !== undefined
  if (!isKnown(server)) return { feature, fares: 'no', how: `servers of ${server.name} have none` }
  if (!isKnown(client)) return { feature, fares: 'carried', how: 'as text' }
  const isAny = (revision: Revision) => Array.isArray(kept(revision, []))
  if (isAny(client) || !isAny(server)) return { feature, fares: 'as it is', how: 'as the server gives it' }
  return { feature, fares: 'carried', how: 'what is no object as the member "result" of one' }
}
