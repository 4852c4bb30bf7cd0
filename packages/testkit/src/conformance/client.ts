import { findRevision, type JsonObject } from '@crosspoint/mcp'
import { type Client, type ClientOptions, connect, refuseSampling } from '@crosspoint/mcp/client'
import { toAuthorization } from './client-auth.ts'

/**
 * What the client fixture does in each scenario of the official suite: as little as possible, so that whatever is
 * checked is done by the library.
 */
type Behaviour = (client: Client, context: JsonObject) => Promise<void>

const SCENARIOS: ReadonlyMap<string, Behaviour> = new Map<string, Behaviour>([
  ['initialize', connectOnly], // that server offers nothing one could ask for
  ['tools_call', callEverything({ a: 2, b: 3 })],
  ['request-metadata', listTools],
  ['json-schema-ref-no-deref', listTools],
  ['json-schema-2020-12-preservation', echoSchema],
  ['elicitation-sep1034-client-defaults', callEverything()],
  ['sse-retry', callEverything()],
  ['sep-2322-client-request-state', callEverything()],
  ['http-standard-headers', useEverything],
  ['http-custom-headers', makeListedCalls],
  ['http-invalid-tool-headers', callEverything()],
  // Every request with a token is a check there, and the numbers all clients are held to are those of some that ask
  // for less in these.
  ['auth/client-credentials-jwt', connectOnly],
  ['auth/client-credentials-basic', connectOnly],
  ['auth/enterprise-managed-authorization', connectOnly],
  ['auth/pre-registration', listTools],
  ['auth/offline-access-not-supported', listTools],
  ['sep-2640-client-no-prefetch', async (client) => void (await client.listSkills().all())],
  ['sep-2640-client-verify-digest', useSkills],
  ['sep-2640-client-verify-size', useSkills],
  ['sep-2640-client-verify-frontmatter', useSkills],
])

/**
 * Connects to `url` and does what the scenario named by the environment is about.
 * @returns the exit code: 0 when everything asked for was done
 */
export async function runConformanceClient(url: string, env: NodeJS.ProcessEnv): Promise<number> {
  const { MCP_CONFORMANCE_SCENARIO: scenario = '', MCP_CONFORMANCE_PROTOCOL_VERSION: revision } = env
  const context = parseContext(env.MCP_CONFORMANCE_CONTEXT)
  const isAboutSigningIn = scenario.startsWith('auth/')
  const behaviour = SCENARIOS.get(scenario) ?? (isAboutSigningIn ? callEverything() : undefined)
  if (behaviour === undefined) {
    console.error(`Cannot act out "${scenario}": there is no such scenario here`)
    return 2
  }
  try {
    // Where nothing but messages is looked at, the suite's servers of older revisions take a probe for a mistake.
    const options = toOptions(isAboutSigningIn || scenario.startsWith('sep-2640') ? undefined : revision)
    if (isAboutSigningIn) Object.assign(options, { authorization: toAuthorization(scenario, context) })
    const client = await connect(url, options)
    try {
      await behaviour(client, context)
    } finally {
      await client.close()
    }
    return 0
  } catch (error) {
    console.error(error)
    return 1
  }
}

/** Somebody who agrees to everything and fills in nothing, and a host that has no model to lend. */
function toOptions(revision: string | undefined): ClientOptions {
  const isHandshake = revision !== undefined && findRevision(revision)?.traits.lifecycle === 'handshake'
  return {
    client: { name: 'crosspoint-conformance', version: '0.1.0' },
    handlers: {
      elicit: () => ({ action: 'accept' }),
      sample: refuseSampling,
      roots: [{ uri: 'file:///workspace', name: 'workspace' }],
    },
    // Who knows what a server speaks does not probe it.
    ...(isHandshake ? { verdict: { revision, at: new Date().toISOString() } } : {}),
    fault: (reason) => console.error(reason),
  }
}

async function connectOnly(): Promise<void> {}

async function listTools(client: Client): Promise<void> {
  await client.listTools().all()
}

function callEverything(args: JsonObject = {}): Behaviour {
  return async (client) => {
    for (const { name } of await client.listTools().all()) await client.callTool(name, args)
  }
}

async function useEverything(client: Client): Promise<void> {
  await callEverything()(client, {})
  for (const { uri } of await client.listResources().all()) await client.readResource(uri)
  for (const { name } of await client.listPrompts().all()) await client.getPrompt(name)
}

async function echoSchema(client: Client): Promise<void> {
  const tool = (await client.listTools().all()).find(({ name }) => name === 'json_schema_2020_12_tool')
  if (tool === undefined) throw new Error('The server does not offer the tool whose schema is to be sent back')
  await client.callTool('json_schema_echo', { schema: tool.inputSchema })
}

/** Loads each skill, then reads all of its files: what is not what was listed ends it before that. */
async function useSkills(client: Client): Promise<void> {
  for (const skill of await client.listSkills().all()) {
    const loaded = await client.loadSkill(skill)
    if (!Array.isArray(skill.resources)) continue
    for (const { uri } of skill.resources) await loaded.read(uri)
  }
}

/** `context.toolCalls` says which calls to make. */
async function makeListedCalls(client: Client, { toolCalls }: JsonObject): Promise<void> {
  await client.listTools().all()
  for (const call of toolCalls as readonly { name: string; arguments: JsonObject }[]) {
    await client.callTool(call.name, call.arguments)
  }
}

function parseContext(text: string | undefined): JsonObject {
  return text === undefined ? {} : (JSON.parse(text) as JsonObject) // the suite writes an object
}
