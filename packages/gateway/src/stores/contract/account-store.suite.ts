import { expect, test } from 'vitest'
import type { AccountRecord, AccountStore } from './account-store.ts'

/**
 * What every driver of the port keeps to.
 * @param open gives an empty one, and puts it away when the test is over
 */
export function accountStoreSuite(open: () => Promise<AccountStore>): void {
  test('accounts: finds what was added, all of it, and nothing else', async () => {
    const accounts = await open()
    const ann = toAccount('änn “1”', { roles: ['admin', '__proto__'] })
    await accounts.add(ann)
    await accounts.add(toAccount('bob'))
    expect(await accounts.find('änn “1”')).toEqual(ann)
    for (const name of ['', 'Bob', 'bob ', "' or 1=1 --", 'bob\0', '\ud800']) {
      expect(await accounts.find(name), name).toBeUndefined()
    }
  })

  test('accounts: a name is given once, whatever the tenant and however many ask', async () => {
    const accounts = await open()
    const outcomes = await Promise.allSettled(
      Array.from({ length: 6 }, (_, index) => accounts.add(toAccount('ann', { tenant: `t${index}` }))),
    )
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    await expect(accounts.add(toAccount('ann'))).rejects.toMatchObject({ code: 'conflict' })
  })

  test('accounts: a change changes what it names and nothing else', async () => {
    const accounts = await open()
    await accounts.add(toAccount('ann'))
    await accounts.add(toAccount('bob'))
    const changed = toAccount('ann', { digest: 'new', changedAt: 7 })
    expect(await accounts.change('ann', { digest: 'new', changedAt: 7 })).toEqual(changed)
    expect(await accounts.change('ann', {})).toEqual(changed)
    expect(await accounts.change('ann', { roles: [] })).toEqual({ ...changed, roles: [] })
    expect(await accounts.find('bob')).toEqual(toAccount('bob'))
    expect(await accounts.change('nobody', { digest: 'x' })).toBeUndefined()
    expect(await accounts.change('ann\0', { digest: 'x' })).toBeUndefined()
  })

  test('accounts: what was removed is gone, and its name free', async () => {
    const accounts = await open()
    await accounts.add(toAccount('ann'))
    expect(await accounts.remove('ann')).toBe(true)
    expect(await accounts.remove('ann')).toBe(false)
    expect(await accounts.remove('\0')).toBe(false)
    expect(await accounts.find('ann')).toBeUndefined()
    await accounts.add(toAccount('ann'))
  })

  test('accounts: pages of any size cover every account once', async () => {
    const accounts = await open()
    const names = ['d', 'a', 'ä', 'B', 'c']
    for (const name of names) await accounts.add(toAccount(name))
    for (const limit of [1, 2, 10]) {
      const found: string[] = []
      for (;;) {
        const after = found.at(-1)
        const page = await accounts.list({ limit, ...(after !== undefined && { after }) })
        if (page.length === 0) break
        found.push(...page.map(({ name }) => name))
      }
      expect(found).toEqual(['B', 'a', 'c', 'd', 'ä'])
    }
  })

  test('accounts: a text that would not come back as it is is refused', async () => {
    const accounts = await open()
    await expect(accounts.add(toAccount('a\0b'))).rejects.toMatchObject({ code: 'invalid' })
    await expect(accounts.add(toAccount('a', { roles: ['\ud800'] }))).rejects.toMatchObject({ code: 'invalid' })
  })
}

function toAccount(name: string, more: Partial<AccountRecord> = {}): AccountRecord {
  return { name, tenant: 'acme', roles: ['dev'], digest: `digest of ${name}`, createdAt: 1, changedAt: 1, ...more }
}
