import { sendEnveloped, sendHttp } from '@crosspoint/testkit'
import { describe, expect, test } from 'vitest'
import { createMemoryCredentials } from '../../../fixtures/memory-credentials.ts'
import { Browser, openSigned, SERVICE, type SignedOptions } from '../../../fixtures/open-signed.ts'

const CALL = { name: 'tracker__whoami', arguments: {} }

/** A gateway, and a link for a caller who has not signed in. */
async function open(options: SignedOptions = {}) {
  const opened = await openSigned(options)
  const link = await linkFor(opened.url, 'ann')
  return { ...opened, link, call: (who: string) => call(opened.url, who) }
}

async function call(url: string, who: string): Promise<string> {
  const { messages } = await sendEnveloped(url, 'tools/call', CALL, { headers: { 'x-who': who } })
  return messages.at(-1).result.content[0].text
}

const linkFor = async (url: string, who: string) =>
  /http:\S+\/connect\/tracker\?l=[\w-]+/.exec(await call(url, who))?.[0] ?? ''

describe('the page', () => {
  test('says for whom it is, for which server, where one signs in and what is asked for', async () => {
    const { link, issuedBy } = await open({
      auth: { kind: 'oauth', scopes: ['issues:read'], discovery: { headers: { authorization: `Bearer ${SERVICE}` } } },
    })
    const { status, text, headers } = await new Browser().get(link)
    expect(status).toBe(200)
    for (const said of ['ann (default)', 'tracker (127.0.0.1:', new URL(issuedBy.issuer).host, 'issues:read']) {
      expect(text).toContain(said)
    }
    expect(text).not.toMatch(/<script|<iframe|<img|style=/)
    expect(headers).toMatchObject({
      'cache-control': 'no-store',
      'content-security-policy': `default-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self' ${issuedBy.issuer}`,
      'x-frame-options': 'DENY',
      'referrer-policy': 'same-origin',
      'x-content-type-options': 'nosniff',
    })
  })

  test('writes out what a name has of HTML', async () => {
    const { url } = await openSigned()
    const link = await linkFor(url, '<b onload=x>"ann&')
    const { text } = await new Browser().get(link)
    expect(text).toContain('&#60;b onload=x&#62;&#34;ann&#38;')
    expect(text).not.toContain('<b onload')
  })

  test('may be looked at by those who show previews, and is good for one who goes on', async () => {
    const { link, call: callAs, issuedBy } = await open()
    for (let look = 0; look < 3; look++) expect((await new Browser().get(link)).status).toBe(200)
    expect(issuedBy.seen.filter(({ path }) => path === '/register')).toHaveLength(1)
    const [mine, other] = [new Browser(), new Browser()]
    const [page, same] = [await mine.get(link), await other.get(link)]
    expect((await mine.press(link, page)).text).toContain('Signed in to tracker')
    expect((await other.press(link, same)).status).toBe(410)
    expect(await callAs('ann')).toMatch(/^access-/)
    expect(await callAs('bob')).toContain('/connect/tracker')
  })

  test('an owner who asks again while a link is fresh gets the same one', async () => {
    const { url, link } = await open()
    expect(await linkFor(url, 'ann')).toBe(link)
    expect(await linkFor(url, 'bob')).not.toBe(link)
  })

  test('is over after ten minutes, also for who has begun', async () => {
    let now = Date.now()
    const { link } = await open({ gateway: { wallClock: () => now } })
    const browser = new Browser()
    const page = await browser.get(link)
    now += 600_001
    expect((await browser.get(link)).status).toBe(410)
    expect((await browser.press(link, page)).status).toBe(410)
  })

  test('abuse-50: a link that was changed, is for another server or of another gateway says nothing', async () => {
    const { link, door } = await open()
    const base = door.url.replace(/\/mcp$/, '')
    const foreign = await open({ more: { vault: { key: 'B'.repeat(43) } } })
    const sealed = link.split('l=')[1] ?? ''
    const changed = sealed.startsWith('A') ? `B${sealed.slice(1)}` : `A${sealed.slice(1)}`
    for (const bad of [changed, foreign.link.split('l=')[1], '', 'x', `${sealed}A`]) {
      expect((await new Browser().get(`${base}/connect/tracker?l=${bad}`)).status).toBe(410)
    }
    for (const path of ['other', 'tracker/x', '', '__proto__', 'constructor']) {
      expect((await new Browser().get(`${base}/connect/${path}?l=${sealed}`)).status, path).toBe(404)
    }
  })

  test('nothing in a link can be read', async () => {
    const { url } = await openSigned()
    const link = await linkFor(url, 'very-private-name')
    const sealed = Buffer.from(link.split('l=')[1] ?? '', 'base64url').toString('latin1')
    expect(`${link} ${sealed}`).not.toContain('very-private')
  })
})

