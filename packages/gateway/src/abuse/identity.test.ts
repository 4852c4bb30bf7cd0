import { createHmac, createPublicKey } from 'node:crypto'
import { connect } from '@crosspoint/mcp/client'
import { openSseSession, openWireSession, sendEnveloped, sendHttp, toJwt } from '@crosspoint/testkit'
import { describe, expect, onTestFinished, test } from 'vitest'
import { configOf } from '../../fixtures/open-gateway.ts'
import { type GuardedOptions, openGuarded } from '../../fixtures/open-guarded.ts'
import { openFrontDoor } from '../front/door.ts'
import { createGateway } from '../gateway.ts'

const HANDSHAKES = ['2025-11-25', '2025-06-18', '2025-03-26']
const client = { name: 'test', version: '1.0.0' }
const bearer = (text: string) => ({ authorization: `Bearer ${text}` })
const callEcho = (url: string, headers: Readonly<Record<string, string | readonly string[]>> = {}) =>
  sendEnveloped(url, 'tools/call', { name: 'up__echo', arguments: {} }, { headers })

/** Status and challenge, which is all a caller learns. */
const answerOf = async (sent: ReturnType<typeof callEcho>) => {
  const { status, headers } = await sent
  return [status, headers['www-authenticate']]
}

const open = (options: GuardedOptions = {}) => openGuarded({ issuer: {}, ...options })

test('a key and a token let their callers in, and the log says who they are', async () => {
  const { door, key, token, log } = await open({ issuer: { tenant: 'acme', rolesClaim: 'roles' } })
  const { text } = await key()
  for (const headers of [bearer(text), { 'x-api-key': text }, bearer(token())]) {
    expect((await callEcho(door.url, headers)).status).toBe(200)
  }
  const principals = log.flatMap((line) => (Array.isArray(line) && line[0] === 'call' ? [line[1].principal] : []))
  expect(principals).toEqual(['alice', 'alice', 'ann'])
})

test.each(HANDSHAKES)('sessions of %s are their callers’, whichever way they say who they are', async (revision) => {
  const { door, key, token } = await open({ issuer: { tenant: 'default' } })
  const [alice, ben] = [await key(), await key({ principal: 'ben' })]
  const session = await openWireSession(door.url, { revision, headers: bearer(alice.text) })
  const again = (headers: Readonly<Record<string, string>>) => session.request('tools/list', {}, { headers })
  expect((await again({})).status).toBe(200)
  // The same person with a token of an issuer of the same tenant is the same caller.
  expect((await again(bearer(token({ sub: 'alice' })))).status).toBe(200)
  expect((await again(bearer(ben.text))).status).toBe(404)
  expect((await again(bearer(token({ sub: 'ben' })))).status).toBe(404)
  expect((await again(bearer('cpk_x'))).status).toBe(401)
})

describe('abuse-03: an address that others reach', () => {
  test('is bound where callers are asked who they are, and asks them', async () => {
    const { door, key } = await openGuarded({ door: { host: '0.0.0.0' } })
    const url = `http://127.0.0.1:${door.port}/mcp`
    expect((await callEcho(url)).status).toBe(401)
    expect((await callEcho(url, bearer((await key()).text))).status).toBe(200)
  })

  test('is refused without, in words that say what would work', async () => {
    const text = { listen: { host: '0.0.0.0' } }
    expect(() => configOf([], text)).toThrow(/add "auth", so that callers are asked, or bind 127\.0\.0\.1/)
    expect(configOf([], { ...text, auth: {} }).listen.host).toBe('0.0.0.0')
    const gateway = createGateway({ config: configOf([]), info: client })
    await expect(openFrontDoor(gateway, { host: '0.0.0.0' })).rejects.toThrow(/without authentication/)
  })

  test('lets nobody in when a reload takes the question away', async () => {
    const { door, key, reload } = await openGuarded({ door: { host: '0.0.0.0' } })
    const url = `http://127.0.0.1:${door.port}/mcp`
    const { text } = await key()
    expect((await callEcho(url, bearer(text))).status).toBe(200)
    await reload(undefined)
    expect((await callEcho(url)).status).toBe(401)
    expect((await callEcho(url, bearer(text))).status).toBe(401)
  })
})

