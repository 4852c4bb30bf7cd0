import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { AuditIndex, AuditQuery, AuditRow, AuditStore, Checkpoint } from './audit-store.ts'

/**
 * What every driver of the port keeps to.
 * @param open gives an empty one, and puts it away when the test is over
 */
export function auditStoreSuite(open: () => Promise<AuditStore>): void {
  describe('audit', () => {
    appending(open)
    searching(open)
    forgetting(open)
  })
}

function appending(open: () => Promise<AuditStore>): void {
  test('what was appended is read back as it was, byte for byte', async () => {
    const audit = await open()
    const strange = '{"a":"\\u0000 \\ud800 é 😀 \u2028 \ufffd0000","__proto__":1}'
    const odd = 'NUL \0 half \ud800 mark \ufffd \ufffdd800'
    const rows = toChain('a', [
      { record: strange, index: { ...INDEX, target: odd, principal: odd, upstream: 'u', trace: 't' } },
      { record: '', at: 0 },
      { at: 2 ** 52 },
    ])
    await audit.append(rows)
    expect(await audit.read('a', { from: 1, limit: 10 })).toEqual(rows)
    expect(await audit.last('a')).toEqual(rows[2])
    expect(await audit.search({ target: odd, limit: 10 })).toEqual([rows[0]])
    expect(await audit.search({ principal: 'NUL', limit: 10 })).toEqual([])
  })

  test('rows in batches of any size are kept in their order, chain by chain', async () => {
    const audit = await open()
    const sizes = fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.integer({ min: 1, max: 40 })), {
      minLength: 25,
      maxLength: 25,
    })
    const [batches = []] = fc.sample(sizes, { numRuns: 1, seed: 7 })
    const kept = new Map<string, AuditRow[]>()
    for (const [chain, size] of batches) {
      const rows = kept.get(chain) ?? []
      const more = toChain(chain, Array(size).fill({}), rows.at(-1))
      await audit.append(more)
      kept.set(chain, [...rows, ...more])
    }
    expect(await audit.chains()).toEqual(
      [...kept.keys()].sort().map((chain) => ({ chain, first: 1, last: kept.get(chain)?.length })),
    )
    for (const [chain, rows] of kept) {
      expect(await audit.last(chain)).toEqual(rows.at(-1))
      expect(await readAll(audit, chain, 17)).toEqual(rows)
      expect(await audit.read(chain, { from: 5, limit: 2 })).toEqual(rows.slice(4, 6))
    }
    expect(await audit.last('none')).toBeUndefined()
    expect(await audit.read('a\0', { from: 1, limit: 1 })).toEqual([])
  })

  test('appends that are asked for at once are done in that order', async () => {
    const audit = await open()
    const rows = toChain('a', Array(60).fill({}))
    await Promise.all(Array.from({ length: 20 }, (_, index) => audit.append(rows.slice(index * 3, index * 3 + 3))))
    expect(await readAll(audit, 'a', 100)).toEqual(rows)
  })

  test('rows that do not follow the end of their chain are a conflict, and none of them is kept', async () => {
    const audit = await open()
    const rows = toChain('a', Array(4).fill({}))
    await audit.append(rows.slice(0, 2))
    const other = toChain('a', [{ record: 'other' }], rows[0])
    const elsewhere = toChain('a', [{}, {}], other[0])
    for (const wrong of [rows.slice(3), other, elsewhere, [...other, ...elsewhere], toChain('b', [{}, {}]).slice(1)]) {
      await expect(audit.append(wrong)).rejects.toMatchObject({ name: 'StoreError', code: 'conflict' })
    }
    expect(await readAll(audit, 'a', 10)).toEqual(rows.slice(0, 2))
    expect(await audit.chains()).toEqual([{ chain: 'a', first: 1, last: 2 }])
  })

  test('an append that is repeated, whole or in part, is no conflict and changes nothing', async () => {
    const audit = await open()
    const rows = toChain('a', Array(9).fill({}))
    await audit.append(rows.slice(0, 4))
    await audit.append(rows.slice(0, 4))
    await audit.append(rows.slice(1, 3))
    await audit.append(rows.slice(2, 7))
    await audit.append(rows)
    await audit.append([])
    expect(await readAll(audit, 'a', 10)).toEqual(rows)
    const forged = [...rows.slice(0, 8), { ...toChain('a', [{ record: 'x' }], rows[7])[0] } as AuditRow]
    await expect(audit.append(forged)).rejects.toMatchObject({ code: 'conflict' })
  })

  test('of several who append to one chain at once one succeeds', async () => {
    const audit = await open()
    const wanted = Array.from({ length: 6 }, (_, index) => toChain('a', [{ record: `${index}` }, {}]))
    const outcomes = await Promise.allSettled(wanted.map((rows) => audit.append(rows)))
    const winner = outcomes.findIndex(({ status }) => status === 'fulfilled')
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    expect(await readAll(audit, 'a', 10)).toEqual(wanted[winner])
  })

  test('rows that do not follow one another, or would not come back as they are, are refused', async () => {
    const audit = await open()
    const [one, two] = toChain('a', [{}, {}]) as [AuditRow, AuditRow]
    for (const wrong of [
      [two, one],
      [one, one],
      [one, { ...two, chain: 'b' }],
      [one, { ...two, previous: 'x' }],
      [{ ...one, seq: 0 }],
      [{ ...one, seq: 1.5 }],
      [{ ...one, at: Number.NaN }],
      [{ ...one, record: '\0' }],
      [{ ...one, chain: '\ud800' }],
    ]) {
      await expect(audit.append(wrong)).rejects.toMatchObject({ name: 'StoreError', code: 'invalid' })
    }
    expect(await audit.chains()).toEqual([])
  })

  test('checkpoints are kept by chain, in their order, and each once', async () => {
    const audit = await open()
    const all = [toCheckpoint('a', 5), toCheckpoint('a', 5, { at: 9 }), toCheckpoint('a', 20), toCheckpoint('b', 1)]
    for (const checkpoint of [3, 0, 1, 2, 2].map((index) => all[index])) {
      if (checkpoint !== undefined) await audit.addCheckpoint(checkpoint)
    }
    expect(await audit.checkpoints('a')).toEqual(all.slice(0, 3))
    expect(await audit.checkpoints('b')).toEqual(all.slice(3))
    expect(await audit.checkpoints('c')).toEqual([])
  })
}