describe('whose browser it is', () => {
  test('abuse-46: who is known to be somebody else is turned away, before and after', async () => {
    const whoIs = (headers: Readonly<Record<string, string | undefined>>) =>
      headers['x-browser'] === undefined ? undefined : { id: headers['x-browser'], tenant: 'default' }
    const { link } = await open({ gateway: { whoIs } })
    const browser = new Browser()
    expect((await browser.get(link)).status).toBe(403)
    expect((await browser.get(link, { 'x-browser': 'bob' })).status).toBe(403)
    const page = await browser.get(link, { 'x-browser': 'ann' })
    expect(page.status).toBe(200)
    expect((await browser.press(link, page, { 'x-browser': 'bob' })).status).toBe(403)
    expect((await browser.press(link, page, { 'x-browser': 'ann' })).status).toBe(200)
  })

  test('a form that was not looked at in this browser, or comes from elsewhere, begins nothing', async () => {
    const { link, issuedBy, door } = await open()
    const mine = new Browser()
    const page = await mine.get(link)
    expect((await new Browser().press(link, page)).status).toBe(403)
    const others = new Browser()
    await others.get(link)
    expect((await others.press(link, page)).status).toBe(403)
    expect((await mine.press(link, page, { origin: 'https://evil.example' })).status).toBe(403)
    expect((await mine.press(link, page, { 'sec-fetch-site': 'cross-site' })).status).toBe(403)
    expect(issuedBy.seen.some(({ path }) => path === '/authorize')).toBe(false)
    const origin = new URL(door.url).origin
    expect((await mine.press(link, page, { origin, 'sec-fetch-site': 'same-origin' })).status).toBe(200)
  })

  test('the way back is for the browser that began, so that nobody ends a sign-in for another', async () => {
    let back = ''
    const { link, call: callAs } = await open({
      issuer: {
        answer: ({ path, query }) => {
          if (path !== '/authorize') return undefined
          const url = new URL(query.get('redirect_uri') ?? '')
          url.searchParams.set('state', query.get('state') ?? '')
          url.searchParams.set('code', 'stolen')
          back = url.href
          return { body: 'the page of the issuer' }
        },
      },
    })
    await new Browser().signIn(link)
    expect((await new Browser().get(back)).status).toBe(403)
    expect((await new Browser().get(back.replace(/state=[^&]+/, 'state=other'))).status).toBe(410)
    expect((await new Browser().get(back.replace(/state=[^&]+/, ''))).status).toBe(410)
    expect(await callAs('ann')).toContain('/connect/tracker')
  })
})

describe('what authorization servers try', () => {
  const failing = async (options: SignedOptions) => {
    const { link, issuedBy, call: callAs, log } = await open(options)
    const { status, text } = await new Browser().signIn(link)
    expect(status).toBe(500)
    expect(await callAs('ann')).toContain('/connect/tracker')
    return { text, grants: issuedBy.grants(), log: JSON.stringify(log) }
  }

  test('abuse-31, trap-46: an answer of another issuer is no answer, and nothing is sent for it', async () => {
    const { grants, text } = await failing({
      issuer: { callback: (params) => params.set('iss', 'https://evil.example') },
    })
    expect(grants).toEqual([])
    expect(text).not.toContain('evil')
  })

  test('abuse-31: metadata of another issuer, and one without PKCE, end it before anybody signs in', async () => {
    const other = await failing({ issuer: { metadata: (all) => ({ ...all, issuer: 'https://evil.example' }) } })
    const open = await failing({ issuer: { metadata: (all) => ({ ...all, code_challenge_methods_supported: [] }) } })
    expect([other.grants, open.grants]).toEqual([[], []])
    expect(open.text).toContain('PKCE')
  })

  test.each(['javascript:alert(1)//', 'file:///etc/passwd', 'data:text/html,x', 'http://10.0.0.1/authorize'])(
    'abuse-32: nobody is sent to %s',
    async (authorization_endpoint) => {
      const { text } = await failing({ issuer: { metadata: (all) => ({ ...all, authorization_endpoint }) } })
      expect(text).not.toContain(authorization_endpoint)
    },
  )

  test.each(['http://169.254.169.254/token', 'https://10.1.2.3/token', 'http://[::ffff:10.0.0.1]/token'])(
    'abuse-30: nothing is sent to %s, and nothing is told of it',
    async (token_endpoint) => {
      const { text, log } = await failing({ issuer: { metadata: (all) => ({ ...all, token_endpoint }) } })
      expect(text + log).not.toContain(new URL(token_endpoint).hostname)
    },
  )

  test('a refusal of theirs is told in their one word', async () => {
    const { text } = await failing({
      issuer: {
        answer: ({ path }) =>
          path === '/token'
            ? { status: 400, body: { error: 'invalid_grant', error_description: 'SECRET' } }
            : undefined,
      },
    })
    expect(text).toContain('invalid_grant')
    expect(text).not.toContain('SECRET')
  })

  test('a registration is the gateway’s, and is made once for all callers', async () => {
    const { url, issuedBy, credentials } = await open()
    for (const who of ['ann', 'bob', 'cid']) await new Browser().signIn(await linkFor(url, who))
    expect(issuedBy.seen.filter(({ path }) => path === '/register')).toHaveLength(1)
    const kinds = [...credentials.records.values()].map(({ kind }) => kind).sort()
    expect(kinds).toEqual(['client', 'connection', 'connection', 'connection'])
  })
})

