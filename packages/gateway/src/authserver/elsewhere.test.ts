import { createBrowser, sendEnveloped, startAuthorizationServer } from '@crosspoint/testkit'
import { describe, expect, onTestFinished, test } from 'vitest'
import { Asker, CALLBACK, openSigningIn } from '../../fixtures/open-signing-in.ts'

const callEcho = (url: string, token: string | undefined) =>
  sendEnveloped(
    url,
    'tools/call',
    { name: 'up__echo', arguments: {} },
    { headers: { authorization: `Bearer ${token}` } },
  )

const claimsOf = (token = '') => JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())

describe('people of an OpenID provider', () => {
  /** One gateway whose people sign in at another, which is a provider like any. */
  const openBoth = async (upstream: object = {}) => {
    const secret = 'a secret of ours'
    const clients = { us: { secret, redirectUris: ['http://127.0.0.1/login/callback'] } }
    const there = await openSigningIn({ server: { clients } })
    const settings = { issuer: there.issuer, clientId: 'us', clientSecret: secret, name: 'Example', tenant: 'partner' }
    const here = await openSigningIn({ server: { upstream: { ...settings, ...upstream } } })
    return { here, there, browser: createBrowser() }
  }

  test('sign in there, and say here what they allow', async () => {
    const { here, there, browser } = await openBoth()
    const { client_id: client } = await here.ask.register()
    const before = await browser.open(here.ask.url(client), CALLBACK)
    // Whom it is about is said before anybody is sent on: trap 54.
    expect(before.text).toContain('Desk')
    expect(before.text).toContain('Go on to Example')
    const login = await browser.submit(before, {})
    expect(login.url.startsWith(there.issuer)).toBe(true)
    const allowThere = await there.ask.logIn(browser, login)
    const consent = await browser.submit(allowThere, { answer: 'allow' })
    expect(consent.url.startsWith(here.issuer)).toBe(true)
    expect(consent.text).toContain('Allow access')
    const back = await browser.submit(consent, { answer: 'allow' }, { until: CALLBACK })
    const code = new URL(back.url).searchParams.get('code')
    const { access_token: token, refresh_token: refresh } = await here.ask.exchange(client, code)
    expect(claimsOf(token)).toMatchObject({ sub: 'local:ann', tenant: 'partner', roles: [] })
    expect((await callEcho(here.door.url, token)).status).toBe(200)
    expect(await here.ask.refresh(client, refresh)).toMatchObject({ status: 200 })
  })

  test('abuse-33: come back once, to the browser they left with, and with their own answer', async () => {
    const { here, there, browser } = await openBoth()
    const { client_id: client } = await here.ask.register()
    const login = await browser.submit(await browser.open(here.ask.url(client), CALLBACK), {})
    const allowThere = await there.ask.logIn(browser, login)
    const stopped = await browser.submit(allowThere, { answer: 'allow' }, { until: `${here.issuer}/login/callback` })
    const other = createBrowser()
    expect((await other.open(stopped.url)).status).toBe(400)
    const forged = new URL(stopped.url)
    forged.searchParams.set('state', 'x'.repeat(43))
    expect((await browser.open(forged.href)).status).toBe(400)
    const mixed = new URL(stopped.url)
    mixed.searchParams.set('iss', 'https://evil.example')
    expect((await browser.open(mixed.href)).text).toContain('could not be signed in')
    // It was used, whatever came of it.
    expect((await browser.open(stopped.url)).status).toBe(400)
  })

  test('are not signed in where they decline, or where what is needed of them is missing', async () => {
    const { here, there, browser } = await openBoth({ principalClaim: 'email' })
    const { client_id: client } = await here.ask.register()
    const login = await browser.submit(await browser.open(here.ask.url(client), CALLBACK), {})
    const allowThere = await there.ask.logIn(browser, login)
    const page = await browser.submit(allowThere, { answer: 'allow' })
    expect(page.text).toContain('could not be signed in')
    const again = await browser.submit(page, {})
    expect(again.url.startsWith(there.issuer)).toBe(true)
  })

  test('cannot use accounts here', async () => {
    const { here, browser } = await openBoth()
    const { client_id: client } = await here.ask.register()
    const page = await browser.open(here.ask.url(client), CALLBACK)
    const tried = await browser.submit(
      { ...page, text: page.text.replace('/upstream"', '/login"') },
      { name: 'ann', password: 'x' },
    )
    expect(tried.status).toBe(400)
  })
})

