import { digest } from '../node/digest.ts'
import type { AuditRow } from '../stores/contract/audit-store.ts'

/** What the first row of a chain names as the one before it. */
export const GENESIS = '0'.repeat(64)

/** A row of the chain, and so far the whole of it. */
export interface Tail {
  readonly chain: string
  readonly seq: number
  readonly hash: string
}

/**
 * The hash of a row. No member in front of the record can hold a line feed ({@link isWellFormed}), so that no two rows
 * have the same text; anybody can count it with `sha256sum`.
 */
export function toHash({ chain, seq, previous, at, record }: Omit<AuditRow, 'hash' | 'index'>): string {
  return digest(`${DOMAIN}\n${chain}\n${seq}\n${previous}\n${at}\n${record}`, 64)
}

/** Whether a row has the form that every row was written in: any other spelling of the same is a change. */
export function isWellFormed({ chain, seq, at, previous, hash }: AuditRow): boolean {
  return isChain(chain) && isCount(seq) && seq > 0 && isCount(at) && isHash(previous) && isHash(hash)
}

export function isChain(text: string): boolean {
  return /^[0-9a-f]{32}$/.test(text)
}

export function isHash(text: string): boolean {
  return /^[0-9a-f]{64}$/.test(text)
}

export function isCount(number: number): boolean {
  return Number.isSafeInteger(number) && number >= 0
}

/** So that no other text that is hashed or signed anywhere can stand for a row. */
const DOMAIN = 'crosspoint-audit-1'