describe('abuse-25: who has no token, or one that is not good, gets 401 and is told where to get one', () => {
  test.each([
    ['none', undefined, ''],
    ['a bad signature', (token: string) => `${token.slice(0, -4)}AAAA`, ', error="invalid_token"'],
    ['no token at all', () => 'abc', ', error="invalid_token"'],
    ['three parts of nothing', () => 'a.b.c', ', error="invalid_token"'],
  ])('%s', async (_, change, error) => {
    const { door, token } = await open()
    const metadata = `http://127.0.0.1:${door.port}/.well-known/oauth-protected-resource/mcp`
    const headers = change === undefined ? {} : bearer(change(token()))
    expect(await answerOf(callEcho(door.url, headers))).toEqual([401, `Bearer resource_metadata="${metadata}"${error}`])
  })

  test.each([
    ['expired', { exp: Math.floor(Date.now() / 1_000) - 60 }],
    ['without an end', { exp: undefined }],
    ['of another issuer', { iss: 'https://evil.example' }],
    ['of nobody', { sub: undefined }],
    ['of somebody with a line break', { sub: 'ann\nadmin' }],
  ])('a token %s', async (_, changes) => {
    const { door, token } = await open()
    expect((await answerOf(callEcho(door.url, bearer(token(changes)))))[0]).toBe(401)
  })

  test('where there are keys only, the challenge names no issuer', async () => {
    const { door, token } = await openGuarded()
    expect(await answerOf(callEcho(door.url))).toEqual([401, 'Bearer'])
    expect(await answerOf(callEcho(door.url, bearer('cpk_x')))).toEqual([401, 'Bearer error="invalid_token"'])
    expect(await answerOf(callEcho(door.url, bearer(token())))).toEqual([401, 'Bearer error="invalid_token"'])
    const { port } = door
    const there = await sendHttp(`http://127.0.0.1:${port}/.well-known/oauth-protected-resource/mcp`, { method: 'GET' })
    expect(there.status).toBe(404)
  })

  test('where there are tokens only, a key is none', async () => {
    const { door, key, token } = await open({ auth: { keys: { enabled: false } } })
    const { text } = await key()
    for (const headers of [bearer(text), { 'x-api-key': text }]) {
      expect((await callEcho(door.url, headers)).status).toBe(401)
    }
    expect((await callEcho(door.url, bearer(token()))).status).toBe(200)
  })

  test('a token is good to its end, however long it is remembered', async () => {
    let now = Date.now()
    const { door, token } = await open({ gateway: { wallClock: () => now } })
    const text = token()
    expect((await callEcho(door.url, bearer(text))).status).toBe(200)
    now += 89_000
    expect((await callEcho(door.url, bearer(text))).status).toBe(200)
    now += 3_000
    expect((await callEcho(door.url, bearer(text))).status).toBe(401)
  })
})

