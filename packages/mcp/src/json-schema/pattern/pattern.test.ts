import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import type { Run } from '../run.ts'
import { Work } from '../work.ts'
import { Automaton } from './automaton.ts'
import { Patterns } from './index.ts'
import { isLinear } from './native.ts'
import { parsePattern } from './parse.ts'
import { toProgram } from './program.ts'
import { isMatch } from './simulate.ts'

const newRun = (): Run => ({
  left: 1e7,
  large: undefined,
  maxMore: 0,
  depth: 0,
  maxDepth: 1,
  report: undefined,
  scopes: [],
})

const plenty = () => new Work(1e6)

/** Whatever way a pattern would be matched by us: each must say the same. */
function answers(source: string, text: string): readonly boolean[] {
  const regex = parsePattern(source)
  const program = toProgram(regex, plenty())
  const automaton = Automaton.of(program, plenty())
  const matcher = new Patterns(plenty()).matcherOf(source)
  if (typeof matcher === 'string') throw new Error(matcher)
  const all = [isMatch(program, text, newRun()), matcher(text, newRun())]
  return automaton === undefined ? all : [...all, automaton.isMatch(text, newRun()), automaton.isMatch(text, newRun())]
}

describe('every way of matching agrees with the platform', () => {
  const { regex } = fc.letrec<{ regex: string }>((tie) => ({
    regex: fc.oneof(
      { maxDepth: 4, withCrossShrink: true },
      fc.constantFrom(
        'a',
        'b',
        'ab',
        '.',
        '[ab]',
        '[^a]',
        '\\w',
        '\\s',
        '\\d',
        '\\u{1F600}',
        '\\p{L}',
        '^',
        '$',
        '\\b',
        '\\B',
        '',
      ),
      fc.tuple(tie('regex'), tie('regex')).map(([a, b]) => a + b),
      fc.tuple(tie('regex'), tie('regex')).map(([a, b]) => `(?:${a}|${b})`),
      fc
        .tuple(tie('regex'), fc.constantFrom('*', '+', '?', '{2}', '{1,3}', '{2,}', '*?', '{0}', '{0,2}?'))
        .map(([a, times]) => `(${a})${times}`),
      fc.tuple(fc.constantFrom('?=', '?!', '?<=', '?<!'), tie('regex')).map(([look, a]) => `(${look}${a})`),
    ),
  }))
  const text = fc
    .array(fc.constantFrom('a', 'b', ' ', '1', '\n', '😀', '\ud83d'), { maxLength: 8 })
    .map((all) => all.join(''))

  test('for patterns of all kinds', () => {
    fc.assert(
      fc.property(regex, fc.array(text, { minLength: 3, maxLength: 6 }), fc.boolean(), (source, texts, isWhole) => {
        const pattern = isWhole ? `^(?:${source})$` : source
        // The platform looks between the halves of a pair when it begins a match that may be empty there.
        const mayBeBetween = /\\B|\(\?<?[=!]/.test(pattern)
        for (const some of texts) {
          const each = mayBeBetween ? some.replace(/[\ud800-\udfff]/g, '') : some
          const native = new RegExp(pattern, 'u').test(each)
          for (const ours of answers(pattern, each)) expect([pattern, each, ours]).toEqual([pattern, each, native])
        }
      }),
      { numRuns: 1500 },
    )
  })
})

describe('which patterns are left to the platform', () => {
  test.each([
    ['^[a-z0-9-]+$', true],
    ['^\\d{4}-\\d{2}-\\d{2}$', true],
    ['^https?://', true],
    ['^(?:\\+|-)?\\d+(?:\\.\\d+)?$', true],
    ['^[A-Z]{2}|[0-9]{2}$', true],
    ['^[^@]+@[^@]+$', true],
    ['abc', true],
    ['^(a+)+$', false],
    ['^(a|a)*$', false],
    ['^(a|ab)c$', false],
    ['^a*a$', false],
    ['^(a*)*$', false],
    ['[a-z]+', false],
    ['(?=a)a', false],
    ['^(a?){3}$', false],
    ['a{1,100}', false],
    ['^(?:a{1,2}){1,2}$', false],
  ])('%s: %s', (source, linear) => {
    expect(isLinear(parsePattern(source), plenty())).toBe(linear)
  })
})

describe('what people write although the flag "u" forbids it', () => {
  test.each([
    ['^[\\w-.]+$', 'a-.', true],
    ['^[\\w.-]+\\@x$', 'a@x', true],
    ['^\\-\\_\\ $', '-_ ', true],
    ['^{x}$', '{x}', true],
    ['^]$', ']', true],
    ['^a{,2}$', 'a{,2}', true],
    ['^[a-\\d]$', '-', true],
    ['^\\"$', '"', true],
  ])('%s is read as meant', (source, text, matches) => {
    const matcher = new Patterns(plenty()).matcherOf(source)
    expect(typeof matcher === 'string' ? matcher : matcher(text, newRun())).toBe(matches)
  })
})

describe('what is refused says why', () => {
  test.each([
    ['(', 'a group is not closed'],
    [')', 'it has a ")" too many'],
    ['[a', 'a class "[" is not closed'],
    ['a**', 'it has two quantifiers in a row'],
    ['*a', 'it repeats nothing'],
    ['^*', 'it repeats a place such as "^" or "\\b"'],
    ['a{2,1}', 'its quantifier "{2,1}" ends before it begins'],
    ['[b-a]', 'a range of a class ends before it begins'],
    ['\\', 'it ends with a backslash'],
    ['\\Z', '"\\Z" means nothing'],
    ['\\p{Nonsense}', 'no Unicode property is named "Nonsense"'],
    ['\\u{110000}', '"\\u{110000}" is no character'],
    ['(?i)a', 'it has a group "(?" of a kind that is not known'],
    ['(a)\\1', 'it has a back reference, which cannot be matched in bounded time'],
    ['('.repeat(100), 'its groups nest deeper than 64 levels'],
    ['a'.repeat(2001), 'it has more than 2000 characters'],
  ])('%s', (source, why) => {
    expect(new Patterns(plenty()).matcherOf(source)).toBe(why)
  })
})

describe('the automaton', () => {
  test('goes on rightly when it had to forget what it knew', () => {
    const pattern = '(?:[ab]*a[ab]{9})$'
    const texts = Array.from({ length: 400 }, (_, at) =>
      (at * 2654435761).toString(2).replaceAll('0', 'a').replaceAll('1', 'b'),
    )
    for (const text of texts) {
      const native = new RegExp(pattern, 'u').test(text)
      expect(answers(pattern, text)).toEqual(Array(4).fill(native))
    }
  })
})

test('every pattern that zod writes into a schema can be used', () => {
  const texts = {
    email: z.email(),
    uuid: z.uuid(),
    ipv4: z.ipv4(),
    ipv6: z.ipv6(),
    cidrv6: z.cidrv6(),
    emoji: z.emoji(),
  }
  const codes = { base64: z.base64(), base64url: z.base64url(), nanoid: z.nanoid(), cuid2: z.cuid2(), ulid: z.ulid() }
  const times = { date: z.iso.date(), time: z.iso.time(), datetime: z.iso.datetime(), duration: z.iso.duration() }
  const parts = {
    start: z.string().startsWith('a.'),
    end: z.string().endsWith('b'),
    hostname: z.hostname(),
    e164: z.e164(),
  }
  const { properties } = z.toJSONSchema(z.object({ ...texts, ...codes, ...times, ...parts }))
  for (const [name, schema] of Object.entries(properties ?? {})) {
    const { pattern } = schema as { pattern?: string } // each of these has one
    expect([name, pattern]).toEqual([name, expect.any(String)])
    for (const text of ['ada@example.com', '2026-07-31', 'P1DT2H', '::1', 'a.b', 'YQ==', '+491234567', '👩‍👩‍👧', '?']) {
      const native = new RegExp(String(pattern), 'u').test(text)
      for (const ours of answers(String(pattern), text)) expect([name, text, ours]).toEqual([name, text, native])
    }
  }
})