function searching(open: () => Promise<AuditStore>): void {
  test('pages of any size cover everything a search finds once, newest first', async () => {
    const audit = await open()
    const index = fc.record(
      {
        tenant: fc.constantFrom('acme', 'umbrella'),
        principal: fc.constantFrom('alice', 'bob'),
        method: fc.constantFrom('tools/call', 'tools/list'),
        outcome: fc.constantFrom('ok', 'denied'),
        target: fc.constantFrom('gh__x', 'fs__y'),
        upstream: fc.constantFrom('gh', 'fs'),
        trace: fc.constantFrom('t1', 't2'),
      },
      { requiredKeys: ['tenant', 'principal', 'method', 'outcome'] },
    )
    // Few times, so that many are the same.
    const row = fc.record({ index, at: fc.integer({ min: 1, max: 9 }) })
    const [[a, b] = [[], []]] = fc.sample(
      fc.tuple(...['a', 'b'].map(() => fc.array(row, { minLength: 60, maxLength: 60 }))),
      {
        numRuns: 1,
        seed: 3,
      },
    )
    const all = [...toChain('a', a ?? []), ...toChain('b', b ?? [])]
    await audit.append(all.slice(0, 60))
    await audit.append(all.slice(60))
    const query = fc.record(
      {
        tenant: fc.constantFrom('acme', 'nobody'),
        principal: fc.constantFrom('alice', 'bob'),
        method: fc.constant('tools/call'),
        outcome: fc.constantFrom('ok', 'denied'),
        target: fc.constant('gh__x'),
        upstream: fc.constant('fs'),
        trace: fc.constant('t1'),
        since: fc.integer({ min: 0, max: 10 }),
        until: fc.integer({ min: 0, max: 10 }),
      },
      { requiredKeys: [] },
    )
    const property = fc.asyncProperty(query, fc.integer({ min: 1, max: 130 }), async (wanted, limit) => {
      expect(await searchAll(audit, wanted, limit)).toEqual(all.filter((one) => matches(one, wanted)).sort(newestFirst))
    })
    await fc.assert(property, { numRuns: 60, seed: 11 })
  })
}

