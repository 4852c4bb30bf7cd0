import { createBrowser, sendEnveloped, toJwt } from '@crosspoint/testkit'
import { describe, expect, test } from 'vitest'
import { Asker, CALLBACK, openSigningIn, PASSWORD } from '../../fixtures/open-signing-in.ts'
import { changePassword, removeAccount } from './accounts.ts'

const callEcho = (url: string, token: string | undefined) =>
  sendEnveloped(
    url,
    'tools/call',
    { name: 'up__echo', arguments: {} },
    { headers: { authorization: `Bearer ${token}` } },
  )

/** Until the gateway has looked again whether a grant holds. */
async function untilRefused(call: () => ReturnType<typeof callEcho>): Promise<number> {
  const began = performance.now()
  while ((await call()).status !== 401) if (performance.now() - began > 5_000) throw new Error('It goes on')
  return performance.now() - began
}

test('somebody signs in, allows a client, and the client calls as them', async () => {
  const { ask, browser, door, log, issuer } = await openSigningIn()
  const { client_id: client, status } = await ask.register()
  expect(status).toBe(201)
  const back = await ask.signIn(browser, ask.url(client))
  expect([back.searchParams.get('state'), back.searchParams.get('iss')]).toEqual(['my-state', issuer])
  const {
    access_token: token,
    refresh_token: refresh,
    ...answer
  } = await ask.exchange(client, back.searchParams.get('code'))
  expect(answer).toEqual({ status: 200, token_type: 'Bearer', expires_in: 300, scope: 'read' })
  expect(refresh).toEqual(expect.any(String))
  expect((await callEcho(door.url, token)).status).toBe(200)
  const callers = log.flatMap((line) => (Array.isArray(line) && line[0] === 'call' ? [line[1].principal] : []))
  expect(callers).toEqual(['ann'])
  const claims = JSON.parse(Buffer.from(token?.split('.')[1] ?? '', 'base64url').toString())
  expect(claims).toMatchObject({
    iss: issuer,
    sub: 'ann',
    tenant: 'acme',
    roles: ['dev'],
    aud: door.url,
    client_id: client,
  })
})

test('says of itself what clients need to know', async () => {
  const { issuer, door } = await openSigningIn()
  const resource = await fetch(`${issuer}/.well-known/oauth-protected-resource/mcp`)
  expect(await resource.json()).toMatchObject({ resource: door.url, authorization_servers: [issuer] })
  const read = async (path: string) =>
    (await (await fetch(`${issuer}${path}`)).json()) as Readonly<Record<string, readonly object[]>>
  const metadata = await read('/.well-known/oauth-authorization-server')
  expect(metadata).toEqual(await read('/.well-known/openid-configuration'))
  expect(metadata).toMatchObject({
    issuer,
    authorization_endpoint: `${issuer}/authorize`,
    token_endpoint: `${issuer}/token`,
    registration_endpoint: `${issuer}/register`,
    device_authorization_endpoint: `${issuer}/device/authorize`,
    revocation_endpoint: `${issuer}/revoke`,
    response_types_supported: ['code'],
    response_modes_supported: ['query'],
    code_challenge_methods_supported: ['S256'],
    authorization_response_iss_parameter_supported: true,
    client_id_metadata_document_supported: true,
    scopes_supported: ['read', 'write', 'mcp', 'openid', 'offline_access'],
  })
  expect(metadata.grant_types_supported).not.toContain('implicit')
  const { keys = [] } = await read('/jwks')
  expect(keys).toHaveLength(1)
  expect(keys[0]).not.toHaveProperty('d')
})

test('a client that asks for nothing in particular, and names no resource, gets a token for all there is', async () => {
  const { ask, browser, door } = await openSigningIn()
  const { access_token: token, scope } = await ask.all(browser, { scope: undefined, resource: undefined })
  expect(scope).toBe('mcp')
  const claims = JSON.parse(Buffer.from(token?.split('.')[1] ?? '', 'base64url').toString())
  expect(claims.aud).toBe(door.url)
})

