import { expect, test } from 'vitest'
import { type AdminTestOptions, openAdminDoorOf } from '../../fixtures/open-admin.ts'
import { ROUTES, routeOf } from './routes.ts'

const SECRET = '0123456789abcdef0123456789abcdef'
const GUARDED = Object.entries(ROUTES).filter(([id]) => id !== 'live' && id !== 'ready')
const STATUS = '/api/v1/status'

/** An API that takes tokens of an issuer as well, named by its own address. */
async function openIssued(options: AdminTestOptions = {}) {
  const opened = await openAdminDoorOf({ issuer: { rolesClaim: 'roles' }, ...options })
  const { admin, token } = opened
  return {
    ...opened,
    sign: (roles: readonly string[], changes: object = {}) => token({ aud: `${admin.url}/api/v1`, roles, ...changes }),
  }
}

test.each([
  'null',
  'https://evil.example.com',
  'http://127.0.0.1',
  'http://127.0.0.1:1',
  'HTTP://LOCALHOST',
  'http://localhost.evil.example.com',
  'file://',
  '',
])('abuse-1: a page of %j is refused before anything else is looked at', async (origin) => {
  const { send } = await openAdminDoorOf()
  const { status, json, headers } = await send(STATUS, { headers: { origin } })
  expect([status, json]).toEqual([403, expect.objectContaining({ code: 'forbidden_origin' })])
  expect(headers['access-control-allow-origin']).toBeUndefined()
})

test('abuse-1: pages of our own and those that are named may read answers, and no others', async () => {
  const { send, admin } = await openAdminDoorOf({ admin: { allowedOrigins: ['https://console.example.com'] } })
  for (const origin of [admin.url, 'https://console.example.com']) {
    const { status, headers } = await send(STATUS, { headers: { origin } })
    expect([status, headers['access-control-allow-origin'], headers.vary]).toEqual([200, origin, 'origin'])
    const asked = await send('/api/v1/keys', { method: 'OPTIONS', headers: { origin, authorization: undefined } })
    expect([asked.status, asked.headers['access-control-allow-headers']]).toEqual([204, 'authorization, content-type'])
    expect(asked.headers['access-control-allow-credentials']).toBeUndefined()
  }
  const { status } = await send('/api/v1/keys', { method: 'OPTIONS', headers: { origin: 'https://evil.example.com' } })
  expect(status).toBe(403)
})

test.each([
  'evil.example.com',
  'evil.example.com:8361',
  'localhost.evil.example.com',
  '127.0.0.1.nip.io',
  '127.0.0.1@evil.example.com',
  '0.0.0.0',
  '2130706433',
])('abuse-2: nothing is served under the name %s, that somebody made resolve to this machine', async (host) => {
  const { send } = await openAdminDoorOf()
  const { status, json } = await send('/api/v1/health/live', { headers: { host } })
  expect([status, json]).toEqual([403, expect.objectContaining({ code: 'forbidden_host' })])
})

test('abuse-2: a name that is allowed is served', async () => {
  const { send } = await openAdminDoorOf({ admin: { allowedHosts: ['admin.example.com'] } })
  for (const host of ['admin.example.com', 'ADMIN.example.com:443', 'localhost', '[::1]:8361']) {
    expect((await send(STATUS, { headers: { host } })).status, host).toBe(200)
  }
})

test('abuse-3: without more it listens on this machine alone, with a token of its own each time', async () => {
  const [first, second] = [await openAdminDoorOf(), await openAdminDoorOf()]
  expect(new URL(first.admin.url).hostname).toBe('127.0.0.1')
  expect(first.admin.token).toMatch(/^cpa_[\w-]{43}$/)
  expect(first.admin.token).not.toBe(second.admin.token)
})

test.each(GUARDED)('abuse-47: %s is for nobody without a token', async (id) => {
  const { send } = await openAdminDoorOf()
  const { method, path } = routeOf(id as keyof typeof ROUTES)
  const sent = { method, ...(method === 'POST' ? { body: '{}' } : {}) }
  const type = { 'content-type': 'application/json' }
  for (const authorization of [undefined, '', 'Basic YTpi', 'Bearer', `Bearer cpa_${'x'.repeat(43)}`]) {
    const { status, headers, json } = await send(`/api/v1${path}`, { ...sent, headers: { ...type, authorization } })
    expect([status, json]).toEqual([401, expect.objectContaining({ code: 'unauthenticated' })])
    expect(headers['www-authenticate']).toMatch(/^Bearer/)
  }
})

test('abuse-47: a token counts in the header alone', async () => {
  const { send, admin } = await openAdminDoorOf()
  const headers = { authorization: undefined, cookie: `token=${admin.token}` }
  expect((await send(`${STATUS}?token=${admin.token}&access_token=${admin.token}`, { headers })).status).toBe(401)
  const twice = await send(STATUS, { headers: { authorization: [`Bearer ${admin.token}`, 'Bearer x'] } })
  expect(twice.status).toBe(400)
})

