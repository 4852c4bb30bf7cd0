import { createHash } from 'node:crypto'
import { openWireSession, recordCall } from '@crosspoint/testkit'
import { expect, test } from 'vitest'
import { openAdminDoorOf } from '../../fixtures/open-admin.ts'
import { openTestStore } from '../../fixtures/open-store.ts'
import { AdminError } from './client.ts'

test('it says how the gateway is, and what is wrong with what to do about it', async () => {
  const { client, door } = await openAdminDoorOf({
    more: { servers: { broken: { command: 'crosspoint-no-such-program' } } },
  })
  const status = await client.status()
  expect(status).toMatchObject({ name: 'crosspoint', version: '0.0.0', url: door.url, pid: process.pid })
  expect(status.servers.map(({ name, state, target }) => [name, state, target])).toEqual([
    ['up', 'ready', expect.stringMatching(/^http:/)],
    ['broken', 'backing-off', 'crosspoint-no-such-program'],
  ])
  expect(status.problems).toEqual([
    { about: 'broken', what: expect.stringContaining('not found'), remedy: expect.stringContaining('runs by itself') },
  ])
  await expect(client.live()).resolves.toEqual({ status: 'ok' })
  await expect(client.ready()).resolves.toMatchObject({
    status: 'ready',
    servers: [{ name: 'up' }, { name: 'broken' }],
  })
})

test('it lists what is offered, by words, page by page, and through the eyes of a caller', async () => {
  const policy = { rules: [{ name: 'no-echo', effect: 'deny', tools: ['up__echo'], when: 'principal.id == "bob"' }] }
  const { client } = await openAdminDoorOf({ more: { policy } })
  const { items, total } = await client.searchCatalog({ search: 'ECHO' })
  expect([total, items]).toEqual([1, [{ kind: 'tools', name: 'up__echo', server: 'up', native: 'echo' }]])
  expect((await client.searchCatalog({ as: 'bob' })).items).toEqual([])
  expect((await client.searchCatalog({ as: 'alice' })).total).toBe(1)
  const item = await client.readCatalogItem({ kind: 'tools', name: 'up__echo' })
  expect(item.definition).toMatchObject({ name: 'up__echo', inputSchema: { type: 'object' } })
  expect((await client.listViews()).views).toMatchObject([
    { path: '/mcp', counts: { tools: 1 } },
    { name: 'small', title: 'Small', path: '/mcp/small', servers: ['up'] },
    { name: 'other' },
  ])
  expect(await client.explainPolicy({ principal: { id: 'bob' }, name: 'up__echo' })).toMatchObject({
    listed: false,
    decision: { effect: 'deny', rule: 'no-echo' },
  })
  expect((await client.listRules()).rules).toEqual([expect.objectContaining({ name: 'no-echo', effect: 'deny' })])
})

test('it pages through what is much', async () => {
  const { client, key } = await openAdminDoorOf()
  for (let i = 0; i < 5; i++) await key({ principal: `p${i}` })
  const seen: string[] = []
  let cursor: string | undefined
  do {
    const page = await client.listKeys({ limit: 2, ...(cursor === undefined ? {} : { cursor }) })
    seen.push(...page.keys.map(({ principal }) => principal))
    cursor = page.next
  } while (cursor !== undefined)
  expect(seen.sort()).toEqual(['p0', 'p1', 'p2', 'p3', 'p4'])
})

test('a key is shown once, and what was done with keys is in the evidence', async () => {
  const { client, gateway, keys } = await openAdminDoorOf()
  const record: unknown[] = []
  gateway.record = (event) => void record.push(event)
  const made = await client.createKey({ principal: 'ci', roles: ['builder'], expiresInMs: 60_000, label: 'nightly' })
  expect(made.key).toMatch(/^cpk_/)
  const { key: text, ...kept } = made
  expect((await client.listKeys({})).keys).toEqual([kept])
  const rotated = await client.rotateKey({ id: made.id, graceMs: 0 })
  expect(rotated).toMatchObject({
    principal: 'ci',
    roles: ['builder'],
    replaced: { id: made.id, replacedBy: rotated.id },
  })
  expect(await client.revokeKey({ id: rotated.id })).toMatchObject({ revokedAt: expect.any(String) })
  await client.revokeKey({ id: rotated.id })
  expect(JSON.stringify(await client.listKeys({}))).not.toMatch(new RegExp(`${text.slice(-43)}|digest`))
  expect(record).toMatchObject([
    { event: 'key.created', tenant: 'admin', principal: 'token', target: made.id, about: { forPrincipal: 'ci' } },
    { event: 'key.rotated', target: made.id, about: { replacedBy: rotated.id } },
    { event: 'key.revoked', target: rotated.id },
  ])
  expect(JSON.stringify(record)).not.toContain(text.slice(-43))
  expect(await keys.find(made.id)).toBeDefined()
})

