import {
  type AuthorizationServer,
  type AuthorizationServerOptions,
  ask,
  createFollowingRedirect,
  type ResourceServer,
  type ResourceServerOptions,
  startAuthorizationServer,
  startPlainServer,
  startResourceServer,
} from '@crosspoint/testkit'
import { afterEach, describe, expect, it } from 'vitest'
import { clientCredentials, createOAuth } from './create.ts'
import type { OAuthOptions } from './create-options.ts'
import type { AuthError } from './errors.ts'
import { createMemoryStore } from './store.ts'

const cleanup: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const end of cleanup.splice(0).reverse()) await end()
})

async function startIssuer(options?: AuthorizationServerOptions): Promise<AuthorizationServer> {
  const server = await startAuthorizationServer(options)
  cleanup.push(() => server.stop())
  return server
}

async function startResource(options: ResourceServerOptions): Promise<ResourceServer> {
  const server = await startResourceServer(options)
  cleanup.push(() => server.stop())
  return server
}

async function start(issuer: AuthorizationServerOptions = {}, resource: Partial<ResourceServerOptions> = {}) {
  const issuedBy = await startIssuer(issuer)
  return { issuedBy, server: await startResource({ issuedBy: () => issuedBy, ...resource }) }
}

const signIn = (options: Partial<OAuthOptions> = {}) =>
  createOAuth({ redirect: createFollowingRedirect(), clientName: 'test', ...options })

const paths = ({ seen }: AuthorizationServer, path: string) => seen.filter((request) => request.path === path)

const times = <T>(count: number, what: () => Promise<T>) => Promise.all(Array.from({ length: count }, what))

const failureOf = (promise: Promise<unknown>): Promise<AuthError> =>
  promise.then(
    () => expect.fail('no error'),
    (error) => error,
  )

describe('a person', () => {
  it('signs in once, when the server asks for it', async () => {
    const { issuedBy, server } = await start()
    const authorization = signIn()
    const first = await ask(authorization, server.url)
    const second = await ask(authorization, server.url)
    expect([first.status, second.status]).toEqual([200, 200])
    expect(issuedBy.grants()).toEqual(['authorization_code'])
    expect(second.sent).toEqual(['authorization', expect.stringMatching(/^Bearer access-/)])
  })

  it('trap-44: the resource is named to the page and to the token endpoint alike', async () => {
    const { issuedBy, server } = await start()
    await ask(signIn(), server.url)
    expect(paths(issuedBy, '/authorize')[0]?.query.get('resource')).toBe(server.url)
    expect(paths(issuedBy, '/token')[0]?.form.get('resource')).toBe(server.url)
  })

  it('trap-44: also when it is renewed, and by an authorization server that has never heard of resources', async () => {
    const { issuedBy, server } = await start(
      {},
      { answer: ({ path, headers }) => (path === '/mcp' && headers.authorization !== undefined ? {} : undefined) },
    )
    const authorization = signIn({ now: () => now })
    let now = 0
    await ask(authorization, server.url)
    now = 3_600_000
    await ask(authorization, server.url)
    expect(issuedBy.grants()).toEqual(['authorization_code', 'refresh_token'])
    const named = [...issuedBy.seen.map(({ query, form }) => query.get('resource') ?? form.get('resource'))]
    expect(named.filter((resource) => resource !== null)).toEqual([server.url, server.url, server.url])
  })

  it('signs in once for twenty calls that begin together', async () => {
    const { issuedBy, server } = await start()
    const authorization = signIn()
    const answers = await times(20, () => ask(authorization, server.url))
    expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(200))
    expect([paths(issuedBy, '/authorize').length, paths(issuedBy, '/register').length]).toEqual([1, 1])
  })

  it('is not asked for the sake of a request nobody waits for', async () => {
    const { issuedBy, server } = await start()
    const authorization = signIn()
    expect((await ask(authorization, server.url, { inBackground: true })).status).toBe(401)
    expect(issuedBy.seen).toEqual([])
    await ask(authorization, server.url)
    expect((await ask(authorization, server.url, { inBackground: true })).status).toBe(200)
  })

  it('is asked once and not again by a server that refuses every token', async () => {
    const { issuedBy, server } = await start(
      {},
      { answer: ({ path }) => (path === '/mcp' ? { status: 401 } : undefined) },
    )
    expect((await ask(signIn(), server.url)).status).toBe(401)
    expect(paths(issuedBy, '/authorize')).toHaveLength(1)
  })

  it('who says no is not signed in, and may say yes the next time', async () => {
    let error: string | undefined = 'access_denied'
    const { server } = await start({
      callback(params) {
        if (error !== undefined) params.set('error', error)
      },
    })
    const authorization = signIn()
    const failure = await failureOf(ask(authorization, server.url))
    expect([failure.code, failure.refusal]).toEqual(['caller.declined', 'access_denied'])
    expect(authorization.isAsking).toBe(false)
    error = undefined
    expect((await ask(authorization, server.url)).status).toBe(200)
  })

  it('has as long as it takes, and no longer', async () => {
    const { server } = await start()
    const open = () => ({
      uri: 'http://localhost/cb',
      authorize: () => new Promise<string>(() => {}),
      close: () => {},
    })
    const failure = await failureOf(ask(signIn({ redirect: { open }, signInTimeoutMs: 20 }), server.url))
    expect([failure.code, failure.message]).toEqual(['caller.declined', 'Nobody signed in within 0.02 s'])
  })

  it('is not sent back over an open line', async () => {
    const { issuedBy, server } = await start()
    const redirect = createFollowingRedirect('http://example.com/callback')
    expect((await failureOf(ask(signIn({ redirect }), server.url))).code).toBe('policy.insecure')
    expect(paths(issuedBy, '/authorize')).toEqual([])
  })
})