describe('a client known by its document', () => {
  const ID = 'https://desk.example/client.json'
  const openWith = async (document: unknown) => {
    const asked: string[] = []
    let said = document
    const fetch = async (input: string | URL | Request) => {
      asked.push(String(input))
      return new Response(typeof said === 'string' ? said : JSON.stringify(said))
    }
    const opened = await openSigningIn({ gateway: { fetch } })
    return {
      ...opened,
      asked,
      become: (other: unknown) => {
        said = other
      },
    }
  }
  const DOCUMENT = {
    client_id: ID,
    client_name: 'Desk',
    redirect_uris: [CALLBACK],
    grant_types: ['authorization_code', 'refresh_token'],
  }

  test('signs people in, who are shown where it is from and that it runs on their machine', async () => {
    const { ask, browser, door, asked } = await openWith(DOCUMENT)
    const consent = await ask.logIn(browser, await browser.open(ask.url(ID), CALLBACK))
    for (const shown of ['Desk', 'desk.example', '127.0.0.1:7777', 'any program could pretend']) {
      expect(consent.text).toContain(shown)
    }
    const back = await browser.submit(consent, { answer: 'allow' }, { until: CALLBACK })
    const { access_token: token, refresh_token: refresh } = await ask.exchange(
      ID,
      new URL(back.url).searchParams.get('code'),
    )
    expect((await callEcho(door.url, token)).status).toBe(200)
    expect(await ask.refresh(ID, refresh)).toMatchObject({ status: 200 })
    expect(asked).toEqual([ID])
  })

  test('is refused where its document is another’s, has secrets, sends people astray, or is none', async () => {
    const { ask, browser, become } = await openWith(undefined)
    for (const document of [
      { ...DOCUMENT, client_id: 'https://other.example/client.json' },
      { ...DOCUMENT, client_secret: 'x' },
      { ...DOCUMENT, token_endpoint_auth_method: 'client_secret_basic' },
      { ...DOCUMENT, redirect_uris: ['http://evil.example/cb'] },
      { ...DOCUMENT, redirect_uris: [] },
      [],
      'no JSON',
      `{"client_id":"${ID}","pad":"${'x'.repeat(100_000)}"}`,
    ]) {
      become(document)
      const { status, headers } = await browser.open(ask.url(ID), CALLBACK)
      expect([JSON.stringify(document).slice(0, 80), status, headers.get('location')]).toEqual([
        JSON.stringify(document).slice(0, 80),
        400,
        null,
      ])
    }
  })

  test('abuse-30: is fetched from plainly public hosts only, and nothing is said of what is elsewhere', async () => {
    const inside = await startAuthorizationServer()
    onTestFinished(() => inside.stop())
    const { ask, browser } = await openSigningIn({ auth: { resource: 'https://mcp.example.com' } })
    const there = new Asker(ask.issuer, 'https://mcp.example.com/mcp')
    const texts = new Set<string>()
    for (const id of [
      'https://127.0.0.1/c',
      'https://localhost/c',
      'https://10.0.0.1/c',
      'https://169.254.169.254/latest',
      'https://[::1]/c',
      'https://[::ffff:10.0.0.1]/c',
      'https://2130706433/c',
      'https://0x7f.1/c',
      'https://metadata.internal/c',
      'https://user@desk.example/c',
      `${inside.issuer}/c`,
    ]) {
      const { status, headers, text } = await browser.open(there.url(id), CALLBACK)
      expect([id, status, headers.get('location')]).toEqual([id, 400, null])
      texts.add(text)
    }
    expect(inside.seen).toEqual([])
    for (const text of texts) expect(text).not.toMatch(/ECONN|refused|private|loopback|ENOTFOUND/)
  })
})