describe('abuse-26: a token is for the endpoint it names and for no other', () => {
  test.each([
    ['the endpoint', (url: string) => url, true],
    ['it and others', (url: string) => ['https://other.example', url], true],
    ['a view', (url: string) => `${url}/small`, false],
    ['the gateway', (url: string) => url.replace('/mcp', ''), false],
    ['more than its name', (url: string) => `${url}/`, false],
    ['several names in one text', (url: string) => `${url} https://x`, false],
    ['somebody else', () => 'https://other.example/mcp', false],
    ['nobody', () => [], false],
  ])('for %s', async (_, toAudience, isTaken) => {
    const { door, token } = await open()
    const text = token({ aud: toAudience(door.url) })
    expect((await callEcho(door.url, bearer(text))).status).toBe(isTaken ? 200 : 401)
  })

  test('one for the endpoint of everything is none for a view, nor one for a view for another, remembered or not', async () => {
    const { door, token } = await open()
    const [all, small] = [token(), token({ aud: `${door.url}/small` })]
    for (let round = 0; round < 2; round++) {
      const statuses = await Promise.all(
        [door.url, `${door.url}/small`, `${door.url}/other`].flatMap((url) =>
          [all, small].map(async (text) => (await callEcho(url, bearer(text))).status),
        ),
      )
      expect(statuses).toEqual([200, 401, 401, 200, 401, 401])
    }
  })

  test('names of an issuer’s own are good for every endpoint, where they are configured', async () => {
    const { door, token } = await open({ issuer: { audience: ['api://crosspoint'] } })
    const text = token({ aud: 'api://crosspoint' })
    for (const url of [door.url, `${door.url}/small`]) expect((await callEcho(url, bearer(text))).status).toBe(200)
    expect((await callEcho(door.url, bearer(token({ aud: 'api://other' })))).status).toBe(401)
  })

  test('a door that serves one view at its root is named by its root', async () => {
    const { door, token } = await open({ door: { view: 'small' } })
    expect((await callEcho(door.url, bearer(token()))).status).toBe(200)
    expect((await callEcho(door.url, bearer(token({ aud: `${door.url}/small` })))).status).toBe(401)
  })

  test('the public address is what counts where there is one', async () => {
    const { door, token } = await open({ auth: { resource: 'https://mcp.example.com/gw/' } })
    expect((await callEcho(door.url, bearer(token()))).status).toBe(401)
    expect((await callEcho(door.url, bearer(token({ aud: 'https://mcp.example.com/gw/mcp' })))).status).toBe(200)
  })

  test.each([
    ['signed with nothing', { alg: 'none' }],
    ['of a kind of its own', { typ: 'JWT' }],
    ['of no kind', { typ: undefined }],
  ])('a token %s', async (_, header) => {
    const { door, token } = await open()
    expect((await callEcho(door.url, bearer(token({}, header)))).status).toBe(401)
  })

  test('an ID token is none, also where tokens are written as such', async () => {
    const { door, token } = await open({ issuer: { types: ['JWT'] } })
    expect((await callEcho(door.url, bearer(token({}, { typ: 'JWT' })))).status).toBe(200)
    for (const claims of [{ nonce: 'n' }, { at_hash: 'h' }]) {
      expect((await callEcho(door.url, bearer(token(claims, { typ: 'JWT' })))).status).toBe(401)
    }
  })

  test('a public key is not taken for a shared secret', async () => {
    const { door, token, issuedBy } = await open()
    const { text } = await sendHttp(`${issuedBy.issuer}/jwks`, { method: 'GET' })
    const [jwk] = JSON.parse(text).keys
    const pem = createPublicKey({ key: jwk, format: 'jwk' }).export({ type: 'spki', format: 'pem' })
    const [, payload = ''] = token().split('.')
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString())
    const forged = toJwt({ alg: 'HS256', typ: 'at+jwt', kid: jwk.kid }, claims, (signed) =>
      createHmac('sha256', pem).update(signed).digest(),
    )
    expect((await callEcho(door.url, bearer(forged))).status).toBe(401)
  })

  test('unknown keys do not make us ask the issuer again and again', async () => {
    const { door, token, issuedBy } = await open()
    const asked = () => issuedBy.seen.filter(({ path }) => path === '/jwks').length
    expect((await callEcho(door.url, bearer(token()))).status).toBe(200)
    const before = asked()
    for (let i = 0; i < 20; i++) {
      expect((await callEcho(door.url, bearer(token({}, { kid: `unknown-${i}` })))).status).toBe(401)
    }
    expect(asked() - before).toBeLessThanOrEqual(1)
  })

  test('a reload that leaves an issuer alone does not ask it for its keys again', async () => {
    const { door, token, issuedBy, reload, toAuth } = await open()
    await callEcho(door.url, bearer(token()))
    const asked = () => issuedBy.seen.filter(({ path }) => path === '/jwks').length
    const before = asked()
    await reload({ ...toAuth(), tokens: { cacheMs: 1_000 } })
    expect((await callEcho(door.url, bearer(token()))).status).toBe(200)
    expect(asked()).toBe(before)
  })
})