test('more scopes are asked for, and allowed, on top of those there are', async () => {
  const { ask, browser } = await openSigningIn()
  const { client_id: client } = await ask.register({ application_type: 'web', redirect_uris: [CALLBACK] })
  await ask.signIn(browser, ask.url(client))
  const consent = await browser.open(ask.url(client, { scope: 'read write' }), CALLBACK)
  expect(consent.text).toContain('<code>write</code>')
  const back = await browser.submit(consent, { answer: 'allow' }, { until: CALLBACK })
  const { scope } = await ask.exchange(client, new URL(back.url).searchParams.get('code'))
  expect(scope?.split(' ').sort()).toEqual(['read', 'write'])
})

test('a refresh token is good once; what is used twice ends all that came of it', async () => {
  const { ask, browser, door } = await openSigningIn()
  const { client, access_token: token, refresh_token: first } = await ask.all(browser)
  const second = await ask.refresh(client, first)
  expect([second.status, second.scope]).toEqual([200, 'read'])
  expect(second.refresh_token).not.toBe(first)
  expect((await callEcho(door.url, second.access_token)).status).toBe(200)
  expect(await ask.refresh(client, first)).toMatchObject({ status: 400, error: 'invalid_grant' })
  expect(await ask.refresh(client, second.refresh_token)).toMatchObject({ status: 400, error: 'invalid_grant' })
  for (const taken of [token, second.access_token]) {
    expect(await untilRefused(() => callEcho(door.url, taken))).toBeLessThan(2_000)
  }
})

describe('access ends within two seconds', () => {
  test('with the token that it is renewed by (RFC 7009)', async () => {
    const { ask, browser, door, issuer } = await openSigningIn()
    const { client, access_token: token, refresh_token: refresh } = await ask.all(browser)
    expect((await callEcho(door.url, token)).status).toBe(200)
    const body = new URLSearchParams({ client_id: String(client), token: refresh ?? '' })
    expect((await fetch(`${issuer}/revoke`, { method: 'POST', body })).status).toBe(200)
    expect(await untilRefused(() => callEcho(door.url, token))).toBeLessThan(2_000)
    expect(await ask.refresh(client, refresh)).toMatchObject({ status: 400 })
  })

  test('with the account, and with its password', async () => {
    const { ask, browser, door, store } = await openSigningIn()
    const first = await ask.all(browser)
    expect((await callEcho(door.url, first.access_token)).status).toBe(200)
    await changePassword(store, 'ann', 'another good one', Date.now())
    expect(await untilRefused(() => callEcho(door.url, first.access_token))).toBeLessThan(2_000)
    browser.forget()
    const login = await browser.open(ask.url(first.client), CALLBACK)
    expect((await ask.logIn(browser, login)).status).toBe(401)
    expect((await ask.logIn(browser, login, 'ann', 'another good one')).status).toBe(200)
    expect(await removeAccount(store, 'ann')).toBe(true)
    expect((await ask.logIn(browser, login, 'ann', 'another good one')).status).toBe(400)
  })
})

test('what is under way outlives the gateway, and is good at any other that shares its store', async () => {
  const auth = { resource: 'http://localhost:1' }
  const { browser, store, folder, door, issuer, ask } = await openSigningIn({ auth })
  const there = new Asker('http://localhost:1', 'http://localhost:1/mcp')
  const { client_id: client } = await ask.register()
  const first = createBrowser((input, init) => fetch(String(input).replace('http://localhost:1/', `${issuer}/`), init))
  const back = await there.signIn(first, there.url(client))
  const verified = { code_verifier: there.verifier, resource: there.resource }
  const { access_token: token, refresh_token: refresh } = await ask.exchange(
    client,
    back.searchParams.get('code'),
    verified,
  )
  const again = await openSigningIn({ auth, state: { store, folder } })
  expect((await callEcho(door.url, token)).status).toBe(200)
  expect((await callEcho(again.door.url, token)).status).toBe(200)
  expect(await again.ask.refresh(client, refresh)).toMatchObject({ status: 200 })
  expect(browser.cookies()).toEqual([])
})

