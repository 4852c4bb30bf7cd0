import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { compileJsonSchema, type JsonSchemaOptions } from './index.ts'

function told(schema: unknown, value: unknown, options?: JsonSchemaOptions): string | undefined {
  return compileJsonSchema(schema, options).validate(value)?.text
}

describe('a fault tells a model where, what was found and what would work', () => {
  const forecast = {
    type: 'object',
    properties: {
      city: { type: 'string', minLength: 1, maxLength: 10 },
      days: { type: 'integer', minimum: 1, exclusiveMaximum: 15 },
      unit: { enum: ['metric', 'imperial'] },
      tags: { type: 'array', items: { type: ['string', 'null'] }, minItems: 1, maxItems: 2, uniqueItems: true },
      'a/b~c': { const: 1 },
    },
    required: ['city', 'days'],
    additionalProperties: false,
  }

  test.each<[unknown, string]>([
    [{}, 'missing "city", "days"'],
    [{ city: 'Rome' }, 'missing "days"'],
    [{ city: 5, days: 1 }, '/city: expected a string, found the number 5'],
    [{ city: '', days: 1 }, '/city: expected at least 1 character, found 0'],
    [{ city: 'Llanfairpwllgwyngyll', days: 1 }, '/city: expected at most 10 characters, found 20'],
    [{ city: 'Rome', days: 1.5 }, '/days: expected a whole number, found the number 1.5'],
    [{ city: 'Rome', days: 0 }, '/days: expected at least 1, found the number 0'],
    [{ city: 'Rome', days: 15 }, '/days: expected less than 15, found the number 15'],
    [{ city: 'Rome', days: '3' }, '/days: expected a whole number, found the string "3"'],
    [{ city: 'Rome', days: 3, unit: 'si' }, '/unit: expected one of "metric", "imperial", found the string "si"'],
    [{ city: 'Rome', days: 3, tags: ['a', 1] }, '/tags/1: expected a string or null, found the number 1'],
    [{ city: 'Rome', days: 3, tags: [] }, '/tags: expected at least 1 item, found 0'],
    [{ city: 'Rome', days: 3, tags: ['a', 'a'] }, '/tags: expected no item twice, found the string "a" again at 1'],
    [{ city: 'Rome', days: 3, 'a/b~c': 2 }, '/a~1b~0c: expected 1, found the number 2'],
    [{ city: 'Rome', days: 3, citty: 1 }, 'unknown member "citty": it has "city", "days", "unit", "tags", "a/b~c"'],
    [[], 'expected an object, found an array of 0 items'],
    [null, 'expected an object, found null'],
    [
      { city: 5, days: 0 },
      '/city: expected a string, found the number 5; /days: expected at least 1, found the number 0',
    ],
  ])('%j', (value, text) => {
    expect(told(forecast, value)).toBe(text)
  })

  test('a value that conforms has none', () => {
    expect(told(forecast, { city: 'Rome', days: 3, unit: 'metric', tags: ['a', null] })).toBeUndefined()
  })

  test('there are at most as many as asked for, each with its path and keyword', () => {
    const items = compileJsonSchema({ items: { type: 'string' } }, { maxFaults: 2 })
    expect(items.validate([1, 2, 3, 4])?.faults).toEqual([
      { path: '/0', keyword: 'type', message: 'expected a string, found the number 1' },
      { path: '/1', keyword: 'type', message: 'expected a string, found the number 2' },
    ])
  })

  test('text of a peer in it is short and has no control characters', () => {
    const text = told({ type: 'number' }, `\u001b[31m${'x'.repeat(5000)}\n`)
    expect(text).toMatch(/^expected a number, found the string "\ufffd\[31mx+…"$/)
    expect(text?.length).toBeLessThan(200)
  })

  test('a name of a peer in a path is short and has no control characters', () => {
    const text = told({ additionalProperties: { type: 'number' } }, { [`\u001b${'x'.repeat(5000)}`]: '' })
    expect(text).toMatch(/^\/\ufffdx{498}…: expected a number/)
    const $ref = `\u001b${'x'.repeat(5000)}`
    expect(() => compileJsonSchema({ $ref })).toThrow(/^\/\$ref: "\ufffdx{400,500}…$/)
  })

  test('of several forms the one that was meant is told of', () => {
    const shape = {
      oneOf: [
        { properties: { kind: { const: 'circle' }, radius: { type: 'number' } }, required: ['kind', 'radius'] },
        { properties: { kind: { const: 'square' }, side: { type: 'number' } }, required: ['kind', 'side'] },
      ],
    }
    expect(told(shape, { kind: 'square', side: 'x' })).toBe('/side: expected a number, found the string "x"')
    expect(told(shape, { kind: 'circle' })).toBe('missing "radius"')
    expect(told({ anyOf: [{ type: 'string' }, { required: ['a'] }] }, {})).toBe('missing "a"')
    expect(told({ oneOf: [{ type: 'number' }, { minimum: 2 }] }, 3)).toBe(
      'expected exactly one of 2 forms to fit, found that 1 and 2 do',
    )
  })

  test('what is forbidden by "not" and what "contains" misses is said', () => {
    expect(told({ not: { type: 'string' } }, 'x')).toBe(
      'expected something that is not {"type":"string"}, found the string "x"',
    )
    expect(told({ contains: { type: 'string' } }, [1])).toBe(
      'expected an item of the kind that it must contain, found 0',
    )
    expect(told({ dependentRequired: { a: ['b'] } }, { a: 1 })).toBe('missing "b", which "a" needs')
  })
})

describe('values are JSON', () => {
  test.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty'])(
    'abuse-11: "%s" is a name like any other',
    (name) => {
      const schema = JSON.parse(
        `{"properties":{"${name}":{"type":"string"}},"required":["${name}"],"additionalProperties":false}`,
      )
      expect(told(schema, {})).toBe(`missing "${name}"`)
      expect(told(schema, JSON.parse(`{"${name}":"x"}`))).toBeUndefined()
      expect(told(schema, JSON.parse(`{"${name}":1}`))).toBe(`/${name}: expected a string, found the number 1`)
      expect(told({ additionalProperties: false }, JSON.parse(`{"${name}":1}`))).toBe(
        `unknown member "${name}": it has no members`,
      )
      expect(told(JSON.parse(`{"dependentRequired":{"${name}":["x"]}}`), {})).toBeUndefined()
    },
  )

  test('a member that is undefined is absent, as it is not sent', () => {
    const schema = { properties: { a: { type: 'string' } }, required: ['a'], additionalProperties: false }
    expect(told(schema, { a: undefined })).toBe('missing "a"')
    expect(told(schema, { a: 'x', b: undefined })).toBeUndefined()
  })

  test.each<[unknown, unknown, boolean]>([
    [{ multipleOf: 0.0001 }, 0.0075, true],
    [{ multipleOf: 0.01 }, 19.99, true],
    [{ multipleOf: 0.01 }, 19.995, false],
    [{ multipleOf: 1e-8 }, 12391239123, true],
    [{ multipleOf: 0.123456789 }, 1e308, false],
    [{ multipleOf: 0.5 }, 1e308, true],
    [{ multipleOf: 5e-324 }, 1e308, true],
    [{ multipleOf: 3 }, -0, true],
    [{ const: 0 }, -0, true],
    [{ enum: [0] }, -0, true],
    [{ const: [0] }, [-0], true],
    [{ const: { a: 1, b: [{ c: null }] } }, { b: [{ c: null }], a: 1 }, true],
    [{ const: '1' }, 1, false],
    [{ enum: [[1, 2]] }, [2, 1], false],
    [{ uniqueItems: true }, [0, -0], false],
    [
      { uniqueItems: true },
      [
        { a: 1, b: 2 },
        { b: 2, a: 1 },
      ],
      false,
    ],
    [{ uniqueItems: true }, [1, '1', true, null, [1], ['1'], {}], true],
    [{ type: 'integer' }, 1e308, true],
    [{ type: 'number' }, Number.NaN, false],
    [{ type: 'number' }, 1n, false],
    [{ minLength: 2, maxLength: 2 }, '💩💩', true],
    [{ maxLength: 1 }, '💩💩', false],
  ])('%j and %o conform: %s', (schema, value, conforms) => {
    expect(told(schema, value) === undefined).toBe(conforms)
  })

  test('a number is a multiple of a decimal exactly when its digits say so', () => {
    fc.assert(
      fc.property(fc.integer({ min: -1e9, max: 1e9 }), fc.integer({ min: 1, max: 9999 }), (value, divisor) => {
        const conforms = told({ multipleOf: divisor / 1e4 }, value / 1e4) === undefined
        expect(conforms).toBe(value % divisor === 0)
      }),
    )
  })

  test('equal values are equal in any order of members, and no others are', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (a, b) => {
        const [left, right] = [JSON.parse(JSON.stringify(a)), JSON.parse(JSON.stringify(b))]
        expect(told({ const: left }, turned(left))).toBeUndefined()
        const areEqual = JSON.stringify(sorted(left)) === JSON.stringify(sorted(right))
        expect(told({ const: left }, right) === undefined).toBe(areEqual)
        expect(told({ uniqueItems: true }, [left, turned(right)]) !== undefined).toBe(areEqual)
      }),
    )
  })

  const turned = (value: unknown): unknown => reordered(value, (names) => names.reverse())
  const sorted = (value: unknown): unknown => reordered(value, (names) => names.sort())

  function reordered(value: unknown, order: (names: string[]) => string[]): unknown {
    if (Array.isArray(value)) return value.map((item) => reordered(item, order))
    if (typeof value !== 'object' || value === null) return value === 0 ? 0 : value
    const members = new Map(Object.entries(value))
    return Object.fromEntries(order([...members.keys()]).map((name) => [name, reordered(members.get(name), order)]))
  }
})

