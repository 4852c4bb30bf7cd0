import { mkdtempSync, readFileSync, realpathSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findPostgres, type PostgresServer, startPostgres } from '@crosspoint/testkit'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import type { AuditRow } from './contract/audit-store.ts'
import type { KeyRecord } from './contract/key-store.ts'
import type { Store } from './contract/store.ts'
import { openEmbedded } from './embedded/store.ts'
import { openPostgres } from './postgres/store.ts'

const programs = findPostgres()
const KINDS = programs === undefined ? (['embedded'] as const) : (['embedded', 'postgres'] as const)
const PAIRS = KINDS.flatMap((from) => KINDS.map((to) => [from, to] as const))

describe('backups', () => {
  let server: PostgresServer | undefined
  beforeAll(async () => {
    if (programs !== undefined) server = await startPostgres(programs)
  })
  afterAll(() => server?.close())

  const open = async (kind: (typeof KINDS)[number]): Promise<Store> => {
    const url = kind === 'postgres' ? await server?.createDatabase() : undefined
    const path = join(makeFolder(), 'store.db')
    const store = url === undefined ? await openEmbedded({ path }) : await openPostgres({ url, isUnmigrated: true })
    onTestFinished(() => store.close())
    await store.migrate()
    return store
  }

  test.each(PAIRS)('a backup of a store of kind %s fills an empty one of kind %s', async (from, to) => {
    const [source, target] = [await open(from), await open(to)]
    await fill(source)
    const file = join(makeFolder(), 'backup')
    await source.backup(file)
    expect(statSync(file).mode & 0o777).toBe(0o600)
    await source.keys.add(toKey('late'))
    await target.restore(file)
    expect(await target.keys.list({ limit: 10 })).toEqual([FULL, toKey('plain')])
    expect(await target.keys.version()).toBeGreaterThan(2)
    expect(await target.accounts.find('ann')).toEqual(ANN)
    expect(await target.grants.find('Grant', 'g')).toEqual(GRANT)
    expect(await target.audit.chains()).toEqual(await source.audit.chains())
    expect(await target.credentials.find(SEALED)).toEqual({ ...SEALED, version: 1 })
    expect(await target.audit.read('a', { from: 1, limit: 5_000 })).toEqual(
      await source.audit.read('a', { from: 1, limit: 5_000 }),
    )
    expect(await target.audit.checkpoints('a')).toEqual(await source.audit.checkpoints('a'))
    expect(await target.counts.read({ now: 0, limit: 9 })).toEqual([COUNT])
    // It goes on where it was, also where all was forgotten.
    await target.audit.append(toRows('a', 1_301, 2))
    await target.audit.append(toRows('b', 3, 1))
    await expect(target.restore(file)).rejects.toMatchObject({ code: 'conflict' })
  })

  test.each(KINDS)('a backup of kind %s overwrites nothing', async (kind) => {
    const store = await open(kind)
    const file = join(makeFolder(), 'backup')
    writeFileSync(file, 'mine')
    await expect(store.backup(file)).rejects.toMatchObject({ name: 'StoreError', code: 'conflict' })
    expect(readFileSync(file, 'utf8')).toBe('mine')
  })

  test.each(PAIRS)('a backup of kind %s that is not whole leaves one of kind %s empty', async (from, to) => {
    const [source, target] = [await open(from), await open(to)]
    await fill(source)
    const folder = makeFolder()
    await source.backup(join(folder, 'whole'))
    const whole = readFileSync(join(folder, 'whole'))
    for (const [at, spoiled] of [
      whole.subarray(0, whole.length * 0.7),
      Buffer.from('hello'),
      Buffer.alloc(0),
    ].entries()) {
      const file = join(folder, `${at}`)
      writeFileSync(file, spoiled)
      await expect(target.restore(file)).rejects.toMatchObject({ name: 'StoreError', code: 'damaged' })
    }
    await expect(target.restore(join(folder, 'none'))).rejects.toMatchObject({ code: 'unavailable' })
    expect(await target.keys.list({ limit: 10 })).toEqual([])
    expect(await target.audit.chains()).toEqual([])
    await target.restore(join(folder, 'whole'))
  })
})

test('a backup of an embedded store is a store', async () => {
  const folder = makeFolder()
  const store = await openEmbedded({ path: join(folder, 'store.db') })
  await fill(store)
  await store.backup(join(folder, 'backup.db'))
  await store.close()
  const again = await openEmbedded({ path: join(folder, 'backup.db') })
  expect(await again.keys.find('full')).toEqual(FULL)
  await again.close()
})

async function fill({ counts, keys, audit, credentials, accounts, grants }: Store): Promise<void> {
  await counts.save([COUNT])
  await credentials.put(SEALED, 0)
  await accounts.add(ANN)
  await grants.put(GRANT)
  await keys.add(FULL)
  await keys.add(toKey('plain'))
  await audit.append(toRows('a', 1, 1_300))
  await audit.append(toRows('b', 1, 2, 1))
  await audit.forget(2)
  await audit.addCheckpoint({ chain: 'a', seq: 7, hash: 'h', at: 5, key: 'k', signature: 's' })
}

function makeFolder(): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'crosspoint-backup-')))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

function toRows(chain: string, from: number, count: number, at = 9): readonly AuditRow[] {
  const index = { tenant: 'acme', principal: 'é \0', method: 'tools/call', outcome: 'ok', trace: 't' }
  return Array.from({ length: count }, (_, step) => from + step).map((seq) => {
    return {
      chain,
      seq,
      at,
      previous: `${seq - 1}`,
      hash: `${seq}`,
      record: `{"n":${seq},"x":"\\u0000 \u2028"}`,
      index,
    }
  })
}

function toKey(id: string, more: Partial<KeyRecord> = {}): KeyRecord {
  return { id, digest: 'd', principal: 'p', tenant: 't', roles: [], createdAt: 1, ...more }
}

const SEALED = {
  kind: 'connection',
  tenant: 't',
  principal: 'é',
  name: 'n',
  keyId: 'k',
  sealed: 's',
  updatedAt: 7,
} as const

const FULL = toKey('full', {
  scopes: ['s'],
  roles: ['r'],
  label: 'l\nl',
  expiresAt: 2,
  revokedAt: 3,
  replacedBy: 'x',
  usedAt: 4,
})

const ANN = { name: 'ann', tenant: 'acme', roles: ['dev'], digest: 'd', createdAt: 1, changedAt: 2 }
const GRANT = {
  kind: 'Grant',
  id: 'g',
  grant: 'g',
  account: 'ann',
  client: 'c',
  payload: 'p',
  createdAt: 1,
  consumedAt: 3,
}

const COUNT = { key: 'k\0', owner: 'o', part: 2, amount: 3, windowMs: 4, expiresAt: 5 }
