import type { JsonObject } from '@crosspoint/mcp'
import type { AuditRow, AuditStore, Checkpoint } from '../stores/contract/audit-store.ts'
import { GENESIS, isCount, isWellFormed, type Tail, toHash } from './chain.ts'
import { findForgery, type Verifiers } from './checkpoint.ts'
import { toIndex } from './record.ts'

/**
 * `changed`: a row is not what was written. `removed`: a row, or a checkpoint that has to be there, is not. `reordered`: a
 * row stands in another's place. `truncated`: the end is not there. `forged`: a checkpoint is not genuine.
 */
export type Tampering = 'changed' | 'removed' | 'reordered' | 'truncated' | 'forged'

export interface Finding {
  readonly chain: string
  /** The first row that is wrong or is not there. */
  readonly seq: number
  readonly what: Tampering
  /** One sentence; holds nothing of a record. */
  readonly why: string
}

/** What is known of one chain. */
export interface ChainReport {
  readonly chain: string
  readonly first: number
  readonly last: number
  /** Up to which row a genuine checkpoint or anchor vouches; 0 where none does. */
  readonly signed: number
  /**
   * `stopped`: it was ended in order. `open`: its process runs still or was killed; or rows behind the last checkpoint were
   * cut off together with what ended it, which only an anchor or a later chain can show.
   */
  readonly end: 'stopped' | 'open'
  /** The first thing that is wrong; undefined: nothing is. */
  readonly finding: Finding | undefined
}

export interface VerifyOptions {
  /** Public keys that checkpoints may be signed with. */
  readonly verifiers: Verifiers
  /** Checkpoints that were kept elsewhere. Default none. */
  readonly anchors?: readonly Checkpoint[]
  /** Only this chain, by itself: what other chains say of it is not looked at. Default: all. */
  readonly chain?: string
}

type Fault = readonly [what: Tampering, why: string]

/** Holds all that is kept against what it says of itself. Reads every row, a page at a time. */
export async function verifyAudit(store: AuditStore, options: VerifyOptions): Promise<readonly ChainReport[]> {
  const { verifiers, anchors = [], chain: only } = options
  const names = new Set((await store.chains()).map(({ chain }) => chain))
  for (const { chain } of anchors) names.add(chain)
  const readings: Reading[] = []
  for (const chain of names) {
    if (only !== undefined && chain !== only) continue
    const reading = new Reading(chain, verifiers)
    // Before the rows: those of a chain that is written meanwhile only become more.
    reading.vouch(await store.checkpoints(chain))
    reading.vouch(anchors.filter((anchor) => anchor.chain === chain))
    for (let from = 1; ; ) {
      const rows = await store.read(chain, { from, limit: PAGE })
      for (const row of rows) reading.row(row)
      const last = rows.at(-1)
      if (last === undefined || rows.length < PAGE || !(last.seq >= from)) break
      from = last.seq + 1
    }
    readings.push(reading)
  }
  const begins = toBegins(readings)
  for (const reading of readings) reading.end(only === undefined ? (begins.get(reading.chain) ?? 1) : undefined)
  if (only === undefined) await followLinks(store, readings, begins, verifiers)
  return readings.map((reading) => reading.report)
}

/** Where chains begin of which something was forgotten. */
function toBegins(readings: readonly Reading[]): ReadonlyMap<string, number> {
  const begins = new Map<string, number>()
  for (const reading of readings) {
    for (const [chain, seq] of reading.begins) begins.set(chain, Math.max(seq, begins.get(chain) ?? 0))
  }
  return begins
}

/** Holds each chain against what later ones say of it. */
async function followLinks(
  store: AuditStore,
  readings: Reading[],
  begins: ReadonlyMap<string, number>,
  verifiers: Verifiers,
): Promise<void> {
  for (const { chain, seq, hash } of readings.flatMap(({ links }) => links)) {
    const [row] = await store.read(chain, { from: seq, limit: 1 })
    if (row?.seq === seq && row.hash === hash) continue
    if (row?.seq !== seq && seq < (begins.get(chain) ?? 1)) continue
    let reading = readings.find((known) => known.chain === chain)
    if (reading === undefined) {
      reading = new Reading(chain, verifiers)
      readings.push(reading)
    }
    const place = Math.min(seq, reading.last + 1)
    if (row?.seq === seq) reading.find(seq, 'changed', 'A later chain says that it was another')
    else reading.find(place, 'truncated', `A later chain says that there was a row ${seq}`)
  }
}

/** One chain as it is read, row by row. */
class Reading {
  readonly chain: string
  readonly #verifiers: Verifiers
  /** Hashes that checkpoints vouch for, by row. */
  readonly #vouched = new Map<number, string>()
  /** Rows that another row names by its hash, of this chain and others. */
  readonly links: Tail[] = []
  /** Where chains begin since something was forgotten, as rows of this one say. */
  readonly begins: [chain: string, seq: number][] = []
  first = 0
  #last = 0
  #previous = GENESIS
  #signed = 0
  #gap: number | undefined
  #isStopped = false
  #finding: Finding | undefined

  constructor(chain: string, verifiers: Verifiers) {
    this.chain = chain
    this.#verifiers = verifiers
  }

