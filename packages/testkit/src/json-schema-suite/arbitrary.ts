import fc from 'fast-check'

/**
 * Schemas and values made at random that have something to do with each other: few names, few texts, small numbers, so
 * that a keyword says yes about as often as no.
 */
export interface Case {
  readonly schema: JsonMembers
  readonly values: readonly unknown[]
}

export interface JsonMembers {
  readonly [keyword: string]: unknown
}

const NAMES = ['a', 'b', 'c', 'ab', 'hasOwnProperty'] as const
const TEXTS = ['', 'a', 'b', 'ab', 'aab', 'abc', 'A1', '12', '💩', '💩a'] as const
const PATTERNS = ['^a', 'b$', '^[ab]*$', '\\d', '^.$', 'a|c', '^(?:ab?)+$', '^\\S{2,}$', '[^a]', ''] as const
const NUMBERS = [-2, -1, -0.5, 0, 0.5, 1, 1.5, 2, 3, 4, 6, 1e3] as const
const TYPES = ['null', 'boolean', 'number', 'integer', 'string', 'array', 'object'] as const

const oneOf = <T>(list: readonly T[]) => fc.constantFrom(...list)
const name = oneOf(NAMES)
const names = fc.uniqueArray(name, { maxLength: 3 })
const count = fc.integer({ min: 0, max: 3 })
const number = oneOf(NUMBERS)
const divisor = oneOf([0.5, 1, 1.5, 2, 3, 0.01])
const scalar = fc.oneof(fc.constant(null), fc.boolean(), number, oneOf(TEXTS))

/** Small ones of every type, nested a little. */
export const value: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 3, depthSize: 'small' },
    scalar,
    fc.array(tie('value'), { maxLength: 4 }),
    fc.array(scalar, { maxLength: 5 }),
    membersOf(tie('value')),
  ),
})).value

function membersOf<T>(of: fc.Arbitrary<T>): fc.Arbitrary<{ [name: string]: T }> {
  return fc.uniqueArray(fc.tuple(name, of), { maxLength: 4, selector: ([key]) => key }).map(Object.fromEntries)
}

type Keywords = { readonly [keyword: string]: fc.Arbitrary<unknown> }

/** Keywords both drafts have, and that mean the same in both. */
function sharedKeywords(sub: fc.Arbitrary<unknown>): Keywords {
  return {
    type: fc.oneof(oneOf(TYPES), fc.uniqueArray(oneOf(TYPES), { minLength: 1, maxLength: 4 })),
    enum: fc.array(value, { minLength: 1, maxLength: 5 }),
    const: value,
    multipleOf: divisor,
    minimum: number,
    maximum: number,
    exclusiveMinimum: number,
    exclusiveMaximum: number,
    minLength: count,
    maxLength: count,
    pattern: oneOf(PATTERNS),
    format: oneOf(['date', 'unknown']),
    minItems: count,
    maxItems: count,
    uniqueItems: fc.boolean(),
    contains: sub,
    minProperties: count,
    maxProperties: count,
    required: names,
    properties: membersOf(sub),
    patternProperties: fc.dictionary(oneOf(PATTERNS), sub, { maxKeys: 2 }),
    additionalProperties: sub,
    propertyNames: sub,
    allOf: fc.array(sub, { minLength: 1, maxLength: 3 }),
    anyOf: fc.array(sub, { minLength: 1, maxLength: 3 }),
    oneOf: fc.array(sub, { minLength: 1, maxLength: 3 }),
    not: sub,
    if: sub,
    // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
    then: sub,
    else: sub,
  }
}

function keywords2020(sub: fc.Arbitrary<unknown>): Keywords {
  return {
    ...sharedKeywords(sub),
    prefixItems: fc.array(sub, { minLength: 1, maxLength: 3 }),
    items: sub,
    minContains: count,
    maxContains: count,
    dependentRequired: membersOf(names),
    dependentSchemas: membersOf(sub),
  }
}

/** What looks at members and items wherever it stands; see {@link DIALECTS} for why not more. */
function keywordsUnevaluated(sub: fc.Arbitrary<unknown>): Keywords {
  const all = { ...keywords2020(sub), unevaluatedProperties: sub, unevaluatedItems: sub }
  return Object.fromEntries(Object.entries(all).filter(([keyword]) => !BRANCHES.has(keyword)))
}