describe('what the identity provider of a company says', () => {
  const open = async () => {
    const provider = await startAuthorizationServer({ jwt: {} })
    onTestFinished(() => provider.stop())
    const opened = await openSigningIn({
      server: {
        enterprise: [{ issuer: provider.issuer, tenant: 'company', rolesClaim: 'groups' }],
        clients: { desk: { secret: 'a secret of the desk', enterprise: true } },
      },
    })
    const sign = (changes: object = {}, typ = 'oauth-id-jag+jwt') => {
      const now = Math.floor(Date.now() / 1_000)
      const about = {
        iss: provider.issuer,
        sub: 'eve',
        aud: opened.issuer,
        resource: opened.door.url,
        client_id: 'desk',
      }
      const rest = { jti: crypto.randomUUID(), iat: now, exp: now + 300, scope: 'read write', groups: ['dev'] }
      return provider.sign({ ...about, ...rest, ...changes }, { typ })
    }
    const headers = { authorization: `Basic ${btoa('desk:a%20secret%20of%20the%20desk')}` }
    const ask = (assertion: string, more: Readonly<Record<string, string>> = {}, as: object = headers) =>
      opened.ask.token(
        { grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion, ...more },
        as as Readonly<Record<string, string>>,
      )
    return { ...opened, sign, assert: ask }
  }

  test('is good for a token of somebody, without a page', async () => {
    const { sign, assert, door, issuer, store } = await open()
    const metadata = (await (await fetch(`${issuer}/.well-known/oauth-authorization-server`)).json()) as Readonly<
      Record<string, unknown>
    >
    expect(metadata.grant_types_supported).toContain('urn:ietf:params:oauth:grant-type:jwt-bearer')
    expect(metadata.authorization_grant_profiles_supported).toEqual(['urn:ietf:params:oauth:grant-profile:id-jag'])
    const { access_token: token, ...answer } = await assert(sign(), { scope: 'read' })
    expect(answer).toEqual({ status: 200, token_type: 'Bearer', expires_in: 300, scope: 'mcp read' })
    expect(claimsOf(token)).toMatchObject({
      sub: 'eve',
      tenant: 'company',
      roles: ['dev'],
      aud: door.url,
      client_id: 'desk',
    })
    expect((await callEcho(door.url, token)).status).toBe(200)
    await store.grants.revoke({ client: 'desk' })
    const began = performance.now()
    while ((await callEcho(door.url, token)).status !== 401) expect(performance.now() - began).toBeLessThan(2_000)
  })

  test('is refused where it is of another kind, for another, out of time, or was used', async () => {
    const { sign, assert, door } = await open()
    const once = sign()
    expect((await assert(once)).status).toBe(200)
    const now = Math.floor(Date.now() / 1_000)
    for (const [what, assertion] of [
      ['used', once],
      ['another kind', sign({}, 'at+jwt')],
      ['another audience', sign({ aud: door.url })],
      ['several audiences', sign({ aud: [claimsOf(once).aud, 'https://other.example'] })],
      ['another client', sign({ client_id: 'other' })],
      ['no client', sign({ client_id: undefined })],
      ['another resource', sign({ resource: 'https://other.example/mcp' })],
      ['no resource', sign({ resource: undefined })],
      ['no id', sign({ jti: undefined })],
      ['over', sign({ exp: now - 120 })],
      ['for long', sign({ exp: now + 86_400 })],
      ['another issuer', sign({ iss: 'https://other.example' })],
      ['another key', `${sign().slice(0, -8)}AAAAAAAA`],
      ['none', 'x'],
    ] as const) {
      expect([what, await assert(assertion)]).toMatchObject([what, { status: 400, error: 'invalid_grant' }])
    }
    expect((await assert(sign(), { resource: `${door.url}/small` })).status).toBe(400)
    expect((await assert(sign(), { client_id: 'desk' }, {})).status).toBe(401)
  })
})