function forgetting(open: () => Promise<AuditStore>): void {
  test('forgets the old from the beginning of each chain, and nothing out of its middle', async () => {
    const audit = await open()
    const a = toChain('a', [{ at: 1 }, { at: 5 }, { at: 2 }, { at: 9 }])
    const b = toChain('b', [{ at: 1 }, { at: 2 }])
    const c = toChain('c', [{ at: 8 }, { at: 1 }])
    for (const rows of [a, b, c]) await audit.append(rows)
    expect(await audit.forget(3)).toBe(3)
    expect(await audit.chains()).toEqual([
      { chain: 'a', first: 2, last: 4 },
      { chain: 'b', first: 3, last: 2 },
      { chain: 'c', first: 1, last: 2 },
    ])
    expect(await readAll(audit, 'a', 10)).toEqual(a.slice(1))
    expect(await audit.last('b')).toBeUndefined()
    expect(await readAll(audit, 'c', 10)).toEqual(c)
    expect(await audit.forget(3)).toBe(0)
  })

  test('a chain of which all is forgotten goes on where it was', async () => {
    const audit = await open()
    const rows = toChain('a', [{ at: 1 }, { at: 2 }, { at: 30 }])
    await audit.append(rows.slice(0, 2))
    expect(await audit.forget(10)).toBe(2)
    await expect(audit.append(toChain('a', [{}]))).rejects.toMatchObject({ code: 'conflict' })
    await audit.append(rows.slice(2))
    expect(await readAll(audit, 'a', 10)).toEqual(rows.slice(2))
    expect(await audit.chains()).toEqual([{ chain: 'a', first: 3, last: 3 }])
  })

  test('of the checkpoints in what is forgotten the last one stays', async () => {
    const audit = await open()
    await audit.append(toChain('a', [{ at: 1 }, { at: 2 }, { at: 3 }, { at: 4 }, { at: 30 }]))
    const checkpoints = [1, 3, 4, 5].map((seq) => toCheckpoint('a', seq))
    for (const checkpoint of checkpoints) await audit.addCheckpoint(checkpoint)
    await audit.addCheckpoint(toCheckpoint('b', 1))
    await audit.forget(4)
    expect(await audit.checkpoints('a')).toEqual(checkpoints.slice(1))
    await audit.forget(30)
    expect(await audit.checkpoints('a')).toEqual(checkpoints.slice(2))
    expect(await audit.checkpoints('b')).toHaveLength(1)
  })

  test('forgets many rows while others are appended, whoever forgets beside it', async () => {
    const audit = await open()
    const old = toChain('a', Array(5_000).fill({ at: 1, record: 'x' }))
    const young = toChain('a', Array(100).fill({ at: 100 }), old.at(-1))
    await audit.append(old)
    const [first, second] = await Promise.all([
      audit.forget(50),
      audit.forget(50),
      ...Array.from({ length: 10 }, (_, index) => audit.append(young.slice(index * 10, index * 10 + 10))),
    ])
    expect(Number(first) + Number(second)).toBe(5_000)
    expect(await readAll(audit, 'a', 1_000)).toEqual(young)
  })
}

async function readAll(audit: AuditStore, chain: string, limit: number): Promise<readonly AuditRow[]> {
  const found: AuditRow[] = []
  for (;;) {
    const page = await audit.read(chain, { from: (found.at(-1)?.seq ?? 0) + 1, limit })
    expect(page.length).toBeLessThanOrEqual(limit)
    if (page.length === 0) return found
    found.push(...page)
  }
}

async function searchAll(
  audit: AuditStore,
  query: Omit<AuditQuery, 'limit' | 'before'>,
  limit: number,
): Promise<readonly AuditRow[]> {
  const found: AuditRow[] = []
  for (;;) {
    const before = found.at(-1)
    const page = await audit.search({ ...query, limit, ...(before !== undefined && { before }) })
    expect(page.length).toBeLessThanOrEqual(limit)
    found.push(...page)
    if (page.length < limit) return found
  }
}

function matches({ at, index }: AuditRow, { since, until, ...wanted }: Omit<AuditQuery, 'limit'>): boolean {
  const isIn = (since === undefined || at >= since) && (until === undefined || at < until)
  return isIn && Object.entries(wanted).every(([key, value]) => index[key as keyof AuditIndex] === value)
}

function newestFirst(a: AuditRow, b: AuditRow): number {
  return b.at - a.at || (a.chain === b.chain ? b.seq - a.seq : a.chain < b.chain ? 1 : -1)
}

const INDEX: AuditIndex = { tenant: 'acme', principal: 'alice', method: 'tools/call', outcome: 'ok' }

type Sketch = Partial<Pick<AuditRow, 'at' | 'record' | 'index'>>

/** Rows of a chain, hashed as far as the store looks at that, behind the last one there is. */
function toChain(chain: string, sketches: readonly Sketch[], last?: AuditRow): AuditRow[] {
  const rows: AuditRow[] = []
  let [seq, previous] = [last?.seq ?? 0, last?.hash ?? '0'.repeat(64)]
  for (const { at = 1_000, record = `{"n":${seq}}`, index = INDEX } of sketches) {
    seq += 1
    const hash = createHash('sha256').update(`${chain} ${seq} ${previous} ${at} ${record}`).digest('hex')
    rows.push({ chain, seq, at, previous, hash, record, index })
    previous = hash
  }
  return rows
}

function toCheckpoint(chain: string, seq: number, more: Partial<Checkpoint> = {}): Checkpoint {
  return { chain, seq, hash: `hash ${seq}`, at: 1, key: 'k', signature: `signed ${seq}`, ...more }
}
