import { describe, expect, test } from 'vitest'
import { compileJsonSchema, JSON_SCHEMA_LIMITS } from './index.ts'

const GIVEN_UP = 'too large or too deep to be checked by its schema'

describe('abuse-35: trap-27: references', () => {
  test.each([
    'http://127.0.0.1:1/schema.json',
    'https://example.com/a#/b',
    'file:///etc/passwd',
    'other.json',
    '//example.com/x',
    'urn:example:x',
  ])('"%s" is never fetched: the schema is refused', ($ref) => {
    const refused = /is not part of the schema, and references are never fetched$/
    expect(() => compileJsonSchema({ properties: { a: { $ref } } })).toThrow(refused)
    expect(() => compileJsonSchema({ $dynamicRef: $ref })).toThrow(refused)
  })

  test.each([
    ['to itself', { $ref: '#' }],
    [
      'round a circle',
      { $ref: '#/$defs/a', $defs: { a: { $ref: '#/$defs/b' }, b: { allOf: [{ $ref: '#/$defs/a' }] } } },
    ],
    // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
    ['in a condition', { if: { type: 'object' }, then: { $ref: '#' } }],
    ['in a choice', { anyOf: [{ type: 'string' }, { not: { $ref: '#' } }] }],
  ])('that never end are refused: %s', (_title, schema) => {
    expect(() => compileJsonSchema(schema)).toThrow('which never ends')
  })

  test('that go round by the scope of the caller end by the limit', () => {
    const schema = {
      $id: 'https://a.example/',
      $ref: 'inner',
      $defs: {
        outer: { $dynamicAnchor: 'x', $ref: 'inner' },
        inner: { $id: 'inner', $dynamicRef: '#x', $defs: { x: { $dynamicAnchor: 'x' } } },
      },
    }
    expect(compileJsonSchema(schema).validate({})?.text).toBe(GIVEN_UP)
  })

  test('that go down with the data are fine, as deep as a message may be', () => {
    const list = compileJsonSchema({
      $ref: '#/$defs/node',
      $defs: {
        node: { type: 'object', properties: { next: { anyOf: [{ type: 'null' }, { $ref: '#/$defs/node' }] } } },
      },
    })
    expect(list.validate(chain(63, null))).toBeUndefined()
    expect(list.validate(chain(63, 5))?.faults).toHaveLength(1)
    expect(list.validate(chain(100_000, null))?.text).toBe(GIVEN_UP)
  })

  function chain(length: number, end: unknown): unknown {
    let value = end
    for (let at = 0; at < length; at++) value = { next: value }
    return value
  }
})