const BRANCHES: ReadonlySet<string> = new Set(
  'contains minContains maxContains anyOf oneOf if then else dependentSchemas patternProperties'.split(' '),
)

function keywords07(sub: fc.Arbitrary<unknown>): Keywords {
  return {
    ...sharedKeywords(sub),
    items: fc.oneof(sub, fc.array(sub, { minLength: 1, maxLength: 3 })),
    additionalItems: sub,
    dependencies: membersOf(fc.oneof(names, sub)),
  }
}

const DEFINED = ['x', 'y'] as const

interface Dialect {
  readonly $schema: string
  readonly defs: '$defs' | 'definitions'
  readonly keywords: (sub: fc.Arbitrary<unknown>) => Keywords
}

/**
 * What is compared. `unevaluated*` stands apart, only with what it takes no value to know: ajv counts what a branch has
 * looked at that failed, such as `if`, does not count what `contains` has, and throws at some `patternProperties`
 * (2020-12 core §11). The tests of the validator and the public suite have those.
 */
export const DIALECTS = {
  '2020-12': {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    defs: '$defs',
    keywords: keywords2020,
  },
  '2020-12 with unevaluated*': {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    defs: '$defs',
    keywords: keywordsUnevaluated,
  },
  'draft-07': { $schema: 'http://json-schema.org/draft-07/schema#', defs: 'definitions', keywords: keywords07 },
} as const satisfies { readonly [draft: string]: Dialect }

/** Keywords that mean little alone come together often. */
const TOGETHER: readonly (readonly string[])[] = [
  'properties required additionalProperties',
  'properties patternProperties additionalProperties',
  'allOf properties unevaluatedProperties',
  'allOf prefixItems unevaluatedItems',
  'prefixItems items',
  'items additionalItems',
  'contains minContains maxContains',
  'contains minItems maxItems',
  'if then else',
  'type minimum maximum multipleOf',
  'type minLength pattern',
].map((keywords) => keywords.split(' '))

/** A whole schema of the dialect: what it defines may refer to itself by way of the data. */
function schemaOf({ $schema, defs, keywords }: Dialect): fc.Arbitrary<JsonMembers> {
  const reference = oneOf(['#', ...DEFINED.map((key) => `#/${defs}/${key}`)]).map(($ref) => ({ $ref }))
  const { members } = fc.letrec((tie) => {
    const sub = fc.oneof({ maxDepth: 3, depthSize: 'small' }, fc.boolean(), reference, tie('members'), tie('members'))
    const all = keywords(sub)
    const known = Object.keys(all)
    const together = TOGETHER.map((group) => group.filter((keyword) => Object.hasOwn(all, keyword)))
    const chosen = fc.oneof(
      fc.uniqueArray(oneOf(known), { minLength: 1, maxLength: 3 }),
      fc.tuple(oneOf(together), oneOf(known)).map(([group, other]) => [...new Set([...group, other])]),
    )
    return {
      members: chosen.chain((list) =>
        fc.record(Object.fromEntries(list.map((keyword) => [keyword, all[keyword] ?? sub]))),
      ),
    }
  })
  const root = members as fc.Arbitrary<JsonMembers> // letrec knows nothing of what it ties
  return fc
    .tuple(root, fc.record(Object.fromEntries(DEFINED.map((key) => [key, root]))))
    .map(([schema, defined]) => ({ ...schema, $schema, [defs]: defined }))
}

/** Checking is cheap beside the referee's compiling. */
const VALUES = 40

export function caseOf(dialect: Dialect): fc.Arbitrary<Case> {
  return schemaOf(dialect).chain((schema) =>
    fc.record({
      schema: fc.constant(schema),
      values: fc.array(near(schema, schema, 0), { minLength: VALUES, maxLength: VALUES }),
    }),
  )
}

/**
 * Values that a schema has something to say about: on its bounds and beside them, of its members and items, of the
 * schemas it applies. Without them a wrong answer at a bound would hardly ever be met.
 */
