import { recordCall } from '@crosspoint/testkit'
import { beforeAll, expect, test } from 'vitest'
import { toVerifiers } from '../node/audit-key.ts'
import type { Passage } from '../routes/passage.ts'
import type { AuditRow, Checkpoint } from '../stores/contract/audit-store.ts'
import { GENESIS, toHash } from './chain.ts'
import type { Verifiers } from './checkpoint.ts'
import type { Evidence } from './evidence.ts'
import { createBench, otherPublicKey, settle } from './fixtures/evidence.ts'
import { createMemoryAuditStore } from './fixtures/memory-audit-store.ts'
import { type ChainReport, type Finding, verifyAudit } from './verify.ts'

/** What a store holds, to be changed. */
interface Kept {
  readonly rows: AuditRow[]
  readonly signed: Checkpoint[]
}

const A = '1'.padStart(32, '0')
const B = '2'.padStart(32, '0')
let whole: Kept
let anchored: readonly Checkpoint[]
let verifiers: Verifiers

/** Two chains, one after the other, both ended in order; a checkpoint every six records and at the end. */
beforeAll(async () => {
  const bench = createBench()
  for (const calls of [20, 8]) {
    const evidence = bench.open({ batchRecords: 2, checkpointRecords: 6 })
    for (let n = 0; n < calls; n++) await callOnce(evidence, bench, n)
    const closed = evidence.close('test', 1_000)
    await closed
    bench.clock.advance(1_000)
  }
  const { store, key } = bench
  whole = { rows: store.rows, signed: store.signed }
  anchored = bench.anchored
  verifiers = remembering(toVerifiers([key.publicKey]))
})

/** The same text and signature again have the same answer: nearly all of the time would go to counting it. */
function remembering(verifiers: Verifiers): Verifiers {
  const known = new Map<string, boolean>()
  return new Map(
    [...verifiers].map(([id, isGenuine]) => [
      id,
      (text, signature) => {
        const key = `${signature} ${text}`
        const answer = known.get(key) ?? isGenuine(text, signature)
        known.set(key, answer)
        return answer
      },
    ]),
  )
}

async function callOnce(evidence: Evidence, { clock }: ReturnType<typeof createBench>, n: number) {
  const { call } = recordCall('tools/call', { name: `tool_${n % 3}`, arguments: { text: 'x'.repeat(n), count: n } })
  // A passage without a view of its own: records ask for its name only.
  evidence.call({ ...call, view: {}, route: undefined } as unknown as Passage, {
    at: clock.wallNow(),
    ms: n,
    outcome: n % 5 === 0 ? 'tool-error' : 'complete',
    result: { content: [{ type: 'text', text: String(n) }] },
  })
  clock.advance(100)
  await settle()
}

async function look(kept: Kept, anchors: readonly Checkpoint[] = []): Promise<readonly ChainReport[]> {
  const store = createMemoryAuditStore()
  store.rows.push(...kept.rows)
  store.signed.push(...kept.signed)
  return verifyAudit(store, { verifiers, anchors })
}

async function findingOf(kept: Kept, anchors?: readonly Checkpoint[]): Promise<Finding | undefined> {
  return (await look(kept, anchors)).find(({ finding }) => finding !== undefined)?.finding
}

const copy = (): Kept => ({ rows: [...whole.rows], signed: [...whole.signed] })
const lengthOf = (chain: string) => chainOf(chain).length
const chainOf = (chain: string) => whole.rows.filter((row) => row.chain === chain)

test('nothing is wrong with what nobody touched', async () => {
  const reports = await look(copy(), anchored)
  expect(reports).toMatchObject([
    { chain: A, first: 1, last: lengthOf(A), signed: lengthOf(A), end: 'stopped', finding: undefined },
    { chain: B, first: 1, last: lengthOf(B), signed: lengthOf(B), end: 'stopped', finding: undefined },
  ])
})

test('what is written is what the record says: chain, row, time and record, one below the other', () => {
  const [first, second] = chainOf(A)
  expect(first).toMatchObject({ seq: 1, previous: GENESIS })
  expect(second?.previous).toBe(first?.hash)
  expect(first?.hash).toBe(toHash(first as AuditRow)) // there is one
})

/** Numbers that look random and are the same each time (mulberry32). */
function createDice(seed: number) {
  let state = seed
  return (sides: number) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) % sides
  }
}

