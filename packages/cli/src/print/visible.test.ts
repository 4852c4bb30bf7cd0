import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { visible, visibleJson, visibleLines, visibleSummary } from './visible.ts'

describe('abuse-40: text of a peer on a terminal', () => {
  it('shows escape sequences instead of obeying them', () => {
    expect(visible('\u001b[31mred\u001b[0m')).toBe('\\x1b[31mred\\x1b[0m')
    expect(visible('\u009b2Jgone')).toBe('\\x9b2Jgone')
    expect(visible('\u001b]0;title\u0007')).toBe('\\x1b]0;title\\x07')
  })

  it('shows characters that turn the direction of writing or hide text', () => {
    expect(visible('user\u202Etxt.exe')).toBe('user\\u{202e}txt.exe')
    expect(visible('a\u200Bb\uFEFFc')).toBe('a\\u{200b}b\\u{feff}c')
    expect(visible('hi\u{E0041}\u{E0042}')).toBe('hi\\u{e0041}\\u{e0042}')
  })

  it('keeps what people write: joiners, accents, emoji', () => {
    for (const text of ['naïve', '日本語', '👩‍💻', 'می‌خواهم', '👍🏽']) expect(visible(text)).toBe(text)
  })

  it('keeps one line one line, and many lines many', () => {
    expect(visible('a\r\nb\tc')).toBe('a\\r\\nb\\tc')
    expect(visibleLines('a\r\nb\tc\rover')).toBe('a\nb\tc\\rover')
    expect(visibleSummary('first\nsecond')).toBe('first')
    expect(visibleSummary('x'.repeat(1000))).toHaveLength(160)
  })

  it('lets nothing through that a terminal would act on', () => {
    const acting = /[\p{Cc}\u202a-\u202e\u2066-\u2069]/u
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(visible(text)).not.toMatch(acting)
        expect(visibleLines(text).replace(/[\n\t]/g, '')).not.toMatch(acting)
        expect(visibleJson({ [text]: text }, 2).replace(/\n/g, '')).not.toMatch(acting)
      }),
    )
  })

  it('writes JSON that reads back as the same value', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(JSON.parse(visibleJson(value))).toEqual(JSON.parse(JSON.stringify(value)))
      }),
    )
    expect(visibleJson('\u009b\u{E0041}')).toBe('"\\u009b\\udb40\\udc41"')
  })
})
