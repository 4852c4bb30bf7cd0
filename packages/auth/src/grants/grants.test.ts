import {
  ask,
  type PlainAnswer,
  type ResourceServer,
  type SeenRequest,
  startAuthorizationServer,
  startPlainServer,
  startResourceServer,
} from '@crosspoint/testkit'
import { afterEach, describe, expect, it } from 'vitest'
import { enterpriseManaged, tokenExchange, workloadIdentity } from '../create.ts'

const cleanup: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const end of cleanup.splice(0).reverse()) await end()
})

/** A server, and what its token endpoint is asked and answers. */
async function start(token: (request: SeenRequest) => PlainAnswer) {
  const issuedBy = await startAuthorizationServer({
    answer: (request) => (request.path === '/token' ? token(request) : undefined),
  })
  cleanup.push(() => issuedBy.stop())
  const server: ResourceServer = await startResourceServer({
    issuedBy: () => issuedBy,
    needs: () => ['a'],
    answer: ({ headers }) => (headers.authorization === 'Bearer good' ? { body: {} } : undefined),
  })
  cleanup.push(() => server.stop())
  const asked = () => issuedBy.seen.filter(({ path }) => path === '/token').map(({ form }) => Object.fromEntries(form))
  return { server, issuedBy, asked }
}

const GOOD = { body: { access_token: 'good', token_type: 'bearer' } }
const ID_JAG = 'urn:ietf:params:oauth:token-type:id-jag'

describe('a program its platform vouches for', () => {
  it('shows what the platform says, made for the server that is asked', async () => {
    const { server, issuedBy, asked } = await start(() => GOOD)
    const audiences: string[] = []
    const assertion = (audience: string) => {
      audiences.push(audience)
      return 'signed'
    }
    expect((await ask(workloadIdentity({ client: { id: 'w' }, assertion }), server.url)).status).toBe(200)
    expect(asked()).toEqual([
      {
        grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
        assertion: 'signed',
        client_id: 'w',
        resource: server.url,
        scope: 'a',
      },
    ])
    expect(audiences).toEqual([issuedBy.issuer])
  })

  it('what is refused is neither shown again nor asked for in another way', async () => {
    const { server, asked } = await start(() => ({ status: 400, body: { error: 'invalid_grant' } }))
    const authorization = workloadIdentity({ client: { id: 'w' }, assertion: 'signed' })
    await expect(ask(authorization, server.url)).rejects.toMatchObject({ refusal: 'invalid_grant' })
    expect(asked()).toHaveLength(1)
  })

  it('why the platform says nothing is not told', async () => {
    const { server } = await start(() => GOOD)
    const assertion = () => Promise.reject(new Error('cannot read /var/run/secrets/token'))
    await expect(ask(workloadIdentity({ client: { id: 'w' }, assertion }), server.url)).rejects.toThrow(
      'Cannot sign in: what says who we are cannot be had',
    )
  })
})

describe('a person whose company decides', () => {
  const begin = async (issuedTokenType: string) => {
    const { server, issuedBy, asked } = await start(() => GOOD)
    const provider = await startPlainServer(({ path }) =>
      path === '/.well-known/openid-configuration'
        ? { body: { issuer: provider.origin, token_endpoint: `${provider.origin}/exchange` } }
        : path === '/exchange'
          ? { body: { access_token: 'jag', issued_token_type: issuedTokenType, token_type: 'N_A' } }
          : { status: 404 },
    )
    cleanup.push(() => provider.stop())
    const authorization = enterpriseManaged({
      client: { id: 'c', secret: 's' },
      identityProvider: { issuer: provider.origin, client: { id: 'idp-c' }, idToken: async () => 'id-token' },
    })
    return { server, issuedBy, asked, provider, authorization }
  }

  it('gets in by what the identity provider says about this server', async () => {
    const { server, issuedBy, asked, provider, authorization } = await begin(ID_JAG)
    expect((await ask(authorization, server.url)).status).toBe(200)
    expect(Object.fromEntries(provider.seen.at(-1)?.form ?? [])).toEqual({
      grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
      requested_token_type: ID_JAG,
      subject_token_type: 'urn:ietf:params:oauth:token-type:id_token',
      subject_token: 'id-token',
      audience: issuedBy.issuer,
      resource: server.url,
      scope: 'a',
      client_id: 'idp-c',
    })
    expect(asked()).toMatchObject([{ assertion: 'jag', resource: server.url }])
    // The ID token is for the identity provider, its answer for the authorization server, and neither for anybody else.
    expect(JSON.stringify([issuedBy.seen, server.seen].map((seen) => seen.map(({ text }) => text)))).not.toContain(
      'id-token',
    )
  })

  it('does not get in by another kind of token', async () => {
    const { server, asked, authorization } = await begin('urn:ietf:params:oauth:token-type:access_token')
    await expect(ask(authorization, server.url)).rejects.toMatchObject({ code: 'peer.invalid' })
    expect(asked()).toEqual([])
  })
})

describe('a token that is exchanged for one of a server', () => {
  const client = { id: 'gateway', secret: 's' }
  const EXCHANGED = { body: { access_token: 'good', token_type: 'Bearer', expires_in: '60' } }

  it('is shown at the token endpoint alone, and says until when it is good', async () => {
    const { issuedBy, asked } = await start(() => EXCHANGED)
    const exchange = tokenExchange({ issuer: issuedBy.issuer, client, resource: 'https://s.example', now: () => 1_000 })
    expect(await exchange({ token: 'inbound' })).toEqual({ accessToken: 'good', expiresAt: 61_000 })
    expect(asked()).toMatchObject([{ subject_token: 'inbound', resource: 'https://s.example' }])
    const direct = {
      issuer: issuedBy.issuer,
      tokenEndpoint: `${issuedBy.issuer}/token`,
      client,
      audience: 'a',
      scope: 'x y',
    }
    await tokenExchange(direct)({ token: 'other', type: 'urn:example' })
    expect(asked()[1]).toMatchObject({
      subject_token: 'other',
      subject_token_type: 'urn:example',
      audience: 'a',
      scope: 'x y',
    })
  })

  it('abuse-28: is not taken where it is what was shown, or of another kind', async () => {
    for (const body of [
      { access_token: 'inbound', token_type: 'bearer' },
      { access_token: 'good', token_type: 'dpop' },
      { access_token: 'good', token_type: 'N_A' },
    ]) {
      const { issuedBy } = await start(() => ({ body }))
      const exchange = tokenExchange({ issuer: issuedBy.issuer, client })
      await expect(exchange({ token: 'inbound' })).rejects.toMatchObject({ code: 'policy.insecure' })
    }
  })

  it('abuse-30: goes to no endpoint inside the network', async () => {
    const exchange = tokenExchange({ issuer: 'https://i.example', tokenEndpoint: 'https://10.0.0.1/token', client })
    await expect(exchange({ token: 'inbound' })).rejects.toMatchObject({ code: 'policy.forbidden_url' })
    await expect(exchange({ token: 'a b' })).rejects.toMatchObject({ code: 'caller.invalid_token' })
  })

  it('needs a client that can show who it is', () => {
    expect(() => tokenExchange({ issuer: 'https://i.example', client: { id: 'x' } })).toThrow(TypeError)
  })
})
