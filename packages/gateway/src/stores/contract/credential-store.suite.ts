import { expect, test } from 'vitest'
import type { CredentialRecord, CredentialStore } from './credential-store.ts'

/**
 * What every driver of the port keeps to.
 * @param open gives an empty one, and puts it away when the test is over
 */
export function credentialStoreSuite(open: () => Promise<CredentialStore>): void {
  test('credentials: finds what was put by all parts of its id, and nothing else', async () => {
    const store = await open()
    expect(await store.put(SOME, 0)).toBe(1)
    expect(await store.find(SOME)).toEqual({ ...SOME, version: 1 })
    const others = [{ kind: 'secret' }, { tenant: 'Acme' }, { principal: '' }, { name: "' or 1=1 --" }, { name: 'x\0' }]
    for (const other of others) {
      expect(await store.find({ ...SOME, ...other } as CredentialRecord), JSON.stringify(other)).toBeUndefined()
    }
  })

  test('credentials: a change takes the place of the version it was made from, and of no other', async () => {
    const store = await open()
    expect(await store.put({ ...SOME, sealed: 'early' }, 1)).toBeUndefined()
    await store.put(SOME, 0)
    expect(await store.put({ ...SOME, sealed: 'other' }, 0)).toBeUndefined()
    expect(await store.put({ ...SOME, sealed: 'second', keyId: 'k2', updatedAt: 8 }, 1)).toBe(2)
    expect(await store.put({ ...SOME, sealed: 'late' }, 1)).toBeUndefined()
    expect(await store.find(SOME)).toEqual({ ...SOME, sealed: 'second', keyId: 'k2', updatedAt: 8, version: 2 })
  })

  test('credentials: the same change sent twice, as after a lost answer, is done once', async () => {
    const store = await open()
    expect([await store.put(SOME, 0), await store.put(SOME, 0)]).toEqual([1, 1])
    const next = { ...SOME, sealed: 'next' }
    expect([await store.put(next, 1), await store.put(next, 1)]).toEqual([2, 2])
  })

  test('credentials: of many who change one at once one succeeds', async () => {
    const store = await open()
    await store.put(SOME, 0)
    const versions = await Promise.all(
      Array.from({ length: 8 }, (_, index) => store.put({ ...SOME, sealed: `${index}` }, 1)),
    )
    expect(versions.filter((version) => version === 2)).toHaveLength(1)
    expect((await store.find(SOME))?.sealed).toBe(String(versions.indexOf(2)))
  })

  test('credentials: what is removed is gone, and nothing else is', async () => {
    const store = await open()
    await store.put(SOME, 0)
    await store.put({ ...SOME, principal: 'bob' }, 0)
    expect(await store.remove(SOME)).toBe(true)
    expect(await store.remove(SOME)).toBe(false)
    expect(await store.find(SOME)).toBeUndefined()
    expect(await store.find({ ...SOME, principal: 'bob' })).toBeDefined()
  })

  test('credentials: pages of any size cover every one of a kind once', async () => {
    const store = await open()
    const all: string[] = []
    for (const tenant of ['', 'a', 'ab']) {
      for (const principal of ['', 'b', 'é']) {
        await store.put({ ...SOME, tenant, principal, name: 'one' }, 0)
        all.push(`${tenant}|${principal}`)
      }
    }
    await store.put({ ...SOME, kind: 'secret' }, 0)
    for (const limit of [1, 4, 100]) {
      const found: CredentialRecord[] = []
      for (;;) {
        const after = found.at(-1)
        const page = await store.list({ kind: 'connection', limit, ...(after === undefined ? {} : { after }) })
        expect(page.length).toBeLessThanOrEqual(limit)
        if (page.length === 0) break
        found.push(...page)
      }
      expect(found.map(({ tenant, principal }) => `${tenant}|${principal}`)).toEqual(all)
    }
  })

  test('credentials: a text that would not come back as it is is refused', async () => {
    const store = await open()
    for (const bad of ['a\0b', '\ud800']) {
      await expect(store.put({ ...SOME, name: bad }, 0)).rejects.toMatchObject({ code: 'invalid' })
      await expect(store.claim(bad, 'h', { now: 1, until: 2 })).rejects.toMatchObject({ code: 'invalid' })
      expect(await store.remove({ ...SOME, name: bad })).toBe(false)
    }
  })

  test('credentials: a name is one holder’s until its time is over or it is given back', async () => {
    const store = await open()
    expect(await store.claim('n', 'a', { now: 10, until: 20 })).toBe(true)
    expect(await store.claim('n', 'b', { now: 19, until: 99 })).toBe(false)
    expect(await store.claim('n', 'a', { now: 19, until: 30 })).toBe(true)
    expect(await store.claim('n', 'b', { now: 29, until: 99 })).toBe(false)
    expect(await store.claim('n', 'b', { now: 30, until: 40 })).toBe(true)
    await store.release('n', 'a')
    expect(await store.claim('n', 'a', { now: 31, until: 40 })).toBe(false)
    await store.release('n', 'b')
    expect(await store.claim('n', 'a', { now: 31, until: 40 })).toBe(true)
  })

  test('credentials: of many who take a name at once one has it', async () => {
    const store = await open()
    const taken = await Promise.all(
      Array.from({ length: 8 }, (_, index) => store.claim('n', `${index}`, { now: 1, until: 9 })),
    )
    expect(taken.filter(Boolean)).toHaveLength(1)
  })
}

const SOME = {
  kind: 'connection',
  tenant: 'acme',
  principal: 'alice',
  name: 'github',
  keyId: 'k1',
  sealed: 'c2VhbGVk',
  updatedAt: 7,
} as const