test('behind https the browser is known by a cookie that no neighbour of the host can set', async () => {
  const { url, door } = await openSigned({ more: { auth: { resource: 'https://gateway.example' } } })
  const [, query = ''] = /https:\/\/gateway\.example\/connect\/tracker(\?l=[\w-]+)/.exec(await call(url, 'ann')) ?? []
  const link = `${door.url.replace(/\/mcp$/, '')}/connect/tracker${query}`
  const page = await sendHttp(link, { method: 'GET' })
  const [cookie = ''] = page.headers['set-cookie'] ?? []
  expect(cookie).toMatch(/^__Host-crosspoint-connect=[\w-]{43}; Path=\/; HttpOnly; SameSite=Lax; Max-Age=600; Secure$/)
  const [, name = '', value = ''] = /^([^=]+)=([^;]+)/.exec(cookie) ?? []
  const csrf = /name="csrf" value="([^"]+)"/.exec(page.text)?.[1] ?? ''
  const press = (sent: string) =>
    sendHttp(link, {
      method: 'POST',
      headers: { cookie: sent },
      body: String(new URLSearchParams({ l: query.slice(3), csrf })),
    })
  expect((await press(`crosspoint-connect=${value}`)).status).toBe(403)
  const { status, headers } = await press(`other=1; ${name}=${value}`)
  expect([status, new URL(headers.location ?? '').searchParams.get('redirect_uri')]).toEqual([
    303,
    'https://gateway.example/connect/callback',
  ])
})

test('the metadata of the client is served for issuers that take its address', async () => {
  const { door } = await openSigned()
  const base = door.url.replace(/\/mcp$/, '')
  const { text } = await new Browser().get(`${base}/connect/client.json`)
  expect(JSON.parse(text)).toMatchObject({
    client_id: `${base}/connect/client.json`,
    redirect_uris: [`${base}/connect/callback`],
  })
})

test('a sign-in that was taken away elsewhere ends within ten seconds', async () => {
  let now = Date.now()
  const credentials = createMemoryCredentials()
  const { link, call: callAs } = await open({ credentials, gateway: { wallClock: () => now } })
  await new Browser().signIn(link)
  expect(await callAs('ann')).toMatch(/^access-/)
  for (const record of credentials.records.values()) if (record.kind === 'connection') await credentials.remove(record)
  expect(await callAs('ann')).toMatch(/^access-/)
  now += 10_001
  expect(await callAs('ann')).toContain('/connect/tracker')
})

test('a row that was put in the place of another is not taken for it', async () => {
  const { url, credentials, link, call: callAs } = await open()
  await new Browser().signIn(link)
  for (const [key, record] of credentials.records) {
    if (record.kind !== 'connection') continue
    credentials.records.set(key.replace('"ann"', '"bob"'), { ...record, principal: 'bob' })
  }
  expect(await linkFor(url, 'bob')).toContain('/connect/tracker')
  expect(await callAs('ann')).toMatch(/^access-/)
  await new Browser().signIn(await linkFor(url, 'bob'))
  expect(await callAs('bob')).not.toBe(await callAs('ann'))
})