test('nothing that is kept can be used by who reads it', async () => {
  const { ask, browser, store } = await openSigningIn()
  const { refresh_token: refresh } = await ask.all(browser)
  const kinds = ['RefreshToken', 'Session', 'Interaction', 'AuthorizationCode', 'Grant', 'Client', 'SigningKey']
  const rows = (await Promise.all(kinds.map((kind) => store.grants.list({ kind, limit: 100 })))).flat()
  expect(rows.length).toBeGreaterThan(5)
  const text = JSON.stringify(rows)
  const cookies = browser.cookies().map((line) => /=([^;]*)/.exec(line)?.[1] ?? '-')
  for (const secret of [refresh ?? '-', PASSWORD, '"d":', ...cookies]) expect(text).not.toContain(secret)
})

describe('a program without a browser', () => {
  const device = 'urn:ietf:params:oauth:grant-type:device_code'
  const begin = async (ask: Asker, client: unknown) => {
    const body = new URLSearchParams({ client_id: String(client), resource: ask.resource, scope: 'read' })
    const response = await fetch(`${ask.issuer}/device/authorize`, { method: 'POST', body })
    return (await response.json()) as Readonly<Record<string, string>>
  }

  test('is connected by a code that somebody types', async () => {
    const { ask, browser, door } = await openSigningIn()
    const { client_id: client } = await ask.register({ redirect_uris: [], grant_types: [device, 'refresh_token'] })
    const {
      user_code: code = '',
      device_code: waiting = '',
      verification_uri_complete: whole = '',
    } = await begin(ask, client)
    const poll = () => ask.token({ grant_type: device, client_id: String(client), device_code: waiting })
    expect(await poll()).toMatchObject({ status: 400, error: 'authorization_pending' })
    const typing = await browser.open(whole)
    expect(typing.text).toContain(`value="${code}"`)
    const wrong = await browser.submit(typing, { user_code: 'BBBB-BBBB' })
    expect(wrong.text).toContain('There is no such code')
    const confirm = await browser.submit(wrong, { user_code: code })
    expect(confirm.text).toContain(code)
    const login = await browser.submit(confirm, { confirm: 'yes' })
    const consent = await ask.logIn(browser, login)
    const done = await browser.submit(consent, { answer: 'allow' })
    expect(done.text).toContain('Connected')
    const { access_token: token, refresh_token: refresh } = await poll()
    expect((await callEcho(door.url, token)).status).toBe(200)
    expect(await ask.refresh(client, refresh)).toMatchObject({ status: 200 })
    expect(await poll()).toMatchObject({ status: 400 })
  })

  test('is not, where somebody says that it is not theirs', async () => {
    const { ask, browser } = await openSigningIn()
    const { client_id: client } = await ask.register({ redirect_uris: [], grant_types: [device] })
    const { user_code: code = '', device_code: waiting = '', verification_uri: at = '' } = await begin(ask, client)
    const confirm = await browser.submit(await browser.open(at), { user_code: code })
    // As a browser does, only the button that is pressed is sent.
    expect((await browser.submit(confirm, { abort: 'yes' })).text).toContain('Nobody was signed in')
    const answer = await ask.token({ grant_type: device, client_id: String(client), device_code: waiting })
    expect(answer).toMatchObject({ status: 400, error: 'access_denied' })
  })
})

