import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { openWireSession } from '@crosspoint/testkit'
import { createSchemaJudge } from '@crosspoint/testkit/referee'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { openAdminDoorOf } from '../../fixtures/open-admin.ts'
import { openTestStore } from '../../fixtures/open-store.ts'
import { explainConfig } from '../config/explain.ts'
import { parseConfig } from '../config/parse.ts'
import { toOpenApi } from './openapi.ts'
import { BASE, type OperationId, ROUTES, routeOf } from './routes.ts'

const CHECKED_IN = fileURLToPath(new URL('../../schema/admin-openapi.json', import.meta.url))
const { version } = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8'))
const document = toOpenApi(version)
const judge = createSchemaJudge(document)

test('the checked-in document is the generated one (npx vitest run --project gateway openapi -u)', async () => {
  await expect(`${JSON.stringify(document, null, 2)}\n`).toMatchFileSnapshot(CHECKED_IN)
})

test('every operation is in it once, with a summary and an answer', () => {
  const operations = Object.values(document.paths as Record<string, Record<string, { readonly operationId: string }>>)
  const ids = operations.flatMap((methods) => Object.values(methods).map(({ operationId }) => operationId))
  expect(ids.sort()).toEqual(Object.keys(ROUTES).sort())
})

/** A gateway in which every operation has something to answer. */
async function openAll() {
  const loaded = parseConfig('servers: {}\nviews: { small: {} }', { path: 'crosspoint.yaml' })
  const { credentials } = await openTestStore()
  const about = { kind: 'connection', tenant: 't', principal: 'p', keyId: 'k', sealed: 'x', updatedAt: 1 } as const
  for (const name of ['up', 'kept']) await credentials.put({ ...about, name }, 0)
  const opened = await openAdminDoorOf({
    more: {
      audit: {},
      servers: { broken: { command: 'crosspoint-no-such-program', title: 'Broken', description: 'It is' } },
      scopes: { read: { tools: ['*'] } },
      roles: { dev: { scopes: ['read'] } },
      policy: {
        assign: [{ role: 'dev', when: 'principal.id == "alice"' }],
        rules: [{ name: 'r', effect: 'deny', tools: ['x*'], servers: ['up'], when: 'principal.id == "bob"' }],
      },
      traffic: {
        door: { requests: 100, windowMs: 1_000 },
        limits: [{ name: 'few', per: ['principal'], calls: 2, windowMs: 60_000, match: { tools: ['up__*'] } }],
        budgets: [{ name: 'much', per: ['tenant'], cost: 2, windowMs: 60_000 }],
        breakers: [{ servers: ['*'] }],
        concurrency: [{ name: 'line', per: ['all'], max: 4 }],
      },
    },
    open: {
      store: { credentials },
      file: {
        path: 'crosspoint.yaml',
        explain: () => explainConfig(loaded),
        reload: async () => gatewayOf().apply(gatewayOf().config),
        validate: (text) => {
          const issue = { message: 'It is not', path: 'a', file: 'f', line: 1, column: 1, hint: 'b' }
          return { errors: text === '' ? [] : [issue], warnings: [issue] }
        },
      },
    },
  })
  const gatewayOf = () => opened.gateway
  const { text, record } = await opened.key({ principal: 'alice', roles: ['dev'], scopes: ['read'], label: 'l' })
  await fetch(opened.door.url, { method: 'POST', headers: { authorization: `Bearer ${text}` }, body: '{}' })
  opened.audit.rows.push({
    chain: 'c'.repeat(32),
    seq: 1,
    at: 1,
    previous: '0',
    hash: '1',
    record: '{"v":1}',
    index: { tenant: 't', principal: 'p', method: 'm', outcome: 'complete' },
  })
  const authorization = `Bearer ${text}`
  await openWireSession(opened.door.url, { headers: { authorization } })
  const [opening] = opened.door.sessions()
  return { ...opened, id: record.id, session: opening?.session ?? '' }
}

/** What is asked of each operation. Undefined: nothing has to be said. */
function asks({
  id,
  session,
}: {
  readonly id: string
  readonly session: string
}): Readonly<Record<OperationId, { readonly path?: string; readonly body?: object } | undefined>> {
  return {
    live: undefined,
    ready: undefined,
    status: undefined,
    openapi: undefined,
    listServers: undefined,
    readServer: { path: '/servers/broken' },
    restartServer: { path: '/servers/broken/restart', body: {} },
    listViews: undefined,
    searchCatalog: { path: '/catalog?as=alice&roles=dev&scopes=read&search=e&kind=tools&limit=1' },
    readCatalogItem: { path: '/catalog/item?kind=tools&name=up__echo' },
    explainPolicy: { body: { principal: { id: 'alice', claims: { a: [1] } }, name: 'up__echo', arguments: { a: 1 } } },
    listRules: undefined,
    listLimits: undefined,
    listFigures: undefined,
    listCalls: undefined,
    listKeys: { path: '/keys?tenant=default&limit=1' },
    createKey: { body: { principal: 'bob', roles: ['dev'], scopes: ['read'], label: 'l', expiresInMs: 60_000 } },
    rotateKey: { path: `/keys/${id}/rotate`, body: { graceMs: 1_000 } },
    revokeKey: { path: `/keys/${id}/revoke`, body: {} },
    listCredentials: undefined,
    removeCredential: { body: { kind: 'connection', tenant: 't', principal: 'p', name: 'up' } },
    listSessions: undefined,
    endSession: { path: `/sessions/${session}/end`, body: {} },
    listPrincipals: undefined,
    searchAudit: { path: '/audit?since=1969-12-31T23:00:00Z&limit=5' },
    exportAudit: undefined,
    verifyAudit: { body: {} },
    explainConfig: undefined,
    reloadConfig: { body: {} },
    validateConfig: { body: { text: 'x' } },
    events: undefined,
  }
}