test.each([
  undefined,
  'text/plain',
  'application/x-www-form-urlencoded',
  'multipart/form-data; boundary=x',
  'application/json; charset=utf-7',
])('abuse-47: what a form of a page can send (%s) changes nothing', async (type) => {
  const { send, keys } = await openAdminDoorOf()
  const body = JSON.stringify({ principal: 'mallory' })
  const { status } = await send('/api/v1/keys', { method: 'POST', headers: { 'content-type': type }, body })
  expect(status).toBe(415)
  expect(await keys.list({ limit: 1 })).toEqual([])
})

test('abuse-47: a browser neither shows, frames, keeps nor runs what is answered', async () => {
  const { send } = await openAdminDoorOf()
  for (const path of [STATUS, '/api/v1/nothing', '/']) {
    const { headers } = await send(path)
    expect(headers).toMatchObject({
      'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
    })
    expect(headers['content-type']).toMatch(/json$/)
    expect(headers['set-cookie']).toBeUndefined()
  }
})

test('abuse-36: no command, argument or variable can be sent, and what a text says is never started', async () => {
  const started: unknown[] = []
  const { send, gateway } = await openAdminDoorOf({
    open: {
      file: {
        path: 'crosspoint.yaml',
        explain: () => [],
        reload: async () => Promise.reject(new Error('not asked for')),
        validate: (text) => {
          started.push(text)
          return { errors: [], warnings: [] }
        },
      },
    },
  })
  const json = { 'content-type': 'application/json' }
  const server = { command: 'sh', args: ['-c', 'touch /tmp/owned'], env: { NODE_OPTIONS: '--require=/tmp/x' } }
  const body = JSON.stringify({ servers: { evil: server } })
  for (const [method, path] of [
    ['POST', '/servers'],
    ['PUT', '/servers/evil'],
    ['PATCH', '/config'],
    ['POST', '/config'],
    ['POST', '/servers/up/restart'],
    ['POST', '/config/reload'],
  ]) {
    const { status } = await send(`/api/v1${path}`, { method: method ?? '', headers: json, body })
    expect([400, 404, 405], `${method} ${path}`).toContain(status)
  }
  const checked = await send('/api/v1/config/validate', {
    method: 'POST',
    headers: json,
    body: JSON.stringify({ text: body }),
  })
  expect([checked.status, started]).toEqual([200, [body]])
  expect(gateway.status().map(({ name }) => name)).toEqual(['up'])
})

test('abuse-40: what is asked for is one short line in log and evidence, without controls, and no secret', async () => {
  const { send, lines, admin, client } = await openAdminDoorOf()
  await send(`/api/v1/servers/${encodeURIComponent('a\r\n{"level":"info"}\u001b[2J\u202e')}`)
  await send(`/api/v1/${'x'.repeat(10_000)}?token=${admin.token}`)
  await client.createKey({ principal: 'alice', label: '\u001b]0;owned\u0007' })
  const text = JSON.stringify(lines)
  expect(text).not.toContain(admin.token)
  expect(text).not.toMatch(/\\r|\\n|\\u001b|\u202e/)
  expect(Math.max(...lines.map((line) => JSON.stringify(line).length))).toBeLessThan(1_000)
})

test('abuse-50: what nobody foresaw is told by a number under which the log has more, and by nothing else', async () => {
  const { client, keys, lines } = await openAdminDoorOf()
  keys.broken = true
  const error = await client.listKeys({}).catch((thrown: unknown) => thrown)
  expect(error).toMatchObject({ code: 'internal', status: 500, correlation: expect.stringMatching(/^[\da-f]{32}$/) })
  expect(JSON.stringify(error) + String(error)).not.toMatch(/postgres|secret|db\.internal|at .*\.ts/)
  expect(JSON.stringify(lines)).toContain((error as { readonly correlation: string }).correlation)
})

test('abuse-50: every token that is no good gets the same answer', async () => {
  const { send, sign, issuedBy } = await openIssued()
  const bad = [
    `cpa_${'x'.repeat(43)}`,
    'x',
    sign(['admin'], { exp: 1 }),
    sign(['admin'], { aud: 'https://elsewhere.example.com' }),
    sign(['admin'], { iss: `${issuedBy.issuer}/other` }),
    `${sign(['admin']).slice(0, -4)}AAAA`,
  ]
  const answers = await Promise.all(
    bad.map(async (token) => {
      const { status, json } = await send(STATUS, { headers: { authorization: `Bearer ${token}` } })
      return JSON.stringify([status, { ...(json as object), correlation: '' }])
    }),
  )
  expect(new Set(answers).size).toBe(1)
  expect(answers[0]).toContain('unauthenticated')
})