describe('an agent', () => {
  const clients = {
    nightly: { secret: 'a secret of theirs', credentials: true, tenant: 'acme', roles: ['builder'], scopes: ['read'] },
  }
  const basic = (secret: string) => ({
    authorization: `Basic ${Buffer.from(`nightly:${encodeURIComponent(secret)}`).toString('base64')}`,
  })

  test('calls for itself with a secret, and gets what it may have', async () => {
    const { ask, door, log } = await openSigningIn({ server: { clients } })
    const about = { grant_type: 'client_credentials', resource: ask.resource }
    const { access_token: token, ...answer } = await ask.token(about, basic('a secret of theirs'))
    expect(answer).toEqual({ status: 200, token_type: 'Bearer', expires_in: 300, scope: 'mcp read' })
    expect((await callEcho(door.url, token)).status).toBe(200)
    const callers = log.flatMap((line) => (Array.isArray(line) && line[0] === 'call' ? [line[1].principal] : []))
    expect(callers).toEqual(['nightly'])
    expect((await ask.token({ ...about, scope: 'read write' }, basic('a secret of theirs'))).scope).toBe('read')
    expect(await ask.token(about, basic('another'))).toMatchObject({ status: 401, error: 'invalid_client' })
    expect(
      await ask.token({ ...about, resource: 'https://elsewhere.example/mcp' }, basic('a secret of theirs')),
    ).toMatchObject({
      status: 400,
      error: 'invalid_target',
    })
  })

  test('is nobody who signs in, and nobody who registered itself is one', async () => {
    const { ask, store, browser } = await openSigningIn({ server: { clients } })
    const { createAccount } = await import('./accounts.ts')
    await createAccount(store.accounts, { name: 'nightly', tenant: 'acme', roles: [], password: PASSWORD }, 1)
    const { client_id: client } = await ask.register()
    const login = await browser.open(ask.url(client), CALLBACK)
    expect((await ask.logIn(browser, login, 'nightly')).status).toBe(401)
    const { grant_types: grants } = await ask.register({ grant_types: ['client_credentials', 'authorization_code'] })
    expect(grants).toEqual(['authorization_code'])
  })
})

describe('abuse-25, abuse-26: a token', () => {
  test('is for one endpoint, to the letter', async () => {
    const { ask, browser, door } = await openSigningIn()
    const small = new Asker(ask.issuer, `${door.url}/small`)
    const { access_token: token } = await small.all(browser)
    expect((await callEcho(`${door.url}/small`, token)).status).toBe(200)
    expect((await callEcho(door.url, token)).status).toBe(401)
    expect((await callEcho(`${door.url}/other`, token)).status).toBe(401)
  })

  test('is given for no other resource', async () => {
    const { ask, browser, door } = await openSigningIn()
    const { client_id: client } = await ask.register()
    for (const resource of ['https://elsewhere.example/mcp', '/none', '/', '#x', '?x=1']) {
      const named = resource.startsWith('https:') ? resource : `${door.url}${resource}`
      const back = new URL((await browser.open(ask.url(client, { resource: named }), CALLBACK)).url)
      expect([named, back.searchParams.get('error')]).toEqual([named, 'invalid_target'])
    }
  })

  test('of another key, another kind, without a signature, or out of time is none', async () => {
    const { ask, browser, door } = await openSigningIn()
    const { access_token: token = '' } = await ask.all(browser)
    const [head = '', body = '', signature = ''] = token.split('.')
    const header = JSON.parse(Buffer.from(head, 'base64url').toString())
    const claims = JSON.parse(Buffer.from(body, 'base64url').toString())
    const forge = (changes: object, more: object = {}) =>
      toJwt({ ...header, ...more }, { ...claims, ...changes }, () => Buffer.from(signature, 'base64url'))
    for (const forged of [
      forge({ sub: 'bob' }),
      forge({}, { alg: 'none' }),
      forge({}, { alg: 'HS256' }),
      forge({}, { typ: 'JWT' }),
      forge({}, { kid: 'x' }),
      forge({ exp: 1 }),
      forge({ iss: 'https://elsewhere.example' }),
      `${head}.${body}.`,
    ]) {
      expect((await callEcho(door.url, forged)).status).toBe(401)
    }
  })
})