describe('tokens', () => {
  it('are renewed once for twenty calls that find them expired', async () => {
    const { issuedBy, server } = await start()
    const authorization = signIn()
    await ask(authorization, server.url)
    issuedBy.expire()
    const answers = await times(20, () => ask(authorization, server.url))
    expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(200))
    expect(issuedBy.grants()).toEqual(['authorization_code', 'refresh_token'])
  })

  it('are renewed before they expire, without a refusal', async () => {
    let now = 1_000_000
    const { issuedBy, server } = await start({ tokenSeconds: 3_600 })
    const authorization = signIn({ now: () => now })
    await ask(authorization, server.url)
    now += 3_539_000
    await ask(authorization, server.url)
    expect(issuedBy.grants()).toEqual(['authorization_code'])
    now += 2_000
    await times(20, () => ask(authorization, server.url))
    expect(issuedBy.grants()).toEqual(['authorization_code', 'refresh_token'])
    expect(
      server.seen.filter(({ path, headers }) => path === '/mcp' && headers.authorization === undefined),
    ).toHaveLength(1)
  })

  it('no refresh token is used twice, however often they are renewed', async () => {
    const { issuedBy, server } = await start()
    const authorization = signIn()
    for (let round = 0; round < 5; round++) {
      await times(4, () => ask(authorization, server.url))
      issuedBy.expire()
    }
    const used = paths(issuedBy, '/token').flatMap(({ form }) => form.get('refresh_token') ?? [])
    expect([used.length, new Set(used).size]).toEqual([4, 4])
  })

  it('outlive the process in a store', async () => {
    const { issuedBy, server } = await start()
    const store = createMemoryStore()
    await ask(signIn({ store }), server.url)
    const later = signIn({ store })
    expect((await ask(later, server.url)).status).toBe(200)
    issuedBy.expire()
    expect((await ask(signIn({ store }), server.url)).status).toBe(200)
    expect(issuedBy.grants()).toEqual(['authorization_code', 'refresh_token'])
  })

  it('renewed by somebody else who shares the store are adopted, and not renewed again', async () => {
    const { issuedBy, server } = await start()
    const store = createMemoryStore()
    const [one, other] = [signIn({ store }), signIn({ store })]
    await ask(one, server.url)
    await ask(other, server.url)
    issuedBy.expire()
    const answers = await Promise.all([one, other, one, other].map((each) => ask(each, server.url)))
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200])
    expect(issuedBy.grants()).toEqual(['authorization_code', 'refresh_token'])
  })

  it('of one account are not those of another in the same store', async () => {
    const { issuedBy, server } = await start()
    const store = createMemoryStore()
    const ann = await ask(signIn({ store, account: 'ann' }), server.url)
    const ben = await ask(signIn({ store, account: 'ben' }), server.url)
    expect(issuedBy.grants()).toEqual(['authorization_code', 'authorization_code'])
    expect(ann.sent).not.toEqual(ben.sent)
  })

  it('a refresh token that is no good any more leads to a new sign-in', async () => {
    const { issuedBy, server } = await start({
      answer: ({ form }) =>
        form.get('grant_type') === 'refresh_token' ? { status: 400, body: { error: 'invalid_grant' } } : undefined,
    })
    const authorization = signIn()
    await ask(authorization, server.url)
    issuedBy.expire()
    expect((await ask(authorization, server.url)).status).toBe(200)
    expect(issuedBy.grants()).toEqual(['authorization_code', 'refresh_token', 'authorization_code'])
  })

  it('that are still good survive an authorization server that is away', async () => {
    let now = 0
    let isAway = false
    const { server } = await start({
      answer: ({ path }) => (isAway && path === '/token' ? { status: 503 } : undefined),
    })
    const authorization = signIn({ now: () => now })
    await ask(authorization, server.url)
    isAway = true
    now = 3_560_000
    expect((await ask(authorization, server.url)).status).toBe(200)
    now = 3_600_000
    expect((await failureOf(ask(authorization, server.url))).code).toBe('peer.unavailable')
  })

  it('never go to another origin, whatever metadata names', async () => {
    const elsewhere = await startPlainServer(() => ({ status: 404 }))
    cleanup.push(() => elsewhere.stop())
    let isEvil = false
    const { issuedBy, server } = await start(
      {},
      {
        answer: ({ path }) =>
          isEvil && path === '/mcp'
            ? { status: 401, headers: { 'www-authenticate': `Bearer resource_metadata="${elsewhere.origin}/prm"` } }
            : undefined,
      },
    )
    const authorization = signIn()
    await ask(authorization, server.url)
    isEvil = true
    await ask(authorization, server.url)
    expect([...new Set(elsewhere.seen.map(({ path }) => path))]).toEqual(['/prm'])
    const shown = [...elsewhere.seen, ...issuedBy.seen].map(
      ({ headers, query, text }) => `${headers.authorization} ${query} ${text}`,
    )
    expect(shown.join('\n')).not.toMatch(/access-/)
  })

  it('trap-43: are in the header and never in the address', async () => {
    const { server } = await start()
    const { sent } = await ask(signIn(), server.url)
    expect(sent[0]).toBe('authorization')
    expect(server.seen.map(({ query }) => query.toString()).join('')).toBe('')
  })

  it('are not given for a request to another origin', async () => {
    const { server } = await start()
    const authorization = signIn()
    await ask(authorization, server.url)
    for (const url of [
      'http://127.0.0.1:1/mcp',
      `${server.origin}.evil.example/mcp`,
      `${server.origin}@evil.example/`,
    ]) {
      const request = { method: 'POST', url, server: server.url, inBackground: false }
      expect(() => authorization.headers(request)).toThrow('Cannot send tokens of one server to another')
    }
  })

  it('do not travel over an open line', async () => {
    const authorization = signIn()
    const request = {
      method: 'POST',
      url: 'http://example.com/mcp',
      server: 'http://example.com/mcp',
      inBackground: false,
    }
    expect(await authorization.headers(request)).toEqual([])
    const failure = await failureOf(authorization.refused({ request, status: 401, sent: [], refusals: 0 }))
    expect(failure.code).toBe('policy.insecure')
  })

  it.each([
    ['with line breaks', 'a\r\nx: y'],
    ['that is empty', ''],
    ['without end', 'a'.repeat(20_000)],
  ])('a token %s is none', async (_, access_token) => {
    const { server } = await start({
      answer: ({ path }) => (path === '/token' ? { body: { access_token, token_type: 'bearer' } } : undefined),
    })
    expect((await failureOf(ask(signIn(), server.url))).code).toBe('peer.invalid')
  })
})

