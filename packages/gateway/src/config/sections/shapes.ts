import { z } from 'zod'

/** What sections are made of. */

export const HOUR_MS = 3_600_000
export const KIB = 1024
export const MIB = 1024 * 1024

export const text = z.string({ error: 'Must be a text' }).min(1, 'Must not be empty')
export const texts = z.array(text, { error: 'Must be a list of texts' })

/**
 * A variable may stand for a number or a truth value, and always gives a text. Their defaults are `prefault`s: as
 * the value is transformed, only so does the JSON Schema show them.
 */
export function whole(min: number, max: number) {
  const error = `Must be a whole number from ${min} to ${max}`
  const number = z.int({ error }).min(min, error).max(max, error)
  const written = z
    .string({ error })
    .regex(/^(?:\d{1,15}|\$\{.+\})$/, error)
    .transform(Number)
    .pipe(number)
  return z.union([number, written], { error })
}

export function truth() {
  const error = 'Must be true or false'
  const written = z.string().regex(/^(?:true|false|\$\{.+\})$/)
  return z.union([z.boolean(), written.transform((value) => value === 'true')], { error })
}

/** An address to bind. */
export const host = text.regex(
  /^(?:[\w.:%-]+|\$\{.+\})$/,
  'Must be a host name or an IP address, without brackets or port',
)

/** `Host` header values that a door takes. */
export const hosts = z.array(text.regex(/^[^\s/@]+$/, 'Must be a host name, with or without a port'), {
  error: 'Must be a list of host names',
})

/** `Origin` header values that a door takes. */
export const origins = z.array(
  text.regex(
    /^[a-z][a-z0-9+.-]*:\/\/[^\s/?#]+$|\$\{/i,
    'Must be an origin such as "https://example.com", without a path',
  ),
  { error: 'Must be a list of origins' },
)

/** A text that may be written as a number or truth value, as YAML makes of `PORT: 3000`. */
export const loose = z.union([z.string(), z.number(), z.boolean()], { error: 'Must be a text' }).transform(String)

export const selection = z.strictObject(
  {
    include: texts.describe('Names that are offered; `*` stands for any run of characters. Default: all.').optional(),
    exclude: texts.describe('Names that are not offered, whatever `include` says.').optional(),
  },
  { error: 'Must be a mapping with "include" and "exclude"' },
)

export function section<Shape extends z.core.$ZodLooseShape>(shape: Shape, about: string) {
  const mapping = z.strictObject(shape, { error: 'Must be a mapping' })
  // An absent section is an empty one: its own defaults then apply.
  return mapping.prefault({} as never).describe(about)
}