describe('abuse-33: where people are sent back to', () => {
  const VARIANTS = [
    ['another path', `${CALLBACK}/x`],
    ['more behind it', `${CALLBACK}.evil.example`],
    ['a query', `${CALLBACK}?x=1`],
    ['a fragment', `${CALLBACK}#x`],
    ['a user name', CALLBACK.replace('127', 'a@127')],
    ['another host', 'http://127.0.0.2:7777/callback'],
    ['localhost for its address', CALLBACK.replace('127.0.0.1', 'localhost')],
    ['another scheme', CALLBACK.replace('http', 'https')],
    ['a script', 'javascript:alert(1)'],
    ['capitals', CALLBACK.replace('callback', 'Callback')],
    ['a way round', CALLBACK.replace('callback', 'x/../callback')],
    ['nothing', ''],
  ] as const

  test('is to the letter what was registered, or nobody is sent anywhere', async () => {
    const { ask, browser } = await openSigningIn()
    const { client_id: client } = await ask.register()
    for (const [what, uri] of VARIANTS) {
      const asked = ask.url(client, { redirect_uri: uri })
      const { status, headers, text, url } = await browser.open(asked, 'http://127.0.0.1:7777')
      expect([what, status, headers.get('location'), url]).toEqual([what, 400, null, asked])
      expect(text).toContain('This did not work')
    }
  })

  test('may be another port of this machine, for programs that run here', async () => {
    const { ask, browser } = await openSigningIn()
    const { client_id: client } = await ask.register()
    const uri = CALLBACK.replace('7777', '8888')
    expect((await browser.open(ask.url(client, { redirect_uri: uri }), uri)).text).toContain('Sign in')
    const { client_id: web } = await ask.register({ application_type: 'web' })
    expect((await browser.open(ask.url(web, { redirect_uri: uri }), uri)).status).toBe(400)
  })

  test('is registered as https or this machine, and as nothing else', async () => {
    const { ask } = await openSigningIn({ server: { registration: { perHour: 1_000 } } })
    for (const uri of [
      'http://desk.example/cb',
      'javascript:alert(1)',
      'data:text/html,x',
      'file:///etc/passwd',
      'https://a:b@desk.example/cb',
      'https://desk.example/cb#x',
      'desk:/cb',
      'http://localhost.evil.example/cb',
      'not a url',
    ]) {
      const answer = await ask.register({ redirect_uris: [uri] })
      expect([uri, answer]).toMatchObject([uri, { status: 400, error: 'invalid_client_metadata' }])
    }
  })

  test('an unknown client is told here and sent nowhere', async () => {
    const { ask, browser } = await openSigningIn()
    for (const client of ['nobody', 'https://127.0.0.1/client', '']) {
      const { status, headers } = await browser.open(ask.url(client), CALLBACK)
      expect([status, headers.get('location')]).toEqual([400, null])
    }
  })
})