describe('scopes', () => {
  const asked = (issuedBy: AuthorizationServer) => paths(issuedBy, '/authorize').map(({ query }) => query.get('scope'))

  it('are those of the challenge, else those the server says it has, else none', async () => {
    const challenge = await start(
      {},
      { needs: () => ['a', 'b'], metadata: (said) => ({ ...said, scopes_supported: ['c'] }) },
    )
    await ask(signIn(), challenge.server.url)
    expect(asked(challenge.issuedBy)).toEqual(['a b'])
    const metadata = await start({}, { metadata: (said) => ({ ...said, scopes_supported: ['c'] }) })
    await ask(signIn(), metadata.server.url)
    expect(asked(metadata.issuedBy)).toEqual(['c'])
    const neither = await start()
    await ask(signIn(), neither.server.url)
    expect(asked(neither.issuedBy)).toEqual([null])
  })

  it('trap-48: asking for more never asks for less', async () => {
    let needs = ['a']
    const { issuedBy, server } = await start({}, { needs: () => needs })
    const authorization = signIn({ scope: 'mine' })
    await ask(authorization, server.url)
    needs = ['b']
    expect((await ask(authorization, server.url)).status).toBe(200)
    expect(asked(issuedBy)).toEqual(['a mine', 'a mine b'].map((scope) => scope.replace('a mine', 'mine a')))
  })

  it('trap-48: what was asked for and not granted is not asked for again', async () => {
    const { issuedBy, server } = await start(
      {},
      {
        answer: ({ path, headers }) =>
          path === '/mcp' && headers.authorization !== undefined
            ? { status: 403, headers: { 'www-authenticate': 'Bearer error="insufficient_scope", scope="a"' } }
            : undefined,
        needs: () => ['a'],
      },
    )
    expect((await ask(signIn(), server.url)).status).toBe(403)
    expect(asked(issuedBy)).toEqual(['a'])
  })

  it('a server that thinks of new ones without end is given up', async () => {
    let count = 0
    const { issuedBy, server } = await start(
      {},
      {
        answer: ({ path, headers }) =>
          path === '/mcp' && headers.authorization !== undefined
            ? { status: 403, headers: { 'www-authenticate': `Bearer error="insufficient_scope", scope="s${count++}"` } }
            : undefined,
      },
    )
    expect((await ask(signIn(), server.url)).status).toBe(403)
    expect(asked(issuedBy)).toHaveLength(3)
  })

  it('a 403 that says nothing of scopes is none of ours', async () => {
    const { issuedBy, server } = await start(
      {},
      { answer: ({ path }) => (path === '/mcp' ? { status: 403 } : undefined) },
    )
    expect((await ask(signIn(), server.url)).status).toBe(403)
    expect(issuedBy.seen).toEqual([])
  })

  it('a token that lasts is asked for where the authorization server offers it', async () => {
    const { issuedBy, server } = await start({
      metadata: (said) => ({ ...said, scopes_supported: ['offline_access'] }),
    })
    await ask(signIn(), server.url)
    expect(asked(issuedBy)).toEqual(['offline_access'])
  })
})

