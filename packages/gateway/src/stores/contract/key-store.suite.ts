import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { KeyRecord, KeyStore } from './key-store.ts'

/**
 * What every driver of the port keeps to.
 * @param open gives an empty one, and puts it away when the test is over
 */
export function keyStoreSuite(open: () => Promise<KeyStore>): void {
  test('keys: finds what was added, all of it, and nothing else', async () => {
    const keys = await open()
    const full = toKey('full', {
      scopes: ['read:file', ''],
      roles: ['admin', '__proto__'],
      label: 'für CI “1”',
      expiresAt: 2 ** 52,
      revokedAt: 3,
      replacedBy: 'next',
      usedAt: 4,
    })
    await keys.add(full)
    await keys.add(toKey('bare'))
    expect(await keys.find('full')).toEqual(full)
    expect(await keys.find('bare')).toEqual(toKey('bare'))
    for (const id of ['', 'Full', 'full ', '__proto__', "' or 1=1 --", 'full\0', '\ud800']) {
      expect(await keys.find(id), id).toBeUndefined()
    }
  })

  test('keys: scopes that are none are not the same as none being said', async () => {
    const keys = await open()
    await keys.add(toKey('none', { scopes: [] }))
    expect(await keys.find('none')).toEqual(toKey('none', { scopes: [] }))
  })

  test('keys: an id is given once', async () => {
    const keys = await open()
    await keys.add(toKey('a'))
    await expect(keys.add(toKey('a', { principal: 'mallory' }))).rejects.toMatchObject({ code: 'conflict' })
    expect(await keys.find('a')).toEqual(toKey('a'))
    expect(await keys.version()).toBe(1)
  })

  test('keys: of many who add the same id one succeeds', async () => {
    const keys = await open()
    const outcomes = await Promise.allSettled(
      Array.from({ length: 8 }, (_, index) => keys.add(toKey('a', { principal: `p${index}` }))),
    )
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    const winner = outcomes.findIndex(({ status }) => status === 'fulfilled')
    expect(await keys.find('a')).toMatchObject({ principal: `p${winner}` })
  })

  test('keys: a text that would not come back as it is is refused', async () => {
    const keys = await open()
    for (const bad of ['a\0b', '\ud800']) {
      await expect(keys.add(toKey('a', { principal: bad }))).rejects.toMatchObject({ code: 'invalid' })
      await expect(keys.add(toKey(bad))).rejects.toMatchObject({ code: 'invalid' })
    }
    expect(await keys.list({ limit: 10 })).toEqual([])
  })

  test('keys: a change changes what it names and nothing else', async () => {
    const keys = await open()
    await keys.add(toKey('a', { label: 'old', scopes: ['s'] }))
    await keys.add(toKey('b'))
    expect(await keys.change('a', { label: 'new', expiresAt: 7 })).toEqual(
      toKey('a', { label: 'new', scopes: ['s'], expiresAt: 7 }),
    )
    const last = toKey('a', { label: 'new', scopes: ['s'], expiresAt: 7, revokedAt: 8, replacedBy: 'b', usedAt: 9 })
    expect(await keys.change('a', { revokedAt: 8, replacedBy: 'b', usedAt: 9 })).toEqual(last)
    expect(await keys.change('a', {})).toEqual(last)
    expect(await keys.find('a')).toEqual(last)
    expect(await keys.find('b')).toEqual(toKey('b'))
    expect(await keys.change('nobody', { revokedAt: 1 })).toBeUndefined()
    expect(await keys.change('a\0', { revokedAt: 1 })).toBeUndefined()
  })

  test('keys: the version counts every addition and change up, but not that a key was used', async () => {
    const keys = await open()
    const seen = [await keys.version()]
    await keys.add(toKey('a'))
    seen.push(await keys.version())
    await keys.change('a', { revokedAt: 1 })
    seen.push(await keys.version())
    await keys.change('a', { usedAt: 2, label: 'x' })
    seen.push(await keys.version())
    expect(seen).toEqual([...new Set(seen)].sort((a, b) => a - b))
    await keys.change('a', { usedAt: 3 })
    expect(await keys.version()).toBe(seen.at(-1))
    expect(await keys.find('a')).toMatchObject({ usedAt: 3 })
  })

  test('keys: many changes at once are all counted', async () => {
    const keys = await open()
    await keys.add(toKey('a'))
    const before = await keys.version()
    await Promise.all(Array.from({ length: 20 }, (_, index) => keys.change('a', { label: `${index}` })))
    expect(await keys.version()).toBe(before + 20)
  })

  test('keys: pages of any size cover every key of a tenant once, in the order of ids', async () => {
    const keys = await open()
    const ids = fc.uniqueArray(fc.stringMatching(/^[A-Za-z0-9_-]{1,8}$/), { minLength: 30, maxLength: 30 })
    const [all = []] = fc.sample(ids, { numRuns: 1, seed: 5 })
    const tenantOf = (index: number) => (index % 3 === 0 ? 'acme' : 'umbrella')
    for (const [index, id] of all.entries()) await keys.add(toKey(id, { tenant: tenantOf(index) }))
    for (const tenant of [undefined, 'acme', 'umbrella', 'nobody', '\0']) {
      const wanted = all.filter((_, index) => tenant === undefined || tenantOf(index) === tenant).sort()
      for (const limit of [1, 4, 100]) expect(await listAll(keys, limit, tenant)).toEqual(wanted)
    }
  })
}

async function listAll(keys: KeyStore, limit: number, tenant?: string): Promise<readonly string[]> {
  const found: string[] = []
  for (;;) {
    const after = found.at(-1)
    const page = await keys.list({
      limit,
      ...(tenant !== undefined && { tenant }),
      ...(after !== undefined && { after }),
    })
    expect(page.length).toBeLessThanOrEqual(limit)
    if (page.length === 0) return found
    found.push(...page.map(({ id }) => id))
  }
}

function toKey(id: string, more: Partial<KeyRecord> = {}): KeyRecord {
  return { id, digest: `digest of ${id}`, principal: 'alice', tenant: 'acme', roles: [], createdAt: 1, ...more }
}
