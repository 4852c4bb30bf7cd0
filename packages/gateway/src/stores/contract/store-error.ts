/**
 * `conflict`: what is kept says otherwise. `unavailable`: it cannot be reached, or cannot be written; trying again may
 * help. `closed`: it was closed. `damaged`: what is kept cannot be read. `version`: it has the shape of another version
 * of Crosspoint; the message says what to do. `invalid`: what was to be kept cannot be.
 */
export type StoreErrorCode = 'conflict' | 'unavailable' | 'closed' | 'damaged' | 'version' | 'invalid'

/** What a driver throws; its message names no password and no address of a server. */
export class StoreError extends Error {
  override readonly name = 'StoreError'
  readonly code: StoreErrorCode

  constructor(code: StoreErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}