describe('abuse-33: a code', () => {
  test('is good once; used twice it ends what came of it', async () => {
    const { ask, browser, door } = await openSigningIn()
    const { client_id: client } = await ask.register()
    const code = (await ask.signIn(browser, ask.url(client))).searchParams.get('code')
    const outcomes = await Promise.all([
      ask.exchange(client, code),
      ask.exchange(client, code),
      ask.exchange(client, code),
    ])
    expect(outcomes.filter(({ status }) => status === 200).length).toBeLessThanOrEqual(1)
    const { client: other, ...again } = { client, ...(await ask.exchange(client, code)) }
    expect(again).toMatchObject({ status: 400, error: 'invalid_grant' })
    const taken = outcomes.find(({ status }) => status === 200)
    if (taken !== undefined) await untilRefused(() => callEcho(door.url, taken.access_token))
    expect(await ask.refresh(other, taken?.refresh_token)).toMatchObject({ status: 400 })
  })

  test('is for the client, the address and the verifier that it was asked with', async () => {
    const { ask, browser } = await openSigningIn()
    const { client_id: client } = await ask.register()
    const { client_id: other } = await ask.register()
    const code = (await ask.signIn(browser, ask.url(client))).searchParams.get('code')
    for (const changes of [
      { client_id: String(other) },
      { code_verifier: 'x'.repeat(43) },
      { redirect_uri: `${CALLBACK}/x` },
      { resource: `${ask.resource}/small` },
    ]) {
      const { status } = await ask.exchange(client, code, changes)
      expect([Object.keys(changes), status]).toEqual([Object.keys(changes), 400])
    }
  })

  test('is given with a challenge of SHA-256 only, and nothing else is given', async () => {
    const { ask, browser } = await openSigningIn()
    const { client_id: client } = await ask.register()
    for (const changes of [
      { code_challenge: undefined, code_challenge_method: undefined },
      { code_challenge_method: 'plain' },
      { response_type: 'token' },
      { response_type: 'code id_token' },
    ]) {
      const back = new URL((await browser.open(ask.url(client, changes), CALLBACK)).url)
      const said = new URLSearchParams(`${back.search.slice(1)}&${back.hash.slice(1)}`)
      expect(said.get('error')).toMatch(/invalid_request|unsupported_response_type|unauthorized_client/)
      expect([said.get('state'), said.get('iss'), said.get('code')]).toEqual(['my-state', ask.issuer, null])
    }
  })
})

