import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parse, stringify } from 'yaml'
import { parseFrontmatter } from './frontmatter.ts'

const of = (yaml: string) => parseFrontmatter(`---\n${yaml}\n---\nBody\n`)

describe('frontmatter', () => {
  const readable: string[] = [
    'name: a\ndescription: Extract, fill, and assemble PDF documents',
    "name: \"a: b\"\nother: 'it''s'\nempty:\nnothing: ~",
    'name: a # not this\n# nor this\n\ndescription: c#d',
    'metadata:\n  version: "2.1.0"\n  stable: true\n  deep:\n    er: 1',
    'allowed-tools:\n  - Read\n  - "Bash(git:*)"\nlicense: MIT',
    'allowed-tools:\n- Read\n- Write\nname: x',
    'tools: [a, "b, c", 3, [x]]\nmap: {a: 1, "b": two, c: {d: e}}\nnone: []\nempty: {}',
    'description: |\n  One\n  two\n\n  three\nname: x',
    'description: |-\n  One\nname: x',
    'description: |+\n  One\n\nname: x',
    'description: >\n  One\n  two\n\n  three\nname: x',
    'description: >-\n  One\n  two\nname: x',
    'description: One\n  two\n  three\nname: x',
    'a: -1\nb: 1.5\nc: 1e3\nd: 0x1f\ne: 1.2.3\nf: 2026-01-01\ng: yes\nh: False\ni: .5',
    'url: https://example.com/a?b=c#d\ntime: 12:30',
    '"quoted key": 1\n\'other\': 2',
    '__proto__: x\nconstructor: y',
    'name: a\r\ndescription: b',
  ]
  it.each(readable)('is read as YAML reads it: %j', (yaml) => {
    const expected = parse(yaml)
    expect(JSON.stringify(of(yaml))).toBe(JSON.stringify(expected))
  })

  const refused: string[] = [
    'a: &x 1\nb: *x',
    'a: !!str 1',
    'a: 1\na: 2',
    '- a\n- b',
    'just text',
    'a: b: c',
    'a: "unclosed',
    'a: [1, 2',
    'a: {b: 1, b: 2}',
    '\ta: 1',
    'a: 1\n   b: 2',
    `a: ${'['.repeat(50)}${']'.repeat(50)}`,
  ]
  it.each(refused)('is refused rather than guessed at: %j', (yaml) => {
    expect(of(yaml)).toBeUndefined()
  })

  it('has to be there, and first', () => {
    expect(parseFrontmatter('# Title')).toBeUndefined()
    expect(parseFrontmatter('\n---\na: 1\n---\n')).toBeUndefined()
    expect(parseFrontmatter('\uFEFF---\na: 1\n---')).toEqual({ a: 1 })
    expect(parseFrontmatter('---\na: 1\n---\n---\nb: 2\n---\n')).toEqual({ a: 1 })
  })

  it('never disagrees with YAML about what it reads', () => {
    const leaf = fc.oneof(
      fc.string({ unit: 'grapheme', maxLength: 40 }),
      fc.integer(),
      fc.boolean(),
      fc.constant(null),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
    )
    const { map } = fc.letrec((tie) => ({
      value: fc.oneof({ maxDepth: 2 }, leaf, fc.array(leaf, { maxLength: 4 }), tie('map')),
      map: fc.dictionary(fc.string({ minLength: 1, maxLength: 12 }), tie('value'), {
        maxKeys: 5,
        noNullPrototype: true,
      }),
    }))
    fc.assert(
      fc.property(map, (value) => {
        const yaml = stringify(value)
        const read = of(yaml.trimEnd())
        if (read !== undefined) expect(read).toEqual(parse(yaml.trimEnd()))
      }),
      { numRuns: 1_000 },
    )
  })

  it('never takes long over text that is no YAML', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 400 }), (text) => {
        of(text)
      }),
      { numRuns: 300 },
    )
    const began = performance.now()
    const long = 4_000
    for (const hostile of ['a'.repeat(long), 'a:'.repeat(long / 2), '"\\'.repeat(long / 2), '['.repeat(long)])
      of(`a: ${hostile}`)
    for (const hostile of [
      'a'.repeat(50_000),
      'a:'.repeat(20_000),
      '"\\'.repeat(20_000),
      '['.repeat(40_000),
      ' '.repeat(50_000),
    ]) {
      of(hostile)
      of(`a: ${hostile}`)
      of(`- ${hostile}`)
      parseFrontmatter(`---\n${hostile}`)
    }
    expect(performance.now() - began).toBeLessThan(250)
  })
})