test('every operation answers what the document says', async () => {
  const { send, admin, ...opened } = await openAll()
  const asked = asks(opened)
  for (const name of Object.keys(asked) as OperationId[]) {
    const { method, path } = routeOf(name)
    const { path: at = path, body } = asked[name] ?? {}
    if (name === 'events') continue
    const headers = body === undefined ? {} : { 'content-type': 'application/json' }
    const sent = body === undefined ? {} : { body: JSON.stringify(body) }
    const { status, json, text } = await send(BASE + at, { method, headers, ...sent })
    const pointer = `#/paths/${encodeURIComponent((BASE + path).replaceAll(/:(\w+)/g, '{$1}')).replaceAll('%2F', '~1')}/${method.toLowerCase()}`
    expect(status, `${name}: ${text}`).toBeLessThan(300)
    const type = name === 'exportAudit' ? 'application~1jsonl' : 'application~1json'
    const answer = name === 'exportAudit' ? JSON.parse(text.split('\n')[0] ?? '') : json
    expect(judge(`${pointer}/responses/${status}/content/${type}/schema`, answer), `${name}: ${text}`).toBeUndefined()
    if (body !== undefined && Object.keys(body).length > 0) {
      expect(judge(`${pointer}/requestBody/content/application~1json/schema`, body), name).toBeUndefined()
    }
  }
  expect(admin.moved).toBeUndefined()
})

test('every event is as the document says', async () => {
  const { client, gateway, tap } = await openAll()
  const giveUp = new AbortController()
  const types = new Set<string>()
  setImmediate(() => void client.live().then(() => gateway.restart('broken')))
  for await (const event of client.events({}, { signal: giveUp.signal })) {
    types.add(event.type)
    expect(judge('#/components/schemas/AdminEvent', event)).toBeUndefined()
    if (event.type === 'server') tap.log.error({ bytes: new Uint8Array(2), big: 'x'.repeat(20_000) }, 'odd')
    if (event.type === 'log' && event.level === 'error') break
  }
  expect([...types]).toEqual(expect.arrayContaining(['server', 'catalog', 'log']))
  giveUp.abort()
})

const word = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.constantFrom('', '0', '-1', '1e9', 'up', 'tools', '__proto__', '%00', '../..', '\u202e', "'; --"),
)

test('whatever is sent, it is answered in one shape and never with a fault of ours', async () => {
  const { send, ...opened } = await openAll()
  const names = Object.keys(ROUTES).filter((name) => name !== 'events') as OperationId[]
  const asked = asks(opened)
  const sent = fc.record({
    name: fc.constantFrom(...names),
    segment: word,
    query: fc.array(
      fc.tuple(fc.oneof(fc.constantFrom('view', 'kind', 'limit', 'cursor', 'since', 'as', 'name'), word), word),
      {
        maxLength: 4,
      },
    ),
    body: fc.oneof(
      fc.jsonValue({ maxDepth: 4 }),
      fc.record(
        {
          principal: fc.oneof(word, fc.jsonValue(), fc.record({ id: word }, { requiredKeys: [] })),
          name: word,
          text: word,
          chain: word,
          graceMs: fc.double(),
          arguments: fc.object(),
        },
        { requiredKeys: [] },
      ),
    ),
    mixes: fc.boolean(),
  })
  await fc.assert(
    fc.asyncProperty(sent, async ({ name, segment, query, body, mixes }) => {
      const { method, path } = routeOf(name)
      const at = path.replace(/:\w+/, () => encodeURIComponent(segment.replaceAll(/\p{Cs}/gu, '')))
      const words = new URLSearchParams(query.map(([key, value]): [string, string] => [key, value]))
      const whole = mixes && typeof body === 'object' ? { ...asked[name]?.body, ...body } : body
      const answer = await send(`${BASE}${at}?${words}`, {
        method,
        headers: { 'content-type': 'application/json' },
        ...(method === 'POST' ? { body: JSON.stringify(whole) } : {}),
      })
      expect(answer.status, `${name}: ${answer.text}`).toBeLessThan(500)
      if (answer.status >= 400) expect(judge('#/components/schemas/Problem', answer.json)).toBeUndefined()
    }),
    { numRuns: 400 },
  )
})
