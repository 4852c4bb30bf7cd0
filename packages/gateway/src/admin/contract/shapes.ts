import { z } from 'zod'

/** What the parts of the contract are made of. */

export const moment = z.iso.datetime().describe('ISO 8601, UTC')
export const count = z.int().min(0)
export const text = z.string().min(1).max(1_024)

/** The name of a caller, a tenant or a view: no letters that hide or turn others around. */
export const name = z.string().regex(/^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]{1,256}$/u, 'Must be 1 to 256 visible letters')
/** A scope stands between spaces in tokens and challenges (RFC 6749 §3.3), and so do roles. */
export const roleName = z.string().regex(/^[^\s\p{Cc}\p{Cf}\p{Cs}]{1,256}$/u, 'Must be 1 to 256 letters without spaces')
export const scopeName = z
  .string()
  .regex(/^[\x21\x23-\x5b\x5d-\x7e]{1,256}$/, 'Must be 1 to 256 ASCII letters without spaces and quotes')

/** A mapping as it was sent: nothing in it is looked at here, and none of its keys means anything. */
export const mapping = z
  .custom<Readonly<Record<string, unknown>>>(
    (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
    'Must be a mapping',
  )
  .meta({ type: 'object' })

/** Several words in one, separated by commas. */
export const words = z
  .string()
  .max(4_096)
  .transform((value) => value.split(',').flatMap((word) => (word.trim() === '' ? [] : [word.trim()])))

export const limit = (most: number, usual: number) =>
  z.coerce.number().int().min(1).max(most).default(usual).describe('So many at most.')

export const cursor = z.string().max(8_192).describe('`next` of the page before. Means nothing by itself.').optional()
export const next = z.string().describe('Where the next page begins; absent on the last.').optional()
