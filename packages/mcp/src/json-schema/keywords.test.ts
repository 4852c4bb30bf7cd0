import { describe, expect, test } from 'vitest'
import { compileJsonSchema } from './index.ts'

/** What each keyword means, by the specification: values that conform, and values that do not. */
type Row = readonly [schema: unknown, conform: readonly unknown[], others: readonly unknown[]]

const EVERY = [null, true, 0, 1.5, '', 'a', [], [1], {}, { a: 1 }]
const node = (properties: object) => ({ type: 'object', properties })

const BOTH: readonly Row[] = [
  [true, EVERY, []],
  [false, [], EVERY],
  [{ type: 'integer' }, [0, -3, 1.0, 1e20], [0.5, '1', null]],
  [{ type: 'number' }, [0, 0.5], ['0', true]],
  [{ type: ['null', 'array'] }, [null, []], [{}, 0, '']],
  [
    { enum: [1, 'a', null, { a: [1] }] },
    [1, 1.0, 'a', null, { a: [1] }],
    [2, 'b', false, { a: [2] }, { a: [1], b: 1 }],
  ],
  [{ const: { a: 1, b: 2 } }, [{ b: 2, a: 1 }], [{ a: 1 }, { a: '1', b: 2 }, []]],
  [{ const: false }, [false], [0, null, '']],
  [{ minimum: 2 }, [2, 2.1, '1'], [1.9, -3]],
  [{ exclusiveMinimum: 2 }, [2.1, null], [2, 1]],
  [{ maximum: 2 }, [2, -1, 'abc'], [2.1]],
  [{ exclusiveMaximum: 2 }, [1.9, []], [2, 3]],
  [{ multipleOf: 0.1 }, [0, 0.3, -0.7, 12, 1e15, 'x'], [0.25, 0.01]],
  [{ multipleOf: 0.03 }, [0.03, 0.27, 123456789, '1'], [0.04, 1.01]],
  [{ multipleOf: 4 }, [8, -4, 0], [2, 4.5]],
  [{ minLength: 2 }, ['ab', '💩💩', 5], ['a', '💩']],
  [{ maxLength: 1 }, ['', 'a', '💩', [1, 2]], ['ab', '💩a']],
  [{ pattern: '^a+b?' }, ['a', 'aab', 7], ['b', 'ba']],
  [{ minItems: 1 }, [[1], 'x', {}], [[]]],
  [{ maxItems: 1 }, [[], [1]], [[1, 2]]],
  [
    { uniqueItems: true },
    [
      [1, '1', true],
      [{}, []],
      [0, false],
    ],
    [
      [1, 1.0],
      [
        { a: 1, b: 2 },
        { b: 2, a: 1 },
      ],
    ],
  ],
  [{ uniqueItems: false }, [[1, 1]], []],
  [{ items: { type: 'number' } }, [[], [1, 2], 'x'], [[1, 'x']]],
  [{ contains: { const: 1 } }, [[1], [2, 1], {}], [[], [2]]],
  [{ minProperties: 1 }, [{ a: 1 }, []], [{}]],
  [{ maxProperties: 1 }, [{}, { a: 1 }], [{ a: 1, b: 2 }]],
  [{ required: ['a'] }, [{ a: null }, 'x', []], [{}, { b: 1 }]],
  [node({ a: { type: 'string' } }), [{}, { a: 'x', b: 5 }], [{ a: 5 }, 'x']],
  [
    { patternProperties: { '^n': { type: 'number' }, e$: { minimum: 2 } } },
    [{ n: 1, x: '' }, { ne: 2 }],
    [{ n: '' }, { ne: 1 }],
  ],
  [
    { properties: { a: true }, patternProperties: { '^b': true }, additionalProperties: { type: 'null' } },
    [{ a: 1, bc: 1, d: null }],
    [{ d: 1 }],
  ],
  [{ properties: { a: true }, additionalProperties: false }, [{}, { a: 1 }, 'x'], [{ b: 1 }, { a: 1, b: 1 }]],
  [{ propertyNames: { maxLength: 1 } }, [{ a: 1 }, {}, 'long'], [{ ab: 1 }]],
  [{ allOf: [{ minimum: 1 }, { maximum: 2 }] }, [1, 2, 'x'], [0, 3]],
  [{ anyOf: [{ type: 'string' }, { minimum: 2 }] }, ['x', 2], [1]],
  [{ oneOf: [{ multipleOf: 2 }, { multipleOf: 3 }] }, [2, 3, 4, 9], [1, 6, 'x']],
  [{ not: { type: 'string' } }, [1, null], ['x']],
  // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
  [{ if: { type: 'string' }, then: { minLength: 2 }, else: { minimum: 5 } }, ['ab', 5, null], ['a', 4]],
  // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
  [{ then: false, else: false }, EVERY, []],
  [{ format: 'email', unknown: 5, title: 'T', default: 7 }, EVERY, []],
]