describe('a client', () => {
  it('that the server has forgotten registers again, once', async () => {
    const { issuedBy, server } = await start()
    const authorization = signIn()
    await ask(authorization, server.url)
    issuedBy.expire()
    issuedBy.forgetClients()
    expect((await ask(authorization, server.url)).status).toBe(200)
    expect(paths(issuedBy, '/register')).toHaveLength(2)
  })

  it('that the server never knows is given up', async () => {
    const { issuedBy, server } = await start({
      answer: ({ path }) => (path === '/token' ? { status: 401, body: { error: 'invalid_client' } } : undefined),
    })
    expect((await failureOf(ask(signIn(), server.url))).refusal).toBe('invalid_client')
    expect(paths(issuedBy, '/register')).toHaveLength(2)
  })

  it('registers as what it is: a program on the machine of the person', async () => {
    const { issuedBy, server } = await start()
    await ask(signIn(), server.url)
    expect(JSON.parse(paths(issuedBy, '/register')[0]?.text ?? '')).toEqual({
      client_name: 'test',
      redirect_uris: ['http://localhost:3000/callback'],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
      application_type: 'native',
    })
  })

  it('with an id by hand uses that, before a URL, before registering', async () => {
    const takesUrls = { metadata: (said: object) => ({ ...said, client_id_metadata_document_supported: true }) }
    const { issuedBy, server } = await start(takesUrls)
    const clientMetadataUrl = 'https://example.com/client.json'
    await ask(signIn({ client: { id: 'by-hand' }, clientMetadataUrl }), server.url)
    await ask(signIn({ clientMetadataUrl }), server.url)
    const used = paths(issuedBy, '/authorize').map(({ query }) => query.get('client_id'))
    expect(used).toEqual(['by-hand', clientMetadataUrl])
    expect(paths(issuedBy, '/register')).toEqual([])
  })

  it('without any way to be known is told what would help', async () => {
    const { issuedBy, server } = await start({ metadata: ({ registration_endpoint: _, ...said }) => said })
    const failure = await failureOf(ask(signIn(), server.url))
    expect([failure.code, failure.message]).toEqual([
      'caller.no_client',
      `Cannot sign in at "${issuedBy.issuer}": it does not let clients register; register one there and configure its id`,
    ])
  })

  it('trap-47: registers anew with another authorization server', async () => {
    const [first, second] = [await startIssuer(), await startIssuer()]
    let current = first
    const server = await startResource({ issuedBy: () => current })
    const authorization = signIn()
    await ask(authorization, server.url)
    current = second
    expect((await ask(authorization, server.url)).status).toBe(200)
    expect([paths(first, '/register').length, paths(second, '/register').length]).toEqual([1, 1])
    const known = paths(first, '/authorize')[0]?.query.get('client_id') ?? 'none'
    expect(second.seen.map(({ query, text }) => `${query} ${text}`).join()).not.toContain(known)
    expect(second.seen.map(({ text }) => text).join()).not.toContain('refresh-')
  })

  it.each([
    ['as long as the store remembers', {}],
    ['for good where it is configured', { isConfigured: true }],
  ])('trap-47: that was registered by hand is not shown to another authorization server, %s', async (_, how) => {
    const [first, second] = [await startIssuer(), await startIssuer()]
    let current = first
    const server = await startResource({ issuedBy: () => current })
    const issuer = 'isConfigured' in how ? { issuer: first.issuer } : {}
    const client = { id: 'by-hand', secret: 'hand-secret', ...issuer }
    const store = createMemoryStore()
    await ask(signIn({ client, store }), server.url)
    current = second
    const failure = await failureOf(ask(signIn({ client, store }), server.url))
    expect(failure.code).toBe('caller.no_client')
    expect(second.seen.map(({ path }) => path)).toEqual(['/.well-known/oauth-authorization-server'])
  })

  it('may be told the only issuer there is', async () => {
    const { issuedBy, server } = await start()
    const failure = await failureOf(ask(signIn({ issuer: 'https://issuer.example' }), server.url))
    expect(failure.code).toBe('peer.invalid')
    expect(issuedBy.seen).toEqual([])
  })

  it.each(['http://example.com/client.json', 'https://example.com/', 'client'])(
    'cannot have "%s" as its id',
    (clientMetadataUrl) => {
      expect(() => signIn({ clientMetadataUrl })).toThrow('it has to be an https URL with a path')
    },
  )
})

