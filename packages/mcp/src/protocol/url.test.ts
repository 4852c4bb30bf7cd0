import { describe, expect, it } from 'vitest'
import { parseUrl } from './url.ts'

/** No two neighbours alike, which is what takes the platform its time. */
const scripts = (length: number) =>
  Array.from({ length }, (_, at) => String.fromCodePoint(0x4e00 + ((at * 7919) % 20_000))).join('')

describe('a URL that a peer wrote', () => {
  it.each([
    ['https://example.com/a?b#c', undefined],
    ['https://bücher.example/', undefined],
    [`https://${scripts(20)}.example/${scripts(2_000)}?${scripts(2_000)}`, undefined],
    ['../up', 'https://example.com/a/b/c'],
    [`urn:example:${scripts(2_000)}`, undefined],
    [`data:text/plain,${'%41'.repeat(2_000)}`, undefined],
    [`https://example.com/${'x'.repeat(8_000)}`, undefined],
  ])('is what the platform makes of it: %#', (text, base) => {
    expect(parseUrl(text, base)?.href).toBe(new URL(text, base).href)
  })

  it.each(['', 'example.com', 'https://', 'https://[1:', '/a'])('is none: "%s"', (text) => {
    expect(parseUrl(text)).toBeUndefined()
  })

  it.each([
    `https://${scripts(2_000)}/`,
    `HTTP:\\\\${scripts(2_000)}/`,
    `\t ht\ntps:/\t/${scripts(2_000)}/`,
    `https:${scripts(2_000)}/`,
    `//${scripts(2_000)}/`,
    `https://me:secret@${scripts(2_000)}:443/`,
    `file://${scripts(2_000)}/`,
    `https://${encodeURIComponent(scripts(400))}/`,
    `https://example.com/${'x'.repeat(9_000)}`,
  ])('abuse-34: is not looked at where no host could be so long: %#', (text) => {
    expect(parseUrl(text, 'https://example.com/')).toBeUndefined()
  })
})