const ONLY_2020: readonly Row[] = [
  [{ prefixItems: [{ type: 'number' }, true], items: { type: 'null' } }, [[], [1], [1, 'x', null]], [['x'], [1, 2, 3]]],
  [{ prefixItems: [true], items: false }, [[], [1]], [[1, 2]]],
  [
    { contains: { const: 1 }, minContains: 2, maxContains: 3 },
    [
      [1, 1],
      [1, 2, 1, 1],
    ],
    [[1], [1, 1, 1, 1], []],
  ],
  [{ contains: { const: 1 }, minContains: 0 }, [[], [2]], []],
  [{ contains: { const: 1 }, minContains: 0, maxContains: 1 }, [[], [1]], [[1, 1]]],
  [{ minContains: 3, maxContains: 1 }, [[], [1]], []],
  [{ dependentRequired: { a: ['b', 'c'] } }, [{}, { b: 1 }, { a: 1, b: 1, c: 1 }], [{ a: 1, b: 1 }]],
  [{ dependentSchemas: { a: { required: ['b'] } } }, [{ c: 1 }, { a: 1, b: 1 }], [{ a: 1 }]],
  [{ $ref: '#/$defs/x', minimum: 2, $defs: { x: { type: 'integer' } } }, [2], [1, 2.5, 'x']],
  [{ $ref: '#/$defs/a~1b%20c', $defs: { 'a/b c': { const: 1 } } }, [1], [2]],
  [
    { properties: { next: { $ref: '#' }, at: { type: 'number' } }, required: ['at'] },
    [{ at: 1, next: { at: 2 } }],
    [{ at: 1, next: {} }],
  ],
  [{ items: { $ref: '#name' }, $defs: { any: { $anchor: 'name', type: 'string' } } }, [['x']], [[1]]],
  [
    {
      $id: 'https://a.example/root.json',
      $ref: 'sub/part.json#leaf',
      $defs: { p: { $id: 'sub/part.json', $defs: { l: { $anchor: 'leaf', const: 5 } } } },
    },
    [5],
    [6],
  ],
  [
    // A reference inside a part with an identity is read from there, not from the root.
    {
      $id: 'https://a.example/',
      $defs: { v: { const: 'outer' }, p: { $id: 'p', $ref: '#/$defs/v', $defs: { v: { const: 'inner' } } } },
      $ref: 'p',
    },
    ['inner'],
    ['outer'],
  ],
  [
    // A tree that is extended: what a node of it is, the outermost resource decides.
    {
      $id: 'https://a.example/strict',
      $dynamicAnchor: 'node',
      $ref: 'tree',
      unevaluatedProperties: false,
      $defs: {
        tree: {
          $id: 'tree',
          $dynamicAnchor: 'node',
          properties: { value: true, children: { type: 'array', items: { $dynamicRef: '#node' } } },
        },
      },
    },
    [{ value: 1 }, { children: [{ value: 1, children: [] }] }],
    [{ extra: 1 }, { children: [{ extra: 1 }] }],
  ],
  [
    // Without a dynamic anchor where it first leads it is a plain reference.
    {
      $id: 'https://b.example/',
      $defs: {
        x: { $dynamicAnchor: 'n', type: 'string' },
        p: { $id: 'p', $dynamicRef: '#n', $defs: { y: { $anchor: 'n', type: 'number' } } },
      },
      $ref: 'p',
    },
    [1],
    ['x'],
  ],
  [{ properties: { a: true }, unevaluatedProperties: false }, [{ a: 1 }, [1]], [{ b: 1 }]],
  [
    {
      allOf: [{ properties: { a: true } }, { $ref: '#/$defs/b' }],
      $defs: { b: { properties: { b: true } } },
      unevaluatedProperties: false,
    },
    [{ a: 1, b: 1 }],
    [{ c: 1 }],
  ],
  [
    {
      anyOf: [
        { properties: { a: { const: 1 } }, required: ['a'] },
        { properties: { b: true }, required: ['b'] },
      ],
      unevaluatedProperties: false,
    },
    [{ a: 1 }, { b: 1 }, { a: 1, b: 2 }],
    [
      { a: 2, b: 1 },
      { a: 1, c: 1 },
    ],
  ],
  [
    { oneOf: [{ required: ['a'], properties: { a: true } }, { required: ['b'] }], unevaluatedProperties: false },
    [{ a: 1 }],
    [{ b: 1 }],
  ],
  [
    {
      if: { properties: { k: { const: 1 } }, required: ['k'] },
      // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
      then: { properties: { a: true } },
      else: { properties: { b: true } },
      unevaluatedProperties: false,
    },
    [{ k: 1, a: 1 }, { b: 1 }],
    [{ k: 1, b: 1 }, { k: 2 }, { a: 1 }],
  ],
  [{ not: { not: { properties: { a: true } } }, unevaluatedProperties: false }, [{}], [{ a: 1 }]],
  [
    { dependentSchemas: { a: { properties: { b: true } } }, properties: { a: true }, unevaluatedProperties: false },
    [{ a: 1, b: 1 }],
    [{ b: 1 }],
  ],
  [{ patternProperties: { '^x': true }, unevaluatedProperties: { type: 'null' } }, [{ x1: 1, y: null }], [{ y: 1 }]],
  [{ allOf: [{ additionalProperties: true }], unevaluatedProperties: false }, [{ a: 1 }], []],
  [{ allOf: [{ unevaluatedProperties: true }], unevaluatedProperties: false }, [{ a: 1 }], []],
  [{ properties: { a: { properties: { b: true } } }, unevaluatedProperties: false }, [{ a: { b: 1 } }], [{ b: 1 }]],
  [{ prefixItems: [true], unevaluatedItems: false }, [[], [1], { a: 1 }], [[1, 2]]],
  [{ allOf: [{ prefixItems: [true, true] }], prefixItems: [true], unevaluatedItems: false }, [[1, 2]], [[1, 2, 3]]],
  [{ allOf: [{ items: true }], unevaluatedItems: false }, [[1, 2, 3]], []],
  [{ contains: { type: 'string' }, unevaluatedItems: { type: 'null' } }, [['a'], [null, 'a']], [['a', 1], [null]]],
  [{ anyOf: [{ prefixItems: [{ const: 1 }] }, true], unevaluatedItems: false }, [[], [1]], [[2], [1, 2]]],
]