test('nobody is given a key in the name of nobody, or in a name that cannot be read', async () => {
  const { client } = await openAdminDoorOf()
  await expect(client.createKey({ principal: 'anonymous', tenant: 'local' })).resolves.toBeDefined()
  await expect(client.createKey({ principal: 'anonymous' })).rejects.toMatchObject({ code: 'invalid_request' })
  for (const principal of ['', 'a\u202eb', 'x'.repeat(257)]) {
    await expect(client.createKey({ principal })).rejects.toMatchObject({ code: 'invalid_request', status: 400 })
  }
})

test('a server is started again, and what it offers stays listed meanwhile', async () => {
  const { client, gateway } = await openAdminDoorOf()
  const before = await client.readServer({ name: 'up' })
  expect(before).toMatchObject({ state: 'ready', transport: 'http' })
  expect(await client.restartServer({ name: 'up' })).toMatchObject({ name: 'up', state: 'starting' })
  expect(gateway.offered()?.entries.tools.size).toBe(1)
  await expect(client.restartServer({ name: 'nobody' })).rejects.toMatchObject({ code: 'not_found' })
})

test('a server that is switched off is not started', async () => {
  const { client } = await openAdminDoorOf({ more: { servers: { off: { command: 'x', enabled: false } } } })
  await expect(client.restartServer({ name: 'off' })).rejects.toMatchObject({ code: 'conflict', status: 409 })
})

test('credentials for servers are listed and forgotten, and never shown', async () => {
  const { credentials } = await openTestStore()
  const about = { kind: 'connection', tenant: 't', keyId: 'k', sealed: 'sealed-secret', updatedAt: 1 } as const
  for (const principal of ['ann', 'bob', 'c/"d']) await credentials.put({ ...about, principal, name: 'up' }, 0)
  const { client, gateway } = await openAdminDoorOf({ open: { store: { credentials } } })
  const events: unknown[] = []
  gateway.record = (event) => void events.push(event)
  const seen: string[] = []
  let cursor: string | undefined
  do {
    const page = await client.listCredentials({ limit: 1, cursor })
    expect(JSON.stringify(page)).not.toContain('sealed')
    seen.push(...page.credentials.map(({ principal }) => principal))
    cursor = page.next
  } while (cursor !== undefined)
  expect(seen).toEqual(['ann', 'bob', 'c/"d'])
  await client.removeCredential({ kind: 'connection', tenant: 't', principal: 'bob', name: 'up' })
  expect((await client.listCredentials({})).credentials.map(({ principal }) => principal)).toEqual(['ann', 'c/"d'])
  expect(events).toMatchObject([{ event: 'credential.removed', target: 'up', about: { forPrincipal: 'bob' } }])
  const again = client.removeCredential({ kind: 'connection', tenant: 't', principal: 'bob', name: 'up' })
  await expect(again).rejects.toMatchObject({ code: 'not_found' })
})