describe('abuse-27: a scope that is missing is 403 with all that are needed', () => {
  const more = {
    scopes: { read: { resources: ['*'] }, write: { tools: ['up__*'] }, other: { tools: ['other__*'] } },
    roles: { admin: { scopes: ['*'] } },
  }
  test('for a key and for a token, in every revision, and the metadata says what to ask for', async () => {
    const { door, key, token } = await open({ more, issuer: { scopesImplied: { all: ['read', 'write'] } } })
    const metadata = `http://127.0.0.1:${door.port}/.well-known/oauth-protected-resource/mcp`
    const refused = [403, `Bearer resource_metadata="${metadata}", error="insufficient_scope", scope="read write"`]
    const narrow = [bearer((await key({ scopes: ['read'] })).text), bearer(token({ scope: 'read' }))]
    const broad = [
      bearer((await key({ scopes: ['read', 'write'] })).text),
      bearer(token({ scope: 'all' })),
      bearer((await key({ roles: ['admin'] })).text),
    ]
    for (const headers of narrow) expect(await answerOf(callEcho(door.url, headers))).toEqual(refused)
    for (const headers of broad) expect((await callEcho(door.url, headers)).status).toBe(200)
    for (const revision of HANDSHAKES) {
      const session = await openWireSession(door.url, { revision, headers: bearer(token({ scope: 'read' })) })
      expect((await session.request('tools/call', { name: 'up__echo', arguments: {} })).status).toBe(403)
    }
    expect(JSON.parse((await sendHttp(metadata, { method: 'GET' })).text)).toMatchObject({
      scopes_supported: ['write'],
    })
  })
})

test('each endpoint says who gives tokens for it, where its challenge says', async () => {
  const { door, issuedBy } = await open()
  for (const [path, more] of [
    ['/mcp', {}],
    ['/mcp/small', { resource_name: 'Small' }],
    ['/sse', {}],
  ] as const) {
    const url = `http://127.0.0.1:${door.port}${path}`
    const [, challenge = ''] = await answerOf(
      path === '/sse' ? sendHttp(url, { method: 'GET', headers: { accept: 'text/event-stream' } }) : callEcho(url),
    )
    const [, where = ''] = /resource_metadata="([^"]+)"/.exec(String(challenge)) ?? []
    expect(JSON.parse((await sendHttp(where, { method: 'GET' })).text)).toEqual({
      resource: url,
      authorization_servers: [issuedBy.issuer],
      bearer_methods_supported: ['header'],
      ...more,
    })
  }
  const { port } = door
  for (const path of ['', '/', '/mcp/none', '/mcp/', '/other', '/mcp/small/x']) {
    const url = `http://127.0.0.1:${port}/.well-known/oauth-protected-resource${path}`
    expect((await sendHttp(url, { method: 'GET' })).status, path).toBe(404)
  }
})

test('behind a proxy the metadata is that of the public address, with its path or without', async () => {
  const { door } = await open({ auth: { resource: 'https://mcp.example.com/gw' } })
  const at = (path: string) =>
    sendHttp(`http://127.0.0.1:${door.port}/.well-known/oauth-protected-resource${path}`, {
      method: 'GET',
      headers: { host: 'mcp.example.com' },
    })
  expect(JSON.parse((await at('/gw/mcp/small')).text).resource).toBe('https://mcp.example.com/gw/mcp/small')
  const [, challenge] = await answerOf(callEcho(door.url))
  expect(challenge).toBe(
    'Bearer resource_metadata="https://mcp.example.com/.well-known/oauth-protected-resource/gw/mcp"',
  )
})