describe('abuse-31: a flow ends before anything secret is sent', () => {
  it('trap-45: to a server without PKCE by S256', async () => {
    const { issuedBy, server } = await start({ metadata: ({ code_challenge_methods_supported: _, ...said }) => said })
    const failure = await failureOf(ask(signIn(), server.url))
    expect(failure.code).toBe('policy.insecure')
    expect([...paths(issuedBy, '/authorize'), ...paths(issuedBy, '/register')]).toEqual([])
  })

  it.each([undefined, [], ['plain'], 'S256'])(
    'trap-45: nor to one of OpenID Connect whose methods are %j',
    async (methods) => {
      const { issuedBy, server } = await start({
        answer({ path }) {
          if (path === '/.well-known/oauth-authorization-server') return { status: 404 }
          if (path !== '/.well-known/openid-configuration') return undefined
          const { issuer } = issuedBy
          const endpoints = { authorization_endpoint: `${issuer}/authorize`, token_endpoint: `${issuer}/token` }
          return { body: { issuer, ...endpoints, code_challenge_methods_supported: methods } }
        },
      })
      const failure = await failureOf(ask(signIn({ client: { id: 'known' } }), server.url))
      expect(failure.code).toBe('policy.insecure')
      expect([...paths(issuedBy, '/authorize'), ...paths(issuedBy, '/token')]).toEqual([])
    },
  )

  it('trap-46: to a server whose metadata is of another issuer', async () => {
    const { issuedBy, server } = await start({ metadata: (said) => ({ ...said, issuer: `${said.issuer}/` }) })
    expect((await failureOf(ask(signIn(), server.url))).code).toBe('peer.invalid')
    expect(issuedBy.seen).toHaveLength(1)
  })

  it.each([
    ['another server', 'https://evil.example/mcp'],
    ['a path beside it', 'ORIGIN/mcp2'],
    ['a path below it', 'ORIGIN/mcp/more'],
    ['nothing', undefined],
  ])('for metadata of %s', async (_, resource) => {
    const { issuedBy, server } = await start(
      {},
      {
        metadata: (said) => ({ ...said, resource: resource?.replace('ORIGIN', new URL(String(said.resource)).origin) }),
      },
    )
    expect((await failureOf(ask(signIn(), server.url))).code).toBe('peer.invalid')
    expect(issuedBy.seen).toEqual([])
  })

  it('by another name than the server has, and both are named', async () => {
    const { server } = await start()
    const asked = server.url.replace('127.0.0.1', 'localhost')
    const failure = await failureOf(ask(signIn(), asked))
    expect(failure.code).toBe('peer.invalid')
    expect(failure.message).toBe(
      `Cannot sign in to "${asked}": its metadata is of another resource, whose name is "${server.url}"; connect to it by that name`,
    )
  })

  it.each([
    ['from another server (mix-up)', (params: URLSearchParams) => params.set('iss', 'https://evil.example')],
    ['without the name of the server, which it said it gives', (params: URLSearchParams) => params.delete('iss')],
    ['to another question', (params: URLSearchParams) => params.set('state', 'x')],
    ['to no question', (params: URLSearchParams) => params.delete('state')],
  ])('trap-46: at an answer %s', async (_, callback) => {
    const { issuedBy, server } = await start({ callback })
    expect((await failureOf(ask(signIn(), server.url))).code).toBe('peer.invalid')
    expect(paths(issuedBy, '/token')).toEqual([])
  })
})

