import { expect, test } from 'vitest'
import type { CounterStore, KeptCount } from './counter-store.ts'

/**
 * What every driver of the port keeps to.
 * @param open gives an empty one, and puts it away when the test is over
 */
export function counterStoreSuite(open: () => Promise<CounterStore>): void {
  test('counts: finds what was kept, as it was last', async () => {
    const counts = await open()
    const odd = toCount({ key: 'é \0 \ud800 \ufffd', owner: 'b', amount: 2 ** 40, expiresAt: 2 ** 52 })
    await counts.save([toCount({}), odd])
    await counts.save([toCount({ amount: 5 }), toCount({ part: 8 })])
    await counts.save([])
    expect(await readAll(counts, 0)).toEqual([toCount({ amount: 5 }), toCount({ part: 8 }), odd])
  })

  test('counts: what counts no more is neither found nor kept', async () => {
    const counts = await open()
    await counts.save([toCount({ part: 1, expiresAt: 100 }), toCount({ part: 2, expiresAt: 101 })])
    expect(await readAll(counts, 99)).toHaveLength(2)
    expect(await readAll(counts, 100)).toEqual([toCount({ part: 2, expiresAt: 101 })])
    await counts.forget(100)
    expect(await readAll(counts, 0)).toEqual([toCount({ part: 2, expiresAt: 101 })])
  })

  test('counts: pages of any size cover every count once, many of them too', async () => {
    const counts = await open()
    const all = Array.from({ length: 1_700 }, (_, at) =>
      toCount({ key: `k${at % 40}`, owner: `o${at % 3}`, part: Math.floor(at / 40) }),
    )
    await counts.save(all)
    for (const limit of [7, 5_000]) {
      const found = await readAll(counts, 0, limit)
      expect(found).toHaveLength(all.length)
      expect(new Set(found.map((count) => JSON.stringify(count)))).toEqual(
        new Set(all.map((count) => JSON.stringify(count))),
      )
    }
  })

  test('counts: processes that write at once lose nothing of each other', async () => {
    const counts = await open()
    const owners = ['a', 'b', 'c', 'd']
    await Promise.all(
      owners.flatMap((owner) =>
        [1, 2, 3].map((part) => counts.save([toCount({ owner, part }), toCount({ owner, part: 9 })])),
      ),
    )
    expect(await readAll(counts, 0)).toHaveLength(16)
  })
}

async function readAll(counts: CounterStore, now: number, limit = 2): Promise<readonly KeptCount[]> {
  const found: KeptCount[] = []
  for (;;) {
    const after = found.at(-1)
    const page = await counts.read({ now, limit, ...(after !== undefined && { after }) })
    expect(page.length).toBeLessThanOrEqual(limit)
    if (page.length === 0) return found
    found.push(...page)
  }
}

function toCount(more: Partial<KeptCount>): KeptCount {
  return { key: 'daily/1:x/4:acmeanna', owner: 'a', part: 7, amount: 3, windowMs: 60_000, expiresAt: 1_000, ...more }
}