describe('abuse-33: what somebody allows', () => {
  test('is asked for each new client, whoever is signed in', async () => {
    const { ask, browser } = await openSigningIn()
    await ask.all(browser)
    const { client_id: other } = await ask.register({
      client_name: '<script>alert(1)</script>',
      application_type: 'web',
    })
    const page = await browser.open(ask.url(other), CALLBACK)
    expect(page.url).toContain('/interaction/')
    expect(page.text).toContain('Allow access')
    expect(page.text).toContain('&#60;script&#62;')
    expect(page.text).not.toContain('<script')
    const none = await browser.open(ask.url(other, { prompt: 'none' }), CALLBACK)
    expect(new URL(none.url).searchParams.get('error')).toMatch(/^(?:consent|interaction)_required$/)
  })

  test('is not what they do not: the client is told so', async () => {
    const { ask, browser } = await openSigningIn()
    const { client_id: client } = await ask.register()
    const consent = await ask.logIn(browser, await browser.open(ask.url(client), CALLBACK))
    const back = new URL((await browser.submit(consent, { answer: 'deny' }, { until: CALLBACK })).url)
    expect([back.searchParams.get('error'), back.searchParams.get('iss')]).toEqual(['access_denied', ask.issuer])
  })

  test('is said by somebody who can say that they are somebody else', async () => {
    const { ask, browser } = await openSigningIn()
    const { client_id: client } = await ask.register()
    const consent = await ask.logIn(browser, await browser.open(ask.url(client), CALLBACK))
    const login = await browser.submit(consent, {}, { form: 1, until: CALLBACK })
    expect(login.text).toContain('Password')
    expect((await browser.submit(consent, { answer: 'allow' }, { until: CALLBACK })).status).toBe(400)
  })

  test('is taken from the page on which it was asked only', async () => {
    const { ask, browser } = await openSigningIn()
    const { client_id: client } = await ask.register()
    const consent = await ask.logIn(browser, await browser.open(ask.url(client), CALLBACK))
    for (const [fields, headers] of [
      [{ csrf: '' }, {}],
      [{ csrf: 'x'.repeat(43) }, {}],
      [{}, { origin: 'https://evil.example' }],
      [{}, { origin: 'null' }],
      [{}, { 'sec-fetch-site': 'cross-site' }],
    ] as const) {
      const answer = await browser.submit(consent, { answer: 'allow', ...fields }, { until: CALLBACK, headers })
      expect([fields, headers, answer.status]).toEqual([fields, headers, 403])
    }
  })

  test('is not taken from another browser', async () => {
    const { ask, browser } = await openSigningIn()
    const { client_id: client } = await ask.register()
    const consent = await ask.logIn(browser, await browser.open(ask.url(client), CALLBACK))
    const other = createBrowser()
    expect((await other.submit(consent, { answer: 'allow' }, { until: CALLBACK })).status).toBe(400)
    await other.open(ask.url(client), CALLBACK)
    expect((await other.submit(consent, { answer: 'allow' }, { until: CALLBACK })).status).toBe(400)
    expect((await browser.submit(consent, { answer: 'allow' }, { until: CALLBACK })).url).toContain('code=')
    expect((await browser.submit(consent, { answer: 'allow' }, { until: CALLBACK })).status).toBe(400)
  })

  test('is said on pages that nobody frames, that run nothing and load nothing', async () => {
    const { ask, browser } = await openSigningIn()
    const { client_id: client } = await ask.register()
    const login = await browser.open(ask.url(client), CALLBACK)
    const pages = [
      login,
      await ask.logIn(browser, login),
      await browser.open(`${ask.issuer}/device`),
      await browser.open(ask.url('nobody')),
    ]
    for (const { headers, text } of pages) {
      expect(headers.get('content-security-policy')).toMatch(
        /^default-src 'none'; style-src 'sha256-[^']+'; form-action 'self'[^;]*; frame-ancestors 'none'; base-uri 'none'$/,
      )
      expect([headers.get('x-frame-options'), headers.get('referrer-policy')]).toEqual(['DENY', 'no-referrer'])
      expect(headers.get('cache-control')).toMatch(/no-store/)
      expect(text).not.toMatch(/<script|javascript:|https?:\/\/(?!127\.0\.0\.1)| on\w+=/)
    }
  })

  test('is remembered in cookies that no page and no other address sees', async () => {
    const resource = 'https://mcp.example.com'
    const { ask, browser, door } = await openSigningIn({ auth: { resource } })
    const there = new Asker(resource, `${resource}/mcp`)
    // As a proxy sends it on, which has the certificate.
    const proxied = createBrowser((input, init) =>
      fetch(String(input).replace(resource, ask.issuer), {
        ...init,
        headers: { ...(init?.headers as object), host: 'mcp.example.com' },
      }),
    )
    const registered = await ask.register()
    const login = await proxied.open(there.url(registered.client_id), CALLBACK)
    expect(login.url).toMatch(/^https:\/\/mcp\.example\.com\/interaction\//)
    await there.logIn(proxied, login)
    const lines = proxied.cookies()
    expect(lines.map((line) => line.split('=')[0]).sort()).toEqual([
      '__Host-cp_interaction',
      '__Host-cp_interaction.sig',
      '__Host-cp_session',
      '__Host-cp_session.sig',
      '__Secure-cp_resume',
      '__Secure-cp_resume.sig',
    ])
    for (const line of lines) expect(line).toMatch(/; secure; httponly; samesite=lax|samesite=lax; secure; httponly/i)
    expect([browser.cookies(), door.port > 0]).toEqual([[], true])
  })
})