function near(schema: unknown, root: JsonMembers, depth: number): fc.Arbitrary<unknown> {
  if (typeof schema !== 'object' || schema === null || depth > MAX_DEPTH) return value
  const at = schema as JsonMembers // a schema is an object, true or false
  const inner = (sub: unknown) => near(sub, root, depth + 1)
  const ways = [value, ...plainOnes(at), ...arraysNear(at, inner), ...objectsNear(at, inner)]
  for (const sub of appliedBy(at, root)) ways.push(inner(sub))
  return fc.oneof(...ways)
}

const MAX_DEPTH = 4

function plainOnes({ enum: listed, const: only, ...at }: JsonMembers): fc.Arbitrary<unknown>[] {
  const bounds = ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf'].flatMap((keyword) => {
    const bound = at[keyword]
    return typeof bound === 'number' ? [bound, bound - 0.5, bound + 1, bound * 3, -bound] : []
  })
  const texts = ['minLength', 'maxLength'].flatMap((keyword) => {
    const length = at[keyword]
    return typeof length === 'number' ? ['a'.repeat(length), '💩'.repeat(length), 'b'.repeat(length + 1)] : []
  })
  if (at.pattern !== undefined) texts.push(...TEXTS)
  const choices = (listed ?? []) as readonly unknown[] // an enum is a list
  const found: readonly (readonly unknown[])[] = [choices, only === undefined ? [] : [only], bounds, texts]
  return found.filter((list) => list.length > 0).map((list) => oneOf(list))
}

const ARRAY_KEYWORDS =
  'items prefixItems additionalItems contains uniqueItems unevaluatedItems minItems maxItems'.split(' ')

function arraysNear(at: JsonMembers, inner: (sub: unknown) => fc.Arbitrary<unknown>): fc.Arbitrary<unknown>[] {
  if (!ARRAY_KEYWORDS.some((keyword) => at[keyword] !== undefined)) return []
  const first = (at.prefixItems ?? (Array.isArray(at.items) ? at.items : [])) as readonly unknown[]
  const rest = [at.items, at.additionalItems, at.contains, at.unevaluatedItems].filter((sub) => !Array.isArray(sub))
  const others = fc.array(fc.oneof(...rest.map(inner)), { maxLength: 4 })
  return [fc.tuple(fc.tuple(...first.map(inner)), others).map(([begin, end]) => [...begin, ...end]), others]
}

const OBJECT_KEYWORDS =
  'properties patternProperties additionalProperties required dependentRequired dependentSchemas dependencies propertyNames unevaluatedProperties minProperties maxProperties'.split(
    ' ',
  )

function objectsNear(at: JsonMembers, inner: (sub: unknown) => fc.Arbitrary<unknown>): fc.Arbitrary<unknown>[] {
  if (!OBJECT_KEYWORDS.some((keyword) => at[keyword] !== undefined)) return []
  const { properties = {}, patternProperties = {} } = at as { readonly [keyword: string]: JsonMembers }
  const rest = [...Object.values(patternProperties), at.additionalProperties, at.unevaluatedProperties]
  const known = fc.record(Object.fromEntries(Object.entries(properties).map(([key, sub]) => [key, inner(sub)])), {
    requiredKeys: [],
  })
  return [fc.tuple(membersOf(fc.oneof(...rest.map(inner))), known).map(([others, own]) => ({ ...others, ...own }))]
}

/** Schemas for the same value. */
function appliedBy(at: JsonMembers, root: JsonMembers): readonly unknown[] {
  const { $ref, dependentSchemas = {} } = at
  const { allOf = [], anyOf = [], oneOf: one = [] } = at as { readonly [keyword: string]: readonly unknown[] }
  const lists = [allOf, anyOf, one]
  const alone = [at.not, at.if, at.then, at.else].filter((sub) => sub !== undefined)
  const defined = (root.$defs ?? root.definitions) as JsonMembers // every schema made here has some
  const target = $ref === undefined ? [] : [$ref === '#' ? root : defined[String($ref).split('/')[2] ?? '']]
  return [...lists.flat(), ...alone, ...Object.values(dependentSchemas as JsonMembers), ...target]
}
