import { StoreError, type StoreErrorCode } from '../contract/store-error.ts'

/**
 * What Redis or the way to it says, as the ports say it: neither addresses nor what was sent. The error itself is no
 * `cause`: it holds the command, and with it the password where it was that one which failed.
 */
export function toStoreError(error: unknown, doing: string): StoreError {
  if (error instanceof StoreError) return error
  const [code, reason] = explain(codeOf(error))
  return new StoreError(code, `${doing}: ${reason}`)
}

/** Whether Redis answered that it does not know a script by its digest, as after a restart. */
export function isUnknownScript(error: unknown): boolean {
  return codeOf(error) === 'NOSCRIPT'
}

function codeOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return codeOf(error.errors[0])
  if (!(error instanceof Error)) return ''
  // An answer of the server begins with its code.
  if (error.name === 'ReplyError') return /^-?([A-Z]+)/.exec(error.message)?.[1] ?? ''
  return 'code' in error && typeof error.code === 'string' ? error.code : ''
}

function explain(code: string): readonly [StoreErrorCode, string] {
  const known = REASONS[code]
  if (known !== undefined) return ['unavailable', known]
  if (code.startsWith('ERR_SSL')) return ['unavailable', 'Redis does not speak TLS there; redis:// does without it']
  return ['unavailable', code === '' ? LOST : `Redis says ${code}`]
}

const LOST = 'Redis gave no answer in time, or the connection was lost'
const NOT_TRUSTED = 'the certificate of Redis is not trusted; name its root by NODE_EXTRA_CA_CERTS'
const UNREACHABLE = 'Redis cannot be reached'

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: UNREACHABLE,
  ECONNRESET: UNREACHABLE,
  EPIPE: LOST,
  ENOTFOUND: 'no Redis is known by that name',
  EAI_AGAIN: 'the name of Redis cannot be looked up',
  ETIMEDOUT: UNREACHABLE,
  EHOSTUNREACH: UNREACHABLE,
  SELF_SIGNED_CERT_IN_CHAIN: NOT_TRUSTED,
  DEPTH_ZERO_SELF_SIGNED_CERT: NOT_TRUSTED,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: NOT_TRUSTED,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: NOT_TRUSTED,
  CERT_HAS_EXPIRED: 'the certificate of Redis has expired',
  ERR_TLS_CERT_ALTNAME_INVALID: 'the certificate of Redis is for another name',
  WRONGPASS: 'Redis refused the user or the password',
  NOAUTH: 'Redis wants a password',
  NOPERM: 'the user of Redis may not do this',
  READONLY: 'this Redis is a replica that cannot be written',
  OOM: 'the memory of Redis is full',
  MISCONF: 'Redis cannot write its disk',
  LOADING: 'Redis is still reading what it keeps',
  BUSY: 'a script of somebody else holds Redis',
  MASTERDOWN: 'Redis has lost its primary',
}