/** Another byte somewhere in a text, as a database would give it back. */
function changeByte(text: string, dice: (sides: number) => number): string {
  const bytes = Buffer.from(text)
  const at = dice(bytes.length)
  bytes[at] = ((bytes[at] ?? 0) + 1 + dice(255)) & 0xff
  return bytes.toString('utf8')
}

/** A member of a row or checkpoint with another byte: of a number, another digit. */
function changeMember<T extends object>(object: T, key: string, dice: (sides: number) => number): T {
  const value: unknown = object[key as keyof T]
  if (typeof value === 'number') {
    const digits = String(value)
    const at = dice(digits.length)
    const digit = (Number(digits[at]) + 1 + dice(9)) % 10
    return { ...object, [key]: Number(digits.slice(0, at) + digit + digits.slice(at + 1)) }
  }
  if (typeof value === 'object' && value !== null) {
    const keys = Object.entries(value).flatMap(([name, inner]) => (inner === '' ? [] : [name]))
    return { ...object, [key]: changeMember(value, keys[dice(keys.length)] ?? '', dice) }
  }
  return { ...object, [key]: changeByte(String(value), dice) }
}

const KINDS: Readonly<Record<string, (kept: Kept, dice: (sides: number) => number) => void>> = {
  'another byte of a row': ({ rows }, dice) => {
    const at = dice(rows.length)
    const keys = ['chain', 'seq', 'at', 'previous', 'hash', 'record', 'record', 'record', 'index']
    rows[at] = changeMember(rows[at] as AuditRow, keys[dice(keys.length)] ?? '', dice)
  },
  'another byte of a checkpoint': ({ signed }, dice) => {
    const at = dice(signed.length)
    const keys = ['chain', 'seq', 'at', 'hash', 'key', 'signature']
    signed[at] = changeMember(signed[at] as Checkpoint, keys[dice(keys.length)] ?? '', dice)
  },
  'some rows removed': ({ rows }, dice) => void rows.splice(dice(rows.length - 3), 1 + dice(3)),
  'a checkpoint removed': ({ signed }, dice) => void signed.splice(dice(signed.length), 1),
  'two rows of a chain in each other’s place': ({ rows }, dice) => {
    const from = dice(lengthOf(A) - 1)
    const to = from + 1 + dice(lengthOf(A) - 1 - from)
    const [one, other] = [rows[from], rows[to]] as [AuditRow, AuditRow]
    rows[from] = { ...other, seq: one.seq }
    rows[to] = { ...one, seq: other.seq }
  },
  'two records in each other’s place': ({ rows }, dice) => {
    const from = dice(lengthOf(A) - 1)
    const to = from + 1 + dice(lengthOf(A) - 1 - from)
    const [one, other] = [rows[from], rows[to]] as [AuditRow, AuditRow]
    rows[from] = { ...one, record: other.record, index: other.index }
    rows[to] = { ...other, record: one.record, index: one.index }
  },
  'the end of a chain cut off': ({ rows }, dice) => {
    const [from, length] = dice(2) === 0 ? [0, lengthOf(A)] : [lengthOf(A), lengthOf(B)]
    const cut = 1 + dice(length - 1)
    rows.splice(from + length - cut, cut)
  },
  'the beginning of a chain cut off': ({ rows }, dice) => {
    const [from, length] = dice(2) === 0 ? [0, lengthOf(A)] : [lengthOf(A), lengthOf(B)]
    rows.splice(from, 1 + dice(length - 1))
  },
  'a row written anew with all hashes behind it': (kept, dice) => {
    const from = dice(lengthOf(A))
    rewrite(kept, A, from, (row) => ({ ...row, record: row.record.replace('"v":1', '"v":2') }))
  },
  'a row added at the end with the right hash': ({ rows }) => {
    const last = rows.at(-1) as AuditRow
    const said = { ...last, seq: last.seq + 1, previous: last.hash }
    rows.push({ ...said, hash: toHash(said) })
  },
}

/** What somebody does who knows how hashes are made and has no key. */
function rewrite({ rows }: Kept, chain: string, from: number, change: (row: AuditRow) => AuditRow): void {
  let previous: string | undefined
  for (const [at, row] of rows.entries()) {
    if (row.chain !== chain || row.seq <= from) continue
    const said = previous === undefined ? change(row) : { ...row, previous }
    const next = { ...said, hash: toHash(said) }
    rows[at] = next
    previous = next.hash
  }
}