test('sessions are listed by their digests, and ended', async () => {
  const { client, door, key, gateway } = await openAdminDoorOf()
  const { text } = await key({ principal: 'alice' })
  const wire = await openWireSession(`${door.url}/small`, { headers: { authorization: `Bearer ${text}` } })
  const id = String(wire.headers['mcp-session-id'])
  const { sessions, total } = await client.listSessions({ principal: 'alice' })
  expect([total, sessions]).toEqual([
    1,
    [
      {
        session: createHash('sha256').update(id).digest('hex').slice(0, 32),
        view: 'small',
        tenant: 'default',
        principal: 'alice',
        transport: 'streamable',
        revision: expect.any(String),
        client: { name: 'wire-client', version: '1' },
        idleMs: expect.any(Number),
      },
    ],
  ])
  expect(JSON.stringify(sessions)).not.toContain(id)
  expect((await client.listSessions({ principal: 'bob' })).total).toBe(0)
  expect((await wire.request('tools/list')).status).toBe(200)
  const events: unknown[] = []
  gateway.record = (event) => void events.push(event)
  const [{ session = '' } = {}] = sessions
  await client.endSession({ session })
  expect((await wire.request('tools/list')).status).toBe(404)
  expect(events).toMatchObject([{ event: 'session.closed', target: session, about: { forPrincipal: 'alice' } }])
  await expect(client.endSession({ session })).rejects.toMatchObject({ code: 'not_found' })
})

test('who called lately is listed, with what they may', async () => {
  const { client, key, door } = await openAdminDoorOf()
  const { text, record } = await key({ principal: 'alice', roles: ['dev'], scopes: ['read'] })
  await fetch(door.url, { method: 'POST', headers: { authorization: `Bearer ${text}` }, body: '{}' })
  expect((await client.listPrincipals()).principals).toEqual([
    {
      tenant: 'default',
      id: 'alice',
      credential: 'key',
      key: record.id,
      roles: ['dev'],
      scopes: ['read'],
      seenAt: expect.any(String),
    },
  ])
})

test('it lists limits with what they let through', async () => {
  const traffic = {
    door: { requests: 10, windowMs: 1_000 },
    limits: [{ name: 'few', per: ['principal'], calls: 2, windowMs: 60_000, match: { tools: ['up__*'] } }],
    budgets: [{ name: 'daily', per: 'tenant', cost: 9, every: 'day', timezone: 'Europe/Berlin' }],
    breakers: [{ servers: ['*'] }],
    concurrency: [{ name: 'line', per: ['all'], max: 4 }],
  }
  const { client } = await openAdminDoorOf({ more: { traffic } })
  const limits = await client.listLimits()
  expect(limits.limits).toEqual([
    {
      kind: 'limit',
      name: 'few',
      per: ['principal'],
      match: { tools: ['up__*'] },
      max: 2,
      windowMs: 60_000,
      passed: 0,
      refused: 0,
    },
    {
      kind: 'budget',
      name: 'daily',
      per: ['tenant'],
      max: 9,
      every: 'day',
      timezone: 'Europe/Berlin',
      passed: 0,
      refused: 0,
    },
  ])
  expect(limits.concurrency).toMatchObject([{ name: 'line', max: 4, inside: 0, waiting: 0, shed: 0 }])
  expect((await client.listFigures()).figures).toContainEqual({
    name: 'limit_passed',
    labels: { kind: 'limit', limit: 'few' },
    value: 0,
  })
})

test('it says of each tool how its calls went', async () => {
  const { client, gateway } = await openAdminDoorOf()
  const before = await client.listCalls()
  expect(before.tools).toEqual([])
  const call = recordCall('tools/call', { name: 'no such tool' }).call
  await gateway
    .endpoint()
    ?.handle(call)
    .catch(() => {})
  const { tools, methods } = await client.listCalls()
  expect(tools).toMatchObject([{ upstream: '', tool: '_other', calls: 1, errors: { 'caller.invalid_params': 1 } }])
  expect(methods).toMatchObject([{ method: 'tools/call', calls: 1, refused: 0, cacheHits: 0 }])
})

test('evidence is searched, verified and read out', async () => {
  const { client, audit, gateway } = await openAdminDoorOf({ more: { audit: {} } })
  // The fixture's gateway has no store of its own: what another process wrote is as good.
  const record = (n: number) =>
    JSON.stringify({ v: 1, kind: 'event', at: n, tenant: '', principal: `p${n}`, method: 'm' })
  audit.rows.push(
    ...[1, 2, 3].map((n) => ({
      chain: 'c'.repeat(32),
      seq: n,
      at: n,
      previous: 'a',
      hash: 'b',
      record: record(n),
      index: { tenant: '', principal: `p${n}`, method: 'm', outcome: 'complete' },
    })),
  )
  expect(gateway.config.audit).toBeDefined()
  const first = await client.searchAudit({ limit: 2 })
  expect(first.rows.map(({ record }) => record.principal)).toEqual(['p3', 'p2'])
  const second = await client.searchAudit({ limit: 2, cursor: first.next })
  expect([second.rows.map(({ seq }) => seq), second.next]).toEqual([[1], undefined])
  const lines: string[] = []
  for await (const line of client.exportAudit({ since: '1970-01-01T00:00:00.002Z' })) lines.push(line.record)
  expect(lines).toEqual([record(3), record(2)])
})