  get report(): ChainReport {
    const end = this.#isStopped ? 'stopped' : 'open'
    const { chain, first } = this
    return { chain, first, last: this.#last, signed: this.#signed, end, finding: this.#finding }
  }

  get last(): number {
    return this.#last
  }

  vouch(checkpoints: readonly Checkpoint[]): void {
    for (const checkpoint of checkpoints) {
      const { chain, seq, hash } = checkpoint
      const forgery = chain === this.chain ? findForgery(checkpoint, this.#verifiers) : 'it is of another chain'
      if (forgery !== undefined) this.find(isCount(seq) ? seq : 0, 'forged', `A checkpoint is not genuine: ${forgery}`)
      else if ((this.#vouched.get(seq) ?? hash) !== hash) this.find(seq, 'forged', 'Two checkpoints of a row differ')
      else this.#vouched.set(seq, hash)
    }
  }

  row(row: AuditRow): void {
    if (this.#finding !== undefined && this.#finding.what !== 'forged') return
    if (this.first === 0) this.#begin(row)
    const expected = this.#last + 1
    const fault = this.#faultOf(row, expected) ?? this.#accept(row)
    if (fault !== undefined) this.find(expected, ...fault)
  }

  #begin({ seq, previous }: AuditRow): void {
    this.first = seq
    if (!isCount(seq) || seq < 2) return
    // Whether it may begin here is for rows of any chain to say.
    this.#last = seq - 1
    this.#previous = previous
  }

  #faultOf(row: AuditRow, expected: number): Fault | undefined {
    const { seq, previous, hash } = row
    if (row.chain !== this.chain || !isWellFormed(row)) return ['changed', 'It does not have the form of a row']
    if (this.#isStopped) return ['changed', 'It stands behind the last row of a chain that had ended']
    if (seq !== expected)
      return seq > expected ? ['removed', 'It is not there'] : ['reordered', 'Rows are out of order']
    if (toHash(row) !== hash) {
      const place = findPlace(row)
      if (place !== undefined) return ['reordered', `Row ${place} stands in its place`]
      return ['changed', 'Its hash is not that of what it says']
    }
    if (previous !== this.#previous) return ['changed', 'It does not follow the row before it']
    const vouched = this.#vouched.get(seq)
    if (vouched !== undefined && vouched !== hash) return ['changed', 'A checkpoint says that it was another']
    return undefined
  }

  #accept(row: AuditRow): Fault | undefined {
    const { seq, hash } = row
    const record = parseRecord(row.record)
    if (record === undefined || !isIndexOf(row, record))
      return ['changed', 'What it is searched by is not what it says']
    this.#last = seq
    this.#previous = hash
    if (this.#vouched.has(seq)) this.#signed = seq
    if (this.#gap !== undefined && seq - this.#signed > this.#gap) {
      return ['removed', `No checkpoint covers it, and there is one every ${this.#gap} rows`]
    }
    return record.kind === 'event' ? this.#hear(record) : undefined
  }

  /** What events say of chains. */
  #hear({ method, about }: JsonObject): Fault | undefined {
    if (method === 'gateway.stopped') this.#isStopped = true
    if (!isMapping(about)) return undefined
    if (method === 'gateway.started') {
      if (typeof about.gap === 'number') this.#gap = about.gap
      if (isMapping(about.follows)) this.links.push(about.follows as unknown as Tail) // its hash holds, so it is ours
    }
    if (method === 'audit.forgot' && isMapping(about.begins)) {
      for (const [chain, begins] of Object.entries(about.begins)) this.begins.push([chain, Number(begins)])
    }
    if (method === 'audit.checkpoint' && !this.#vouched.has(Number(about.seq)) && Number(about.seq) >= this.first) {
      return ['removed', `The checkpoint of row ${Number(about.seq)}, which it tells of, is not there`]
    }
    return undefined
  }

  /** @param begins the first row that has to be there; undefined where nobody looked */
  end(begins: number | undefined): void {
    const beyond = Math.max(0, ...[...this.#vouched.keys()].filter((seq) => seq > this.#last))
    if (begins !== undefined && this.first > begins) this.find(begins, 'removed', 'It is not there')
    // What was forgotten to the last row leaves its checkpoints.
    if (beyond > 0 && !(this.first === 0 && begins !== undefined && beyond < begins)) {
      this.find(this.#last + 1, 'truncated', `A checkpoint says that there was a row ${beyond}`)
    } else if (this.#isStopped && this.#signed !== this.#last) {
      this.find(this.#last, 'removed', 'The checkpoint that ends the chain is not there')
    }
  }

  /** Keeps what is wrong first. */
  find(seq: number, what: Tampering, why: string): void {
    if (this.#finding === undefined || seq < this.#finding.seq) {
      this.#finding = { chain: this.chain, seq, what, why }
    }
  }
}

/** The place that a row was written for, where it is one nearby. */
function findPlace(row: AuditRow): number | undefined {
  for (let away = 1; away <= NEARBY; away++) {
    for (const seq of [row.seq - away, row.seq + away]) if (toHash({ ...row, seq }) === row.hash) return seq
  }
  return undefined
}

function parseRecord(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return isMapping(value) ? value : undefined
  } catch {
    // No JSON: told as changed.
    return undefined
  }
}

function isMapping(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isIndexOf({ index }: AuditRow, record: JsonObject): boolean {
  const said = toIndex(record)
  return INDEXED.every((key) => (index[key] ?? undefined) === (said[key] ?? undefined))
}

const INDEXED = ['tenant', 'principal', 'method', 'target', 'upstream', 'outcome', 'trace'] as const
/** Rows read at once. */
const PAGE = 1_000
const NEARBY = 1_000
