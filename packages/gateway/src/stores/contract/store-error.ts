/**
 * `conflict`: what is kept says otherwise. `unavailable`: it cannot be reached; trying again may help. `closed`: it was
 * closed. `damaged`: what is kept cannot be read.
 */
export type StoreErrorCode = 'conflict' | 'unavailable' | 'closed' | 'damaged'

/** What a driver throws; its message names no password and no address of a database. */
export class StoreError extends Error {
  override readonly name = 'StoreError'
  readonly code: StoreErrorCode

  constructor(code: StoreErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}