describe('abuse-50: nobody learns who has an account', () => {
  test('by what is said', async () => {
    const { ask, browser } = await openSigningIn()
    const { client_id: client } = await ask.register()
    const login = await browser.open(ask.url(client), CALLBACK)
    const answers = [await ask.logIn(browser, login, 'ann', 'wrong'), await ask.logIn(browser, login, 'eve', 'wrong')]
    expect(answers.map(({ status }) => status)).toEqual([401, 401])
    expect(answers[0]?.text.replace('value="ann"', '')).toBe(answers[1]?.text.replace('value="eve"', ''))
  })

  test('nor guesses a password for long', async () => {
    const { ask, browser } = await openSigningIn()
    const { client_id: client } = await ask.register()
    const login = await browser.open(ask.url(client), CALLBACK)
    const statuses = []
    for (let at = 0; at < 12; at++) statuses.push((await ask.logIn(browser, login, 'ann', `wrong ${at}`)).status)
    expect(statuses.slice(0, 10)).toEqual(Array(10).fill(401))
    expect(statuses.slice(10)).toEqual([429, 429])
    expect((await ask.logIn(browser, login)).status).toBe(429)
  })
})

describe('abuse-05, abuse-14: what anybody may send has bounds', () => {
  test('bodies', async () => {
    const { issuer } = await openSigningIn()
    for (const path of ['/token', '/register', '/interaction/x/login', '/device']) {
      const { status } = await fetch(`${issuer}${path}`, { method: 'POST', body: 'x'.repeat(60_000) })
      expect([path, status]).toEqual([path, 413])
    }
  })

  test('registrations, in an hour and in all', async () => {
    const { ask } = await openSigningIn({ server: { registration: { perHour: 15 } } })
    const statuses = []
    for (let at = 0; at < 4; at++) statuses.push((await ask.register()).status)
    expect(statuses).toEqual([201, 201, 201, 429])
    const few = await openSigningIn({ server: { registration: { maxClients: 2 } } })
    for (const wanted of [201, 201, 400]) expect((await few.ask.register()).status).toBe(wanted)
  })

  test('no registration is taken where there is to be none', async () => {
    const { ask, issuer } = await openSigningIn({ server: { registration: { dynamic: false, documents: false } } })
    expect((await ask.register()).status).toBe(404)
    const metadata = await (await fetch(`${issuer}/.well-known/oauth-authorization-server`)).json()
    expect(metadata).not.toHaveProperty('registration_endpoint')
    expect(metadata).not.toHaveProperty('client_id_metadata_document_supported')
  })
})

test('pages of others may ask for tokens, and may not sign anybody in', async () => {
  const { issuer } = await openSigningIn()
  const origin = 'https://inspector.example'
  for (const [path, method] of [
    ['/.well-known/oauth-authorization-server', 'GET'],
    ['/token', 'POST'],
    ['/register', 'POST'],
  ] as const) {
    const { headers } = await fetch(`${issuer}${path}`, { method, headers: { origin } })
    expect([path, headers.get('access-control-allow-origin')]).toEqual([
      path,
      expect.stringMatching(/^(?:\*|https:\/\/inspector.example)$/),
    ])
    expect(headers.get('access-control-allow-credentials')).toBeNull()
    const preflight = await fetch(`${issuer}${path}`, {
      method: 'OPTIONS',
      headers: { origin, 'access-control-request-method': method, 'access-control-request-headers': 'content-type' },
    })
    expect([path, preflight.status]).toEqual([path, 204])
  }
  const { status, headers } = await fetch(`${issuer}/interaction/x/login`, {
    method: 'POST',
    headers: { origin },
    body: 'a=b',
  })
  expect([status, headers.get('access-control-allow-origin')]).toEqual([403, null])
})

test('abuse-02: is at the names of the gateway and at no others', async () => {
  const { door, issuer } = await openSigningIn()
  const { openRaw } = await import('@crosspoint/testkit')
  const raw = await openRaw(door.port)
  raw.write('GET /.well-known/oauth-authorization-server HTTP/1.1\r\nHost: evil.example\r\n\r\n')
  expect(await raw.until('\r\n\r\n')).toMatch(/^HTTP\/1\.1 403 /)
  raw.destroy()
  const spoofed = { 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'https' }
  const metadata = await (await fetch(`${issuer}/.well-known/oauth-authorization-server`, { headers: spoofed })).json()
  expect(JSON.stringify(metadata)).not.toContain('evil')
})
