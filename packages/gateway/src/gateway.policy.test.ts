import { once } from 'node:events'
import { createServer as createHttpServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { JsonObject, Principal } from '@crosspoint/mcp'
import { createServer, type Server } from '@crosspoint/mcp/server'
import { createNodeHandler } from '@crosspoint/mcp/transports'
import { openWireSession, recordCall, sendEnveloped } from '@crosspoint/testkit'
import { describe, expect, onTestFinished, test } from 'vitest'
import { configOf } from '../fixtures/open-gateway.ts'
import { openHouse } from '../fixtures/open-house.ts'

const CORE = '2025-11-25'

async function serve(server: Server): Promise<string> {
  const handler = createNodeHandler(server.endpoint)
  const http = createHttpServer(handler).listen(0, '127.0.0.1')
  await once(http, 'listening')
  onTestFinished(async () => {
    await handler.close({ drainMs: 0 })
    http.closeAllConnections()
    http.close()
  })
  return `http://127.0.0.1:${(http.address() as AddressInfo).port}/mcp` // it listens on a port
}

/** What a caller may be is in a header, as a test of rules wants it. */
const authenticate = (headers: Readonly<Record<string, string | undefined>>): Principal =>
  JSON.parse(headers['x-principal'] ?? '{"id":"nobody","tenant":"default"}') as Principal

function as(principal: Partial<Principal> & { readonly id: string }) {
  return { headers: { 'x-principal': JSON.stringify({ tenant: 'default', ...principal }) } }
}

function createFiles(): Server {
  const server = createServer({ name: 'files', version: '1', instructions: 'Mind the files.' })
  const input = { type: 'object', properties: { path: { type: 'string' }, amount: { type: 'number' } } }
  const say =
    (what: string) =>
    ({ path }: JsonObject) =>
      `${what} ${String(path)}`
  server.tool('read', { input, annotations: { readOnlyHint: true } }, say('read'))
  server.tool('write', { input, annotations: { destructiveHint: false } }, say('wrote'))
  server.tool('delete', { input }, say('deleted'))
  server.prompt('sum_up', {}, () => 'Sum it up')
  server.resource('file:///public/a.txt', { name: 'a' }, () => 'a')
  server.resource('file:///private/b.txt', { name: 'b' }, () => 'b')
  return server
}

async function open(more: object, servers: Record<string, Server> = { files: createFiles() }) {
  const urls = await Promise.all(
    Object.entries(servers).map(async ([name, server]) => [name, { url: await serve(server) }]),
  )
  const entries = Object.fromEntries(urls) as Record<string, object>
  const house = await openHouse(entries, more, { authenticate })
  const ask = async (who: object, method: string, params: JsonObject = {}) => {
    const { status, messages, headers } = await sendEnveloped(house.url, method, params, who)
    const [message] = messages as readonly { result?: JsonObject; error?: JsonObject }[]
    return { status, headers, result: message?.result, error: message?.error }
  }
  const list = async (who: object, method = 'tools/list', key = 'tools', name = 'name') => {
    const { result } = await ask(who, method)
    return (result?.[key] as JsonObject[] | undefined)?.map((item) => item[name])
  }
  const call = async (who: object, name: string, args: JsonObject = {}) =>
    ask(who, 'tools/call', { name, arguments: args })
  return { ...house, entries, ask, list, call }
}

const alice = as({ id: 'alice', attributes: { roles: ['dev'] } })
const bob = as({ id: 'bob' })

describe('what a caller may not use', () => {
  const rules = [
    { name: 'only-devs-delete', effect: 'deny', tools: ['files__delete'], when: '!("dev" in principal.roles)' },
    { name: 'private', effect: 'deny', resources: ['file:///private/*'], when: 'principal.id != "alice"' },
    { name: 'no-prompts', effect: 'deny', prompts: ['*'], when: 'principal.id == "bob"' },
  ]

  test('is in no list of its, and in those of others', async () => {
    const { list } = await open({ policy: { rules } })
    expect(await list(alice)).toEqual(['files__read', 'files__write', 'files__delete'])
    expect(await list(bob)).toEqual(['files__read', 'files__write'])
    expect(await list(bob, 'prompts/list', 'prompts')).toEqual([])
    expect(await list(bob, 'resources/list', 'resources', 'uri')).toEqual(['file:///public/a.txt'])
    expect(await list(alice, 'resources/list', 'resources', 'uri')).toHaveLength(2)
  })

  test('abuse-50: is answered exactly like what is not there', async () => {
    const { ask, call } = await open({ policy: { rules } })
    const pairs = [
      [await call(bob, 'files__delete'), await call(bob, 'files__delets'), 'files__delete', 'files__delets'],
      [
        await ask(bob, 'resources/read', { uri: 'file:///private/b.txt' }),
        await ask(bob, 'resources/read', { uri: 'nope:///private/b.txt' }),
        'file:///private/b.txt',
        'nope:///private/b.txt',
      ],
      [
        await ask(bob, 'prompts/get', { name: 'files__sum_up' }),
        await ask(bob, 'prompts/get', { name: 'files__sum_pu' }),
        'files__sum_up',
        'files__sum_pu',
      ],
    ] as const
    for (const [hidden, absent, name, other] of pairs) {
      expect(hidden.status).toBe(absent.status)
      expect(JSON.stringify(hidden.error).replaceAll(name, other)).toBe(JSON.stringify(absent.error))
    }
    expect(JSON.stringify((await call(bob, 'files__delet')).error)).not.toContain('files__delete')
  })

  test('abuse-50: is found by no other spelling of its address', async () => {
    const { ask } = await open({ policy: { rules } })
    for (const uri of [
      'crosspoint:files/file:///private/b.txt',
      'FILE:///private/b.txt',
      'file:///public/../private/b.txt',
      'file:///%70rivate/b.txt',
    ]) {
      expect((await ask(bob, 'resources/read', { uri })).error, uri).toMatchObject({ code: -32602 })
    }
    expect(
      (await ask(alice, 'resources/read', { uri: 'crosspoint:files/file:///private/b.txt' })).error,
    ).toBeUndefined()
  })

  test('is not linked to by results, whose other parts stay', async () => {
    const files = createFiles()
    const toLink = (uri: string) => ({ type: 'resource_link', uri, name: uri })
    const links = ['file:///private/b.txt', 'file:///public/a.txt', 'file:///private/unlisted'].map(toLink)
    files.tool('look', {}, () => ({ content: [{ type: 'text', text: 'Look' }, ...links] }) as never)
    const { call } = await open({ policy: { rules } }, { files })
    const urisOf = async (who: object) =>
      ((await call(who, 'files__look')).result?.content as JsonObject[] | undefined)?.map(({ uri }) => uri)
    expect(await urisOf(bob)).toEqual([undefined, 'file:///public/a.txt'])
    expect(await urisOf(alice)).toEqual([undefined, ...links.map(({ uri }) => uri)])
  })

  test('its server says nothing to callers either who may use nothing of it', async () => {
    const gone = [{ name: 'gone', effect: 'deny', servers: ['files'], when: 'principal.id == "bob"' }]
    const { ask } = await open({ policy: { rules: gone } })
    expect((await ask(alice, 'server/discover')).result?.instructions).toContain('Mind the files.')
    expect((await ask(bob, 'server/discover')).result?.instructions).toBeUndefined()
  })

  test('callers of one tenant get nothing of another, however they are mixed', async () => {
    const { list, call } = await open({
      policy: {
        default: 'deny',
        rules: [
          { name: 'acme', effect: 'allow', tools: ['files__read'], when: 'principal.tenant == "acme"' },
          { name: 'umbrella', effect: 'allow', tools: ['files__write'], when: 'principal.tenant == "umbrella"' },
        ],
      },
    })
    const who = (at: number) => as({ id: 'alice', tenant: at % 2 === 0 ? 'acme' : 'umbrella' })
    const own = (at: number) => (at % 2 === 0 ? 'files__read' : 'files__write')
    await Promise.all(
      Array.from({ length: 60 }, async (_, at) => {
        expect(await list(who(at))).toEqual([own(at)])
        expect((await call(who(at), own(at), { path: String(at) })).result?.isError).not.toBe(true)
        expect((await call(who(at), own(at + 1))).error).toMatchObject({ code: -32602 })
      }),
    )
  })
})

describe('what depends on the call', () => {
  const rules = [
    {
      name: 'not-etc',
      effect: 'deny',
      tools: ['files__*'],
      when: 'principal.id == "bob" && arguments.path.startsWith("/etc")',
      message: 'Nobody reads /etc here; try /home',
    },
  ]

  test('is listed, and a tool that is refused says why in a result that a model can read', async () => {
    const { list, call } = await open({ policy: { rules } })
    expect(await list(bob)).toHaveLength(3)
    expect((await call(bob, 'files__read', { path: '/etc/passwd' })).result).toMatchObject({
      isError: true,
      content: [{ type: 'text', text: 'Not permitted: Nobody reads /etc here; try /home' }],
    })
    expect((await call(bob, 'files__read', { path: '/home' })).result?.isError).not.toBe(true)
    expect((await call(alice, 'files__read', { path: '/etc/passwd' })).result?.isError).not.toBe(true)
  })

  test('a refusal that cannot be told refuses, and a permission that cannot be told permits nothing', async () => {
    const { call } = await open({
      policy: {
        default: 'deny',
        rules: [
          { name: 'reads', effect: 'allow', tools: ['files__read'] },
          { name: 'small', effect: 'allow', tools: ['files__write'], when: 'arguments.amount < 10' },
          ...rules,
        ],
      },
    })
    const isError = async (name: string, args: JsonObject) => (await call(bob, name, args)).result?.isError === true
    expect(await isError('files__read', { path: '/home' })).toBe(false)
    expect(await isError('files__read', {})).toBe(true)
    expect(await isError('files__read', { path: 7 })).toBe(true)
    expect(await isError('files__write', { path: '/home', amount: 5 })).toBe(false)
    expect(await isError('files__write', { path: '/home', amount: 50 })).toBe(true)
    expect(await isError('files__write', { path: '/home' })).toBe(true)
  })

  test('a prompt or a resource that is refused is an error', async () => {
    let now = Date.parse('2026-11-21T03:00:00Z')
    const files = await serve(createFiles())
    const night = { name: 'night', effect: 'deny', resources: ['*'], prompts: ['*'], when: 'now.getHours() < 6' }
    const { url } = await openHouse(
      { files: { url: files } },
      { policy: { rules: [night] } },
      { authenticate, wallClock: () => now },
    )
    const read = async () => (await sendEnveloped(url, 'resources/read', { uri: 'file:///public/a.txt' })).messages[0]
    expect(await read()).toMatchObject({ error: { code: 1005 } })
    now = Date.parse('2026-11-21T12:00:00Z')
    expect(await read()).toMatchObject({ result: {} })
  })
})

describe('scopes', () => {
  const config = {
    scopes: {
      'read:file': { tools: ['files__read'], resources: ['file:///public/*'] },
      'write:file': { tools: ['files__write', 'files__delete'], resources: ['*'] },
    },
    roles: { editor: { scopes: ['*:file'] } },
    policy: { assign: [{ role: 'editor', when: 'principal.claims.team == "docs"' }] },
  }
  const reader = as({ id: 'r', scopes: ['read:file', 'openid'] })

  test('abuse-27: a call that lacks one gets 403 with the scope it needs, there or not', async () => {
    const { call, ask, list } = await open(config)
    expect(await list(reader)).toEqual(['files__read'])
    expect((await call(reader, 'files__read')).status).toBe(200)
    const lacking = await call(reader, 'files__write')
    expect(lacking.status).toBe(403)
    expect(lacking.headers['www-authenticate']).toContain('error="insufficient_scope", scope="read:file write:file"')
    const read = await ask(reader, 'resources/read', { uri: 'file:///private/b.txt' })
    expect([read.status, read.headers['www-authenticate']]).toEqual([
      403,
      expect.stringContaining('scope="read:file write:file"') as string,
    ])
    expect((await call(reader, 'files__nothing')).status).toBe(200)
  })

  test('are given by roles, those that are assigned by a condition included', async () => {
    const { list, call } = await open(config)
    const editor = as({ id: 'e', attributes: { roles: ['editor'] } })
    const docs = as({ id: 'd', scopes: [], attributes: { claims: { team: 'docs' } } })
    expect(await list(editor)).toHaveLength(3)
    expect(await list(docs)).toHaveLength(3)
    expect((await call(docs, 'files__delete')).status).toBe(200)
    expect(await list(as({ id: 'x', scopes: [] }))).toEqual([])
    expect(await list(bob)).toHaveLength(3) // nothing binds it by scopes
    expect(await list(as({ id: 'y', attributes: { roles: ['editr'] } }))).toEqual([])
  })

  test('let callers use what they cover where the default is to deny', async () => {
    const { list } = await open({ ...config, policy: { default: 'deny' } })
    expect(await list(reader)).toEqual(['files__read'])
    expect(await list(bob)).toEqual([])
  })
})

test('a dry run decides, and lets everything through', async () => {
  const { list, call } = await open({
    scopes: { none: { tools: ['x'] } },
    policy: { dryRun: true, default: 'deny', rules: [{ name: 'all', effect: 'deny', when: 'arguments.path == "a"' }] },
  })
  const bound = as({ id: 'x', scopes: ['none'] })
  expect(await list(bound)).toHaveLength(3)
  expect((await call(bound, 'files__read', { path: 'a' })).result?.isError).not.toBe(true)
})

test('views have defaults of their own, and rules may be about some of them', async () => {
  const { url, list } = await open({
    views: { tight: {}, wide: {} },
    policy: {
      views: { tight: { default: 'deny' } },
      rules: [
        { name: 'tight-reads', effect: 'allow', views: ['tight'], tools: ['*__read'] },
        { name: 'wide-keeps', effect: 'deny', views: ['wide'], tools: ['*__delete'] },
      ],
    },
  })
  const listOf = async (view: string) => {
    const { messages } = await sendEnveloped(`${url}/${view}`, 'tools/list', {})
    return (messages[0] as { result: { tools: JsonObject[] } }).result.tools.map(({ name }) => name)
  }
  expect(await list(bob)).toHaveLength(3)
  expect(await listOf('tight')).toEqual(['files__read'])
  expect(await listOf('wide')).toEqual(['files__read', 'files__write'])
})

test('rules are about merged names, whatever a view calls a tool', async () => {
  const { url } = await open({
    views: { v: { rename: { files__delete: 'remove', files__read: 'files__delete' } } },
    policy: { rules: [{ name: 'r', effect: 'deny', tools: ['files__delete'] }] },
  })
  const { messages } = await sendEnveloped(`${url}/v`, 'tools/list', {})
  expect((messages[0] as { result: { tools: JsonObject[] } }).result.tools.map(({ name }) => name).sort()).toEqual([
    'files__delete',
    'files__write',
  ])
})

test('a reload reaches connected clients at once: those are told whose lists changed, and nobody else', async () => {
  const { gateway, entries, list, call } = await open({})
  const listen = async (id: string) => {
    const notifications = { toolsListChanged: true, promptsListChanged: true }
    const recorded = recordCall('subscriptions/listen', { notifications }, { principal: { id, tenant: 'default' } })
    void gateway.endpoint()?.handle(recorded.call)
    onTestFinished(recorded.abort)
    await recorded.untilHeard(1)
    return recorded
  }
  const [ofAlice, ofBob] = [await listen('alice'), await listen('bob')]
  const rules = [{ name: 'r', effect: 'deny', tools: ['files__delete'], when: 'principal.id == "bob"' }]
  await gateway.apply(configOf([], { servers: entries, policy: { rules } }))
  await ofBob.untilHeard(2)
  expect(await list(bob)).toHaveLength(2)
  expect((await call(bob, 'files__delete')).error).toMatchObject({ code: -32602 })
  await gateway.apply(configOf([], { servers: entries }))
  await ofBob.untilHeard(3)
  expect(await list(bob)).toHaveLength(3)
  expect(ofBob.heard.slice(1).map(({ method }) => method)).toEqual(Array(2).fill('notifications/tools/list_changed'))
  expect(ofAlice.heard).toHaveLength(1)
})

test('a session of an older revision gets the same', async () => {
  const { url } = await open({
    policy: { rules: [{ name: 'r', effect: 'deny', tools: ['files__delete'], when: 'principal.id == "bob"' }] },
  })
  const session = await openWireSession(url, { revision: CORE, ...bob })
  const { messages } = await session.request('tools/list', {})
  expect(JSON.stringify(messages)).not.toContain('files__delete')
})

describe('a rule about results', () => {
  const rules = [
    { name: 'no-keys', effect: 'deny', when: 'result.text.matches("sk-[a-z0-9]{8}")', message: 'It holds a key' },
    {
      name: 'small-sums',
      effect: 'deny',
      tools: ['bank__total'],
      when: 'result.structured.total > arguments.most && principal.id != "alice"',
    },
  ]

  function createBank(): Server {
    const server = createServer({ name: 'bank', version: '1' })
    const output = { type: 'object', properties: { total: { type: 'number' } } }
    server.tool('total', { input: { type: 'object' }, output }, ({ total }: JsonObject) => ({ total: Number(total) }))
    server.tool('say', { input: { type: 'object' } }, ({ text }: JsonObject) => String(text))
    server.tool('fail', { input: { type: 'object' } }, () => {
      throw new Error('It holds sk-abcdefgh')
    })
    server.prompt('tell', {}, () => 'The key is sk-12345678')
    server.resource('file:///key.txt', { name: 'key' }, () => 'sk-12345678')
    server.resource('file:///plain.txt', { name: 'plain' }, () => 'plain')
    return server
  }

  test('keeps back an answer and says so to a model by a result, to others by an error', async () => {
    const { ask, call, list } = await open({ policy: { rules } }, { bank: createBank() })
    expect(await list(bob)).toEqual(['bank__total', 'bank__say', 'bank__fail'])
    expect((await call(bob, 'bank__say', { text: 'fine' })).result).toMatchObject({ content: [{ text: 'fine' }] })
    const { result } = await call(bob, 'bank__say', { text: `${'x'.repeat(40_000)} sk-abcd1234` })
    expect(result).toMatchObject({
      content: [{ type: 'text', text: 'The call was made, and its answer is kept back: It holds a key' }],
      isError: true,
    })
    expect(JSON.stringify(result)).not.toContain('sk-')
    expect(JSON.stringify(await call(bob, 'bank__fail'))).not.toContain('sk-')
    for (const [method, params] of [
      ['prompts/get', { name: 'bank__tell' }],
      ['resources/read', { uri: 'file:///key.txt' }],
    ] as const) {
      const { error } = await ask(bob, method, params)
      expect(error).toMatchObject({ code: 1005, message: 'The answer is kept back: It holds a key' })
    }
    expect((await ask(bob, 'resources/read', { uri: 'file:///plain.txt' })).result).toMatchObject({
      contents: [{ text: 'plain' }],
    })
  })

  test('speaks of caller, arguments and answer together, and keeps back what it cannot tell', async () => {
    const { call } = await open({ policy: { rules } }, { bank: createBank() })
    const ask = async (who: object, args: JsonObject) => (await call(who, 'bank__total', args)).result?.isError === true
    expect(await ask(bob, { total: 5, most: 10 })).toBe(false)
    expect(await ask(bob, { total: 15, most: 10 })).toBe(true)
    expect(await ask(alice, { total: 15, most: 10 })).toBe(false)
    expect(await ask(bob, { total: 15 })).toBe(true)
  })

  test('lets everything through in a dry run', async () => {
    const { call } = await open({ policy: { rules, dryRun: true } }, { bank: createBank() })
    const { result } = await call(bob, 'bank__say', { text: 'sk-abcd1234' })
    expect(result).toMatchObject({ content: [{ text: 'sk-abcd1234' }] })
  })

  test('is held against what was kept for others who ask the same again', async () => {
    const traffic = { cache: { rules: [{ match: { tools: ['*'] }, unsafe: true, ttlMs: 60_000 }] } }
    const late = [{ name: 'one', effect: 'deny', when: 'result.text == "twice" && client.name == "nobody"' }]
    const { call } = await open({ policy: { rules: [...rules, ...late] }, traffic }, { bank: createBank() })
    for (let turn = 0; turn < 2; turn++) {
      const { result } = await call(bob, 'bank__say', { text: 'sk-abcd1234' })
      expect(JSON.stringify(result)).not.toContain('sk-')
    }
  })

  test('cannot allow', async () => {
    const allowing = { policy: { rules: [{ name: 'a', effect: 'allow', when: 'result.isError' }] } }
    await expect(open(allowing, { bank: createBank() })).rejects.toThrow('a rule about results can only deny')
  })
})