describe('abuse-28: what a caller shows reaches no server', () => {
  test.each([...HANDSHAKES, undefined])('at revision %s', async (revision) => {
    const { door, key, token, reached, log } = await open()
    const made = await key()
    const jwt = token()
    const spellings: readonly Readonly<Record<string, string>>[] = [
      { Authorization: `Bearer ${made.text}` },
      { authorization: `bearer ${made.text}` },
      { AUTHORIZATION: `BEARER   ${jwt}` },
      { 'X-API-Key': made.text },
      { 'x-api-key': made.text },
      { 'X-Api-KEY': made.text },
      { authorization: `Bearer ${jwt}`, cookie: `token=${jwt}`, dpop: jwt, 'proxy-authorization': `Bearer ${jwt}` },
    ]
    for (const headers of spellings) {
      const opened = await connect(
        { kind: 'http', url: door.url, headers },
        { client, ...(revision === undefined ? {} : { revision }) },
      )
      expect(await opened.callTool('up__echo')).toMatchObject({ content: [{ text: 'echo' }] })
      await opened.close()
    }
    expect(reached.length).toBeGreaterThan(spellings.length)
    for (const seen of [JSON.stringify(reached), JSON.stringify(log)]) {
      expect(seen).not.toContain(made.text)
      expect(seen).not.toContain(made.text.slice(-43))
      expect(seen).not.toContain(jwt)
      expect(seen).not.toContain(jwt.split('.')[2])
    }
    expect(JSON.stringify(reached)).not.toMatch(/x-api-key|"(?:proxy-)?authorization":"|cpk_|eyJ/i)
  })

  test('nor over HTTP+SSE', async () => {
    const { door, key, reached } = await open()
    const { text } = await key()
    const session = await openSseSession(door.url.replace('/mcp', '/sse'), { 'x-api-key': text })
    onTestFinished(() => void session.stream.destroy())
    await session.initialize()
    expect((await session.request('tools/call', { name: 'up__echo', arguments: {} })).result.content[0].text).toBe(
      'echo',
    )
    expect(JSON.stringify(reached)).not.toContain(text)
  })
})

describe('abuse-29: a credential comes once and in a header', () => {
  test('in the address it is none, beside a good one it is refused, and neither is logged', async () => {
    const { door, key, token, log } = await open()
    const [{ text }, jwt] = [await key(), token()]
    for (const query of [`access_token=${jwt}`, `access_token=${text}`, `api_key=${text}`, `x=1&access_token=${jwt}`]) {
      expect((await callEcho(`${door.url}?${query}`)).status).toBe(401)
    }
    expect((await callEcho(`${door.url}?access_token=${jwt}`, bearer(jwt))).status).toBe(401)
    expect((await callEcho(`${door.url}?x=1&access%5Ftoken=${jwt}`, bearer(jwt))).status).toBe(401)
    expect((await callEcho(`${door.url}?x=1`, bearer(jwt))).status).toBe(200)
    expect(log.length).toBeGreaterThan(5)
    for (const secret of [text, jwt]) expect(JSON.stringify(log)).not.toContain(secret)
  })

  test('two of them are 400, whatever they are', async () => {
    const { door, key, token, log } = await open()
    const [{ text }, jwt] = [await key(), token()]
    const twice: readonly Readonly<Record<string, string | readonly string[]>>[] = [
      { authorization: [`Bearer ${jwt}`, `Bearer ${jwt}`] },
      { authorization: [`Bearer ${text}`, `Bearer ${jwt}`] },
      { authorization: `Bearer ${jwt}`, 'x-api-key': text },
      { authorization: `Bearer ${text}`, 'x-api-key': text },
      { authorization: 'Basic YTpi', 'x-api-key': text },
    ]
    for (const headers of twice) expect((await callEcho(door.url, headers)).status).toBe(400)
    // As one, with a comma between.
    for (const headers of [
      bearer(`${jwt}, Bearer ${jwt}`),
      bearer(`${text}, Bearer ${text}`),
      { 'x-api-key': [text, text] },
    ]) {
      expect((await callEcho(door.url, headers)).status).toBeOneOf([400, 401])
    }
    for (const headers of [
      { authorization: 'Basic YTpi' },
      { authorization: 'Bearer' },
      { authorization: 'Bearer ' },
    ]) {
      expect((await callEcho(door.url, headers)).status).toBeOneOf([400, 401])
    }
    for (const secret of [text, jwt]) expect(JSON.stringify(log)).not.toContain(secret)
  })
})

test('where an issuer cannot be asked it is 503, and no token is called bad', async () => {
  const { door, token } = await open({
    authorizationServer: { answer: ({ path }) => (path === '/jwks' ? { status: 500 } : undefined) },
  })
  expect(await answerOf(callEcho(door.url, bearer(token())))).toEqual([503, undefined])
})

test('abuse-50: where the store cannot be asked it is 503, and says nothing of it', async () => {
  const { door, key, keys } = await openGuarded()
  const { text } = await key()
  keys.broken = true
  const answer = await callEcho(door.url, bearer(text))
  expect(answer.status).toBe(503)
  expect(answer.text).not.toMatch(/postgres|internal/)
})