const ONLY_07: readonly Row[] = [
  [{ items: [{ type: 'number' }], additionalItems: { type: 'null' } }, [[], [1], [1, null]], [['x'], [1, 2]]],
  [{ items: { type: 'number' }, additionalItems: false }, [[1, 2]], [['x']]],
  [{ additionalItems: false }, [[1]], []],
  [
    { dependencies: { a: ['b'], c: { minProperties: 2 } } },
    [{ b: 1 }, { a: 1, b: 1 }, { c: 1, d: 1 }],
    [{ a: 1 }, { c: 1 }],
  ],
  [{ $ref: '#/definitions/x', minimum: 9, definitions: { x: { type: 'integer' } } }, [1], ['x']],
  [{ items: { $ref: '#name' }, definitions: { any: { $id: '#name', type: 'string' } } }, [['x']], [[1]]],
  [
    {
      $id: 'http://a.example/root.json',
      allOf: [{ $ref: 'part.json' }],
      definitions: { p: { $id: 'part.json', const: 5 } },
    },
    [5],
    [6],
  ],
  [{ prefixItems: [false], dependentRequired: { a: ['b'] }, unevaluatedProperties: false }, [[1], { a: 1 }], []],
  [{ contains: true, minContains: 2 }, [[1]], [[]]],
]

describe.each([
  ['2020-12', 'https://json-schema.org/draft/2020-12/schema', [...BOTH, ...ONLY_2020]],
  ['draft-07', 'http://json-schema.org/draft-07/schema#', [...BOTH, ...ONLY_07]],
] as const)('%s', (_, $schema, rows) => {
  test.each(rows)('%j', (schema, conform, others) => {
    const { validate } = compileJsonSchema(typeof schema === 'object' ? { $schema, ...schema } : schema)
    for (const value of conform) expect([value, validate(value)?.text]).toEqual([value, undefined])
    for (const value of others) expect([value, validate(value) === undefined]).toEqual([value, false])
  })
})