describe('abuse-35: schemas that are too much', () => {
  const many = (count: number, each: (at: number) => unknown) =>
    Object.fromEntries(Array.from({ length: count }, (_, at) => [`p${at}`, each(at)]))

  test('10,000 properties are refused', () => {
    expect(() => compileJsonSchema({ properties: many(9_999, () => ({})) })).toThrow(/at most 2000 subschemas$/)
    expect(() => compileJsonSchema({ properties: many(10_001, () => true) })).toThrow(
      /at most 10000 members and items$/,
    )
  })

  test('1,998 properties are not, and unknown ones among 10,000 members are found', () => {
    const schema = compileJsonSchema({ properties: many(1_998, () => true), additionalProperties: false })
    expect(schema.validate(many(1_998, () => 1))).toBeUndefined()
    expect(schema.validate(many(10_000, () => 1))?.text).toContain('unknown member "p1998"')
  })

  test('a list of names or values of any length counts', () => {
    const names = Array.from({ length: 10_001 }, (_, at) => `n${at}`)
    expect(() => compileJsonSchema({ enum: names })).toThrow('at most 10000')
    expect(() => compileJsonSchema({ required: names })).toThrow('at most 10000')
  })

  test('a schema that nests deeper than 64 levels is refused, however deep', () => {
    let schema: object = {}
    for (let at = 0; at < 64; at++) schema = { items: schema }
    expect(() => compileJsonSchema(schema)).not.toThrow()
    for (let at = 0; at < 5_000; at++) schema = { items: schema }
    expect(() => compileJsonSchema(schema)).toThrow('nest deeper than 64 levels')
  })

  test('names as long as a message are refused, which every subschema below would repeat', () => {
    expect(() => compileJsonSchema({ properties: { ['x'.repeat(5_000)]: {} } })).toThrow('too long')
  })

  test('a schema that holds itself is refused', () => {
    const schema: Record<string, unknown> = {}
    schema.not = schema
    expect(() => compileJsonSchema(schema)).toThrow('at most 10000')
  })

  test('a bomb of 2^60 branches is given up', () => {
    const branch = (keyword: string, at: number) => ({
      [keyword]: [{ $ref: `#/$defs/p${at + 1}` }, { $ref: `#/$defs/p${at + 1}` }],
    })
    for (const keyword of ['allOf', 'anyOf', 'oneOf']) {
      const $defs = many(61, (at) =>
        at === 60 ? { type: keyword === 'allOf' ? 'number' : 'string' } : branch(keyword, at),
      )
      expect(compileJsonSchema({ $ref: '#/$defs/p0', $defs }).validate(5)?.text).toBe(GIVEN_UP)
    }
  })

  test('a bomb of marks for unevaluatedProperties is given up', () => {
    const anyOf = Array.from({ length: 500 }, () => ({ patternProperties: { '^p': true } }))
    const value = many(10_000, () => 1)
    expect(compileJsonSchema({ anyOf, unevaluatedProperties: false }).validate(value)?.text).toBe(GIVEN_UP)
  })

  test('a hundred thousand faults are not written out', () => {
    const schema = compileJsonSchema({ items: { type: 'string' } })
    expect(schema.validate(Array.from({ length: 100_000 }, (_, at) => at))?.faults).toHaveLength(5)
  })

  test('equal items are found in one pass, not by comparing each with each', () => {
    const items = Array.from({ length: 5_000 }, (_, at) => ({ at }))
    expect(compileJsonSchema({ uniqueItems: true }).validate(items)).toBeUndefined()
  })

  test('a value that holds itself is given up', () => {
    const value: Record<string, unknown> = {}
    value.self = value
    expect(compileJsonSchema({ additionalProperties: { $ref: '#' } }).validate(value)?.text).toBe(GIVEN_UP)
    expect(compileJsonSchema({ enum: [{}] }).validate(value)?.text).toBe(GIVEN_UP)
  })

  test('after a value that was given up the next is checked as if nothing had been', () => {
    const schema = compileJsonSchema({ pattern: '(a+)+$' }, { maxSteps: 10_000 })
    expect(schema.validate('a'.repeat(1_000_000))?.text).toBe(GIVEN_UP)
    expect(schema.validate('aa')).toBeUndefined()
  })
})