test('10,000 tamperings are found, every one: single bytes, removals, reorders, cuts, rewritten hashes', async () => {
  const dice = createDice(5)
  const kinds = Object.entries(KINDS)
  const missed: string[] = []
  const found = new Map<string, number>()
  for (let n = 0; n < 10_000; n++) {
    const [name, tamper] = kinds[n % kinds.length] as (typeof kinds)[number] // never empty
    const kept = copy()
    tamper(kept, dice)
    const finding = await findingOf(kept)
    if (finding === undefined) missed.push(`${n}: ${name}`)
    else found.set(finding.what, (found.get(finding.what) ?? 0) + 1)
  }
  expect(missed).toEqual([])
  expect([...found.keys()].sort()).toEqual(['changed', 'forged', 'removed', 'reordered', 'truncated'])
}, 60_000)

test('names the first row that is wrong, and why', async () => {
  const changed = copy()
  changed.rows[6] = { ...(changed.rows[6] as AuditRow), at: 5 }
  expect(await findingOf(changed)).toMatchObject({ chain: A, seq: 7, what: 'changed' })
  const removed = copy()
  removed.rows.splice(4, 1)
  expect(await findingOf(removed)).toMatchObject({ chain: A, seq: 5, what: 'removed' })
  const reordered = copy()
  const [three, four] = [reordered.rows[2], reordered.rows[3]] as [AuditRow, AuditRow]
  reordered.rows.splice(2, 2, { ...four, seq: 3 }, { ...three, seq: 4 })
  expect(await findingOf(reordered)).toMatchObject({
    chain: A,
    seq: 3,
    what: 'reordered',
    why: expect.stringContaining('4'),
  })
  const cut = copy()
  cut.rows.splice(lengthOf(A) + 6)
  expect(await findingOf(cut)).toMatchObject({ chain: B, seq: 7, what: 'truncated' })
})

test('a checkpoint of another key, or of none that was given, vouches for nothing', async () => {
  const store = createMemoryAuditStore()
  store.rows.push(...whole.rows)
  store.signed.push(...whole.signed)
  const [first] = await verifyAudit(store, { verifiers: toVerifiers([otherPublicKey()]) })
  expect(first).toMatchObject({ signed: 0, finding: { what: 'forged' } })
})

test('an end that is cut off with its checkpoints is found by the chain that follows, or by an anchor', async () => {
  const { rows, signed } = copy()
  const cut = {
    rows: rows.filter(({ chain, seq }) => chain !== A || seq <= 18),
    signed: signed.filter(({ chain, seq }) => chain !== A || seq <= 18),
  }
  expect(await findingOf(cut)).toMatchObject({
    chain: A,
    seq: 19,
    what: 'truncated',
    why: expect.stringContaining(String(lengthOf(A))),
  })
  const newest = {
    rows: rows.filter(({ chain, seq }) => chain !== B || seq <= 6),
    signed: signed.filter(({ chain, seq }) => chain !== B || seq <= 6),
  }
  expect(await findingOf(newest, anchored)).toMatchObject({ chain: B, seq: 7, what: 'truncated' })
})

test('the newest chain, cut off with its checkpoints and without an anchor, is no longer one that ended in order', async () => {
  const { rows, signed } = copy()
  const newest = {
    rows: rows.filter(({ chain, seq }) => chain !== B || seq <= 6),
    signed: signed.filter(({ chain, seq }) => chain !== B || seq <= 6),
  }
  expect(await look(newest)).toMatchObject([{ end: 'stopped' }, { chain: B, end: 'open', finding: undefined }])
})

test('a chain that is gone is found by the one that follows it, and by an anchor', async () => {
  const { rows, signed } = copy()
  const without = (gone: string) => ({
    rows: rows.filter(({ chain }) => chain !== gone),
    signed: signed.filter(({ chain }) => chain !== gone),
  })
  expect(await findingOf(without(A))).toMatchObject({ chain: A, seq: 1, what: 'truncated' })
  expect(await findingOf(without(B), anchored)).toMatchObject({ chain: B, seq: 1, what: 'truncated' })
})
