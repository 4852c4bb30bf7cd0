import { expect, test } from 'vitest'
import type { SessionStore } from './session-store.ts'

/**
 * What every driver of the port keeps to.
 * @param open gives an empty one, and puts it away when the test is over
 * @param sleep lets the clock of the store go on for so many milliseconds
 */
export function sessionStoreSuite(open: () => Promise<SessionStore>, sleep: (ms: number) => Promise<void>): void {
  test('sessions: a gateway is there for its lease, and says whether it was before', async () => {
    const store = await open()
    expect(await store.addressOf('a')).toBeUndefined()
    expect(await store.beat('a', 'http://a', 60_000)).toEqual({ wasThere: false, lost: [] })
    expect(await store.beat('a', 'http://a', 150)).toEqual({ wasThere: true, lost: [] })
    expect(await store.addressOf('a')).toBe('http://a')
    await sleep(200)
    expect(await store.addressOf('a')).toBeUndefined()
    expect(await store.beat('a', 'http://b', 60_000)).toMatchObject({ wasThere: false })
    expect(await store.addressOf('a')).toBe('http://b')
  })

  test('sessions: one that is about to end can still be told from one that is gone', async () => {
    const store = await open()
    await store.beat('a', 'http://a', 60_000)
    await store.keep('k', 'a', 'r', 60_000)
    await store.leave('a', 60_000)
    expect(await store.addressOf('a')).toBe('')
    expect(await store.find('k', 0)).toMatchObject({ isAlive: false })
  })

  test('sessions: one is found as it was kept last, and by whom', async () => {
    const store = await open()
    await store.beat('a', 'http://a', 60_000)
    expect(await store.keep('k', 'a', 'é "1"', 60_000)).toBe(true)
    expect(await store.find('k', 0)).toEqual({ node: 'a', isAlive: true, era: 0, record: 'é "1"' })
    expect(await store.keep('k', 'a', '2', 60_000)).toBe(true)
    expect(await store.keep('k', 'b', '3', 60_000)).toBe(false)
    expect(await store.find('k', 0)).toMatchObject({ node: 'a', record: '2' })
    await store.forget('k', 'b')
    expect(await store.find('k', 0)).toMatchObject({ node: 'a' })
    await store.forget('k', 'a')
    expect(await store.find('k', 0)).toBe('unknown')
  })

  test('sessions: one that nobody uses ends, and one that is touched does not', async () => {
    const store = await open()
    await store.keep('k', 'a', '', 150)
    await store.keep('l', 'a', '', 150)
    await store.touch('l', 60_000)
    await store.touch('none', 60_000)
    await sleep(200)
    expect(await store.find('k', 0)).toBe('unknown')
    expect(await store.find('l', 0)).toMatchObject({ isAlive: false })
    expect(await store.find('none', 0)).toBe('unknown')
  })

  test('sessions: of all who take one over one does, and who had it hears of that', async () => {
    const store = await open()
    await store.beat('a', 'http://a', 60_000)
    await store.keep('k', 'a', 'r', 60_000)
    const tries = await Promise.all(['b', 'c', 'd'].map((to) => store.adopt('k', 'a', to, 60_000)))
    expect(tries.filter(Boolean)).toHaveLength(1)
    expect(await store.find('k', 0)).toMatchObject({ node: 'bcd'[tries.indexOf(true)], era: 1, record: 'r' })
    expect(await store.keep('k', 'a', 'mine', 60_000)).toBe(false)
    expect(await store.beat('a', 'http://a', 60_000)).toEqual({ wasThere: true, lost: ['k'] })
    expect(await store.beat('a', 'http://a', 60_000)).toEqual({ wasThere: true, lost: [] })
    expect(await store.adopt('none', 'a', 'b', 60_000)).toBe(false)
  })

  test('sessions: a store that has just begun is not sure of what is not there', async () => {
    const store = await open()
    expect(await store.find('k', 300)).toBe('unsure')
    await sleep(350)
    expect(await store.find('k', 300)).toBe('unknown')
  })
}