describe('abuse-34: abuse-35: compiling is counted', () => {
  /** The least `maxWork` with which a schema is compiled. */
  function workOf(schema: unknown): number {
    let [low, high] = [0, 10_000_000]
    while (low < high) {
      const middle = (low + high) >> 1
      if (isCompiled(schema, middle)) high = middle
      else low = middle + 1
    }
    return low
  }

  function isCompiled(schema: unknown, maxWork: number): boolean {
    try {
      compileJsonSchema(schema, { maxWork })
      return true
    } catch (error) {
      expect(String(error)).toContain('takes more work than is allowed')
      return false
    }
  }

  const times = <T>(count: number, each: (at: number) => T) => Array.from({ length: count }, (_, at) => each(at))
  const letter = (at: number) => String.fromCodePoint(0x4e00 + 2 * at)

  test.each<[string, (size: number) => unknown]>([
    ['subschemas', (size) => ({ allOf: times(size, (at) => ({ minLength: at })) })],
    ['references', (size) => ({ $defs: { a: {} }, allOf: times(size, () => ({ $ref: '#/$defs/a' })) })],
    [
      'long references',
      (size) => ({ $defs: { a: {} }, $ref: `#/$defs/${'%61'.repeat(size)}`.replace(/(%61)+$/, '%61') }),
    ],
    ['long names', (size) => ({ properties: { ['~/'.repeat(size)]: {} } })],
    ['long texts', (size) => ({ enum: ['x'.repeat(size * 1_000)] })],
    ['identities', (size) => ({ allOf: times(size, (at) => ({ $id: `https://a.example/${at}` })) })],
    ['parts that may be absent', (size) => ({ pattern: `^${times(size, (at) => `${letter(at)}?`).join('')}$` })],
    ['ways that begin differently', (size) => ({ pattern: `^(${times(size, letter).join('|')})$` })],
    ['groups within groups', (size) => ({ pattern: `^${'(?:a|'.repeat(size / 4)}b${')'.repeat(size / 4)}$` })],
    ['repetitions', (size) => ({ pattern: `(a?){${size}}b` })],
    ['classes', (size) => ({ pattern: `[${times(size, letter).join('')}]+b|c` })],
  ])('%s take work in proportion to their number', (_title, schema) => {
    const [small, large] = [workOf(schema(50)), workOf(schema(200))]
    expect(small).toBeGreaterThan(0)
    expect(large).toBeLessThan(5 * small + 1_000)
  })

  test.each<[string, unknown]>([
    ['parts that may be absent', times(500, (at) => `^${times(60, (of) => `${letter(of + at)}?`).join('')}${at}$`)],
    ['ways that begin differently', times(500, (at) => `^(${times(60, (of) => letter(of + at)).join('|')})${at}$`)],
    ['groups within groups', times(500, (at) => `^${'(?:a|'.repeat(30)}b${')'.repeat(30)}${at}`)],
    ['classes', times(50, (at) => `[${times(990, (of) => letter(of + at)).join('')}]+a`)],
    ['short ones', times(1_900, (at) => `^a${at}$`)],
  ])('many patterns are refused before they are looked into: %s', (_title, patterns) => {
    const anyOf = (patterns as string[]).map((pattern) => ({ pattern }))
    expect(() => compileJsonSchema({ anyOf })).toThrow('takes more work than is allowed')
  })

  test('what looks at hosts of other scripts pays for the square of their length', () => {
    const host = times(8_000, (at) => String.fromCodePoint(0x4e00 + ((at * 7919) % 20_000))).join('')
    const refused = 'takes more work than is allowed'
    for (const uri of [`http://${host}/`, `//${host}/`, `http://${encodeURIComponent(host)}/`]) {
      expect(() => compileJsonSchema({ $id: uri })).toThrow(refused)
      expect(() => compileJsonSchema({ $ref: uri })).toThrow(refused)
    }
    const many = times(1_900, () => ({ $id: `http://${host.slice(0, 250)}/` }))
    expect(() => compileJsonSchema({ anyOf: many })).toThrow(refused)
    expect(() => compileJsonSchema({ $id: `http://${host.slice(0, 60)}.example/` })).not.toThrow()
  })

  test('references through what no keyword leads to pay for each step', () => {
    let hidden: object = { type: 'string' }
    for (let at = 0; at < 1_000; at++) hidden = { u: hidden }
    const allOf = times(1_900, (at) => ({ $ref: `#/x${'/u'.repeat(1_000 - (at % 900))}` }))
    expect(() => compileJsonSchema({ x: hidden, allOf })).toThrow('takes more work than is allowed')
  })

  test('what "not" forbids is not written out again at every level', () => {
    const written: unknown[] = []
    const description = { toJSON: (key: string) => written.push(key) }
    let schema: object = { type: 'string', description }
    for (let at = 0; at < 60; at++) schema = { not: schema }
    const compiled = compileJsonSchema(schema)
    expect(compiled.validate(5)?.text).toContain('what the schema under "not" says')
    expect(written).toEqual([])
  })

  test.each([
    ['1,900 subschemas', { allOf: times(1_900, (at) => ({ type: 'string', minLength: at })) }],
    ['1,900 references', { $defs: { a: {} }, allOf: times(1_900, () => ({ $ref: '#/$defs/a' })) }],
    ['300 patterns as people write them', { anyOf: times(300, (at) => ({ pattern: `^[a-z]{1,10}-[0-9]+-${at}$` })) }],
  ])('what is only large is compiled: %s', (_title, schema) => {
    expect(() => compileJsonSchema(schema)).not.toThrow()
  })
})

