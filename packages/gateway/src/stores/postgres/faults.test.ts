import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { findPostgres, type PostgresServer, startPostgres } from '@crosspoint/testkit'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import type { AuditRow } from '../contract/audit-store.ts'
import { parseConnection } from './connection.ts'
import { openPostgres } from './store.ts'

const programs = findPostgres()

function toRows(chain: string, from: number, count: number): readonly AuditRow[] {
  const index = { tenant: 'acme', principal: 'alice', method: 'tools/call', outcome: 'ok' }
  return Array.from({ length: count }, (_, at) => from + at).map((seq) => {
    return { chain, seq, at: 1, previous: `${seq - 1}`, hash: `${seq}`, record: '{}', index }
  })
}

describe.skipIf(programs === undefined)('PostgreSQL in trouble', () => {
  let server: PostgresServer
  beforeAll(async () => {
    server = await startPostgres(programs ?? '')
  })
  afterAll(() => server?.close())

  const open = async (url: string, timeoutMs = 10_000) => {
    const store = await openPostgres({ url, timeoutMs, isUnmigrated: true })
    onTestFinished(() => store.close())
    return store
  }
  const openEmpty = async () => {
    const url = await server.createDatabase()
    const store = await open(url)
    await store.migrate()
    return { store, url }
  }
  const databaseOf = (url: string) => new URL(url).pathname.slice(1)

  test('a restart of the server in the middle of appends loses and doubles nothing', async () => {
    const { store } = await openEmpty()
    await store.audit.append(toRows('a', 1, 10))
    const asked = Array.from({ length: 20 }, (_, at) => store.audit.append(toRows('a', 11 + at * 10, 10)))
    await asked[3]
    await server.stop()
    await server.start()
    await Promise.all(asked)
    const kept = await store.audit.read('a', { from: 1, limit: 1_000 })
    expect(kept.map(({ seq }) => seq)).toEqual(Array.from({ length: 210 }, (_, at) => at + 1))
    expect(await store.keys.version()).toBe(0)
  })

  test('an append whose acknowledgement is lost has arrived, and is no conflict with itself', async () => {
    const { url } = await openEmpty()
    const proxy = await startProxy(server.port)
    const through = new URL(url)
    through.port = `${proxy.port}`
    const store = await open(through.href)
    await store.audit.append(toRows('a', 1, 1))
    proxy.loseAnswerTo('commit')
    await store.audit.append(toRows('a', 2, 3))
    proxy.loseAnswerTo('commit')
    await store.keys.add({ id: 'k', digest: 'd', principal: 'p', tenant: 't', roles: [], createdAt: 1 })
    expect(proxy.lost).toBe(2)
    expect(await store.audit.chains()).toEqual([{ chain: 'a', first: 1, last: 4 }])
    expect(await store.keys.version()).toBe(1)
  })

  test('a server that stays away is unavailable, told without its address', async () => {
    const { store } = await openEmpty()
    const brief = await open(await server.createDatabase(), 300)
    await server.stop()
    const asked = brief.audit.append(toRows('a', 1, 1))
    await expect(asked).rejects.toMatchObject({ name: 'StoreError', code: 'unavailable' })
    await expect(asked).rejects.not.toThrow(new RegExp(`${server.port}|127\\.0`))
    await server.start()
    expect(await store.audit.chains()).toEqual([])
  })

  test.each([
    ['a wrong password', (url: URL) => Object.assign(url, { password: 'hunter2' }), 'refused the user or the password'],
    ['a wrong user', (url: URL) => Object.assign(url, { username: 'nobody' }), 'refused the user or the password'],
    [
      'a database that is not there',
      (url: URL) => Object.assign(url, { pathname: '/none' }),
      'there is no such database',
    ],
    ['a server without TLS', (url: URL) => void url.searchParams.set('sslmode', 'require'), 'does not speak TLS'],
    ['no sense of TLS', (url: URL) => void url.searchParams.set('sslmode', 'prefer'), 'sslmode'],
    [
      'a file that is not there',
      (url: URL) => Object.assign(url, { search: '?sslmode=require&sslrootcert=/none' }),
      'sslrootcert',
    ],
  ])('%s is told at once, and nothing of the URL with it', async (_, spoil, wanted) => {
    const url = new URL(await server.createDatabase())
    spoil(url)
    const opening = openPostgres({ url: url.href, timeoutMs: 500 })
    await expect(opening).rejects.toThrow(wanted)
    const { name, message } = await opening.then(
      () => new Error('It was opened'),
      (error: Error) => error,
    )
    expect(name).toBe('StoreError')
    for (const secret of [url.password, server.password, 'hunter2', '127.0.0.1', `${server.port}`]) {
      expect(message).not.toContain(secret)
    }
  })

  test('a database that was not set up, or by another version, is refused with a sentence', async () => {
    const url = await server.createDatabase()
    await expect(openPostgres({ url })).rejects.toMatchObject({ code: 'version' })
    await expect(openPostgres({ url })).rejects.toThrow('crosspoint store migrate')
    await (await open(url)).migrate()
    await (await openPostgres({ url })).close()
    await server.query(databaseOf(url), 'update store_version set version = 1000')
    await expect(openPostgres({ url })).rejects.toThrow('a newer Crosspoint wrote it')
    const newer = await open(url)
    await expect(newer.migrate()).rejects.toMatchObject({ code: 'version' })
  })

  test('several who migrate at once do it once', async () => {
    const url = await server.createDatabase()
    const stores = await Promise.all(Array.from({ length: 4 }, () => open(url)))
    await Promise.all(stores.map((store) => store.migrate()))
    expect(await server.query(databaseOf(url), 'select count(*) from store_version')).toBe('1')
  })

  test('ids are ordered by their bytes, whatever the language of the database', async () => {
    const url = await server.createDatabase()
    const store = await open(url)
    await store.migrate()
    const collations = await server.query(
      databaseOf(url),
      `select distinct collation_name from information_schema.columns where table_schema = 'public' and data_type = 'text'`,
    )
    expect(collations).toBe('C')
  })

  test('a closed store says so, and may be closed again', async () => {
    const { store } = await openEmpty()
    await store.close()
    await store.close()
    await expect(store.keys.find('a')).rejects.toMatchObject({ code: 'closed' })
    await expect(store.audit.append(toRows('a', 1, 1))).rejects.toMatchObject({ code: 'closed' })
  })
})

