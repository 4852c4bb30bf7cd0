import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parse, parseDocument, stringify } from 'yaml'
import { parseYaml } from './yaml.ts'

/** What a whole YAML parser makes of a text; undefined where it complains, if only by a warning. */
function judged(text: string): { readonly value: unknown } | undefined {
  const document = parseDocument(text, { logLevel: 'silent' })
  return document.errors.length + document.warnings.length > 0 ? undefined : { value: document.toJS() }
}

const texts: Readonly<Record<string, string>> = {
  'a skill as they are written': `name: pdf-processing
description: Extract text, fill forms, merge PDFs. Use when working with PDF files: forms or not.
`,
  plain: `name: pdf
description: Extract "text" - and more, e.g. http://x.example/#top
license: Apache-2.0
allowed-tools: Bash(git:*) Read
`,
  metadata: `metadata:
  version: "1.0"
  author: 'it''s me'
  count: 3
  ratio: 1.5e3
  hex: 0xff
  on: true
  none: ~
  empty:
  io.example/key: x
`,
  lists: `tags:
  - a
  - "b: c"
  - 7
flush:
- one
- - nested
  - deep
`,
  'maps in lists': `items:
  - name: a
    size: 1
  -
    name: b
  - {name: c, more: [1, two, "three"]}
`,
  brackets: `a: [1, two, "3", 'four', [five, 6], {seven: 8}, ]
b: {x: 1, "y z": two}
c: []
d: {}
e: [a b, c]  # comment
`,
  'text over several lines': `description: one
  two   three
  four

  five
next: 1
`,
  'block text': `a: |
  one
    deeper
  two

  three
b: >
  one
  two

  three
    deeper
    still
  four


c: |-
  no end
d: >+
  keeps

e: |+
  last
`,
  comments: `# first
a: 1 # one
b: "x # y" # two

# between
c: http://x#y
`,
  quotes: `a: "tab\\t nl\\n uni\\u00e9 \\x41 \\"q\\" \\\\ \\/"
"b c": 'x'
'd': ""
e: ''
`,
  windows: 'a: 1\r\nb:\r\n  - x\r\n  - y\r\n',
}

describe('reads', () => {
  it.each(Object.keys(texts))('%s, as every parser does', (title) => {
    const text = texts[title] ?? ''
    const expected = judged(text)
    if (expected === undefined) expect(() => parseYaml(text)).toThrow('Cannot read line')
    else expect(parseYaml(text)).toEqual(expected.value)
  })

  it('a key named __proto__ as data', () => {
    const value = parseYaml('__proto__:\n  polluted: true\n') as object
    expect(Object.keys(value)).toEqual(['__proto__'])
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined()
  })
})

it.each([
  ['a: &x 1', 'line 1'],
  ['a: *x', 'line 1'],
  ['a: !!str 1', 'line 1'],
  ['a: "open', 'quotes that open in a line close in it'],
  ['a: [1, 2', 'line 1'],
  ['a: .inf', 'no number of JSON'],
  ['a: 1\na: 2', '"a" is there twice'],
  ['a: 1\n\tb: 2', 'tabs do not indent'],
  ['a: b: c', 'a colon and a blank'],
  ['a: - b', 'put it in quotes'],
  ['- a\nb: 1', 'does not go on'],
  ['? a\n: b', 'no "key: value"'],
  ['a: |2\n  x', 'not understood'],
  ['a: "\\q"', 'no escape'],
  ['just text', 'no "key: value"'],
  [`${Array.from({ length: 40 }, (_, at) => `${' '.repeat(at)}a:`).join('\n')}`, 'deeper than 32'],
])('refuses %j and says where and why', (text, why) => {
  expect(() => parseYaml(text)).toThrow(why)
})

describe('of whatever is written', () => {
  const key = fc.stringMatching(/^[a-z][a-z0-9-]{0,6}$/)
  const scalar = fc.oneof(
    fc.string(),
    fc.stringMatching(/^[A-Za-z0-9 .,:#'"\n-]{0,20}$/),
    fc.integer(),
    fc.boolean(),
    fc.constant(null),
  )
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 3 },
      scalar,
      fc.array(tie('value'), { maxLength: 3 }),
      fc.dictionary(key, tie('value'), { maxKeys: 3 }),
    ),
  }))

  it('it reads what a whole parser reads, or says that it cannot', () => {
    let read = 0
    fc.assert(
      fc.property(fc.dictionary(key, value, { minKeys: 1, maxKeys: 4 }), fc.boolean(), (data, quoted) => {
        const text = stringify(data, quoted ? { defaultStringType: 'QUOTE_DOUBLE', lineWidth: 0 } : { lineWidth: 0 })
        const found = attempt(text)
        if (found === undefined) return
        read++
        expect(found.value).toEqual(parse(text))
      }),
      { numRuns: 1_000 },
    )
    expect(read).toBeGreaterThan(500)
  })

  it('it never reads what is no YAML, nor reads it as something else', () => {
    const piece = fc.constantFrom(
      ...['a: ', 'b:', '- ', '-', ': ', ' ', '  ', '\n', '\n', '\n  ', '\n    ', '#', ' # c', '"', "'", '[', ']', '{'],
      ...['}', ', ', '|', '>', '|-', '>+', 'x', 'word', '7', 'true', '~', '\\', '\\n', '?', '&a', '*a', '!', '%', '@'],
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 14 }), (pieces) => {
        const text = `k: ${pieces.join('')}\n`
        const found = attempt(text)
        if (found === undefined) return
        expect(judged(text)).toEqual(found)
      }),
      { numRuns: 3_000 },
    )
  })

  it('abuse-34: quotes that never close are looked through once, however many', () => {
    const text = `k: [${'"\\'.repeat(32_000)}`
    const started = performance.now()
    expect(() => parseYaml(text)).toThrow('line 1')
    expect(performance.now() - started).toBeLessThan(1_000)
  })
})

function attempt(text: string): { readonly value: unknown } | undefined {
  try {
    return { value: parseYaml(text) }
  } catch {
    return undefined
  }
}