describe('abuse-34: patterns', () => {
  /** Steps a check took: the fewest with which it is not given up. */
  function stepsOf(schema: unknown, value: unknown): number {
    let [low, high] = [0, JSON_SCHEMA_LIMITS.maxSteps]
    while (low < high) {
      const middle = (low + high) >> 1
      const text = compileJsonSchema(schema, { maxSteps: middle }).validate(value)?.text
      if (text === GIVEN_UP) low = middle + 1
      else high = middle
    }
    return low
  }

  test.each([
    '(a+)+$',
    '^(a+)+$',
    '(a|a)*$',
    '(a|aa)+$',
    '(.*)*x',
    '(.*a){20}$',
    '^(([a-z])+.)+[A-Z]([a-z])+$',
    '([a-zA-Z]+)*$',
    '^(?=(a+)+$)',
    '(?<=(a+)+)b',
    '^(?!(a|a)*$).*b',
    '(?:(?=a*b)a)*c',
    '[a-z]+$',
    '\\b(\\w+\\s?)+$',
    '\\p{L}+\\d',
    '(?:a?){30}a{30}b',
  ])('%s takes steps in proportion to the text', (pattern) => {
    const small = stepsOf({ pattern }, `${'a'.repeat(400)}!`)
    const large = stepsOf({ pattern }, `${'a'.repeat(1600)}!`)
    expect(small).toBeLessThan(JSON_SCHEMA_LIMITS.maxSteps)
    expect(large).toBeLessThan(small * 4 + 2_000)
  })

  test.each(['(a+)+$', '^(?=(a+)+$)', '(?<=(a+)+)b', '\\p{L}+\\d', '(x+x+)+y'])(
    '%s on four million characters is given up',
    (pattern) => {
      expect(compileJsonSchema({ pattern }).validate(`${'a'.repeat(4_000_000)}!`)?.text).toBe(GIVEN_UP)
    },
  )

  test.each([
    ['^[A-Za-z0-9+/]*={0,2}$', true],
    ['^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$', true],
    ['^[^\\n]+$', true],
    ['^(?:ab)*$', false],
  ])('%s on a megabyte of text is answered', (pattern, conforms) => {
    const fault = compileJsonSchema({ pattern }).validate('a'.repeat(2 ** 20))
    expect(fault?.text).not.toBe(GIVEN_UP)
    expect(fault === undefined).toBe(conforms)
  })

  test.each(['(a)\\1', '^(a+)\\1+$', '(?<x>a)\\k<x>', '(?=(a))\\1'])('a back reference is refused: %s', (pattern) => {
    expect(() => compileJsonSchema({ pattern })).toThrow('back reference')
    expect(() => compileJsonSchema({ patternProperties: { [pattern]: true } })).toThrow('back reference')
  })

  test.each([
    '(a{1000}){1000}b|c',
    '(a?){5000}',
    '(((((a{1,9}){1,9}){1,9}){1,9}){1,9}){1,9}|b',
    `${'a?'.repeat(3_000)}`,
  ])('repetitions that are too many to be written out are refused: %s', (pattern) => {
    expect(() => compileJsonSchema({ pattern })).toThrow(/longer than 4000 steps|more than 2000 characters/)
  })

  test('repetitions that need not be written out may be as many as they like', () => {
    const schema = compileJsonSchema({ pattern: '^[^<>]{0,1000000}$' })
    expect(schema.validate('x'.repeat(1_000_000))).toBeUndefined()
    expect(schema.validate('x'.repeat(1_000_001))?.faults).toHaveLength(1)
  })

  test('all patterns of a schema share what one may take', () => {
    const anyOf = Array.from({ length: 40 }, (_, at) => ({ pattern: `(a?){900}${at}` }))
    expect(() => compileJsonSchema({ anyOf })).toThrow('takes more work than is allowed')
  })
})

describe('abuse-35: large values that are meant', () => {
  const row = {
    type: 'object',
    properties: {
      id: { type: 'integer', minimum: 0 },
      name: { type: 'string', minLength: 1, maxLength: 200 },
      email: { type: 'string', pattern: '^[^@]+@[^@]+$' },
      kind: { enum: ['a', 'b'] },
      tags: { type: 'array', items: { type: 'string' }, maxItems: 10 },
      price: { type: 'number', multipleOf: 0.01 },
      place: {
        type: 'object',
        properties: { x: { type: 'number' }, y: { type: 'number' } },
        required: ['x', 'y'],
        additionalProperties: false,
      },
    },
    required: ['id', 'name'],
    additionalProperties: false,
  }
  const rowOf = (at: number) => ({
    id: at,
    name: `name ${at}`,
    email: `u${at}@example.com`,
    kind: 'b',
    tags: ['s', 't'],
    price: at / 100,
    place: { x: 1, y: 2 },
  })

  test('an array of 10,000 objects is answered, with its one fault', () => {
    const rows = Array.from({ length: 10_000 }, (_, at) => rowOf(at))
    const schema = compileJsonSchema({ type: 'array', items: { $ref: '#/$defs/row' }, $defs: { row } })
    expect(schema.validate(rows)).toBeUndefined()
    const [first] = rows
    expect(schema.validate([{ ...first, price: 0.005 }, ...rows.slice(1)])?.faults).toHaveLength(1)
  })

  test('a megabyte of text in an argument is answered', () => {
    const schema = compileJsonSchema({ properties: { text: { type: 'string', minLength: 1, pattern: '^[^\\0]*$' } } })
    expect(schema.validate({ text: 'x'.repeat(2 ** 20) })).toBeUndefined()
    expect(schema.validate({ text: `${'x'.repeat(2 ** 20)}\0` })?.faults).toHaveLength(1)
  })

  test('what a large value adds has an end too', () => {
    const many = Array.from({ length: 1_000_000 }, (_, at) => at)
    expect(compileJsonSchema({ items: { type: 'number' } }).validate(many)?.text).toBe(GIVEN_UP)
  })
})