describe('which schemas are refused, and what is said', () => {
  test.each<[unknown, string]>([
    [
      { $schema: 'http://json-schema.org/draft-04/schema#' },
      '/$schema: "http://json-schema.org/draft-04/schema#" is not supported; supported are "https://json-schema.org/draft/2020-12/schema" and "http://json-schema.org/draft-07/schema#"',
    ],
    [
      { properties: { a: { type: 'strnig' } } },
      '/properties/a/type: expected a type or a list of types out of "null", "boolean", "number", "integer", "string", "array", "object"',
    ],
    [
      { exclusiveMinimum: true },
      '/exclusiveMinimum: expected a number; true and false are the form of draft-04, which is not supported',
    ],
    [{ properties: { a: { required: true } } }, '/properties/a/required: expected a list of names'],
    [{ properties: { a: 5 } }, '/properties/a: a schema is an object, true or false'],
    [{ properties: [] }, '/properties: expected an object of schemas'],
    [{ minLength: -1 }, '/minLength: expected a whole number of at least 0'],
    [{ multipleOf: 0 }, '/multipleOf: expected a number above 0'],
    [
      { $schema: 'https://json-schema.org/draft/2020-12/schema', items: [{}] },
      '/items: a list of schemas is the form of draft-07; 2020-12 says "prefixItems"',
    ],
    [{ $ref: '#/$defs/missing' }, '/$ref: "#/$defs/missing" leads nowhere'],
    [{ $ref: 5 }, '/$ref: expected a reference, which is text'],
    [{ pattern: '[' }, '/pattern: cannot use the pattern: a class "[" is not closed'],
    [5, 'a schema is an object, true or false'],
  ])('%j', (schema, message) => {
    expect(() => compileJsonSchema(schema)).toThrow(expect.objectContaining({ name: 'JsonSchemaError', message }))
  })

  test('forms of draft-07 are understood where no dialect is named', () => {
    const schema = { items: [{ type: 'string' }], additionalItems: false, dependencies: { a: ['b'] } }
    expect(told(schema, ['x'])).toBeUndefined()
    expect(told(schema, [1])).toBe('/0: expected a string, found the number 1')
    expect(told(schema, ['x', 1])).toBe('/1: expected nothing here, found the number 1')
    expect(told(schema, { a: 1 })).toBe('missing "b", which "a" needs')
  })

  test('a metaschema can be the schema: what it refuses we refuse too', () => {
    const schemas = compileJsonSchema({ $ref: 'https://json-schema.org/draft/2020-12/schema' })
    expect(schemas.validate({ properties: { a: { minLength: 3 } } })).toBeUndefined()
    expect(schemas.validate({ properties: { a: { minLength: -3 } } })?.text).toBe(
      '/properties/a/minLength: expected at least 0, found the number -3',
    )
  })
})

describe('formats', () => {
  test('are remarks unless they are asserted', () => {
    expect(told({ format: 'email' }, 'nobody')).toBeUndefined()
    expect(told({ format: 'email' }, 'nobody', { assertFormats: true })).toBe(
      'expected an e-mail address, such as "ada@example.com", found the string "nobody"',
    )
    expect(told({ format: 'hostname' }, '!', { assertFormats: true })).toBeUndefined()
  })
})
