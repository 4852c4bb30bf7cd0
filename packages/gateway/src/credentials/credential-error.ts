/**
 * `secret`: one cannot be had. `vault`: what is kept cannot be opened, or there is no key to close it. `sign-in`: a
 * caller has no credential, or none that is good enough. `busy`: somebody else is at it for too long.
 */
export type CredentialErrorCode = 'secret' | 'vault' | 'sign-in' | 'busy'

/** Its message names secrets and files, and never what is in them. */
export class CredentialError extends Error {
  override readonly name = 'CredentialError'
  readonly code: CredentialErrorCode

  constructor(code: CredentialErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}
