import { StoreError, type StoreErrorCode } from '../contract/store-error.ts'

/** What the server or the way to it says, as the ports say it: neither addresses nor what was sent. */
export function toStoreError(error: unknown, doing: string): StoreError {
  if (error instanceof StoreError) return error
  const [code, reason] = explain(codeOf(error))
  return new StoreError(code, `${doing}: ${reason}`, { cause: error })
}

/** Whether to ask again: the connection was lost, or others were in the way. Whether it was done is not known. */
export function isPassing(error: unknown): boolean {
  if (error instanceof StoreError || error instanceof TypeError || error instanceof RangeError) return false
  if (!isAnswer(error)) return !FINAL.has(codeOf(error))
  return /^(?:08|57P0|40001|40P01|53300)/.test(codeOf(error))
}

/** Whether the server said it; then its connection is as good as before. */
export function isAnswer(error: unknown): boolean {
  return error instanceof Error && 'severity' in error
}

function codeOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return codeOf(error.errors[0])
  if (!(error instanceof Error)) return ''
  // The only one of these that has no code.
  if (error.message.includes('does not support SSL')) return 'NO_TLS'
  return 'code' in error && typeof error.code === 'string' ? error.code : ''
}

function explain(code: string): readonly [StoreErrorCode, string] {
  const known = REASONS[code]
  if (known !== undefined) return known
  if (/^(?:XX001|XX002)$/.test(code)) return ['damaged', `the database is damaged (${code})`]
  return [
    'unavailable',
    code === '' ? 'the database gave no answer in time, or the connection was lost' : `the database says ${code}`,
  ]
}

const NOT_TRUSTED = [
  'unavailable',
  'the certificate of the database is not trusted; name its root by sslrootcert',
] as const
const UNREACHABLE = ['unavailable', 'the database cannot be reached'] as const

const REASONS: Readonly<Record<string, readonly [StoreErrorCode, string]>> = {
  ECONNREFUSED: UNREACHABLE,
  ECONNRESET: UNREACHABLE,
  ENOTFOUND: ['unavailable', 'no database is known by that name'],
  EAI_AGAIN: ['unavailable', 'the name of the database cannot be looked up'],
  ETIMEDOUT: UNREACHABLE,
  EHOSTUNREACH: UNREACHABLE,
  ENOENT: UNREACHABLE,
  NO_TLS: ['unavailable', 'the database does not speak TLS; sslmode=disable does without it'],
  SELF_SIGNED_CERT_IN_CHAIN: NOT_TRUSTED,
  DEPTH_ZERO_SELF_SIGNED_CERT: NOT_TRUSTED,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: NOT_TRUSTED,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: NOT_TRUSTED,
  CERT_HAS_EXPIRED: ['unavailable', 'the certificate of the database has expired'],
  ERR_TLS_CERT_ALTNAME_INVALID: ['unavailable', 'the certificate of the database is for another name'],
  '28P01': ['unavailable', 'the database refused the user or the password'],
  '28000': ['unavailable', 'the database refused the user'],
  '3D000': ['unavailable', 'there is no such database'],
  '42501': ['unavailable', 'the user of the database may not do this'],
  '25006': ['unavailable', 'the database is read-only'],
  '53100': ['unavailable', 'the disk of the database is full'],
  '53300': ['unavailable', 'the database has too many connections'],
  '55P03': ['unavailable', 'somebody else has been writing for too long'],
  '57014': ['unavailable', 'the database took too long'],
  '42P01': ['version', 'the database is not set up; run "crosspoint store migrate"'],
}

/** What stays wrong until somebody mends it. */
const FINAL: ReadonlySet<string> = new Set(
  Object.entries(REASONS).flatMap(([code, reason]) =>
    reason === NOT_TRUSTED || code === 'NO_TLS' || code.includes('CERT') ? [code] : [],
  ),
)
