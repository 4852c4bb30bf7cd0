// An authorization server that is not the gateway's: the library as its authors set it up, letting one person in. Says where it
// is on stdout. The resource that it gives tokens for is its argument.
import { createServer } from 'node:http'
import Provider from 'oidc-provider'

const [resource] = process.argv.slice(2)
/** What is kept, in memory. What a client registers with does not bind what it may ask for later, as at most servers. */
const rows = new Map()
const adapter = (kind) => ({
  upsert: async (id, payload) =>
    void rows.set(`${kind} ${id}`, kind === 'Client' ? { ...payload, scope: undefined } : payload),
  find: async (id) => rows.get(`${kind} ${id}`),
  findByUid: async (uid) => [...rows.values()].find((row) => row.uid === uid && row.kind === kind),
  consume: async (id) => void Object.assign(rows.get(`${kind} ${id}`), { consumed: Date.now() / 1_000 }),
  destroy: async (id) => void rows.delete(`${kind} ${id}`),
  revokeByGrantId: async (grantId) => {
    for (const [key, row] of rows) if (row.grantId === grantId) rows.delete(key)
  },
})
const server = createServer().listen(0, '127.0.0.1', () => {
  const { port } = server.address()
  const issuer = `http://127.0.0.1:${port}`
  const provider = new Provider(issuer, {
    adapter,
    scopes: ['openid', 'offline_access', 'read', 'write'],
    pkce: { required: () => true },
    features: {
      devInteractions: { enabled: false },
      registration: { enabled: true },
      revocation: { enabled: true },
      resourceIndicators: {
        enabled: true,
        useGrantedResource: () => true,
        defaultResource: () => resource,
        getResourceServerInfo: () => ({
          scope: 'read write',
          audience: resource,
          accessTokenFormat: 'jwt',
          accessTokenTTL: 300,
        }),
      },
    },
    issueRefreshToken: async () => true,
    rotateRefreshToken: true,
    findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
    interactions: { url: (_, { uid }) => `/interaction/${uid}` },
  })
  const handle = provider.callback()
  server.on('request', async (request, response) => {
    if (!request.url.startsWith('/interaction/')) return handle(request, response)
    const { params, prompt, grantId } = await provider.interactionDetails(request, response)
    if (prompt.name === 'login') {
      return provider.interactionFinished(request, response, { login: { accountId: 'ann' } })
    }
    const grant =
      grantId === undefined
        ? new provider.Grant({ accountId: 'ann', clientId: params.client_id })
        : await provider.Grant.find(grantId)
    grant.addOIDCScope('openid offline_access read write')
    grant.addResourceScope(resource, params.scope ?? 'read')
    await provider.interactionFinished(request, response, { consent: { grantId: await grant.save() } })
  })
  console.log(JSON.stringify({ port }))
})