it('abuse-30: no error text holds a secret, nor words of an authorization server that may repeat one', async () => {
  const { server } = await start({
    answer: ({ path, text, headers }) =>
      path === '/token'
        ? { status: 400, body: { error: 'invalid_grant', error_description: `${headers.authorization} ${text}` } }
        : undefined,
  })
  const failure = await failureOf(ask(signIn({ client: { id: 'by-hand', secret: 'hand-secret' } }), server.url))
  expect(failure.message).toBe(
    `The authorization server "${new URL(failure.message.split('"')[1] ?? '').origin}" refuses: "invalid_grant"; what was to be exchanged is expired, was used already, or is for somebody else`,
  )
  expect(`${failure.stack} ${JSON.stringify(failure)}`).not.toMatch(/hand-secret|aGFuZC|code_verifier/)
  expect(failure.cause).toBeUndefined()
})

describe('a program', () => {
  it('gets a token for itself, and the next when that expires', async () => {
    let now = 0
    const { issuedBy, server } = await start({}, { needs: () => ['a'] })
    const authorization = clientCredentials({ client: { id: 'job', secret: 's' }, now: () => now })
    await times(5, () => ask(authorization, server.url))
    now = 3_599_000
    await times(5, () => ask(authorization, server.url))
    expect(issuedBy.grants()).toEqual(['client_credentials', 'client_credentials'])
    const [request] = paths(issuedBy, '/token')
    expect(request?.headers.authorization).toBe(`Basic ${btoa('job:s')}`)
    expect([request?.form.get('resource'), request?.form.get('scope')]).toEqual([server.url, 'a'])
  })
})
