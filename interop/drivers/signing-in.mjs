// The official SDK, line 2, from nothing but an address: it says where somebody has to sign in, and is told where they came
// back to. One order a line, one answer a line.
import { createInterface } from 'node:readline'
import { Client, StreamableHTTPClientTransport, UnauthorizedError } from '@modelcontextprotocol/client'

const { url, clientMetadataUrl, callback } = JSON.parse(process.argv[2])
const kept = {}
const keep = (about) => void Object.assign(kept, about)
const provider = {
  redirectUrl: callback,
  ...(clientMetadataUrl === undefined ? {} : { clientMetadataUrl }),
  clientMetadata: {
    client_name: 'sdk-v2',
    redirect_uris: [callback],
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    token_endpoint_auth_method: 'none',
  },
  state: () => 'state-of-the-driver',
  clientInformation: () => kept.client,
  saveClientInformation: (given) => keep({ client: given }),
  tokens: () => kept.tokens,
  saveTokens: (tokens) => keep({ tokens }),
  redirectToAuthorization: (to) => keep({ asked: to.href }),
  saveCodeVerifier: (verifier) => keep({ verifier }),
  codeVerifier: () => kept.verifier,
  saveDiscoveryState: (discovery) => keep({ discovery }),
  discoveryState: () => kept.discovery,
  invalidateCredentials: (scope) => {
    if (scope === 'all' || scope === 'tokens') delete kept.tokens
    if (scope === 'all' || scope === 'client') delete kept.client
  },
}
let transport
let client

async function connect() {
  transport = new StreamableHTTPClientTransport(new URL(url), { authProvider: provider })
  client = new Client({ name: 'sdk-v2', version: '2.4.0' }, { versionNegotiation: { mode: 'auto' } })
  await client.connect(transport)
}

const orders = {
  async call({ name }) {
    if (client === undefined) await connect()
    return client.callTool({ name, arguments: {} })
  },
  async back({ to }) {
    await transport.finishAuth(new URL(to).searchParams)
    client = undefined
    return {}
  },
  /** As if it had ended. */
  async spoil() {
    kept.tokens = { ...kept.tokens, access_token: `${kept.tokens.access_token}x` }
    return {}
  },
  async about() {
    return { client: kept.client, scope: kept.tokens?.scope, access: kept.tokens?.access_token }
  },
}

for await (const line of createInterface({ input: process.stdin })) {
  const { order, ...about } = JSON.parse(line)
  delete kept.asked
  try {
    console.log(JSON.stringify({ result: await orders[order](about) }))
  } catch (error) {
    if (kept.asked !== undefined || error instanceof UnauthorizedError) {
      client = undefined
      console.log(JSON.stringify({ asked: kept.asked }))
    } else console.log(JSON.stringify({ error: String(error) }))
  }
}