test('without evidence it says what to write', async () => {
  const { client } = await openAdminDoorOf()
  await expect(client.searchAudit({})).rejects.toMatchObject({
    code: 'conflict',
    hint: expect.stringContaining('audit'),
  })
})

test('what happens is told while it happens', async () => {
  const { client, gateway, tap } = await openAdminDoorOf()
  const giveUp = new AbortController()
  const events = client.events({}, { signal: giveUp.signal })
  const first = events.next()
  while ((await client.live()).status === 'ok' && !(await isHeard(tap, first)));
  expect((await first).value).toMatchObject({ type: 'log', level: 'warn', message: 'ready?' })
  gateway.restart('up')
  const types = new Set<string>()
  for await (const event of events) {
    types.add(event.type)
    if (event.type === 'server' && event.server.state === 'ready') break
  }
  expect([...types]).toEqual(expect.arrayContaining(['server', 'catalog']))
  giveUp.abort()
})

/** Whether a line that is written now has come through. */
async function isHeard(
  tap: Awaited<ReturnType<typeof openAdminDoorOf>>['tap'],
  first: Promise<unknown>,
): Promise<boolean> {
  tap.log.warn({}, 'ready?')
  return Promise.race([first.then(() => true), new Promise<boolean>((resolve) => setImmediate(() => resolve(false)))])
}

test('whoever stops listening, or reading, makes room for others', async () => {
  const { client, audit, gateway } = await openAdminDoorOf({ more: { audit: {} } })
  const row = {
    chain: 'c',
    at: 1,
    previous: '',
    hash: '',
    record: '{}',
    index: { tenant: '', principal: '', method: '', outcome: '' },
  }
  audit.rows.push(
    ...Array.from({ length: 5_000 }, (_, seq) => ({
      ...row,
      seq: seq + 1,
      record: JSON.stringify({ x: 'x'.repeat(1_000) }),
    })),
  )
  for (let i = 0; i < 40; i++) {
    const giveUp = new AbortController()
    const events = client.events({}, { signal: giveUp.signal })
    const next = events.next().catch((error: unknown) => error)
    await client.live()
    gateway.restart('up')
    expect(await next).toMatchObject({ value: { type: expect.any(String) } })
    giveUp.abort()
    await events.return?.(undefined).catch(() => {})
    for await (const line of client.exportAudit({})) if (line.seq > 0) break
  }
})

test('what is wrong is said in one shape, with what would work', async () => {
  const { client, send } = await openAdminDoorOf()
  const error = await client.readServer({ name: 'nobody' }).catch((thrown: unknown) => thrown)
  expect(error).toBeInstanceOf(AdminError)
  expect(error).toMatchObject({ code: 'not_found', status: 404, hint: expect.any(String) })
  const missing = await send('/api/v1/nothing')
  expect(missing.headers['content-type']).toBe('application/problem+json')
  expect(missing.json).toEqual({
    type: 'urn:crosspoint:problem:not_found',
    title: 'There is no such thing',
    status: 404,
    detail: 'Nothing is served at this path',
    code: 'not_found',
    hint: '/api/v1/openapi.json says what is',
    correlation: expect.stringMatching(/^[\da-f]{32}$/),
  })
  const wrong = await send('/api/v1/keys', { method: 'DELETE' })
  expect([wrong.status, wrong.headers.allow]).toEqual([405, 'GET, POST'])
})

test('a configuration is explained, checked and read again where there is a file, and nowhere else', async () => {
  const { client } = await openAdminDoorOf()
  await expect(client.explainConfig()).rejects.toMatchObject({ code: 'conflict' })
  await expect(client.validateConfig({ text: '' })).rejects.toMatchObject({ code: 'conflict' })
})