test('a server elsewhere is talked to by TLS, and its certificate checked, unless something else is said', () => {
  const sslOf = (url: string) => parseConnection(url).ssl
  expect(sslOf('postgres://u@db.example.com/x')).toEqual({ rejectUnauthorized: true })
  expect(sslOf('postgres://u@db.example.com/x?sslmode=disable')).toBe(false)
  expect(sslOf('postgres://u@db.example.com/x?sslmode=require')).toEqual({ rejectUnauthorized: false })
  expect(sslOf('postgres://u@127.0.0.1/x')).toBe(false)
  expect(sslOf('postgres://u@[::1]/x')).toBe(false)
  expect(sslOf('postgres://u@%2Frun%2Fpostgresql/x')).toBe(false)
  expect(sslOf('postgres:///x?host=/run/postgresql')).toBe(false)
  expect(sslOf('postgres://u@localhost.example.com/x')).toEqual({ rejectUnauthorized: true })
  expect(parseConnection('postgres://u@db/x?sslmode=disable').connectionString).toBe('postgres://u@db/x')
})

/** Passes everything on, until it is to lose the answer to something: the connection is cut when that answer comes. */
async function startProxy(to: number) {
  let awaited: string | undefined
  let lost = 0
  const sockets = new Set<Socket>()
  const proxy = createServer((near) => {
    const far = connect(to, '127.0.0.1')
    let isLosing = false
    for (const socket of [near, far]) sockets.add(socket.on('error', () => {}).on('close', () => near.destroy()))
    near.on('close', () => far.destroy())
    near.on('data', (chunk) => {
      if (awaited !== undefined && chunk.includes(awaited)) {
        isLosing = true
        awaited = undefined
      }
      far.write(chunk)
    })
    far.on('data', (chunk) => {
      if (!isLosing) near.write(chunk)
      else {
        lost += 1
        near.destroy()
      }
    })
  }).listen(0, '127.0.0.1')
  await once(proxy, 'listening')
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    proxy.close()
  })
  const address = proxy.address()
  return {
    port: typeof address === 'object' ? (address?.port ?? 0) : 0,
    loseAnswerTo: (text: string) => {
      awaited = text
    },
    get lost() {
      return lost
    },
  }
}
