import type { AuthorizationServer } from '../discovery/server-metadata.ts'
import { AuthError } from '../errors.ts'

/**
 * Reads what a browser brought back. First whether it is an answer of the server that was asked (RFC 9207, trap 46:
 * compared as strings, for errors as well), then whether it is the answer to our question; only then what it says.
 * @returns the code
 * @throws {AuthError}
 */
export function parseCallback(
  url: string,
  state: string,
  { issuer, namesItself }: Pick<AuthorizationServer, 'issuer' | 'namesItself'>,
): string {
  const params = url.length <= MAX_URL && URL.canParse(url) ? new URL(url).searchParams : new URLSearchParams()
  const iss = params.getAll('iss')
  if (iss.length > 1 || (iss.length === 0 ? namesItself : iss[0] !== issuer)) {
    throw new AuthError('peer.invalid', 'Cannot sign in: the answer is not from the server that was asked')
  }
  const states = params.getAll('state')
  if (states.length !== 1 || states[0] !== state) {
    throw new AuthError('peer.invalid', 'Cannot sign in: the answer is to somebody else’s question')
  }
  const error = params.get('error')
  if (error !== null) throw toRefusal(error, issuer)
  const codes = params.getAll('code')
  const [code = ''] = codes
  if (codes.length !== 1 || !CODE.test(code)) {
    throw new AuthError('peer.invalid', `Cannot use what "${issuer}" answers: there is no code in it`)
  }
  return code
}

function toRefusal(error: string, issuer: string): AuthError {
  const word = WORD.test(error) ? error : undefined
  if (word === 'access_denied') return new AuthError('caller.declined', `Sign-in at "${issuer}" was declined`, word)
  const reason = word === undefined ? 'it does not say why' : `"${word}"`
  return new AuthError(
    'peer.refused',
    `The authorization server "${issuer}" refuses to sign anybody in: ${reason}`,
    word,
  )
}

const WORD = /^[a-z_]{1,64}$/
/** RFC 6749 appendix A.11. */
const CODE = /^[\x20-\x7e]{1,4096}$/
const MAX_URL = 16_384