test('abuse-26: a token for what callers call is none for this', async () => {
  const { token, door, send, sign } = await openIssued({ issuer: { rolesClaim: 'roles', audience: ['everything'] } })
  for (const aud of [door.url, `${door.url}/small`, 'everything']) {
    const authorization = `Bearer ${token({ aud, roles: ['admin'] })}`
    expect((await send(STATUS, { headers: { authorization } })).status, aud).toBe(401)
  }
  expect((await send(STATUS, { headers: { authorization: `Bearer ${sign(['admin'])}` } })).status).toBe(200)
})

test('roles of tokens say what may be done', async () => {
  const { clientOf, sign } = await openIssued({ more: { audit: {} } })
  const [viewer, auditor, admin, nobody] = [['viewer'], ['auditor'], ['x', 'admin'], ['dev']].map((roles) =>
    clientOf(sign(roles)),
  )
  const refused = { code: 'forbidden', status: 403 }
  await expect(viewer?.status()).resolves.toBeDefined()
  await expect(viewer?.searchAudit({})).rejects.toMatchObject(refused)
  await expect(auditor?.searchAudit({})).resolves.toBeDefined()
  await expect(auditor?.createKey({ principal: 'a' })).rejects.toMatchObject(refused)
  await expect(viewer?.restartServer({ name: 'up' })).rejects.toMatchObject(refused)
  await expect(viewer?.validateConfig({ text: '' })).rejects.toMatchObject(refused)
  await expect(admin?.createKey({ principal: 'a' })).resolves.toBeDefined()
  await expect(nobody?.status()).rejects.toMatchObject(refused)
})

test('other roles and another token count from the next request on', async () => {
  const { clientOf, sign, gateway } = await openIssued()
  const client = clientOf(sign(['ops']))
  await expect(client.status()).rejects.toMatchObject({ status: 403 })
  const { config } = gateway
  await gateway.apply({
    ...config,
    admin: { ...config.admin, token: SECRET, roles: { ...config.admin.roles, admin: ['ops'] } },
  })
  await expect(client.createKey({ principal: 'a' })).resolves.toBeDefined()
  await expect(clientOf(SECRET).status()).resolves.toBeDefined()
})

test('whoever guesses is not heard for a while, and whoever is known still is', async () => {
  const { client, clientOf } = await openAdminDoorOf()
  await client.status()
  const bad = clientOf('x'.repeat(40))
  const codes: string[] = []
  for (let i = 0; i < 25; i++) await bad.status().catch((error) => codes.push(error.code))
  expect([codes[0], codes.at(-1)]).toEqual(['unauthenticated', 'too_many'])
  await expect(clientOf('y'.repeat(40)).status()).rejects.toMatchObject({ code: 'too_many', status: 429 })
  await expect(client.status()).resolves.toBeDefined()
})

test('abuse-14: nobody holds what is kept for listeners without listening', async () => {
  const { send, client, gateway } = await openAdminDoorOf({ more: { audit: {} } })
  for (let i = 0; i < 40; i++) {
    for (const path of ['/api/v1/events', '/api/v1/audit/export']) {
      expect((await send(path, { method: 'HEAD' })).status).toBe(405)
    }
  }
  const events = client.events()
  const first = events.next()
  await client.live()
  gateway.restart('up')
  expect(await first).toMatchObject({ value: { type: expect.any(String) } })
  await events.return?.(undefined)
  expect((await send(STATUS, { method: 'HEAD' })).status).toBe(200)
})

test('who was refused is in the evidence', async () => {
  const { gateway, send } = await openAdminDoorOf()
  const events: unknown[] = []
  gateway.record = (event) => void events.push(event)
  await send(STATUS, { headers: { authorization: undefined } })
  await send(STATUS, { headers: { host: 'evil.example.com' } })
  expect(events).toEqual([
    { event: 'door.refused', target: 'admin', outcome: 'unauthenticated' },
    { event: 'door.refused', target: 'admin', outcome: 'forbidden_host' },
  ])
})

test.each([
  ['declared too long', 413, 'x'.repeat(70_000)],
  ['nested without end', 400, `{"principal":${'['.repeat(10_000)}${']'.repeat(10_000)}}`],
  ['no JSON', 400, '{'],
  ['no UTF-8', 400, new Uint8Array([0x7b, 0xff, 0x7d])],
  ['another shape', 400, '[]'],
  ['a number', 400, '1e400'],
  ['names that mean something to JavaScript', 400, '{"__proto__":{"principal":"x"},"constructor":1}'],
])('abuse-5, 6, 9, 11: a body that is %s is refused', async (_, expected, body) => {
  const { send } = await openAdminDoorOf()
  const { status } = await send('/api/v1/keys', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body,
  })
  expect(status).toBe(expected)
  expect(({} as Record<string, unknown>).principal).toBeUndefined()
})
