import { expect, test } from 'vitest'
import type { GrantRow, GrantStore } from './grant-store.ts'

/**
 * What every driver of the port keeps to.
 * @param open gives an empty one, and puts it away when the test is over
 */
export function grantStoreSuite(open: () => Promise<GrantStore>): void {
  test('grants: finds what was put, all of it, by its kind and id', async () => {
    const grants = await open()
    const full = toRow('Session', 'a', { grant: 'g', account: 'ann', client: 'c', uid: 'u', expiresAt: 2 ** 52 })
    await grants.put(full)
    await grants.put(toRow('Code', 'a'))
    expect(await grants.find('Session', 'a')).toEqual(full)
    expect(await grants.find('Code', 'a')).toEqual(toRow('Code', 'a'))
    expect(await grants.findByUid('Session', 'u')).toEqual(full)
    expect(await grants.findByUid('Code', 'u')).toBeUndefined()
    for (const id of ['', 'A', 'a ', "' or 1=1 --", 'a\0', '\ud800']) {
      expect(await grants.find('Session', id), id).toBeUndefined()
    }
  })

  test('grants: what is put again takes the place of what was there', async () => {
    const grants = await open()
    await grants.put(toRow('Session', 'a', { uid: 'u', account: 'ann', expiresAt: 5 }))
    await grants.put(toRow('Session', 'a', { payload: 'other', uid: 'v' }))
    expect(await grants.find('Session', 'a')).toEqual(toRow('Session', 'a', { payload: 'other', uid: 'v' }))
    expect(await grants.findByUid('Session', 'u')).toBeUndefined()
  })

  test('grants: of many who add the same, the first keeps it', async () => {
    const grants = await open()
    const added = await Promise.all(
      Array.from({ length: 8 }, (_, index) => grants.add(toRow('Seen', 'jti', { payload: `${index}` }))),
    )
    expect(added.filter((isKept) => isKept)).toHaveLength(1)
    expect((await grants.find('Seen', 'jti'))?.payload).toBe(`${added.indexOf(true)}`)
  })

  test('abuse-33: grants: what can be used once is, by the first of many who use it at once', async () => {
    const grants = await open()
    await grants.put(toRow('Code', 'a', { grant: 'g' }))
    const used = await Promise.all(Array.from({ length: 8 }, (_, index) => grants.consume('Code', 'a', index + 10)))
    expect(used.filter((isFirst) => isFirst)).toHaveLength(1)
    const consumedAt = used.indexOf(true) + 10
    expect(await grants.find('Code', 'a')).toEqual(toRow('Code', 'a', { grant: 'g', consumedAt }))
    await grants.put(toRow('Code', 'a', { grant: 'g' }))
    expect(await grants.consume('Code', 'a', 99)).toBe(false)
    expect(await grants.consume('Code', 'none', 99)).toBe(false)
  })

  test('grants: revoking removes everything that came of a grant, an account or a client, and nothing else', async () => {
    for (const of of [{ grant: 'g1' }, { account: 'ann' }, { client: 'c1' }]) {
      const grants = await open()
      const theirs = { grant: 'g1', account: 'ann', client: 'c1' }
      const others = { grant: 'g2', account: 'bob', client: 'c2' }
      for (const kind of ['Grant', 'RefreshToken', 'Code']) {
        await grants.put(toRow(kind, 'x', theirs))
        await grants.put(toRow(kind, 'y', others))
      }
      await grants.put(toRow('Client', 'z'))
      expect(await grants.revoke(of)).toBe(3)
      expect(await grants.revoke(of)).toBe(0)
      for (const kind of ['Grant', 'RefreshToken', 'Code']) {
        expect(await grants.find(kind, 'x')).toBeUndefined()
        expect(await grants.find(kind, 'y')).toEqual(toRow(kind, 'y', others))
      }
      expect(await grants.count('Client')).toBe(1)
      await grants.remove('Client', 'z')
      expect(await grants.count('Client')).toBe(0)
    }
  })

  test('grants: sweeps what has expired and nothing else, a thousand at a time', async () => {
    const grants = await open()
    for (let index = 0; index < 1_003; index++) await grants.put(toRow('Code', `${index}`, { expiresAt: index % 7 }))
    await grants.put(toRow('Client', 'ever'))
    await grants.put(toRow('Code', 'later', { expiresAt: 100 }))
    expect(await grants.sweep(50)).toBe(1_000)
    expect(await grants.sweep(50)).toBe(3)
    expect(await grants.sweep(50)).toBe(0)
    expect([await grants.count('Code'), await grants.count('Client')]).toEqual([1, 1])
  })

  test('grants: pages of any size cover every row of a kind once', async () => {
    const grants = await open()
    for (const id of ['c', 'a', 'd', 'b']) await grants.put(toRow('Grant', id, { account: id < 'c' ? 'ann' : 'bob' }))
    await grants.put(toRow('Other', 'e'))
    for (const [account, wanted] of [
      [undefined, ['a', 'b', 'c', 'd']],
      ['ann', ['a', 'b']],
      ['nobody', []],
    ] as const) {
      for (const limit of [1, 3, 10]) {
        const found: string[] = []
        for (;;) {
          const after = found.at(-1)
          const of = account === undefined ? {} : { account }
          const page = await grants.list({ kind: 'Grant', limit, ...of, ...(after !== undefined && { after }) })
          if (page.length === 0) break
          found.push(...page.map(({ id }) => id))
        }
        expect(found).toEqual(wanted)
      }
    }
  })

  test('grants: a text that would not come back as it is is refused', async () => {
    const grants = await open()
    await expect(grants.put(toRow('Code', 'a\0'))).rejects.toMatchObject({ code: 'invalid' })
    await expect(grants.put(toRow('Code', 'a', { payload: '\ud800' }))).rejects.toMatchObject({ code: 'invalid' })
  })
}

function toRow(kind: string, id: string, more: Partial<GrantRow> = {}): GrantRow {
  return { kind, id, payload: `of ${id}`, createdAt: 1, ...more }
}
